"""What an embedded journal may use of a machine, and what is fixed in it at its birth."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class EmbeddedSettings:
    """Bounds of one folder. Memory is at most the write buffers and the cache, about 90 MiB.

    `partitions` and `cluster` count only where the folder is made; afterwards
    the folder says them. `partitions` is for the topics a desk reads and
    writes; every other topic has one. An empty `cluster` is drawn at random.

    `sync` off loses the end of the log in a power cut, and nothing else.
    `free_bytes_min` is what must be free on the disk before a write begins: a
    write that is refused for it has certainly not happened, and what is in
    memory still finds room. `poll_ms` is how often a reader beside the owner
    looks for more. `keep_past` keeps the context records that newer ones have
    followed until `EmbeddedLog.forget`: for a notary, which logs each of them.
    """

    partitions: int = 1
    cluster: str = ""
    sync: bool = True
    write_buffer_bytes: int = 64 * MIB
    cache_bytes: int = 16 * MIB
    wal_bytes_max: int = 64 * MIB
    open_files_max: int = 512
    free_bytes_min: int = 256 * MIB
    poll_ms: int = 25
    keep_past: bool = False

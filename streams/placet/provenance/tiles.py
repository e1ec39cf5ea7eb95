"""The files of a log as C2SP tlog-tiles lays them: their paths, what lies in them, and which a tree of a size has.

A hash tile holds up to 256 hashes of 32 bytes: those of level L are the roots of complete subtrees of 256^L leaves. An
entry bundle holds up to 256 entries, each after its length in two bytes, big endian. A file of fewer is partial, and
gone once the full one is published.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

HEIGHT = 8
WIDTH = 1 << HEIGHT
HASH_SIZE = 32
ENTRY_BYTES_MAX = 65_535
"""C2SP tlog-tiles: the length of an entry is two bytes."""
ENTRIES = -1
"""The level under which entry bundles go here; in a path it is the word `entries`."""
CHECKPOINT = "checkpoint"
"""The path of the newest checkpoint."""

_PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


class Tile(NamedTuple):
    """One file of a log: a hash tile of `level`, or an entry bundle under ENTRIES; `width` below 256 says a partial one."""

    level: int
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Return the path below the log's prefix, as `tile/0/x001/x234/067.p/8`."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        part = f".p/{self.width}" if self.width < WIDTH else ""
        return f"tile/{level}/{_groups(self.number)}{part}"

    @property
    def full(self) -> "Tile":
        """Return the full tile of the same place."""
        return self._replace(width=WIDTH)


def _groups(index: int) -> str:
    text = f"{index % 1000:03}"
    while index := index // 1000:
        text = f"x{index % 1000:03}/{text}"
    return text


def tile_at(path: str) -> Tile | None:
    """Return the tile a path names, None where it is not exactly such a path."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    level = ENTRIES if found[1] == "entries" else int(found[1])
    index = int(found[2].replace("/", "").replace("x", ""))
    width = int(found[3]) if found[3] else WIDTH
    tile = Tile(level, index, width)
    # One tile has one path: no zeros before the index, no width of 256 or more, no level past 63.
    return tile if tile.path == path and level < 64 else None


def tile_of(level: int, index: int, size: int) -> Tile:
    """Return tile `index` of `level` as a tree of `size` leaves has it; raise ValueError where it has none."""
    width = min((size >> HEIGHT * max(level, 0)) - index * WIDTH, WIDTH)
    if index < 0 or width <= 0:
        raise ValueError(f"no tile {index} on level {level} in a tree of {size} leaves")
    return Tile(level, index, width)


def tiles_of(size: int, level: int) -> Iterator[Tile]:
    """Yield the tiles of one level in a tree of `size` leaves, by index."""
    count = size >> HEIGHT * max(level, 0)
    for index in range(count >> HEIGHT):
        yield Tile(level, index)
    if count % WIDTH:
        yield Tile(level, count >> HEIGHT, count % WIDTH)


def levels_in(size: int) -> range:
    """Return the levels of hash tiles in a tree of `size` leaves, from 0 up."""
    return range((max(size.bit_length(), 1) - 1) // HEIGHT + 1 if size else 0)


def filled_between(before: int, after: int) -> Iterator[Tile]:
    """Yield the full tiles and bundles of a tree of `after` leaves that were not yet full at `before`."""
    for level in (ENTRIES, *levels_in(after)):
        shift = HEIGHT * (max(level, 0) + 1)
        for index in range(before >> shift, after >> shift):
            yield Tile(level, index)


def hashes_in(data: bytes, width: int) -> list[bytes]:
    """Return the hashes of a tile; raise ValueError unless they are `width`."""
    if len(data) != width * HASH_SIZE:
        raise ValueError(f"a tile of {len(data)} bytes, expected {width * HASH_SIZE}")
    return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]


def pack_entries(entries: Iterable[bytes]) -> bytes:
    """Return the entry bundle of `entries`; raise ValueError for one that is too long."""
    parts = []
    for entry in entries:
        if len(entry) > ENTRY_BYTES_MAX:
            raise ValueError(f"an entry of {len(entry)} bytes, expected {ENTRY_BYTES_MAX} at most")
        parts.append(len(entry).to_bytes(2, "big"))
        parts.append(entry)
    return b"".join(parts)


def entries_in(data: bytes, width: int) -> list[bytes]:
    """Return the entries of a bundle; raise ValueError unless they are `width`, and nothing is left over."""
    found: list[bytes] = []
    at = 0
    while at < len(data):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if start > len(data) or at > len(data):
            raise ValueError(f"an entry bundle cut short at {len(data)} bytes, entry {len(found)} ends at {at}")
        found.append(data[start:at])
    if len(found) != width:
        raise ValueError(f"an entry bundle of {len(found)} entries, expected {width}")
    return found


def cut_to(tile: Tile, data: bytes) -> bytes:
    """Return what a partial tile holds, from the bytes of the full one."""
    if tile.level == ENTRIES:
        return pack_entries(entries_in(data, WIDTH)[: tile.width])
    return pack_hashes(hashes_in(data, WIDTH)[: tile.width])


def pack_hashes(hashes: Sequence[bytes]) -> bytes:
    """Return the bytes of a hash tile."""
    return b"".join(hashes)

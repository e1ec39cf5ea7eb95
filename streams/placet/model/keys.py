"""Where a record belongs: the key it is counted under, and the partition that key falls into."""

from functools import lru_cache
from struct import unpack_from

_SEED = 0x9747B28C
_MIX = 0x5BD1E995
_MASK = 0xFFFFFFFF


def key_of(tenant: str, authority: str) -> bytes:
    """Return the key of everything that is counted together under one authority."""
    return f"{tenant}/{authority}".encode()


@lru_cache(maxsize=65536)
def murmur2(data: bytes) -> int:
    """Return Kafka's 32-bit murmur2 of `data`, not negative: the sign bit is taken off as Kafka's `toPositive` does."""
    size = len(data)
    h = _SEED ^ size
    whole = size >> 2
    for k in unpack_from(f"<{whole}I", data):
        k = k * _MIX & _MASK
        h = (h * _MIX & _MASK) ^ ((k ^ k >> 24) * _MIX & _MASK)
    rest = data[whole << 2 :]
    if rest:
        h = (h ^ int.from_bytes(rest, "little")) * _MIX & _MASK
    h = (h ^ h >> 13) * _MIX & _MASK
    return (h ^ h >> 15) & 0x7FFFFFFF


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of `key` among `partitions`, as the Java client's default partitioner would."""
    return murmur2(key) % partitions

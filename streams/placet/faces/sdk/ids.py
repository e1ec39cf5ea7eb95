"""Ids of intents: 16 bytes that sort by time and that nobody else draws (RFC 9562 §5.7)."""

from placet.ports import Entropy


def new_id(now_ms: int, entropy: Entropy) -> bytes:
    """Return a UUIDv7: 48 bits of ms since 1970, then 74 random ones around version and variant."""
    tail = bytearray(entropy.draw(10))
    tail[0] = 0x70 | tail[0] & 0x0F
    tail[2] = 0x80 | tail[2] & 0x3F
    return (now_ms & (1 << 48) - 1).to_bytes(6, "big") + bytes(tail)

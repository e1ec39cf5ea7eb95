"""Digests, canonical bytes, Merkle roots and partitions, worked out from their specifications alone."""

import hashlib
import json
import re
from functools import lru_cache
from typing import Any

import rfc8785

_PLAIN = re.compile(r"[ !#-\[\]-~]*")
_FLOAT = re.compile(rb"[0-9][.eE]")


def sha256(data: bytes) -> bytes:
    """Return SHA-256 of `data`, 32 bytes."""
    return hashlib.sha256(data).digest()


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a Merkle leaf (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def root_of(leaves: list[bytes]) -> bytes:
    """Return the Merkle tree hash over leaf hashes (RFC 6962 §2.1); of none, SHA-256 of nothing."""
    if not leaves:
        return sha256(b"")
    level = leaves
    while len(level) > 1:
        # A tree whose left half is the largest power of two equals pairing from the left, the odd one carried up.
        above = [sha256(b"\x01" + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]


def root_by_path(leaf: bytes, index: int, size: int, path: bytes) -> bytes | None:
    """Return the root an audit path leads to (RFC 9162 §2.1.3.2), or None where the path does not fit."""
    if not 0 <= index < size or len(path) % 32:
        return None
    here, last, node = index, size - 1, leaf
    for start in range(0, len(path), 32):
        step = path[start : start + 32]
        if last == 0:
            return None
        if here & 1 or here == last:
            node = sha256(b"\x01" + step + node)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            node = sha256(b"\x01" + node + step)
        here, last = here >> 1, last >> 1
    return node if last == 0 else None


def is_canonical(data: bytes) -> bool:
    """Whether `data` is a JSON object in its own canonical form (RFC 8785)."""
    try:
        value = json.loads(data)
        if not isinstance(value, dict):
            return False
        return canonical(value, floats=bool(_FLOAT.search(data)) or not data.isascii()) == data
    except (ValueError, RecursionError, rfc8785.CanonicalizationError):
        return False


_PLAINLY = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def canonical(value: Any, *, floats: bool = True) -> bytes:
    """Return the RFC 8785 form of a value; without floats and beyond ASCII the standard library writes the same bytes."""
    if floats:
        return rfc8785.dumps(value)
    return _PLAINLY(value).encode()


def _text(value: str) -> bytes:
    return b'"%b"' % value.encode() if _PLAIN.fullmatch(value) else rfc8785.dumps(value)


def action_digest(intent: dict[str, Any], arguments: bytes) -> bytes:
    """Return the digest of an action (DESIGN §2), with `arguments` as they stand in canonical form."""
    body = b'{"action":%b,"actor":%b,"arguments":%b,"audience":%b,"authority":%b,"resource":%b,"tenant":%b}' % (
        _text(intent["action"]),
        _text(intent["actor"]),
        arguments,
        _text(intent["audience"]),
        _text(intent["authority"]),
        _text(intent["resource"]),
        _text(intent["tenant"]),
    )
    return sha256(b"placet/action/1" + body)


def intent_digest(fingerprint: bytes, unsigned: bytes) -> bytes:
    """Return the digest of an intent (DESIGN §2): its payload without the proof, under its schema's fingerprint."""
    return sha256(b"placet/intent/1" + fingerprint + unsigned)


@lru_cache(maxsize=65_536)
def partition_of(tenant: str, authority: str, partitions: int) -> int:
    """Return where records of an authority lie: murmur2 of `tenant/authority` as Kafka's Java client has it."""
    return (murmur2(f"{tenant}/{authority}".encode()) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """Return the 32-bit murmur2 of Kafka (`org.apache.kafka.common.utils.Utils.murmur2`), unsigned."""
    mask, scale = 0xFFFFFFFF, 0x5BD1E995
    result = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at : at + 4], "little") * scale & mask
        word = (word ^ (word >> 24)) * scale & mask
        result = (result * scale & mask) ^ word
    if whole < len(data):
        result = (result ^ int.from_bytes(data[whole:], "little")) * scale & mask
    result = (result ^ (result >> 13)) * scale & mask
    return result ^ (result >> 15)

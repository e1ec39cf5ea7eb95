"""Records written by hand with fastavro, keys and proofs made from their description: nothing of placet but names."""

import base64
import hashlib
import io
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fastavro
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastavro.schema import fingerprint, to_parsing_canonical_form

from placet.model.topics import CONTEXT
from placet.ports import Message, Rec
from tests.support.keyed import keyed

Fields = dict[str, Any]
SCHEMAS = Path(__file__).parents[3] / "schemas"
T0 = 1_760_000_000_000
KEK = bytes(range(32))
TENANT, ACTOR, AUTHORITY, EXECUTOR = "acme", "agent:ada", "user:grace", "service:shop"
NONCE = b"n" * 16
ENGINE = "placet-cel/1 cel-expr-python/0.1.3"


RAW = {path.stem: json.loads(path.read_text()) for path in SCHEMAS.glob("*.avsc")}
PARSED = {name: fastavro.parse_schema(raw) for name, raw in RAW.items()}
IDS = {entry["name"]: int(number) for number, entry in json.loads((SCHEMAS / "ids.json").read_text()).items()}
PRINTS = {name: bytes.fromhex(fingerprint(to_parsing_canonical_form(raw), "SHA-256")) for name, raw in RAW.items()}


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def encode(name: str, fields: Fields) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, PARSED[name], fields)
    return out.getvalue()


def frame(name: str, fields: Fields) -> bytes:
    return b"\x00" + IDS[name].to_bytes(4, "big") + encode(name, fields)


def blank(name: str) -> Fields:
    """Return a record whose every field is empty."""
    empty: dict[str, Any] = {"string": "", "bytes": b"", "int": 0, "long": 0, "boolean": False}
    made: Fields = {}
    for field in RAW[name]["fields"]:
        kind = field["type"]
        if isinstance(kind, str):
            made[field["name"]] = empty.get(kind, bytes(32))  # the only named type that is used again is Digest
        elif isinstance(kind, list):
            made[field["name"]] = None
        else:
            made[field["name"]] = {"array": [], "map": {}}.get(kind["type"], bytes(kind.get("size", 0)))
    return made


def merkle(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 §2.1, as it is written there."""
    if not leaves:
        return sha256()
    if len(leaves) == 1:
        return sha256(b"\x00", leaves[0])
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01", merkle(leaves[:half]), merkle(leaves[half:]))


SEAL = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
EXEC = Ed25519PrivateKey.from_private_bytes(b"e" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"x" * 32)
ROOT = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
KEYS: dict[str, Any] = {
    "version": 1,
    "keys": [
        {
            "kid": kid,
            "issuer": issuer,
            "purpose": purpose,
            "public": base64.b64encode(key.public_key().public_bytes_raw()).decode(),
        }
        for kid, issuer, purpose, key in (
            ("seal-1", "service:desk", "seal", SEAL),
            ("exec-1", EXECUTOR, "executor", EXEC),
            ("exec-2", "service:other", "executor", OTHER),
            ("root-1", "user:root", "operator", ROOT),
        )
    ],
}


def signed(
    name: str, fields: Fields, kid: str = "exec-1", issuer: str = EXECUTOR, key: Ed25519PrivateKey = EXEC
) -> bytes:
    unsigned = encode(name, {**fields, "proof": None})[:-1]
    root = sha256(b"\x00", f"placet/{name}/1".encode(), PRINTS[name], unsigned)
    signature = key.sign(b"placet/batch/1" + (1).to_bytes(4, "big") + root)
    proof = {"issuer": issuer, "kid": kid, "index": 0, "size": 1, "path": b"", "signature": signature}
    return frame(name, {**fields, "proof": proof})


def told(name: str, fields: Fields) -> bytes:
    """Return a context record as its writer leaves it: of a principal, a label or a mandate signed by an operator."""
    proved = name in ("principal", "sensitivity", "mandate")
    return signed(name, fields, "root-1", "user:root", ROOT) if proved else frame(name, fields)


class Shelf:
    """Topics as lists: the reading side of `placet.ports.Log`."""

    def __init__(self, partitions: int = 1) -> None:
        self.topics: dict[tuple[int, int], list[Rec]] = {}
        self.count = partitions

    def partitions(self, topic: int) -> int:
        return 1 if topic in CONTEXT else self.count

    def put(self, topic: int, key: bytes | None, value: bytes | None, at: int = T0, partition: int = 0) -> int:
        """Append a record; one of the context lies under its own key where its `key` is None."""
        if topic in CONTEXT and key is None:
            key = keyed(value)
        held = self.topics.setdefault((topic, partition), [])
        held.append(Rec(topic, partition, held[-1].offset + 1 if held else 0, at, key, value))
        return held[-1].offset

    def append(self, topic: int, partition: int, messages: Sequence[Message]) -> int:
        raise AssertionError("an auditor writes nothing")

    def read(self, topic: int, partition: int, offset: int, most: int, wait_ms: int) -> list[Rec]:
        return [rec for rec in self.topics.get((topic, partition), []) if rec.offset >= offset][:most]

    def end(self, topic: int, partition: int) -> int:
        held = self.topics.get((topic, partition))
        return held[-1].offset + 1 if held else 0

    def close(self) -> None:
        self.topics.clear()


def sealed(seal: Fields, key: Ed25519PrivateKey = SEAL) -> bytes:
    unsigned = encode("seal", {**seal, "signature": bytes(64)})[:-64]
    return frame("seal", {**seal, "signature": key.sign(b"placet/seal/1" + PRINTS["seal"] + unsigned)})


def action_digest(intent: Fields, arguments: bytes) -> bytes:
    names = ("tenant", "authority", "actor", "audience", "action", "resource")
    return sha256(
        b"placet/action/1", rfc8785.dumps({**{n: intent[n] for n in names}, "arguments": json.loads(arguments)})
    )


def slot_of(said: Fields) -> bytes:
    return sha256(f"{TENANT}/{AUTHORITY}".encode(), b"\x00", said["id"], struct.pack(">H", said["attempt"]))[:16]


def row_of(said: Fields) -> bytes:
    transient = said["reason"] in (310, 320, 330)
    numbers: bytes = struct.pack(">QQHH", said["seq"], said["deadline"], said["attempt"], transient)
    digests: bytes = said["intent_digest"][:20] + said["action_digest"][:20]
    return slot_of(said) + numbers + digests


def lease_of(said: Fields) -> Fields:
    kept = ("seq", "state", "effect", "reason", "asked_offset", "asked_at", "granted_digest", "granted_arguments")
    more = ("claim_required", "act_ms_max", "expires_at", "set_digest", "executor", "nonce")
    lease = {key: said[key] for key in (*kept, *more)}
    return {
        **lease,
        "slot": slot_of(said),
        "intent": b"",
        "until": 0,
        "facts": [],
        "stopped": False,
        "wanted": b"",
        "votes": [],
    }

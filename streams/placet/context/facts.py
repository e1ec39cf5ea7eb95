"""Facts as a case carries them: the bytes a context record came in, encoded once when it is read."""

from typing import Any

import msgspec

from placet.model.codec import decode_known
from placet.model.codec._wire import long
from placet.ports import Rec


class Bundle(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Index keys that many decisions rest on together. One bundle is like no other, also of the same keys."""

    keys: tuple[str, ...]


def sized(data: bytes) -> bytes:
    """Return an Avro `bytes` or `string`: its length, then itself."""
    return long(len(data)) + data


def fact_of(rec: Rec) -> bytes:
    """Return the fields of a `case_body.Fact` after `role`, for one context record."""
    return b"".join((long(rec.topic), long(rec.partition), long(rec.offset), long(rec.at), sized(rec.value or b"")))


def value_of(fact: bytes) -> bytes:
    """Return the context record in a fact, as it came."""
    i = 0
    for _ in range(5):  # topic, partition, offset, append time, length of the value
        while fact[i] & 0x80:
            i += 1
        i += 1
    return fact[i:]


def said_in(facts: tuple[bytes, ...]) -> list[tuple[Any, bytes]]:
    """Return the record in each fact, read again, beside it: rows keep bytes, not records."""
    return [(decode_known(value_of(fact)), fact) for fact in facts]


def in_role(tag: bytes, facts: tuple[bytes, ...]) -> bytes:
    """Return facts as they stand in a case, each after its role."""
    return tag + facts[0] if len(facts) == 1 else b"".join([tag + fact for fact in facts])


def role(name: str) -> bytes:
    """Return the encoded `role` that goes before a fact."""
    return sized(name.encode())


LINK, DELEGATOR, AUDIENCE, EXECUTOR, RESOURCE_ROLE, HALT_ROLE, VOTER, KEY_ROLE, VOTER_KEY = (
    role(name)
    for name in ("mandate", "delegator", "audience", "executor", "resource", "halt", "voter", "key", "voter_key")
)
RISK_ROLES: dict[str, bytes] = {name: role(name) for name in ("actor.risk", "authority.risk", "session.risk")}

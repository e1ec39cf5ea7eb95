"""What must hold of a record before it is decided: its form, its place, its writer, and its time."""

from typing import Any

import msgspec

from placet.decision.settled import slot_of
from placet.errors import PoisonRecord
from placet.model import strict
from placet.model.codec import BY_HEADER
from placet.model.codec import intent as intent_codec
from placet.model.codec.intent import Intent
from placet.model.digests import action_digest, intent_digest
from placet.model.keys import key_of, partition_of
from placet.model.proof import KeyRing
from placet.model.reasons import Reason

ATTEMPT_MAX = 65_535
TEXT_MAX = 4096
AFTER_MAX = 256
NONE = "0"
"""Stands for an identifier that may be empty, and is."""


class Asked(msgspec.Struct, gc=False):
    """An intent record that is in good form, with what is reckoned once of it.

    `value` is the record in its framing, as it came; `head` is its first nine fields.
    """

    intent: Intent
    value: bytes
    head: bytes
    arguments: dict[str, object]
    key: bytes
    slot: bytes
    intent_digest: bytes
    action_digest: bytes


def again(value: bytes, partition: int, partitions: int) -> Asked:
    """Return what an intent asks that was taken before, in whichever version it came."""
    return read(value, partition, partitions, None, BY_HEADER[value[:5]])


def read(value: bytes, partition: int, partitions: int, keys: KeyRing | None, reader: Any = intent_codec) -> Asked:
    """Return what a framed Intent asks; raise PoisonRecord where it is not one that can be decided here.

    It has at most 64 KiB, and `reader` is of its version: proof and digest cover the bytes as they came, under
    that version's fingerprint. The arguments must be canonical (RFC 8785), the identifiers within their profile.
    Without `keys` the proof is passed over: it was checked when the record came.
    """
    intent: Intent
    intent, head_end, unsigned_end = reader.decode_parts(value)
    id_, attempt, tenant, actor, authority, mandate, action, resource = intent[:8]
    purpose, session, after, audience, raw = intent[8:13]
    if not 1 <= attempt <= ATTEMPT_MAX:
        raise PoisonRecord(f"intent.attempt {attempt}: expected 1 to {ATTEMPT_MAX}", Reason.MALFORMED)
    if not strict.well_formed(
        tenant, actor, authority, action, resource, mandate or NONE, session or NONE, audience or NONE
    ):
        _name_fault(intent)
    if "/" in tenant:
        raise PoisonRecord("intent.tenant: expected no `/` in it", Reason.MALFORMED)
    if len(purpose) > TEXT_MAX or len(after) > AFTER_MAX:
        raise PoisonRecord(f"intent: expected a purpose of {TEXT_MAX} and {AFTER_MAX} in `after`", Reason.MALFORMED)
    key = key_of(tenant, authority)
    here = partition_of(key, partitions)
    if here != partition:
        raise PoisonRecord(f"key `{key.decode()}` lies in partition {here}", Reason.WRONG_PARTITION)
    arguments = strict.parse_canonical(raw)
    unsigned = value[5:unsigned_end]
    proof = intent.proof
    if proof is not None and keys is not None:
        issuer = keys.verify("intent", reader.FINGERPRINT, unsigned, proof, ("agent",), tenant)
        if issuer != actor:
            raise PoisonRecord(f"intent: signed by `{issuer}`, not by its actor", Reason.WRITER_UNPROVED)
    return Asked(
        intent,
        value,
        value[5:head_end],
        arguments,
        key,
        slot_of(key, id_, attempt),
        intent_digest(unsigned, reader.FINGERPRINT),
        action_digest(tenant, authority, actor, audience, action, resource, raw),
    )


def belongs(tenant: str, authority: str, partition: int, partitions: int) -> bytes:
    """Return the key of a claim, outcome, vote or withdrawal; raise PoisonRecord where it does not belong here."""
    if not strict.well_formed(tenant, authority) or "/" in tenant:
        raise PoisonRecord("tenant or authority: not an identifier, or a `/` in the tenant", Reason.MALFORMED)
    key = key_of(tenant, authority)
    here = partition_of(key, partitions)
    if here != partition:
        raise PoisonRecord(f"key `{key.decode()}` lies in partition {here}", Reason.WRONG_PARTITION)
    return key


def _name_fault(intent: Intent) -> None:
    """Raise PoisonRecord for the first identifier outside its profile, by its name."""
    for name in ("tenant", "actor", "authority", "mandate", "action", "resource", "session", "audience"):
        text = getattr(intent, name)
        if text or name not in ("mandate", "session", "audience"):
            strict.identifier(text, f"intent.{name}")

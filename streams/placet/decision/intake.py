"""What must hold of a record before it is decided: its form, its place, its writer, and its time."""

from typing import Any

import msgspec

from placet.context.parties import Asker
from placet.decision.settled import slot_of
from placet.errors import PoisonRecord
from placet.model import strict
from placet.model.codec import BY_HEADER, Signed, claim, outcome, vote, withdraw
from placet.model.codec import intent as intent_codec
from placet.model.codec.claim import Claim
from placet.model.codec.intent import Intent, Position
from placet.model.codec.outcome import Outcome
from placet.model.codec.vote import Vote
from placet.model.codec.withdraw import Withdraw
from placet.model.digests import digest_of_names, intent_digest
from placet.model.keys import key_of, partition_of
from placet.model.proof import KeyRing
from placet.model.reasons import Reason
from placet.model.topics import CONTEXT

ATTEMPT_MAX = 65_535
TEXT_MAX = 4096
ACR_MAX = 256
AFTER_MAX, AT_LEAST_MAX = 256, 64
ASKERS_MOST = 50_000
"""Askers remembered, each with its party: about 1 KB."""
KNOWN_MOST = 20_000
"""Names remembered of who asks together with what for: some 600 bytes each."""
NONE = "0"
"""Stands for an identifier that may be empty, and is."""
EXECUTOR, REPORTERS, APPROVER = ("executor",), ("executor", "operator"), ("approver",)


class Asked(msgspec.Struct, gc=False):
    """An intent record that is in good form, with what is reckoned once of it.

    `value` is the record in its framing, as it came; `head` is its first nine fields.
    """

    intent: Intent
    asker: Asker
    value: bytes
    head: bytes
    arguments: dict[str, object]
    key: bytes
    slot: bytes
    intent_digest: bytes
    action_digest: bytes


class Intake:
    """Reads what comes to one partition. Nothing is decided here: what is said of a record is the same at any instant."""

    def __init__(self, partition: int, partitions: int, keys: KeyRing) -> None:
        self._partition = partition
        self._partitions = partitions
        self._keys = keys
        self._askers: dict[tuple[str, ...], Asker] = {}
        self._known: dict[tuple[str, ...], Asker] = {}
        self._places: dict[tuple[str, str], bytes] = {}

    def intent(self, value: bytes, at: int, reader: Any = intent_codec) -> Asked:
        """Return what a framed Intent appended at `at` asks, whose writer is proved; raise PoisonRecord as `recall` does."""
        return self._read(value, at, self._keys, reader)

    def recall(self, value: bytes) -> Asked:
        """Return what a framed Intent asks that was taken before, in whichever version it came; raise PoisonRecord where it is not one that can be decided here.

        It has at most 64 KiB. Proof and digest cover the bytes as they came,
        under the fingerprint of that version. The arguments must be canonical (RFC 8785), the identifiers within their
        profile. Its proof is passed over: it was checked when the record came.
        """
        return self._read(value, 0, None, BY_HEADER[value[:5]])

    def withdraw(self, value: bytes, at: int, reader: Signed = withdraw) -> tuple[Withdraw, bytes]:
        """Return a framed Withdraw and its key; raise PoisonRecord where its writer may not say it."""
        taken: Withdraw
        taken, end = reader.decode_signed(value)
        key = self._key_of(taken.tenant, taken.authority)
        if taken.proof is not None:
            issuer = self._keys.verify(
                "withdraw", reader.FINGERPRINT, value[5:end], taken.proof, ("agent", "operator"), taken.tenant, at
            )
            if issuer != taken.actor and self._keys.purpose_of(taken.proof.kid, taken.tenant) != "operator":
                raise PoisonRecord(f"withdraw: signed by `{issuer}`, not by its actor", Reason.WRITER_UNPROVED)
        return taken, key

    def claim(self, value: bytes, at: int, reader: Signed = claim) -> tuple[Claim, bytes]:
        """Return a framed Claim and its key; raise PoisonRecord where its executor did not sign it."""
        made: Claim
        made, end = reader.decode_signed(value)
        key = self._key_of(made.tenant, made.authority)
        issuer = self._keys.verify("claim", reader.FINGERPRINT, value[5:end], made.proof, EXECUTOR, made.tenant, at)
        if issuer != made.executor:
            raise PoisonRecord(f"claim: signed by `{issuer}`, not by `{made.executor}`", Reason.WRITER_UNPROVED)
        return made, key

    def outcome(self, value: bytes, at: int, reader: Signed = outcome) -> tuple[Outcome, bytes, str, bool]:
        """Return a framed Outcome, its key, who signed it, and whether that is a person who settles what is unknown."""
        told: Outcome
        told, end = reader.decode_signed(value)
        key = self._key_of(told.tenant, told.authority)
        issuer = self._keys.verify("outcome", reader.FINGERPRINT, value[5:end], told.proof, REPORTERS, told.tenant, at)
        settles = told.proof is not None and self._keys.purpose_of(told.proof.kid, told.tenant) == "operator"
        if not settles and issuer != told.executor:
            raise PoisonRecord(f"outcome: signed by `{issuer}`, not by `{told.executor}`", Reason.WRITER_UNPROVED)
        return told, key, issuer, settles

    def vote(self, value: bytes, at: int, reader: Signed = vote) -> tuple[Vote, bytes]:
        """Return a framed Vote and its key; raise PoisonRecord where its voter did not sign it with an approver's key."""
        cast: Vote
        cast, end = reader.decode_signed(value)
        key = self._key_of(cast.tenant, cast.authority)
        issuer = self._keys.verify("vote", reader.FINGERPRINT, value[5:end], cast.proof, APPROVER, cast.tenant, at)
        if issuer != cast.voter:
            raise PoisonRecord(f"vote: signed by `{issuer}`, not by `{cast.voter[:64]}`", Reason.WRITER_UNPROVED)
        if len(cast.reason) > TEXT_MAX:
            raise PoisonRecord(f"vote: expected a reason of {TEXT_MAX}", Reason.MALFORMED)
        if len(cast.acr) > ACR_MAX or cast.auth_time < 0:
            raise PoisonRecord(f"vote: expected an acr of {ACR_MAX}, and a time from 0 on", Reason.MALFORMED)
        if cast.arguments is not None:
            strict.parse_canonical(cast.arguments)
        return cast, key

    def _read(self, value: bytes, at: int, keys: KeyRing | None, reader: Any) -> Asked:
        intent: Intent
        intent, head_end, unsigned_end = reader.decode_parts(value)
        id_, attempt, tenant, actor, authority, mandate, action, resource, purpose, session = intent[:10]
        after, audience, raw, _, at_least = intent[10:15]
        proof = intent.proof
        if not 1 <= attempt <= ATTEMPT_MAX:
            raise PoisonRecord(f"intent.attempt {attempt}: expected 1 to {ATTEMPT_MAX}", Reason.MALFORMED)
        names = (tenant, mandate, actor, authority, action, session, audience)
        asker = self._known.get(names)
        if not strict.is_word(resource) or (
            asker is None and not strict.well_formed(action, session or NONE, audience or NONE)
        ):
            _name_fault(intent)
        if len(purpose) > TEXT_MAX or len(after) > AFTER_MAX:
            raise PoisonRecord(f"intent: expected a purpose of {TEXT_MAX} and {AFTER_MAX} in `after`", Reason.MALFORMED)
        if at_least:
            _check_positions(at_least)
        if asker is None:
            asker = self._meet(intent, names)
        arguments = strict.parse_canonical(raw)
        unsigned = value[5:unsigned_end]
        if proof is not None and keys is not None:
            issuer = keys.verify("intent", reader.FINGERPRINT, unsigned, proof, ("agent",), tenant, at)
            if issuer != actor:
                raise PoisonRecord(f"intent: signed by `{issuer}`, not by its actor", Reason.WRITER_UNPROVED)
        key = asker.key
        return Asked(
            intent,
            asker,
            value,
            value[5:head_end],
            arguments,
            key,
            slot_of(key, id_, attempt),
            intent_digest(unsigned, reader.FINGERPRINT),
            digest_of_names(tenant, authority, actor, audience, action, resource, raw),
        )

    def _meet(self, intent: Intent, names: tuple[str, ...]) -> Asker:
        """Return who asks, and remember them, and all their `names`: in good form, under a key that belongs here."""
        asker = self._askers.get(names[:4]) or self._meet_asker(intent)
        if len(self._known) >= KNOWN_MOST:
            self._known.clear()
        self._known[names] = asker
        return asker

    def _meet_asker(self, intent: Intent) -> Asker:
        tenant, actor, authority, mandate = intent[2:6]
        if not strict.well_formed(tenant, actor, authority, mandate or NONE):
            _name_fault(intent)
        strict.tenant(tenant, "intent.tenant")
        key = self._key_of(tenant, authority)
        if len(self._askers) >= ASKERS_MOST:
            self._askers.clear()
        asker = self._askers[tenant, mandate, actor, authority] = Asker(tenant, mandate, actor, authority, key)
        return asker

    def _key_of(self, tenant: str, authority: str) -> bytes:
        """Return what `belongs` does, remembered."""
        key = self._places.get((tenant, authority))
        if key is None:
            key = belongs(tenant, authority, self._partition, self._partitions)
            if len(self._places) >= ASKERS_MOST:
                self._places.clear()
            self._places[tenant, authority] = key
        return key


def belongs(tenant: str, authority: str, partition: int, partitions: int) -> bytes:
    """Return the key of a claim, outcome, vote or withdrawal; raise PoisonRecord where it does not belong here."""
    if not strict.well_formed(tenant, authority) or "/" in tenant or tenant in strict.RESERVED:
        raise PoisonRecord(
            "tenant or authority: not an identifier, or a tenant with a `/` or a kept name", Reason.MALFORMED
        )
    key = key_of(tenant, authority)
    here = partition_of(key, partitions)
    if here != partition:
        raise PoisonRecord(f"key `{key.decode()}` lies in partition {here}", Reason.WRONG_PARTITION)
    return key


def slot_in(key: bytes, intent_id: bytes, attempt: int) -> bytes:
    """Return the slot of the attempt that a claim, outcome or withdrawal is about; raise PoisonRecord where there is none."""
    if not 1 <= attempt <= ATTEMPT_MAX:
        raise PoisonRecord(f"attempt {attempt}: expected 1 to {ATTEMPT_MAX}", Reason.MALFORMED)
    return slot_of(key, intent_id, attempt)


def _check_positions(positions: tuple[Position, ...]) -> None:
    """Raise PoisonRecord where an intent waits for what no desk reads as context."""
    if len(positions) > AT_LEAST_MAX:
        raise PoisonRecord(f"intent.at_least: {len(positions)}: expected at most {AT_LEAST_MAX}", Reason.MALFORMED)
    for topic, partition, offset in positions:
        if topic not in CONTEXT or partition < 0 or offset < 0:
            raise PoisonRecord(
                f"intent.at_least: {topic}/{partition}@{offset}: expected a place in a context topic", Reason.MALFORMED
            )


def _name_fault(intent: Intent) -> None:
    """Raise PoisonRecord for the first identifier outside its profile, by its name."""
    for name in ("tenant", "actor", "authority", "mandate", "action", "resource", "session", "audience"):
        text = getattr(intent, name)
        if text or name not in ("mandate", "session", "audience"):
            strict.identifier(text, f"intent.{name}")

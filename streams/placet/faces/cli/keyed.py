"""What the verbs of keys on record share: what is known of a key, and an operator's word about it."""

import re
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from placet.context.roll import Roll
from placet.drivers.keyfile import KeyEntry
from placet.errors import PoisonRecord
from placet.faces.cli.inputs import duration_ms
from placet.faces.cli.journal import Journal, Written, now_ms, read_all
from placet.faces.cli.verb import Exit, Failure, usage
from placet.model.codec import key as codec
from placet.model.codec.key import Key
from placet.model.context_keys import key_key
from placet.model.proof import KeyRing
from placet.model.reasons import Reason
from placet.model.topics import Topic
from placet.ports import Log


class Standing(NamedTuple):
    """One key as it stands: pinned or on record, its time, and since when it is compromised, ms; 0: not."""

    kid: str
    tenant: str
    issuer: str
    purpose: str
    public: bytes
    sources: tuple[str, ...]
    pinned: bool
    not_before: int
    not_after: int
    compromised_at: int

    def state(self, now: int) -> str:
        """Return one word for what it may do at `now`, ms."""
        if self.compromised_at:
            return "compromised"
        if now < self.not_before:
            return "waiting"
        return "retired" if self.not_after and self.not_after < now else "valid"


def folded(log: Log, ring: KeyRing) -> KeyRing:
    """Return a ring of what is on record besides what `ring` has pinned."""
    own, partitions = ring.apart(), log.partitions(Topic.KEYS)
    Roll(own, partitions).hear([rec for at in range(partitions) for rec in read_all(log, Topic.KEYS, at)])
    return own


def standing(ring: KeyRing) -> list[Standing]:
    """Return every key of a ring, the pinned ones first."""
    found = {(known.key.tenant, kid): known for kid, known in ring.pinned.items()} | ring.known
    return [
        Standing(
            kid,
            tenant,
            known.key.issuer,
            known.key.purpose,
            known.key.public,
            known.key.sources,
            kid in ring.pinned,
            known.not_before,
            known.not_after,
            ring.fallen[tenant, kid].since if (tenant, kid) in ring.fallen else 0,
        )
        for (tenant, kid), known in sorted(found.items(), key=lambda one: (one[0][1] not in ring.pinned, one[0]))
    ]


def one_of_them(ring: KeyRing, kid: str, tenant: str | None) -> Standing:
    """Return the key under `kid`, of `tenant` where more than one has it; fail as wrong usage without one."""
    found = [one for one in standing(ring) if one.kid == kid and tenant in (None, one.tenant)]
    if not found:
        raise usage(f"no key `{kid}` is pinned or on record", "`placet keys list` shows those that are")
    if len(found) > 1:
        told = ", ".join(f"`{one.tenant}`" for one in found)
        raise usage(f"key `{kid}` is of the tenants {told}", "name one with --tenant")
    return found[0]


def put(journal: Journal, one: Standing, operator: str | None) -> Written:
    """Write an operator's word about a key; fail where the desks would not believe it, with nothing written."""
    known = folded(journal.log, journal.connection.ring)
    at = now_ms()
    record = Key(
        one.tenant,
        one.kid,
        one.issuer,
        one.purpose,
        one.public,
        one.sources,
        one.not_before,
        one.not_after,
        one.compromised_at,
        at,
        None,
    )
    signer = journal.signer("operator", operator)
    (proof,) = signer.sign_batch("key", codec.FINGERPRINT, [codec.encode_unsigned(record)])
    record = record._replace(proof=codec.Proof(*proof))
    try:
        known.verify(
            "key", codec.FINGERPRINT, codec.encode_unsigned(record), record.proof, ("operator",), one.tenant, at
        )
        if one.purpose == "operator" and signer.kid not in known.pinned:
            raise PoisonRecord("operators are put on record by pinned ones", Reason.WRITER_UNPROVED)
    except PoisonRecord as refused:
        raise Failure(
            Exit.REFUSED,
            f"`{signer.kid}` may not say this: {refused}",
            "--as names another operator whose key lies here",
        ) from None
    return journal.append(Topic.KEYS, key_key(record).decode(), codec, record)


def of(entry: KeyEntry, begins: int, ends: int) -> Standing:
    """Return a new key as it is to stand on record."""
    return Standing(
        entry.kid, entry.tenant, entry.issuer, entry.purpose, entry.raw, entry.sources, False, begins, ends, 0
    )


def instant_ms(text: str, option: str, *, ahead: bool) -> int:
    """Return an instant: RFC 3339 with its zone, ms since 1970, or so long from now as `2h`; before now unless `ahead`."""
    if re.fullmatch(r"\d{12,15}", text):
        return int(text)
    if re.fullmatch(r"\d{1,9}(ms|s|m|h|d)", text):
        away = duration_ms(text, option)
        return now_ms() + (away if ahead else -away)
    with suppress(ValueError):
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return int(found.timestamp() * 1000)
    raise usage(f"{option}: `{text}`: expected a duration as 2h, ms since 1970, or an instant as 2026-11-27T14:00:00Z")

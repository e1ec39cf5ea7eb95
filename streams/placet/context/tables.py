"""The context tables of one worker: every context record folded in, whole, frozen while a batch is decided."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from placet.context.facts import fact_of, value_of
from placet.context.feeds import Feeds
from placet.context.halts import ALL, TENANT, Halts, halt_of
from placet.context.reducers import STATUS_RANKS, fold_principal, fold_sensitivity, merge_risk
from placet.errors import PoisonRecord
from placet.model import strict
from placet.model.case import (
    LABELS,
    ORIGIN_RANKS,
    RANKS,
    CalendarRow,
    MandateRow,
    PrincipalRow,
    ResourceRow,
    RiskSource,
)
from placet.model.codec import control, mandate, principal, risk, sensitivity, watermark
from placet.model.codec.control import Control
from placet.model.proof import KeyRing
from placet.model.reasons import Reason
from placet.ports import Rec

PRINCIPAL, RISK, RESOURCE, MANDATE, CALENDAR = "P:", "R:", "S:", "M:", "C:"
HALT, RESUME = "H:", "U:"
"""Prefixes of index keys: what a lease rests on, and what a changed record touches; a halt touches all, its end nothing."""
SUBJECT_STATES = frozenset(STATUS_RANKS)
R = TypeVar("R")
AHEAD_MS_MAX = 60_000
"""How far the instant a record claims may be ahead of its append time, the same for every reader. What is newest
stands, and what is young does not fade: a word from far ahead would stand for ever, and could not be taken back."""
BYTES_MAX = 65_536
"""Largest context record that is taken: each of those a case rests on is in it whole."""


class Heard(NamedTuple):
    """What one source said last, with the fact it came as."""

    record: tuple[object, ...]
    fact: bytes


class Tables:
    """What is known of principals, risk, resources, mandates and calendars.

    `fold` takes one record and returns the index key it touched, or None where
    it changed nothing. Rows are replaced, never changed in place, so that a row
    taken by a decision stays what it was. `marks` says by (topic, partition) how
    far was read and up to when all its feeds were alive, ms; it never goes back.
    """

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        self.principals: dict[str, PrincipalRow] = {}
        self.risks: dict[str, dict[str, RiskSource]] = {}
        self.resources: dict[str, ResourceRow] = {}
        self.mandates: dict[str, MandateRow] = {}
        self.calendar: dict[str, dict[str, CalendarRow]] = {}
        self.halts = Halts()
        self.identity_changes = 0
        self.marks: dict[tuple[int, int], tuple[int, int]] = {}
        self._feeds: dict[tuple[int, int], Feeds] = {}
        self._folds: dict[bytes, Callable[[Rec, bytes], str | None]] = {
            principal.HEADER: self._principal,
            risk.HEADER: self._risk,
            sensitivity.HEADER: self._sensitivity,
            mandate.HEADER: self._mandate,
            control.HEADER: self._control,
        }

    def hear(self, rec: Rec) -> None:
        """Move the mark of `rec`'s partition: it was read, and its feeds are alive.

        Where nobody writes watermarks every record says so, else they alone do.
        Raise PoisonRecord where one cannot be believed.
        """
        place = (rec.topic, rec.partition)
        heard, feeds = self.marks.get(place, (0, 0))[1], self._feeds.get(place)
        if rec.value is not None and rec.value[:5] == watermark.HEADER:
            self.marks[place] = (rec.offset + 1, heard)  # a faulty watermark was read as well
            said = watermark.decode(rec.value)
            _on_time(rec, said.at)
            feeds = feeds or self._feeds.setdefault(place, Feeds())
            feeds.mark(said.source, min(rec.at, said.at))
        self.marks[place] = (rec.offset + 1, max(heard, feeds.heard_at if feeds else rec.at))

    def fold(self, rec: Rec) -> str | None:
        """Fold one record; raise PoisonRecord where it cannot be taken, with nothing changed."""
        value = rec.value
        if value is None or value[:5] == watermark.HEADER:
            return None  # a tombstone ends a key in the topic; what was said stays known until it is contradicted
        fold = self._folds.get(value[:5])
        if fold is None:
            raise PoisonRecord("no context record has this schema", Reason.SCHEMA_UNKNOWN)
        if len(value) > BYTES_MAX:
            raise PoisonRecord(f"{len(value)} bytes: expected at most {BYTES_MAX}", Reason.TOO_LARGE)
        return fold(rec, value)

    def _principal(self, rec: Rec, value: bytes) -> str | None:
        heard = principal.decode(value)
        _one_of("status", heard.status, SUBJECT_STATES)
        _placed(rec, heard.tenant, heard.observed_at)
        key = f"{PRINCIPAL}{heard.tenant}/{heard.id}"
        row = self.principals.get(key)
        sources = {said.source: (said, fact) for said, fact in _said(principal.decode, row)}
        known = sources.get(heard.source)
        if known is not None and fold_principal(known[0], heard) is not heard:
            return None
        sources[heard.source] = (heard, fact_of(rec))
        newest = max((record for record, _ in sources.values()), key=lambda p: (p.observed_at, p.source))
        gravest = max((record.status for record, _ in sources.values()), key=STATUS_RANKS.__getitem__)
        self.identity_changes += 1
        self.principals[key] = PrincipalRow(
            key=key,
            id=newest.id,
            kind=newest.kind,
            status=gravest,
            active=gravest == "active",
            owner=newest.owner,
            groups=newest.groups,
            attributes=newest.attributes,
            capabilities=frozenset(newest.capabilities),
            observed_at=newest.observed_at,
            partition=rec.partition,
            facts=tuple(fact for _, (_, fact) in sorted(sources.items())),
        )
        return key

    def _risk(self, rec: Rec, value: bytes) -> str | None:
        heard = risk.decode(value)
        if not 0 <= heard.score <= 100 or heard.half_life_s < 0:
            raise PoisonRecord(f"risk score {heard.score}: expected 0 to 100", Reason.MALFORMED)
        _placed(rec, heard.tenant, heard.event_at)
        key = f"{RISK}{heard.tenant}/{heard.subject}"
        sources = self.risks.get(key, {})
        known = sources.get(heard.source)
        if merge_risk(None if known is None else risk.decode(value_of(known.fact)), heard) is not heard:
            return None
        source = RiskSource(heard.score, heard.event_at, heard.half_life_s, rec.partition, fact_of(rec))
        self.risks[key] = {**sources, heard.source: source}
        return key

    def _sensitivity(self, rec: Rec, value: bytes) -> str | None:
        heard = sensitivity.decode(value)
        _one_of("label", heard.label, RANKS)
        if heard.origin is not None:
            _one_of("origin", heard.origin, ORIGIN_RANKS)
        _placed(rec, heard.tenant, heard.observed_at)
        key = f"{RESOURCE}{heard.tenant}/{heard.resource}"
        row = self.resources.get(key)
        sources = {said.source: (said, fact) for said, fact in _said(sensitivity.decode, row)}
        known = sources.get(heard.source)
        if known is not None and fold_sensitivity(known[0], heard, RANKS) is not heard:
            return None
        sources[heard.source] = (heard, fact_of(rec))
        newest = max((record for record, _ in sources.values()), key=lambda s: (s.observed_at, s.source))
        label = max((record.label for record, _ in sources.values()), key=RANKS.__getitem__)
        self.resources[key] = ResourceRow(
            key=key,
            id=newest.resource,
            sensitivity=LABELS[RANKS[label]],
            rank=RANKS[label],
            owner=newest.owner,
            origin=newest.origin,
            categories=newest.categories,
            observed_at=newest.observed_at,
            partition=rec.partition,
            facts=tuple(fact for _, (_, fact) in sorted(sources.items())),
        )
        return key

    def _mandate(self, rec: Rec, value: bytes) -> str | None:
        heard, end = mandate.decode_signed(value)
        self._keys.verify("mandate", mandate.FINGERPRINT, value[5:end], heard.proof, ("operator",), heard.tenant)
        _one_of("status", heard.status, SUBJECT_STATES)
        _placed(rec, heard.tenant, heard.observed_at)
        key = f"{MANDATE}{heard.tenant}/{heard.id}"
        known = self.mandates.get(key)
        if known is not None and (known.observed_at, not known.active) > (heard.observed_at, heard.status != "active"):
            return None
        self.identity_changes += 1
        self.mandates[key] = MandateRow(
            key=key,
            id=heard.id,
            delegator=heard.delegator,
            delegate=heard.delegate,
            task=heard.task,
            actions=heard.actions,
            resources=heard.resources,
            parent=heard.parent,
            expires_at=heard.expires_at,
            active=heard.status == "active",
            observed_at=heard.observed_at,
            partition=rec.partition,
            fact=fact_of(rec),
        )
        return key

    def _control(self, rec: Rec, value: bytes) -> str | None:
        heard, end = control.decode_signed(value)
        issuer = self._keys.verify(
            "control", control.FINGERPRINT, value[5:end], heard.proof, ("operator",), heard.tenant
        )
        _placed(rec, heard.tenant, heard.observed_at)
        if heard.kind in ("halt", "resume"):
            return self._halt(rec, heard, issuer)
        if heard.kind != "calendar":
            raise PoisonRecord(f"control kind `{heard.kind[:64]}`: expected calendar, halt or resume", Reason.MALFORMED)
        key = f"{CALENDAR}{heard.tenant}/{heard.scope}"
        days = self.calendar.get(heard.tenant, {})
        known = days.get(heard.scope)
        if known is not None and known.observed_at > heard.observed_at:
            return None
        row = CalendarRow(key, heard.value, heard.observed_at, heard.expires_at, rec.partition, fact_of(rec))
        self.calendar[heard.tenant] = {**days, heard.scope: row}
        return key

    def _halt(self, rec: Rec, heard: Control, issuer: str) -> str | None:
        halt = halt_of(heard, issuer, (rec.partition, rec.offset), rec.at, fact_of(rec))
        if heard.scope == ALL and heard.proof is not None and self._keys.tenant_of(heard.proof.kid):
            raise PoisonRecord(f"key `{heard.proof.kid}` is of one tenant: expected one of all", Reason.TENANT_MISMATCH)
        if heard.kind == "resume":
            return RESUME + heard.tenant if self.halts.resume(halt.key, issuer, heard.observed_at) else None
        if not self.halts.halt(halt):
            return None
        kind, _, name = heard.scope.partition("/")
        return HALT + heard.tenant if kind in (ALL, TENANT, "action") else f"{PRINCIPAL}{heard.tenant}/{name}"


def _said(decode: Callable[[bytes], R], row: PrincipalRow | ResourceRow | None) -> list[tuple[R, bytes]]:
    """Return what each source of a row said, read again from its fact: rows keep bytes, not records."""
    return [] if row is None else [(decode(value_of(fact)), fact) for fact in row.facts]


def _one_of(what: str, text: str, known: frozenset[str] | dict[str, int]) -> None:
    if text not in known:
        raise PoisonRecord(f"{what} `{text}`: expected one of {', '.join(sorted(known))}", Reason.MALFORMED)


def _placed(rec: Rec, tenant: str, instant: int) -> None:
    """Raise PoisonRecord where a record is of no tenant, or of an instant that is too far ahead of its append time."""
    # Index keys are `tenant/name`, and a name may hold a `/`: a tenant with one would speak of another tenant's names.
    if "/" in strict.identifier(tenant, "tenant"):
        raise PoisonRecord(f"tenant `{tenant}`: expected no `/` in it", Reason.MALFORMED)
    _on_time(rec, instant)


def _on_time(rec: Rec, instant: int) -> None:
    if instant > rec.at + AHEAD_MS_MAX:
        raise PoisonRecord(
            f"it is {instant - rec.at} ms ahead of its append time: expected at most {AHEAD_MS_MAX}", Reason.MALFORMED
        )

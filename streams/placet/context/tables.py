"""The context tables of one worker: every context record folded in, whole, frozen while a batch is decided."""

from collections.abc import Callable

from placet.context.facts import fact_of, said_in, value_of
from placet.context.halts import ALL, TENANT, Halts, halt_of
from placet.context.limits import limits_of
from placet.context.marks import Marks, on_time
from placet.context.proving import by_operator, by_source
from placet.context.reducers import STATUS_RANKS, fold_principal, fold_sensitivity, merge_risk
from placet.context.same import Same
from placet.context.writers import Writers
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
from placet.model.codec import (
    HEADERS,
    Reader,
    Signed,
    control,
    decode_known,
    hearers_of,
    key,
    mandate,
    principal,
    risk,
    sensitivity,
)
from placet.model.codec.control import Control
from placet.model.codec.mandate import Mandate
from placet.model.codec.principal import Principal
from placet.model.codec.risk import Risk
from placet.model.codec.sensitivity import Sensitivity
from placet.model.context_keys import (
    check_place,
    control_key,
    mandate_key,
    principal_key,
    risk_key,
    sensitivity_key,
)
from placet.model.proof import KeyRing
from placet.model.reasons import Reason
from placet.model.topics import CONTEXT, Topic
from placet.ports import Rec

PRINCIPAL, RISK, RESOURCE, MANDATE, CALENDAR, SESSION = "P:", "R:", "S:", "M:", "C:", "T:"
HALT, RESUME = "H:", "U:"
"""Prefixes of index keys: what a lease rests on, and what a changed record touches; a halt touches all, its end nothing."""
FEED = "F:"
"""Prefix of the index key of one context partition: what waits for its feeds rests on it, and they touch it when they are heard."""
WATERMARKS = HEADERS["watermark"]
SUBJECT_STATES = frozenset(STATUS_RANKS)
BYTES_MAX = 65_536
"""Largest context record that is taken: each of those a case rests on is in it whole."""
TENANTS_MOST = 10_000
"""Tenants whose names need not be looked at again."""


class Tables(Marks):
    """What is known of principals, risk, resources, mandates and calendars.

    `fold` takes one record and returns the index key it touched, or None where
    it changed nothing. Rows are replaced, never changed in place, so that a row
    taken by a decision stays what it was. `partitions` says how many a topic has.
    """

    def __init__(self, keys: KeyRing, partitions: Callable[[int], int] = lambda _: 1) -> None:
        super().__init__()
        self.keys = keys
        self._partitions = {int(topic): partitions(topic) for topic in CONTEXT}
        self.identity_changes = 0
        self.forget()
        self._same = Same()
        self._tenants: set[str] = set()
        self._folds: dict[bytes, Callable[[Rec, bytes], str | None]] = {
            **hearers_of("principal", self._principal),
            **hearers_of("risk", self._risk),
            **hearers_of("sensitivity", self._sensitivity),
            **hearers_of("mandate", self._mandate),
            **hearers_of("control", self._control),
            **hearers_of("key", self._key),
        }

    def forget(self) -> None:
        """Know nothing any more but how far was read: all of it is folded again, keys first."""
        self.principals: dict[str, PrincipalRow] = {}
        self.risks: dict[str, dict[str, RiskSource]] = {}
        self.resources: dict[str, ResourceRow] = {}
        self.mandates: dict[str, MandateRow] = {}
        self.calendar: dict[str, dict[str, CalendarRow]] = {}
        self.halts = Halts()
        self.writers = Writers(self.keys)
        self.identity_changes += 1

    def fold(self, rec: Rec) -> str | None:
        """Fold one record; raise PoisonRecord where it cannot be taken, with nothing changed."""
        value = rec.value
        if value is None:
            raise PoisonRecord("a record without a value: what was said is not taken back so", Reason.UNDECODABLE)
        if value[:5] in WATERMARKS:
            return None
        fold = self._folds.get(value[:5])
        if fold is None:
            raise PoisonRecord("no context record has this schema", Reason.SCHEMA_UNKNOWN)
        if len(value) > BYTES_MAX:
            raise PoisonRecord(f"{len(value)} bytes: expected at most {BYTES_MAX}", Reason.TOO_LARGE)
        return fold(rec, value)

    def _principal(self, rec: Rec, value: bytes, reader: Signed = principal) -> str | None:
        heard: Principal
        heard, end = reader.decode_signed(value)
        _one_of("status", heard.status, SUBJECT_STATES)
        self._placed(rec, principal_key(heard), heard.tenant, heard.observed_at)
        by_source(self.keys, "principal", reader, rec, end, heard)
        key = f"{PRINCIPAL}{heard.tenant}/{heard.id}"
        row = self.principals.get(key)
        if row is None:
            self.identity_changes += 1
            self.principals[key] = self._principal_row(key, rec, heard, heard.status, (fact_of(rec),))
            return key
        sources: dict[str, tuple[Principal, bytes]] = {said.source: (said, fact) for said, fact in said_in(row.facts)}
        known = sources.get(heard.source)
        if known is not None and fold_principal(known[0], heard) is not heard:
            return None
        sources[heard.source] = (heard, fact_of(rec))
        newest = max((record for record, _ in sources.values()), key=lambda p: (p.observed_at, p.source))
        gravest = max((record.status for record, _ in sources.values()), key=STATUS_RANKS.__getitem__)
        self.identity_changes += 1
        facts = tuple(fact for _, (_, fact) in sorted(sources.items()))
        self.principals[key] = self._principal_row(key, rec, newest, gravest, facts)
        return key

    def _principal_row(
        self, key: str, rec: Rec, newest: Principal, status: str, facts: tuple[bytes, ...]
    ) -> PrincipalRow:
        same = self._same
        return PrincipalRow(
            key,
            newest.id,
            same.one(newest.kind),
            same.one(status),
            status == "active",
            same.one(newest.owner),
            same.one(newest.groups),
            same.map(newest.attributes),
            same.one(frozenset(newest.capabilities)),
            newest.observed_at,
            rec.partition,
            facts,
        )

    def _risk(self, rec: Rec, value: bytes, reader: Reader = risk) -> str | None:
        heard: Risk = reader.decode(value)
        if not 0 <= heard.score <= 100 or heard.half_life_s < 0:
            raise PoisonRecord(f"risk score {heard.score}: expected 0 to 100", Reason.MALFORMED)
        self._placed(rec, risk_key(heard), heard.tenant, heard.event_at)
        key = f"{RISK}{heard.tenant}/{heard.subject}"
        sources = self.risks.get(key)
        known = None if sources is None else sources.get(heard.source)
        if known is not None and merge_risk(decode_known(value_of(known.fact)), heard) is not heard:
            return None
        said = RiskSource(heard.score, heard.event_at, heard.half_life_s, rec.partition, fact_of(rec))
        source = self._same.one(heard.source)
        self.risks[key] = {source: said} if sources is None else {**sources, source: said}
        return key

    def _sensitivity(self, rec: Rec, value: bytes, reader: Signed = sensitivity) -> str | None:
        heard: Sensitivity
        heard, end = reader.decode_signed(value)
        _one_of("label", heard.label, RANKS)
        if heard.origin is not None:
            _one_of("origin", heard.origin, ORIGIN_RANKS)
        self._placed(rec, sensitivity_key(heard), heard.tenant, heard.observed_at)
        by_source(self.keys, "sensitivity", reader, rec, end, heard)
        key = f"{RESOURCE}{heard.tenant}/{heard.resource}"
        row = self.resources.get(key)
        if row is None:
            self.resources[key] = self._resource_row(key, rec, heard, heard.label, (fact_of(rec),))
            return key
        sources: dict[str, tuple[Sensitivity, bytes]] = {said.source: (said, fact) for said, fact in said_in(row.facts)}
        known = sources.get(heard.source)
        if known is not None and fold_sensitivity(known[0], heard, RANKS) is not heard:
            return None
        sources[heard.source] = (heard, fact_of(rec))
        newest = max((record for record, _ in sources.values()), key=lambda s: (s.observed_at, s.source))
        label = max((record.label for record, _ in sources.values()), key=RANKS.__getitem__)
        facts = tuple(fact for _, (_, fact) in sorted(sources.items()))
        self.resources[key] = self._resource_row(key, rec, newest, label, facts)
        return key

    def _resource_row(
        self, key: str, rec: Rec, newest: Sensitivity, label: str, facts: tuple[bytes, ...]
    ) -> ResourceRow:
        same, rank = self._same, RANKS[label]
        return ResourceRow(
            key,
            newest.resource,
            LABELS[rank],
            rank,
            same.one(newest.owner),
            same.one(newest.origin),
            same.one(newest.categories),
            newest.observed_at,
            rec.partition,
            facts,
        )

    def _mandate(self, rec: Rec, value: bytes, reader: Signed = mandate) -> str | None:
        heard: Mandate
        heard, end = reader.decode_signed(value)
        by_operator(self.keys, "mandate", reader, rec, end, heard)
        _one_of("status", heard.status, SUBJECT_STATES)
        limits = limits_of(heard.limits)
        self._placed(rec, mandate_key(heard), heard.tenant, heard.observed_at)
        key = f"{MANDATE}{heard.tenant}/{heard.id}"
        known = self.mandates.get(key)
        if known is not None and (known.observed_at, not known.active) > (heard.observed_at, heard.status != "active"):
            return None
        self.identity_changes += 1
        same = self._same
        self.mandates[key] = MandateRow(
            key=key,
            id=heard.id,
            delegator=same.one(heard.delegator),
            delegate=heard.delegate,
            task=same.one(heard.task),
            actions=same.one(heard.actions),
            resources=same.one(heard.resources),
            parent=heard.parent,
            expires_at=heard.expires_at,
            active=heard.status == "active",
            observed_at=heard.observed_at,
            partition=rec.partition,
            fact=fact_of(rec),
            limits=same.one(limits),
        )
        return key

    def _key(self, rec: Rec, value: bytes, reader: Signed = key) -> str | None:
        if rec.topic != Topic.KEYS:
            raise PoisonRecord("a record of a key among others", Reason.SCHEMA_UNKNOWN)
        return self.writers.fold(rec, value, self._partitions[rec.topic], reader)

    def _placed(self, rec: Rec, key: bytes, tenant: str, instant: int) -> None:
        """Raise PoisonRecord where a record is of no tenant, not in its place, or too far ahead of its append time."""
        if tenant not in self._tenants:
            # Index keys are `tenant/name`, and a name may hold a `/`: a tenant with one would speak of another's names.
            strict.tenant(tenant)
            if len(self._tenants) < TENANTS_MOST:
                self._tenants.add(tenant)
        check_place(rec.partition, rec.key, key, self._partitions[rec.topic])
        on_time(rec, instant)

    def _control(self, rec: Rec, value: bytes, reader: Signed = control) -> str | None:
        heard: Control
        heard, end = reader.decode_signed(value)
        issuer = by_operator(self.keys, "control", reader, rec, end, heard)
        self._placed(rec, control_key(heard), heard.tenant, heard.observed_at)
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
        if heard.by != issuer:
            raise PoisonRecord(f"said by `{heard.by[:64]}`, signed by `{issuer}`", Reason.WRITER_UNPROVED)
        halt = halt_of(heard, issuer, (rec.partition, rec.offset), rec.at, fact_of(rec))
        if heard.scope == ALL and heard.proof is not None and self.keys.tenant_of(heard.proof.kid, heard.tenant):
            raise PoisonRecord(f"key `{heard.proof.kid}` is of one tenant: expected one of all", Reason.TENANT_MISMATCH)
        if heard.kind == "resume":
            return RESUME + heard.tenant if self.halts.resume(halt.key, issuer, heard.observed_at) else None
        if not self.halts.halt(halt):
            return None
        kind, _, name = heard.scope.partition("/")
        return HALT + heard.tenant if kind in (ALL, TENANT, "action") else f"{PRINCIPAL}{heard.tenant}/{name}"


def _one_of(what: str, text: str, known: frozenset[str] | dict[str, int]) -> None:
    if text not in known:
        raise PoisonRecord(f"{what} `{text}`: expected one of {', '.join(sorted(known))}", Reason.MALFORMED)

"""The join of one intent with all that is known: the Case that is decided, and the facts that it rests on."""

from placet.context.chain import Chain, outside, resolve
from placet.context.decay import decayed
from placet.context.facts import role
from placet.context.tables import CALENDAR, MANDATE, PRINCIPAL, RESOURCE, RISK, Tables
from placet.model.case import Case, PrincipalRow, RiskSource
from placet.model.codec.intent import Intent
from placet.model.reasons import Reason
from placet.model.topics import Topic

ACTOR, AUTHORITY, LINK, DELEGATOR, AUDIENCE, RESOURCE_ROLE = (
    role(name) for name in ("actor", "authority", "mandate", "delegator", "audience", "resource")
)
RISK_ROLES = {name: role(name) for name in ("actor.risk", "authority.risk", "session.risk")}
NO_CALENDAR: dict[str, str] = {}


class Refused(Exception):
    """The intent cannot be put before any rule: `reason` says why, `detail` which part of it."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Joiner:
    """Fills one Case again and again. `facts` and `index` of the last join stand until the next."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.case = Case()
        self.facts: list[bytes] = []
        self.index: list[str] = []

    def clear(self) -> None:
        """Forget what the last join rested on."""
        self.facts, self.index = [], []

    def begin(self, instant: int) -> None:
        """Freeze what is equal for a whole batch: the instant, and how far each feed was heard."""
        self._instant = self.case.instant = instant
        self._marks = self._tables.marks

    def join(self, intent: Intent, arguments: dict[str, object], wanted: tuple[str, ...]) -> Case:
        """Return the case of `intent`, with the facts named in `wanted`; raise Refused where who asks may not ask.

        The actor, the authority and every principal between them must be known
        and active, and the chain of mandates must cover action and resource.
        """
        tables, case = self._tables, self.case
        tenant = case.tenant = intent.tenant
        case.id, case.attempt, case.action = intent.id, intent.attempt, intent.action
        case.resource_id, case.purpose, case.audience = intent.resource, intent.purpose, intent.audience
        case.emergency, case.session_id, case.arguments = intent.emergency, intent.session, arguments
        case.actor_id, case.authority_id = actor_id, authority_id = intent.actor, intent.authority
        case.actor = case.authority = case.mandate = case.resource = None
        case.actor_risk = case.authority_risk = case.session_risk = None
        case.calendar = NO_CALENDAR
        case.observed_at, case.heard_at = {}, {}
        self.facts, self.index = [], []
        actor = case.actor = self._principal("actor", ACTOR, tenant, actor_id)
        if authority_id == actor_id:
            case.authority = actor
            case.observed_at["authority"] = case.observed_at["actor"]
            case.heard_at["authority"] = case.heard_at["actor"]
        else:
            case.authority = self._principal("authority", AUTHORITY, tenant, authority_id)
        self._chain(intent)
        if intent.audience:
            self._principal("audience", AUDIENCE, tenant, intent.audience)
        for fact in wanted:
            if fact == "resource":
                self._resource(tables, tenant, intent.resource)
            elif fact == "actor.risk":
                case.actor_risk = self._risk(fact, f"{RISK}{tenant}/{actor_id}")
            elif fact == "authority.risk":
                case.authority_risk = self._risk(fact, f"{RISK}{tenant}/{authority_id}")
            elif fact == "session.risk":
                case.session_risk = self._risk(fact, f"{RISK}{tenant}/session:{intent.session}")
            elif fact.startswith("calendar."):
                self._calendar(fact, tenant)
        return case

    def capabilities(self, tenant: str, audience: str) -> frozenset[str]:
        """Return what the executor named as audience can carry out; nothing where none is named."""
        row = self._tables.principals.get(f"{PRINCIPAL}{tenant}/{audience}") if audience else None
        return row.capabilities if row is not None else frozenset()

    def _heard(self, topic: Topic, partition: int) -> int:
        return self._marks.get((topic, partition), (0, 0))[1]

    def _principal(self, fact: str, tag: bytes, tenant: str, name: str) -> PrincipalRow:
        key = f"{PRINCIPAL}{tenant}/{name}"
        row = self._tables.principals.get(key)
        self.index.append(key if row is None else row.key)
        if row is None:
            reason = Reason.AUDIENCE_UNKNOWN if fact == "audience" else Reason.PRINCIPAL_UNKNOWN
            raise Refused(reason, f"{fact} `{name}`")
        for encoded in row.facts:
            self.facts.append(tag + encoded)
        if not row.active:
            raise Refused(Reason.PRINCIPAL_INACTIVE, f"{fact} `{name}` is {row.status}")
        self.case.observed_at[fact] = row.observed_at
        self.case.heard_at[fact] = self._heard(Topic.PRINCIPALS, row.partition)
        return row

    def _chain(self, intent: Intent) -> None:
        case = self.case
        tenant, actor, authority = intent.tenant, intent.actor, intent.authority
        if not intent.mandate:
            if actor != authority:
                raise Refused(Reason.CHAIN_BROKEN, "the actor is not the authority, and no mandate is named")
            case.chain = (actor,)
            return
        chain: Chain = resolve(self._tables.mandates, tenant, intent.mandate, actor, authority, self._instant)
        for row in chain.links:
            self.index.append(row.key)
            self.facts.append(LINK + row.fact)
        if chain.broken:
            self.index.append(f"{MANDATE}{tenant}/{intent.mandate}")
            raise Refused(Reason.CHAIN_BROKEN, chain.broken)
        for row in chain.links[:-1]:
            self._principal("delegator", DELEGATOR, tenant, row.delegator)
        link = chain.links[0]
        beyond = outside(chain.links, intent.action, intent.resource)
        if beyond:
            raise Refused(Reason.OUTSIDE_MANDATE, f"mandate `{beyond}` does not cover it")
        depth = len(chain.links)
        case.mandate = link if depth == 1 else link.at_depth(depth)
        case.chain = (authority, *(row.delegate for row in reversed(chain.links)))
        case.observed_at["mandate"] = link.observed_at
        case.heard_at["mandate"] = self._heard(Topic.MANDATES, link.partition)

    def _resource(self, tables: Tables, tenant: str, name: str) -> None:
        key = f"{RESOURCE}{tenant}/{name}"
        row = self.case.resource = tables.resources.get(key)
        if row is None:
            self.index.append(key)
            return
        self.index.append(row.key)
        for encoded in row.facts:
            self.facts.append(RESOURCE_ROLE + encoded)
        self.case.observed_at["resource"] = row.observed_at
        self.case.heard_at["resource"] = self._heard(Topic.SENSITIVITY, row.partition)

    def _risk(self, fact: str, key: str) -> int | None:
        sources = self._tables.risks.get(key)
        self.index.append(key)
        if sources is None:
            return None
        tag, instant, score, observed_at = RISK_ROLES[fact], self._instant, 0, 0
        source: RiskSource
        for source in sources.values():
            self.facts.append(tag + source.fact)
            score = max(score, decayed(source.score, source.event_at, source.half_life_s, instant))
            observed_at = max(observed_at, source.event_at)
        self.case.observed_at[fact] = observed_at
        self.case.heard_at[fact] = self._heard(Topic.RISK, source.partition)
        return score

    def _calendar(self, fact: str, tenant: str) -> None:
        name = fact.removeprefix("calendar.")
        row = self._tables.calendar.get(tenant, {}).get(name)
        self.index.append(f"{CALENDAR}{tenant}/{name}" if row is None else row.key)
        if row is None or (row.expires_at and row.expires_at <= self._instant):
            return
        self.facts.append(role(fact) + row.fact)
        self.case.calendar = {**self.case.calendar, name: row.value}
        self.case.observed_at[fact] = row.observed_at
        self.case.heard_at[fact] = self._heard(Topic.CONTROLS, row.partition)

"""The join of one intent with all that is known: the Case that is decided, and the facts that it rests on."""

from placet.context.ages import Heard, Observed
from placet.context.chain import Chain, ChainBook, outside
from placet.context.decay import decayed
from placet.context.facts import DELEGATOR, RESOURCE_ROLE, RISK_ROLES, in_role, role
from placet.context.tables import CALENDAR, PRINCIPAL, RESOURCE, RISK, Tables
from placet.model.case import Case, PrincipalRow
from placet.model.codec.intent import Intent
from placet.model.reasons import Reason

NO_CALENDAR: dict[str, str] = {}


class Refused(Exception):
    """The intent cannot be put before any rule: `reason` says why, `detail` which part of it."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Joiner:
    """Fills one Case again and again. What a join found stands until the next.

    `facts` are the encoded facts, `count` how many there are; `index` holds
    the keys under which a change of any of them is heard.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._chains = ChainBook(tables)
        self.case = Case()
        self.case.observed_at = Observed(self.case, tables)
        self.case.heard_at = Heard(self.case, tables)
        self.facts: list[bytes] = []
        self.index: list[str] = []
        self.count = 0

    def clear(self) -> None:
        """Forget what the last join rested on."""
        self.facts, self.index, self.count = [], [], 0

    def begin(self, instant: int) -> None:
        """Freeze the instant of a batch, ms."""
        self._instant = self.case.instant = instant

    def join(self, intent: Intent, arguments: dict[str, object], wanted: tuple[str, ...]) -> Case:
        """Return the case of `intent`, with the facts named in `wanted`; raise Refused where who asks may not ask.

        The actor, the authority and every principal between them must be known
        and active, and the chain of mandates must cover action and resource.
        """
        case, principals = self.case, self._tables.principals
        tenant = case.tenant = intent.tenant
        case.id, case.attempt, case.action = intent.id, intent.attempt, intent.action
        case.resource_id, case.purpose, case.audience = intent.resource, intent.purpose, intent.audience
        case.emergency, case.session_id, case.arguments = intent.emergency, intent.session, arguments
        case.actor_id, case.authority_id = actor_id, authority_id = intent.actor, intent.authority
        case.mandate = case.resource = case.authority = None
        case.actor_risk = case.authority_risk = case.session_risk = None
        case.calendar = NO_CALENDAR
        self.facts, self.index, self.count = facts, index, _ = [], [], 0
        key = f"{PRINCIPAL}{tenant}/{actor_id}"
        actor = case.actor = principals.get(key)
        index.append(key)
        if actor is None:
            raise Refused(Reason.PRINCIPAL_UNKNOWN, f"actor `{actor_id}`")
        facts.append(actor.as_actor)
        self.count += len(actor.facts)
        if not actor.active:
            raise Refused(Reason.PRINCIPAL_INACTIVE, f"actor `{actor_id}` is {actor.status}")
        if authority_id == actor_id:
            case.authority = actor
        else:
            case.authority = authority = self._principal(tenant, authority_id, "authority")
            facts.append(authority.as_authority)
        if intent.mandate:
            self._delegated(case, intent)
        elif actor_id == authority_id:
            case.chain = (actor_id,)
        else:
            raise Refused(Reason.CHAIN_BROKEN, "the actor is not the authority, and no mandate is named")
        if intent.audience:
            facts.append(self._principal(tenant, intent.audience, "audience").as_audience)
        for fact in wanted:
            self._fact(fact, case, intent)
        return case

    def capabilities(self, tenant: str, audience: str) -> frozenset[str]:
        """Return what the executor named as audience can carry out; nothing where none is named."""
        row = self._tables.principals.get(f"{PRINCIPAL}{tenant}/{audience}") if audience else None
        return row.capabilities if row is not None else frozenset()

    def _principal(self, tenant: str, name: str, part: str) -> PrincipalRow:
        key = f"{PRINCIPAL}{tenant}/{name}"
        row = self._tables.principals.get(key)
        self.index.append(key)
        if row is None:
            reason = Reason.AUDIENCE_UNKNOWN if part == "audience" else Reason.PRINCIPAL_UNKNOWN
            raise Refused(reason, f"{part} `{name}`")
        self.count += len(row.facts)
        if not row.active:
            self.facts.append(in_role(role(part), row.facts))
            raise Refused(Reason.PRINCIPAL_INACTIVE, f"{part} `{name}` is {row.status}")
        return row

    def _delegated(self, case: Case, intent: Intent) -> None:
        """Join the chain of mandates, and the principals inside it."""
        tenant = intent.tenant
        chain: Chain = self._chains.resolve(tenant, intent.mandate, intent.actor, intent.authority, self._instant)
        self.index += chain.keys
        if chain.fact_count:
            self.facts.append(chain.facts)
            self.count += chain.fact_count
        if chain.broken:
            raise Refused(Reason.CHAIN_BROKEN, chain.broken)
        for delegator in chain.between:
            self.facts.append(in_role(DELEGATOR, self._principal(tenant, delegator, "delegator").facts))
        beyond = outside(chain.links, intent.action, intent.resource)
        if beyond:
            raise Refused(Reason.OUTSIDE_MANDATE, f"mandate `{beyond}` does not cover it")
        case.mandate = chain.links[0]
        case.chain = chain.members

    def _fact(self, fact: str, case: Case, intent: Intent) -> None:
        tenant = intent.tenant
        if fact == "resource":
            self._resource(case, f"{RESOURCE}{tenant}/{intent.resource}")
        elif fact == "actor.risk":
            case.actor_risk = self._risk(fact, f"{RISK}{tenant}/{intent.actor}")
        elif fact == "authority.risk":
            case.authority_risk = self._risk(fact, f"{RISK}{tenant}/{intent.authority}")
        elif fact == "session.risk":
            case.session_risk = self._risk(fact, f"{RISK}{tenant}/session:{intent.session}")
        elif fact.startswith("calendar."):
            self._calendar(fact, case, tenant)

    def _resource(self, case: Case, key: str) -> None:
        row = case.resource = self._tables.resources.get(key)
        self.index.append(key)
        if row is not None:
            self.facts.append(in_role(RESOURCE_ROLE, row.facts))
            self.count += len(row.facts)

    def _risk(self, fact: str, key: str) -> int | None:
        sources = self._tables.risks.get(key)
        self.index.append(key)
        if sources is None:
            return None
        tag, score = RISK_ROLES[fact], 0
        for source in sources.values():
            self.facts.append(tag + source.fact)
            now = decayed(source.score, source.event_at, source.half_life_s, self._instant)
            score = max(score, now)
        self.count += len(sources)
        return score

    def _calendar(self, fact: str, case: Case, tenant: str) -> None:
        name = fact.removeprefix("calendar.")
        row = self._tables.calendar.get(tenant, {}).get(name)
        self.index.append(f"{CALENDAR}{tenant}/{name}" if row is None else row.key)
        if row is None or (row.expires_at and row.expires_at <= self._instant):
            return
        self.facts.append(role(fact) + row.fact)
        self.count += 1
        case.calendar = {**case.calendar, name: row.value}

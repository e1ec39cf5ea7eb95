"""The join of one intent with all that is known: the Case that is decided, and the facts that it rests on."""

from placet.context.ages import Heard, Observed
from placet.context.chain import NEVER, outside, resolve
from placet.context.decay import decayed
from placet.context.facts import (
    AUDIENCE,
    EXECUTOR,
    KEY_ROLE,
    RESOURCE_ROLE,
    RISK_ROLES,
    VOTER,
    VOTER_KEY,
    Bundle,
    in_role,
    role,
)
from placet.context.parties import Asker, Meeting, Party, Refused, Standing
from placet.context.tables import CALENDAR, FEED, PRINCIPAL, RESOURCE, RISK, Tables
from placet.context.writers import KEY
from placet.model.case import Case, MandateRow, PrincipalRow
from placet.model.codec.intent import Intent
from placet.model.codec.vote import Vote
from placet.model.reasons import Reason

NO_CALENDAR: dict[str, str] = {}
JOINED = frozenset({"actor", "authority", "mandate"})
"""Facts that are in every case, with or without a rule that reads them."""


class Joiner:
    """Fills one Case again and again. What a join found stands until the next.

    `facts` are the encoded facts, `count` how many there are; `index` holds
    the keys under which a change of any of them is heard; `until` is when the
    first mandate of the chain ends, ms; `limited` are its mandates that carry limits;
    `standing` is that of who asked last and was not refused.
    """

    standing: Standing

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.case = Case()
        self.case.observed_at = Observed(self.case, tables)
        self.case.heard_at = self._heard = Heard(self.case, tables)
        self.facts: list[bytes] = []
        self.index: list[str | Bundle] = []
        self.count = 0
        self.until = NEVER
        self.limited: tuple[MandateRow, ...] = ()

    def clear(self) -> None:
        """Forget what the last join rested on."""
        self.facts, self.index, self.count = [], [], 0

    def begin(self, instant: int) -> None:
        """Freeze the instant of a batch, ms."""
        self._instant = self.case.instant = instant

    def join(self, intent: Intent, asker: Asker, arguments: dict[str, object], wanted: tuple[str, ...]) -> Case:
        """Return the case of `intent`, with the facts named in `wanted`; raise Refused where who asks may not ask.

        The actor, the authority and every principal between them must be known
        and active, and the chain of mandates must cover action and resource.
        """
        case = self.case
        id_, attempt, tenant, actor, authority, _, action, resource, purpose, session = intent[:10]
        audience, _, _, _, emergency = intent[11:16]
        proof = intent.proof
        case.id, case.attempt, case.tenant, case.actor_id, case.authority_id = id_, attempt, tenant, actor, authority
        case.action, case.resource_id, case.purpose, case.session_id = action, resource, purpose, session
        case.audience, case.emergency, case.arguments = audience, emergency, arguments
        case.mandate = case.resource = case.actor = case.authority = None
        case.actor_risk = case.authority_risk = case.session_risk = None
        case.calendar = NO_CALENDAR
        party = asker.party_at(self._instant, self._tables) or self._meet(asker)
        self.facts, self.count = [party.facts], party.fact_count
        standing = self.standing = asker.standing(party, audience, wanted, proof.kid if proof else "", session)
        self.index = [standing.bundle]
        self.until, self.limited = party.until, party.limited
        case.actor, case.authority, case.chain = party.actor, party.authority, party.members
        if party.reach is not None:
            case.mandate = party.links[0]
            if not party.reach.covers(action, resource):
                beyond = outside(party.links, action, resource)
                raise Refused(Reason.OUTSIDE_MANDATE, f"mandate `{beyond}` does not cover it")
        if standing.carriers:
            self.facts.append(standing.carrier)
            self.count += standing.carriers
        elif audience:
            row = self._carrier(tenant, audience, "audience", AUDIENCE)
            standing.carrier, standing.carriers = self.facts[-1], len(row.facts)
        for fact in wanted:
            if fact in JOINED:
                continue
            if fact == "resource":
                self._resource(case, f"{RESOURCE}{tenant}/{resource}")
            elif fact == "actor.risk":
                case.actor_risk = self._risk(fact, party.actor_risk)
            elif fact == "authority.risk":
                case.authority_risk = self._risk(fact, party.authority_risk)
            elif fact == "session.risk":
                key = f"{RISK}{tenant}/session:{session}"
                self.index.append(key)
                case.session_risk = self._risk(fact, key)
            elif fact.startswith("calendar."):
                self._calendar(fact, case, tenant)
        return case

    def prove(self, intent: Intent, *, unsigned: bool) -> None:
        """Raise Refused for an intent whose writer is not proved, unless `unsigned` ones will do, or whose key fell."""
        proof = intent.proof
        if proof is None:
            if not unsigned:
                raise Refused(Reason.WRITER_UNPROVED, "the packs want this action's intents signed")
        elif self._tables.keys.fallen:
            fell = self._tables.keys.fell(proof.kid, intent.tenant)
            if fell is not None:
                self.note(KEY_ROLE + fell.fact)
                raise Refused(Reason.KEY_COMPROMISED, f"key `{proof.kid}`")

    def note(self, fact: bytes) -> None:
        """Add a fact, encoded with its role, to those the case rests on."""
        self.facts.append(fact)
        self.count += 1

    def knows(self, tenant: str, name: str) -> bool:
        """Return whether a principal is known, whatever its status."""
        return f"{PRINCIPAL}{tenant}/{name}" in self._tables.principals

    def grounds(self, intent: Intent) -> tuple[str, ...]:
        """Return the index keys of what an intent rests on whatever is still to be read: the key that signed it, its
        mandate, and the mandates above that as far as they are known.
        """
        kid = intent.proof.kid if intent.proof else ""
        keys = (f"{KEY}{intent.tenant}/{kid}", f"{KEY}/{kid}") if kid else ()
        if not intent.mandate:
            return keys
        chain = resolve(
            self._tables.mandates, intent.tenant, intent.mandate, intent.actor, intent.authority, self._instant
        )
        return (*keys, *chain.keys)

    def fallen(self, intent: Intent) -> str:
        """Return what of that has fallen, in words: a key that is compromised, a mandate that is suspended or revoked; else
        an empty text.
        """
        tables, tenant = self._tables, intent.tenant
        if intent.proof is not None and tables.keys.fell(intent.proof.kid, tenant) is not None:
            return f"key `{intent.proof.kid}` is compromised"
        if not intent.mandate:
            return ""
        chain = resolve(tables.mandates, tenant, intent.mandate, intent.actor, intent.authority, self._instant)
        return chain.broken if chain.links and not chain.links[-1].active else ""

    def await_feeds(self, facts: tuple[str, ...]) -> None:
        """Let the case rest on the feeds of facts that are silent as well: one that is heard again is a change."""
        for fact in facts:
            self.index += [f"{FEED}{topic:d}/{partition}" for topic, partition in self._heard.places(fact)]

    def active(self, tenant: str, name: str) -> bool:
        """Return whether a principal is known and active."""
        row = self._tables.principals.get(f"{PRINCIPAL}{tenant}/{name}")
        return row is not None and row.active

    def capabilities(self, tenant: str, audience: str) -> frozenset[str]:
        """Return what the executor named as audience can carry out; nothing where none is named."""
        row = self._tables.principals.get(f"{PRINCIPAL}{tenant}/{audience}") if audience else None
        return row.capabilities if row is not None else frozenset()

    def executor(self, tenant: str, name: str) -> None:
        """Let the case rest on the executor that claims it as well; raise Refused where it is not known and active."""
        self.index.append(f"{PRINCIPAL}{tenant}/{name}")
        self._carrier(tenant, name, "executor", EXECUTOR)

    def fell(self, vote: Vote) -> bool:
        """Let the case rest on the key that signed a vote; return whether it is compromised."""
        if vote.proof is None:
            return True
        kid, tenant = vote.proof.kid, vote.tenant
        self.index += (f"{KEY}{tenant}/{kid}", f"{KEY}/{kid}")
        fallen = self._tables.keys.fell(kid, tenant)
        if fallen is None:
            return False
        self.note(VOTER_KEY + fallen.fact)
        return True

    def voter(self, tenant: str, name: str) -> PrincipalRow | None:
        """Let the case rest on somebody who votes; return who it is, or None where nobody knows."""
        key = f"{PRINCIPAL}{tenant}/{name}"
        self.index.append(key)
        row = self._tables.principals.get(key)
        if row is not None:
            self.facts.append(in_role(VOTER, row.facts))
            self.count += len(row.facts)
        return row

    def _meet(self, asker: Asker) -> Party:
        """Return a party that was not known; where it is refused, what was found of it stands."""
        meeting = Meeting(self._tables)
        try:
            return asker.meet(meeting, self._instant, self._tables)
        except Refused:
            self.facts, self.index, self.count = meeting.facts, [*meeting.keys], meeting.count
            raise

    def _carrier(self, tenant: str, name: str, part: str, tag: bytes) -> PrincipalRow:
        """Let the case rest on whoever carries it out, and return who it is: known and active."""
        key = f"{PRINCIPAL}{tenant}/{name}"
        row = self._tables.principals.get(key)
        if row is None:
            raise Refused(Reason.AUDIENCE_UNKNOWN, f"{part} `{name}`")
        self.facts.append(in_role(tag, row.facts))
        self.count += len(row.facts)
        if not row.active:
            raise Refused(Reason.PRINCIPAL_INACTIVE, f"{part} `{name}` is {row.status}")
        return row

    def _resource(self, case: Case, key: str) -> None:
        row = case.resource = self._tables.resources.get(key)
        self.index.append(key if row is None else row.key)
        if row is not None:
            for fact in row.facts:
                self.facts += (RESOURCE_ROLE, fact)
            self.count += len(row.facts)

    def _risk(self, fact: str, key: str) -> int | None:
        sources = self._tables.risks.get(key)
        if sources is None:
            return None
        tag, score = RISK_ROLES[fact], 0
        for source in sources.values():
            self.facts += (tag, source.fact)
            now = source.score
            if source.half_life_s:
                now = decayed(now, source.event_at, source.half_life_s, self._instant)
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

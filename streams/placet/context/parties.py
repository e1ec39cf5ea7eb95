"""Who asks, for whom, and by whose leave: actor, authority and the chain between them, resolved once for many intents."""

from typing import NamedTuple

import msgspec

from placet.context.chain import NEVER, resolve
from placet.context.facts import DELEGATOR, Bundle, in_role, role
from placet.context.reach import Reach, reach_of
from placet.context.tables import PRINCIPAL, RISK, SESSION, Tables
from placet.context.writers import KEY
from placet.model.case import MandateRow, PrincipalRow
from placet.model.reasons import Reason


class Refused(Exception):
    """The intent cannot be put before any rule: `reason` says why, `detail` which part of it."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Party(NamedTuple):
    """All principals behind an intent, known and active, and the mandates between them.

    `links` are empty where the actor answers for itself; `members` go from the
    authority to the actor; `until` is when the first link ends, ms; `reach` is
    what all links give, None without one; `limited` are the links that carry limits.
    """

    actor: PrincipalRow
    authority: PrincipalRow
    links: tuple[MandateRow, ...]
    members: tuple[str, ...]
    until: int
    facts: bytes
    fact_count: int
    keys: tuple[str, ...]
    actor_risk: str
    authority_risk: str
    reach: Reach | None
    limited: tuple[MandateRow, ...] = ()


class Meeting:
    """What is gathered while a party is made: facts, how many, and index keys; it stands where the party is refused."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.facts: list[bytes] = []
        self.keys: list[str] = []
        self.count = 0

    def principal(self, tenant: str, name: str, part: str, tag: bytes | None = None) -> PrincipalRow:
        """Return a principal that is known and active, as `part`; raise Refused where it is not."""
        key = f"{PRINCIPAL}{tenant}/{name}"
        row = self._tables.principals.get(key)
        self.keys.append(key)
        if row is None:
            reason = Reason.AUDIENCE_UNKNOWN if part == "audience" else Reason.PRINCIPAL_UNKNOWN
            raise Refused(reason, f"{part} `{name}`")
        self.facts.append(in_role(role(part) if tag is None else tag, row.facts))
        self.count += len(row.facts)
        if not row.active:
            raise Refused(Reason.PRINCIPAL_INACTIVE, f"{part} `{name}` is {row.status}")
        return row

    def party(self, tenant: str, mandate: str, actor: str, authority: str, instant: int) -> Party:
        """Return the party at `instant`; raise Refused for the first of them that may not take part."""
        acts = answers = self.principal(tenant, actor, "actor")
        if authority != actor:
            answers = self.principal(tenant, authority, "authority")
        if not mandate:
            if authority != actor:
                raise Refused(Reason.CHAIN_BROKEN, "the actor is not the authority, and no mandate is named")
            return self._made(tenant, acts, answers, (), (actor,), NEVER)
        chain = resolve(self._tables.mandates, tenant, mandate, actor, authority, instant)
        self.keys += chain.keys
        self.facts.append(chain.facts)
        self.count += chain.fact_count
        if chain.broken:
            raise Refused(Reason.CHAIN_BROKEN, chain.broken)
        for delegator in chain.between:
            self.principal(tenant, delegator, "delegator", DELEGATOR)
        return self._made(tenant, acts, answers, chain.links, chain.members, chain.until)

    def _made(
        self,
        tenant: str,
        actor: PrincipalRow,
        authority: PrincipalRow,
        links: tuple[MandateRow, ...],
        members: tuple[str, ...],
        until: int,
    ) -> Party:
        return Party(
            actor,
            authority,
            links,
            members,
            until,
            b"".join(self.facts),
            self.count,
            tuple(dict.fromkeys(self.keys)),
            f"{RISK}{tenant}/{actor.id}",
            f"{RISK}{tenant}/{authority.id}",
            reach_of(links) if links else None,
            tuple([link for link in links if link.limits]),
        )


class Standing(msgspec.Struct, gc=False):
    """What the intents of one asker rest on that differ in action, resource and arguments alone.

    `bundle` are its index keys, `session_key` is that of what came back to the session; `carrier` are the facts of whom
    it is for, so many as `carriers`, once that was found to be known and active.
    """

    party: Party
    audience: str
    wanted: tuple[str, ...]
    kid: str
    session: str
    bundle: Bundle
    session_key: str
    carrier: bytes = b""
    carriers: int = 0


class Asker:
    """Who asks, by the names an intent gives, and the party that was found to be last. `key` is `tenant/authority`."""

    __slots__ = ("_standing", "actor", "authority", "changes", "key", "mandate", "party", "tenant")

    def __init__(self, tenant: str, mandate: str, actor: str, authority: str, key: bytes) -> None:
        self.tenant, self.mandate, self.actor, self.authority = tenant, mandate, actor, authority
        self.key = key
        self.party: Party | None = None
        self.changes = -1
        self._standing: Standing | None = None

    def party_at(self, instant: int, tables: Tables) -> Party | None:
        """Return the party where it holds still: until a principal or a mandate changes, or a link ends."""
        party = self.party
        return (
            party if party is not None and self.changes == tables.identity_changes and instant < party.until else None
        )

    def meet(self, meeting: Meeting, instant: int, tables: Tables) -> Party:
        """Find the party anew, and remember it; raise Refused as `Meeting.party` does: a refused one is never kept."""
        party = self.party = meeting.party(self.tenant, self.mandate, self.actor, self.authority, instant)
        self.changes = tables.identity_changes
        return party

    def standing(self, party: Party, audience: str, wanted: tuple[str, ...], kid: str, session: str) -> Standing:
        """Return what an intent rests on with all others that are like the last; the same bundle as long as they are the same.

        Its keys are those of who asks, whom it is for, those of their risks that are wanted, and of the key that
        signed it, where one did.
        """
        known = self._standing
        if (
            known is not None
            and known.party is party
            and known.audience == audience
            and known.wanted is wanted
            and known.kid == kid
        ):
            if known.session != session:
                known.session, known.session_key = session, self._session_key(session)
            return known
        bundle = self._bundle(party, audience, wanted, kid)
        self._standing = Standing(party, audience, wanted, kid, session, bundle, self._session_key(session))
        return self._standing

    def _session_key(self, session: str) -> str:
        return f"{SESSION}{self.tenant}/{self.authority}/{session}"

    def _bundle(self, party: Party, audience: str, wanted: tuple[str, ...], kid: str) -> Bundle:
        keys = [*party.keys]
        if audience:
            keys.append(f"{PRINCIPAL}{self.tenant}/{audience}")
        if "actor.risk" in wanted:
            keys.append(party.actor_risk)
        if "authority.risk" in wanted:
            keys.append(party.authority_risk)
        if kid:
            keys += (f"{KEY}{self.tenant}/{kid}", f"{KEY}/{kid}")
        return Bundle(tuple(dict.fromkeys(keys)))

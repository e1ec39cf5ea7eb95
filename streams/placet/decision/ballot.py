"""The votes on one intent, counted under what is known at one instant: whose yes counts, and who said no."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from placet.model import strict
from placet.model.case import Case, PrincipalRow
from placet.model.codec import decode_known
from placet.model.codec.desk_change import Lease
from placet.model.codec.vote import Vote
from placet.model.reasons import Effect, Reason
from placet.policy import narrowing, patterns
from placet.policy import obligations as duties
from placet.policy.approval import Approval
from placet.policy.evaluate import Finding, Plan
from placet.policy.patterns import OWNER
from placet.policy.shape import Arguments

GROUP = "group:"
WANTED_SIZE = 8
Fault = tuple[Reason, str]


class Cast(NamedTuple):
    """A vote that is held: what it says, and its record in its framing, as it came."""

    vote: Vote
    value: bytes

    @property
    def order(self) -> tuple[int, bytes]:
        """Of two votes of one voter the greater one stands, whichever came first."""
        return self.vote.voted_at, self.value


class Ballot(NamedTuple):
    """The votes that are held on an intent, one of each voter and in their order, and when it was asked, ms."""

    asked_at: int
    casts: tuple[Cast, ...] = ()

    def standing(self, voter: str) -> Cast | None:
        """Return the vote that is held of a voter, or None."""
        return next((cast for cast in self.casts if cast.vote.voter == voter), None)

    def taking(self, cast: Cast) -> "Ballot":
        """Return the ballot with one vote more, in place of what its voter said before."""
        kept = [each for each in self.casts if each.vote.voter != cast.vote.voter]
        return Ballot(self.asked_at, tuple(sorted([*kept, cast], key=lambda each: each.vote.voter)))


class Count(NamedTuple):
    """What votes come to: whose yes counts, why others do not, who said no, and what all that count leave of the arguments.

    `waited_ms` is how long ago the intent was asked; who is eligible is so from then on.
    """

    waited_ms: int
    quorum: int
    eligible: tuple[str, ...]
    voters: tuple[str, ...]
    faults: dict[str, Fault]
    rejection: Vote | None
    arguments: dict[str, object]

    @property
    def met(self) -> bool:
        return len(self.voters) >= self.quorum and self.rejection is None

    @property
    def wanted(self) -> bytes:
        """Return a short digest of what people are told: how many of whom, and who has said yes."""
        said = "\0".join((str(self.quorum), "\1".join(self.eligible), "\1".join(self.voters)))
        return sha256(said.encode()).digest()[:WANTED_SIZE]


def ballot_of(lease: Lease) -> Ballot:
    """Return the votes that an open intent holds."""
    return Ballot(lease.asked_at, tuple(Cast(decode_known(value), value) for value in lease.votes))


def count(
    approval: Approval,
    ballot: Ballot,
    case: Case,
    declared: list[Arguments],
    meet: Callable[[str, str], PrincipalRow | None],
    fell: Callable[[Vote], bool],
) -> Count:
    """Return what the votes of `ballot` come to; `meet` says who a voter is, by tenant and name, and `fell` whether the
    key that signed a vote is compromised.
    """
    waited_ms = case.instant - ballot.asked_at
    eligible = approval.at(waited_ms)
    voters: list[str] = []
    faults: dict[str, Fault] = {}
    offers: list[dict[str, Any]] = []
    rejection: Vote | None = None
    for vote, _ in ballot.casts:
        fault = fault_of(vote.voter, meet(case.tenant, vote.voter), eligible, case)
        if fault is None and fell(vote):
            fault = (Reason.KEY_COMPROMISED, f"the key that signed the vote of `{vote.voter}` is compromised")
        if fault is None and vote.approve and vote.arguments is not None:
            offer = strict.parse_canonical(vote.arguments)
            wide = narrowing.fault_of(case.arguments, offer, declared)
            fault = (Reason.VOTE_REFUSED, f"not narrower than what is asked: {wide}") if wide else None
            offers += [] if wide else [offer]
        if fault is not None:
            faults[vote.voter] = fault
        elif vote.approve:
            voters.append(vote.voter)
        else:
            rejection = rejection or vote
    left = narrowing.meet(case.arguments, offers)
    return Count(waited_ms, approval.quorum, eligible, tuple(voters), faults, rejection, left)


def put_again(plan: Plan, case: Case, finding: Finding, count: Count | None) -> tuple[Finding, Count | None]:
    """Return what the rules say once votes have narrowed what may run: what they deny of that stays denied, and what
    they demand of it is demanded too.
    """
    asked = case.arguments
    if count is None or not count.met or count.arguments == asked:
        return finding, count
    case.arguments = count.arguments
    again = plan.decide(case)
    case.arguments = asked
    if again.effect > Effect.STEP_UP:
        return again, None
    demands = duties.merge([*finding.obligations, *again.obligations])
    return msgspec.structs.replace(finding, obligations=demands), count


def fault_of(voter: str, row: PrincipalRow | None, eligible: tuple[str, ...], case: Case) -> Fault | None:
    """Return why somebody's vote does not count on a case, or None."""
    part = part_of(voter, case)
    if not part and row is not None and row.owner is not None:
        part = part_of(row.owner, case) and f"owned by `{row.owner}`, who is {part_of(row.owner, case)}"
    if part:
        return Reason.VOTER_IN_CHAIN, f"`{voter}` is {part}: who asks or answers for it does not vote"
    if row is None:
        return Reason.VOTER_UNKNOWN, f"`{voter}` is not a known principal"
    if not row.active:
        return Reason.VOTER_INACTIVE, f"`{voter}` is {row.status}"
    if not any(_is_among(pattern, row, case) for pattern in eligible):
        return Reason.VOTER_NOT_ASKED, f"`{voter}` is not among those who are asked: {', '.join(eligible) or 'nobody'}"
    return None


def part_of(voter: str, case: Case) -> str:
    """Return which part a voter has in the chain of a case, or an empty text."""
    if voter == case.actor_id:
        return "the actor"
    if voter == case.authority_id:
        return "the authority"
    if voter in case.chain:
        return "a delegator between them"
    return "the owner of the actor" if case.actor is not None and voter == case.actor.owner else ""


def _is_among(pattern: str, row: PrincipalRow, case: Case) -> bool:
    if pattern.startswith(GROUP):
        return pattern[len(GROUP) :] in row.groups
    if pattern == OWNER:
        return case.resource is not None and case.resource.owner == row.id
    return patterns.matches((pattern,), row.id)

"""The votes on one intent, counted under what is known at one instant: whose yes counts, and who said no."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from placet.decision.meters import RUNS
from placet.model import strict
from placet.model.case import Case, PrincipalRow
from placet.model.codec import decode_known
from placet.model.codec.desk_change import Lease
from placet.model.codec.vote import Vote
from placet.model.reasons import Effect, Reason
from placet.policy import narrowing, patterns
from placet.policy import obligations as duties
from placet.policy.approval import OWNER, Approval, challenge
from placet.policy.evaluate import Finding, Plan
from placet.policy.shape import Arguments

GROUP = "group:"
PERMITTING = frozenset({Effect.PERMIT, Effect.CONSTRAIN})
WANTED_SIZE = 8
Fault = tuple[Reason, str]


class Cast(NamedTuple):
    """A vote that is held: what it says, and its record in its framing, as it came.

    `at` is when it was appended, ms, of one that comes just now; what is held is not asked about that again.
    """

    vote: Vote
    value: bytes
    at: int = 0

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
    acr: tuple[str, ...] = ()
    auth_age_ms_max: int = 0

    @property
    def met(self) -> bool:
        return len(self.voters) >= self.quorum and self.rejection is None

    @property
    def wanted(self) -> bytes:
        """Return a short digest of what people are told: how many of whom, with what proof, and who has said yes."""
        said = [str(self.quorum), "\1".join(self.eligible), "\1".join(self.voters)]
        if self.acr or self.auth_age_ms_max:
            said += ["\1".join(self.acr), str(self.auth_age_ms_max)]
        return sha256("\0".join(said).encode()).digest()[:WANTED_SIZE]


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
    for cast in ballot.casts:
        vote = cast.vote
        fault = fault_of(vote.voter, meet(case.tenant, vote.voter), eligible, case)
        if fault is None and fell(vote):
            fault = (Reason.KEY_COMPROMISED, f"the key that signed the vote of `{vote.voter}` is compromised")
        fault = fault or _unproved(cast, approval, ballot.asked_at)
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
    proof = approval.acr, approval.auth_age_ms_max
    return Count(waited_ms, approval.quorum, eligible, tuple(voters), faults, rejection, left, *proof)


def _unproved(cast: Cast, approval: Approval, asked_at: int) -> Fault | None:
    """Return why a vote does not count for how its voter authenticated, or None; it says what would do.

    What it is bound to was not there before `asked_at`: a vote that says it is older is not, and is no fresher for it.
    """
    vote = cast.vote
    if approval.is_proved(vote.acr, max(vote.voted_at, asked_at, cast.at) - vote.auth_time):
        return None
    return Reason.VOTER_UNPROVED, challenge(approval.acr, approval.auth_age_ms_max)


def as_left(plan: Plan, case: Case, finding: Finding, lease: Lease | None) -> tuple[Finding, dict[str, Any] | None]:
    """Return what the rules say of what votes left of an open grant, where nobody has to be asked any more, and that;
    None where they left all of it, or the rules do not grant what they left.
    """
    if lease is None or not lease.votes or lease.state not in RUNS or finding.effect not in PERMITTING:
        return finding, None
    votes = [cast.vote for cast in ballot_of(lease).casts if cast.vote.approve]
    offers = [strict.parse_canonical(vote.arguments) for vote in votes if vote.arguments is not None]
    narrower = [offer for offer in offers if not narrowing.fault_of(case.arguments, offer, plan.declared)]
    left = narrowing.meet(case.arguments, narrower)
    if left == case.arguments:
        return finding, None
    effect, narrow = narrowed(plan, case, finding, left)
    return (narrow, left) if effect in PERMITTING else (finding, None)


def narrowed(plan: Plan, case: Case, finding: Finding, arguments: dict[str, Any]) -> tuple[Effect, Finding]:
    """Return what the rules say of narrower arguments: their effect, and the finding with what they demand of those too.

    What they deny or defer is the finding by itself.
    """
    asked = case.arguments
    case.arguments = arguments
    again = plan.decide(case)
    case.arguments = asked
    if again.effect > Effect.STEP_UP:
        return again.effect, again
    demands = duties.merge([*finding.obligations, *again.obligations])
    return again.effect, msgspec.structs.replace(finding, obligations=demands)


def put_again(plan: Plan, case: Case, finding: Finding, count: Count | None) -> tuple[Finding, Count | None]:
    """Return what the rules say once votes have narrowed what may run: what they deny of that stays denied, and what
    they demand of it is demanded too.
    """
    if count is None or not count.met or count.arguments == case.arguments:
        return finding, count
    effect, again = narrowed(plan, case, finding, count.arguments)
    return again, count if effect <= Effect.STEP_UP else None


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

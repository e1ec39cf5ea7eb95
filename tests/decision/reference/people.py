"""Votes in the model: whose word counts on what waits, as DESIGN §4.6 says, counted anew from the votes that are held."""

from collections.abc import Iterable
from typing import NamedTuple

from placet.model.reasons import Reason
from tests.decision.reference.known import Known, between
from tests.decision.reference.scene import ADA, BOSS, FINANCE, Ask, Vote


class Wanted(NamedTuple):
    """What is waited for: so many yes, of those whom every requirement asks, for so long (ms)."""

    quorum: int
    among: frozenset[str]
    wait_ms: int

    def with_(self, other: "Wanted") -> "Wanted":
        """Return one requirement that satisfies both."""
        return Wanted(max(self.quorum, other.quorum), self.among & other.among, min(self.wait_ms, other.wait_ms))


OF_RULE = Wanted(2, frozenset(FINANCE), 60_000)
OF_LIMIT = Wanted(1, frozenset({*FINANCE, "user:lee"}), 30_000)


class Tally(NamedTuple):
    """What the votes come to: who says yes and counts, whether somebody says no who counts, and the least amount offered."""

    wanted: Wanted
    yes: tuple[str, ...]
    no: bool
    amount: int | None

    @property
    def met(self) -> bool:
        return len(self.yes) >= self.wanted.quorum and not self.no

    @property
    def told(self) -> tuple[int, frozenset[str], tuple[str, ...]]:
        """What people are told: of whom how many are waited for, and who has said yes."""
        return self.wanted.quorum, self.wanted.among, self.yes


def fault_of(vote: Vote, ask: Ask, wanted: Wanted, known: Known) -> Reason | None:
    """Return why a vote does not count at this instant, or None."""
    owners = [BOSS] if ask.actor == ADA else []
    if vote.voter in [ask.actor, ask.authority, *between(ask), *owners]:
        return Reason.VOTER_IN_CHAIN
    if not known.active(vote.voter):
        return Reason.VOTER_INACTIVE
    if vote.voter not in wanted.among:
        return Reason.VOTER_NOT_ASKED
    wider = vote.amount is not None and ask.amount is not None and not 0 <= vote.amount <= ask.amount
    return Reason.VOTE_REFUSED if wider and vote.yes else None


def tally(votes: Iterable[Vote], ask: Ask, wanted: Wanted, known: Known) -> Tally:
    """Return what those of the votes come to that count at this instant."""
    counting = [vote for vote in votes if fault_of(vote, ask, wanted, known) is None]
    yes = [vote for vote in counting if vote.yes]
    offers = [vote.amount for vote in yes if vote.amount is not None]
    amount = min([ask.amount, *offers]) if ask.amount is not None else None
    return Tally(wanted, tuple(sorted(vote.voter for vote in yes)), len(counting) > len(yes), amount)

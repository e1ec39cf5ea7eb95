"""Votes in the model: whose word counts on what waits, as DESIGN §4.6 says, counted anew from the votes that are held."""

from collections.abc import Iterable
from typing import NamedTuple

from placet.model.reasons import Reason
from tests.decision.reference.known import Known, between
from tests.decision.reference.scene import ADA, BOSS, FINANCE, Ask, Vote


class Wanted(NamedTuple):
    """What is waited for: so many yes, of those whom every requirement asks, for so long (ms).

    Each has authenticated by `acr`, and at most `age_ms` before; empty and None: it does not matter.
    """

    quorum: int
    among: frozenset[str]
    wait_ms: int
    acr: str = ""
    age_ms: int | None = None

    def with_(self, other: "Wanted") -> "Wanted":
        """Return one requirement that satisfies both."""
        together = Wanted(max(self.quorum, other.quorum), self.among & other.among, min(self.wait_ms, other.wait_ms))
        return together._replace(acr=self.acr, age_ms=self.age_ms)  # a limit never asks for proof here

    def proves(self, vote: Vote, cast_at: int) -> bool:
        """Return whether who cast a vote then had authenticated as is wanted."""
        return self.acr in ("", vote.acr) and (self.age_ms is None or cast_at - vote.auth_at <= self.age_ms)


OF_RULE = Wanted(2, frozenset(FINANCE), 60_000, "phr", 40_000)
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
    def told(self) -> tuple[Wanted, tuple[str, ...]]:
        """What people are told: of whom how many are waited for, with what proof, and who has said yes; not for how long."""
        return self.wanted._replace(wait_ms=0), self.yes


def fault_of(vote: Vote, ask: Ask, wanted: Wanted, known: Known, cast_at: int) -> Reason | None:
    """Return why a vote that was cast then, at the earliest, does not count at this instant, or None."""
    owners = [BOSS] if ask.actor == ADA else []
    if vote.voter in [ask.actor, ask.authority, *between(ask), *owners]:
        return Reason.VOTER_IN_CHAIN
    if not known.active(vote.voter):
        return Reason.VOTER_INACTIVE
    if vote.voter not in wanted.among:
        return Reason.VOTER_NOT_ASKED
    if not wanted.proves(vote, cast_at):
        return Reason.VOTER_UNPROVED
    wider = vote.amount is not None and ask.amount is not None and not 0 <= vote.amount <= ask.amount
    return Reason.VOTE_REFUSED if wider and vote.yes else None


def tally(votes: Iterable[Vote], ask: Ask, wanted: Wanted, known: Known, asked_at: int) -> Tally:
    """Return what those of the votes come to that count at this instant; none was cast before it was asked for."""
    counting = [vote for vote in votes if fault_of(vote, ask, wanted, known, max(vote.at, asked_at)) is None]
    yes = [vote for vote in counting if vote.yes]
    offers = [vote.amount for vote in yes if vote.amount is not None]
    amount = min([ask.amount, *offers]) if ask.amount is not None else None
    return Tally(wanted, tuple(sorted(vote.voter for vote in yes)), len(counting) > len(yes), amount)

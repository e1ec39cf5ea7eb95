"""The demo's people of finance: they look at what waits for them, and say yes; who asks for herself is not heard."""

from placet.errors import PlacetError
from placet.faces.cli.answers import answered
from placet.faces.cli.journal import Journal, now_ms
from placet.faces.demo import cast
from placet.faces.demo.board import Board
from placet.faces.demo.clockwork import Clockwork
from placet.model.codec import vote
from placet.model.codec.verdict import Verdict
from placet.model.reasons import State
from placet.model.topics import Topic

LOOK_S = 0.1
DAILY = "payments/refunds-a-day"
"""The limit of a day, which one person of finance may let exceed."""


class Finance:
    """Three approvers and one inbox: what is open and pending on the board."""

    def __init__(self, journal: Journal, clock: Clockwork, board: Board) -> None:
        self._journal = journal
        self._clock = clock
        self._board = board
        self._seen: set[bytes] = set()

    def work(self) -> None:
        """Answer each thing that waits once: the large claim by three of them, the requester first."""
        while self._clock.pause(LOOK_S):
            for waits in self._board.open():
                if waits.state != State.PENDING or waits.id in self._seen:
                    continue
                if waits.resource == cast.LARGE_ORDER:
                    self._seen.add(waits.id)
                    self._vote(waits, cast.APPROVERS)
                elif DAILY in waits.rules:
                    self._seen.add(waits.id)
                    self._vote(waits, cast.APPROVERS[-1:])

    def _vote(self, waits: Verdict, voters: tuple[str, ...]) -> None:
        """Say yes to it, one after the other, each signed by the one who says it."""
        for voter in voters:
            if self._clock.ending.is_set():
                return
            try:
                self._yes(waits, voter)
            except PlacetError as error:
                self._board.note(voter, f"no answer: {error}")

    def _yes(self, waits: Verdict, voter: str) -> None:
        record = vote.Vote(
            tenant=waits.tenant,
            authority=waits.authority,
            id=waits.id,
            attempt=waits.attempt,
            intent_digest=waits.intent_digest,
            voter=voter,
            approve=True,
            reason="the customer is right",
            arguments=None,
            voted_at=now_ms(),
            acr="",
            auth_time=0,
            proof=None,
        )
        answer = answered(self._journal, Topic.VOTES, vote, record, "approver", voter)
        what = f"{waits.action} {waits.resource} of {waits.actor}"
        if answer.refusal:
            self._board.note(voter, f"may not approve {what}: {answer.reason.name.lower()}")
        elif answer.granted:
            self._board.note(voter, f"approves {what}: granted")
        else:
            self._board.note(voter, f"approves {what}: {answer.detail or answer.state.name.lower()}")

"""What an executor knows of the grants it may carry out: offered, claimed, stopped, over."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple, Self

from placet.errors import PlacetError
from placet.faces.sdk.models import Answer
from placet.model.codec.refusal import Refusal
from placet.model.codec.verdict import Verdict
from placet.model.reasons import State

OVER = frozenset(
    {State.DONE, State.FAILED, State.REFUSED, State.REVOKED, State.LAPSED, State.EXPIRED, State.WITHDRAWN, State.DENIED}
)


class Place(NamedTuple):
    """Tenant, authority, id, attempt: which attempt an offer is about."""

    tenant: str
    authority: str
    id: bytes
    attempt: int

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """Return which attempt an answer is about."""
        return cls(answer.tenant, answer.authority, bytes.fromhex(answer.id), answer.attempt)


class Offer:
    """One attempt as its executor hears of it. All methods may be called from any thread.

    `offered` ends with the verdict that may be carried out; `answered` with
    what was said to the newest claim: a Verdict, or the Refusal of it.
    """

    def __init__(self, place: Place, nonce: bytes) -> None:
        self.place = place
        self.offered: Future[Verdict] = Future()
        self.answered: Future[Verdict | Refusal] = Future()
        self.stopped = threading.Event()
        self.offset = -1
        self._nonce = nonce
        self._lock = threading.Lock()
        self._claim_offset: int | None = None
        self._refusals: list[Refusal] = []
        self._cancels: list[Callable[[], object]] = []

    def offer(self, verdict: Verdict, offset: int) -> bool:
        """Take the verdict at `offset` as the offer; return false for a second one, which is a replay."""
        with self._lock:
            if self.offered.done():
                return False
            self.offset = offset
            self.offered.set_result(verdict)
        return True

    def moved(self, verdict: Verdict) -> None:
        """Hear a later record of the attempt."""
        over = verdict.state in OVER or verdict.state == State.UNKNOWN
        if verdict.stop or over:
            self._stop()
        with self._lock:
            if over and not self.offered.done():
                self.offered.set_result(verdict)
            if verdict.stop or self.answered.done() or not (over or verdict.state == State.CLAIMED):
                return
            if verdict.claim_required or over:
                self.answered.set_result(verdict)

    @property
    def open(self) -> bool:
        """Return whether nothing has ended or taken it yet."""
        return not self.stopped.is_set() and not self.answered.done()

    def failed(self, error: PlacetError) -> None:
        """Hear that nothing more can be believed: whoever waits hears it too, and what runs is stopped."""
        self._stop()
        self.give_up(error)

    def give_up(self, error: PlacetError) -> None:
        """Let whoever still waits for a grant or a claim hear `error`. What runs goes on."""
        with self._lock:
            for future in (self.offered, self.answered):
                if not future.done():
                    future.set_exception(error)

    def refused(self, refusal: Refusal) -> None:
        """Hear that a record about this attempt was refused; whether it was our claim, its place tells."""
        with self._lock:
            self._refusals.append(refusal)
            self._match()

    def claiming(self) -> bool:
        """Forget a refusal of an earlier claim; return whether a claim makes sense: nobody has taken the grant."""
        with self._lock:
            if self.answered.done():
                if isinstance(self.answered.result(), Verdict):
                    return False
                self.answered = Future()
            self._claim_offset, self._refusals = None, []
        return True

    def claimed_at(self, offset: int) -> None:
        """Say where our claim was written; below 0 when that is not known, and then any refusal may be of it."""
        with self._lock:
            self._claim_offset = offset
            self._match()

    def on_stop(self, cancel: Callable[[], object]) -> None:
        """Call `cancel` when the action should stop, at once if it already should."""
        with self._lock:
            self._cancels.append(cancel)
            late = self.stopped.is_set()
        if late:
            cancel()

    def ours(self, verdict: Verdict, executor: str) -> bool:
        """Return whether a CLAIMED verdict is the answer to the claim of this very process."""
        return verdict.state == State.CLAIMED and verdict.executor == executor and verdict.nonce == self._nonce

    def _match(self) -> None:
        if self._claim_offset is None or self.answered.done():
            return
        for refusal in self._refusals:
            if self._claim_offset < 0 or refusal.cause_offset == self._claim_offset:
                self.answered.set_result(refusal)
                return

    def _stop(self) -> None:
        with self._lock:
            self.stopped.set()
            cancels, self._cancels = self._cancels, []
        for cancel in cancels:
            cancel()

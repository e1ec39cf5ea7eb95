"""What waits moves on: the arrow an intent takes once it was decided again, and what is remembered of it then."""

from placet.decision.answer import Answer
from placet.decision.arrow import QUIET, Cause, Said
from placet.decision.ballot import Ballot
from placet.decision.book import Book
from placet.decision.intake import Asked
from placet.decision.judge import Judge
from placet.decision.leases import wakes_at
from placet.decision.life import OPEN
from placet.model.codec.desk_change import Lease, Session
from placet.model.reasons import Reason, State


class Follow:
    """Writes what became of an intent that was deferred or pending, and opens or closes it accordingly."""

    def __init__(self, book: Book, judge: Judge) -> None:
        self._book = book
        self._judge = judge

    def go(
        self,
        lease: Lease,
        asked: Asked,
        now: Answer,
        cause: Cause,
        session: Session | None,
        ballot: Ballot | None = None,
    ) -> None:
        """Write the answer `now`, judged last; `ballot` are the votes that are held from here on, none: as before.

        What goes on waiting for people ends no later than it was told to before.
        """
        if lease.state == State.PENDING and now.state is State.PENDING:
            now.reason = Reason.ASKED_ANEW if ballot is None else Reason.VOTED
            now.until = min(now.until, lease.expires_at)
            if now.approval is not None:
                now.approval = now.approval._replace(expires_at=now.until)
        body = self._judge.body(asked, now, session) if now.set_digest else None
        said = Said(executor=asked.intent.audience) if now.state is State.CLAIMED else QUIET
        seq = self._book.move(lease, asked, now, cause, body, said)
        if now.state not in OPEN:
            self._book.close(lease.slot)
            return
        after = lease._replace(
            seq=seq,
            state=now.state,
            effect=now.effect,
            reason=now.reason,
            until=wakes_at(now, lease.asked_at),
            granted_digest=now.granted_digest,
            granted_arguments=now.granted_arguments,
            claim_required=now.claim_required,
            act_ms_max=now.act_ms_max,
            expires_at=now.until,
            set_digest=now.set_digest,
            executor=asked.intent.audience if now.state is State.CLAIMED else "",
            holds=now.holds,
            wanted=now.wanted,
        )
        if now.state is State.DEFERRED:
            after = after._replace(votes=())  # a wait that has ended takes its votes along
        elif ballot is not None:
            after = after._replace(votes=tuple(cast.value for cast in ballot.casts))
        self._book.open(after, self._judge.joiner.index, asked.key)

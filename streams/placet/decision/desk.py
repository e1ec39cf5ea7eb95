"""One partition's decision state machine: records in, decisions out, time an argument.

A batch goes `begin`, `apply` for each record, `finish`; then `keep` once it is
committed, or `drop` when it is known that it was not. Within a batch the order
is fixed: sweeps, ticks, outcomes, votes, intents, each by offset. So the
records, the context, the packs and the instant give a batch back.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from placet.context.join import Joiner
from placet.context.tables import SESSION, Tables
from placet.decision.arrow import CLOCK, Cause
from placet.decision.book import Book
from placet.decision.bulletin import Bulletin
from placet.decision.claims import Claims
from placet.decision.follow import Follow
from placet.decision.intake import Intake
from placet.decision.judge import BUDGET, Judge
from placet.decision.library import Library
from placet.decision.limits import Limits
from placet.decision.questions import Questions
from placet.decision.reviewing import Reviewing
from placet.decision.settings import DeskSettings
from placet.decision.sweeps import Sweeps
from placet.decision.votes import Votes
from placet.errors import PoisonRecord
from placet.model.codec import hearers_of
from placet.model.proof import KeyRing
from placet.model.reasons import Reason, State
from placet.model.topics import Topic
from placet.ports import Emits, Entropy, Message, Rec

Reading = tuple[Callable[[Rec, Any], None], Any]
"""What a record says, and who hears it."""
AHEAD = 64
"""Records read before the first of them is decided."""


class Desk:
    """The desk of one partition. `tables` and `library` are shared by all desks of a worker, and frozen for a batch."""

    def __init__(
        self,
        partition: int,
        partitions: int,
        tables: Tables,
        library: Library,
        keys: KeyRing,
        key_encryption_key: bytes,
        settings: DeskSettings,
    ) -> None:
        self.partition = partition
        self.book = Book(partition, settings, key_encryption_key, tables.covers)
        self.judge = Judge(
            Joiner(tables),
            library,
            tables,
            settings,
            Limits(self.book.leases.holdings, self.book.meters, settings),
            self.book.reviews,
        )
        reader = Intake(partition, partitions, keys)
        self.questions = Questions(self.book, self.judge, reader)
        self.claims = Claims(self.book, self.judge, self.questions)
        self.bulletin = Bulletin()
        follow = Follow(self.book, self.judge)
        self.reviewing = Reviewing(self.book, self.questions, tables)
        self.votes = Votes(self.book, self.judge, self.questions, follow, self.reviewing)
        self.sweeps = Sweeps(self.book, self.judge, self.questions, follow)
        self._hearers: dict[tuple[int, bytes], tuple[Callable[[bytes, int], Any], Callable[[Rec, Any], None]]] = {
            (topic, header): (read, hear)
            for topic, name, reads, hear in (
                (Topic.INTENTS, "intent", reader.intent, self.questions.ask),
                (Topic.INTENTS, "withdraw", reader.withdraw, self.questions.withdraw),
                (Topic.OUTCOMES, "claim", reader.claim, self.claims.claim),
                (Topic.OUTCOMES, "outcome", reader.outcome, self.claims.outcome),
                (Topic.VOTES, "vote", reader.vote, self.votes.vote),
            )
            for header, read in hearers_of(name, reads).items()
        }

    def begin(
        self, instant: int, entropy: Entropy, cut: bytes, touched: Iterable[tuple[str, Cause]] = (), sharing: int = 1
    ) -> None:
        """Start a batch at `instant` (ms, never before the last one's); say what is halted, sweep what changed, let the clock speak.

        `cut` is the encoded array of marks of the context the batch is decided
        under; `touched` are the index keys that context records have changed
        since the last batch, each with its record. So many desks as are
        `sharing` the batch share how much of it is for sweeps and for the clock.
        """
        self.book.begin(instant, entropy)
        self.judge.begin(instant, cut)
        self.book.tally.halts_ms = self.bulletin.tell(self.judge.halts, self.book.voice)
        heard, self.book.heard = self.book.heard, []
        freed, self.book.freed = self.book.freed, []
        changed = [*(SESSION + key for key in heard), *(BUDGET + name for name in freed)]
        self.sweeps.touch([*touched, *((key, CLOCK) for key in changed)])
        self.sweeps.reach()
        most = -(-self.book.settings.sweep_most // sharing)
        self.sweeps.sweep(most)
        self.sweeps.tick(most)
        self.reviewing.tick(most)

    def read(self, records: Sequence[Rec]) -> Iterator[Reading]:
        """Yield what each record says, before it is decided: a slice of them at once, for one kind of work at a time is
        done faster.

        What a record says, or that it is a faulty one, depends on nothing that deciding another changes: on its bytes,
        its append time, and the keys as they are in this batch.
        """
        for at in range(0, len(records), AHEAD):
            yield from [self._read(rec) for rec in records[at : at + AHEAD]]

    def apply(self, rec: Rec, reading: Reading | None = None) -> None:
        """Decide one record of an input topic. Whatever it holds, it is answered once."""
        hear, said = reading or self._read(rec)
        try:
            hear(rec, said)
        except PoisonRecord as poison:
            self._poisoned(rec, poison)

    def _read(self, rec: Rec) -> Reading:
        topic, _, _, at, _, value, _ = rec
        try:
            if value is None:
                raise PoisonRecord("a record without a value", Reason.UNDECODABLE)
            if len(value) > self.book.settings.record_bytes_max:
                raise PoisonRecord(f"{len(value)} bytes: expected fewer", Reason.TOO_LARGE)
            hearer = self._hearers.get((topic, value[:5]))
            if hearer is None:
                raise PoisonRecord("its schema is not one of this topic", Reason.SCHEMA_UNKNOWN)
            read, hear = hearer
            return hear, read(value, at)
        except PoisonRecord as poison:
            return self._poisoned, poison

    def _poisoned(self, rec: Rec, poison: PoisonRecord) -> None:
        self.book.refuse(rec, poison.reason, str(poison))

    def refuse(self, rec: Rec, reason: int, detail: str) -> None:
        """Write the one refusal of a context record that no reader takes."""
        self.book.refuse(rec, reason, detail)

    def finish(self) -> Emits:
        """Return all the batch says."""
        self.book.finish()
        return self.book.voice.emits

    @property
    def said(self) -> Sequence[bytes]:
        """The leaf hash of each decision of the batch, in order of seq: what its Seal's root covers."""
        self.book.voice.write()
        return self.book.voice.leaves

    @property
    def decisions(self) -> list[Message]:
        """The decisions of the batch so far."""
        self.book.voice.write()
        return self.book.voice.emits.decisions

    @property
    def seq(self) -> int:
        """The seq of the next decision."""
        return self.book.voice.seq

    def keep(self) -> None:
        """The batch is committed: what it changed stands."""
        self.book.keep()
        self.sweeps.keep()

    def drop(self) -> None:
        """Nothing of the batch was committed: the desk is as it was before `begin`."""
        self.book.drop()
        self.bulletin.drop()
        self.sweeps.drop()

    def pending(self) -> list[int]:
        """Return when each intent that waits for people was asked, ms; for whoever measures, from any thread."""
        return [lease.asked_at for lease in list(self.book.leases.open.values()) if lease.state == State.PENDING]

    def reviews(self) -> list[int]:
        """Return the state of each review that is not answered; for whoever measures, from any thread."""
        return [review.state for review in list(self.book.reviews.open.values())]

    def due(self, now: int) -> bool:
        """Return whether there is something to do at `now` without any record: a timer, a sweep, or a wait that is over."""
        book = self.book
        if self.sweeps or book.heard or book.freed or book.awaiting:
            return True
        return book.leases.is_due(now) or book.reviews.is_due(now)

    def pass_over(self) -> None:
        """Forget a batch that came to nothing: no record, no answer, nothing to commit."""
        # What was decided again without a word rests on what it rests on now.
        self.book.leases.keep()
        self.book.drop()
        self.sweeps.keep()

    def awaits(self, key: str) -> bool:
        """Return whether anything open rests on an index key."""
        return key in self.book.leases.index

    def wake(self) -> None:
        """After a restore: everything open is decided again under the context as it is."""
        self.sweeps.touch_all(CLOCK)

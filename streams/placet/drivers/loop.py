"""The one loop: bring records to the desks, commit what they say, keep it. The same for both journals.

One turn, in numbered steps; a crash between any two leaves the journal as it
was before the turn or as it is after it:

1. serve the assignment: restore what came, forget what went
2. take input; take context, fold it, and freeze it for the batch; verify ahead what can be
3. read the clock once; the instant never goes back
4. each desk that has something to do: begin, apply, finish, seal
5. commit emits, Seals and positions together
6. keep: only now does the memory follow what is committed
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

from placet.decision.desk import Desk, Reading
from placet.drivers.ahead import Ahead
from placet.drivers.bureau import Bureau, Place
from placet.drivers.memory import give_back
from placet.drivers.metrics import Count, Watch
from placet.drivers.telling import Telling, limits_reached, reviews_told
from placet.errors import Behind, Unavailable
from placet.model.codec.seal import Mark
from placet.model.topics import CONTEXT
from placet.ports import Clock, Emits, Entropy, Feed, Journal, Message, Rec

SEAL_KEY = b"seal"
BEHIND_LOOKS = 20
"""Restores of a partition that may find less than is committed, some 30 s of them; then it is taken for lost."""
GIVE_BACK_AFTER = 100_000
"""Records decided before an idle turn gives free memory back to the system."""


class Loop:
    """Runs the desks of one worker until told to stop. `Unsure` and `Corrupted` end it: whoever runs it starts anew.

    A step that raised `Unavailable` committed nothing and may be called again.
    """

    def __init__(
        self,
        journal: Journal,
        feed: Feed,
        bureau: Bureau,
        clock: Clock,
        entropy: Entropy,
        watch: Watch,
        *,
        batch_most: int,
        seal_idle_ms: int,
        skew_ms_max: int,
        ahead: Ahead | None = None,
    ) -> None:
        self._journal = journal
        self._feed = feed
        self._bureau = bureau
        self._clock = clock
        self._entropy = entropy
        self._watch = watch
        self._telling = Telling()
        self._behind: dict[int, int] = {}
        self._batch_most = batch_most
        self._seal_idle_ms = seal_idle_ms
        self._skew_ms_max = skew_ms_max
        self._ahead = ahead
        self._held: dict[int, list[Rec]] | None = None
        self.turned_at = 0.0
        self.restoring = False
        self.decided = 0
        self._given_back = 0

    @property
    def bureau(self) -> Bureau:
        """The desks served now, and the context they share."""
        return self._bureau

    def verify_with(self, ahead: Ahead | None) -> None:
        """Verify ahead with other processes from now on, or with none; those before are whoever's gave them."""
        self._ahead = ahead

    def close(self) -> None:
        """End the processes that verify ahead."""
        if self._ahead is not None:
            self._ahead.close()

    def run(self, stop: threading.Event, wait_ms: int, on_unavailable: Callable[[Unavailable], None]) -> None:
        """Step until `stop` is set; hand each `Unavailable` to `on_unavailable`, which waits as long as it sees fit."""
        while not stop.is_set():
            try:
                self.step(wait_ms)
            except Unavailable as nothing:
                self._watch.aborted()
                on_unavailable(nothing)

    def step(self, wait_ms: int) -> int:
        """Do one turn, waiting up to `wait_ms` for input; return how many records were decided."""
        self._assign()
        records = self._take(wait_ms)
        started = time.monotonic()
        if self._bureau.caught_up:
            self._bureau.hear(self._feed.take())
            self._bureau.look_back(self._feed)
        if self._ahead is not None:
            self._ahead.look(rec for batch in records.values() for rec in batch)
        now = self._clock.now_ms()
        times = [rec.at for batch in records.values() for rec in batch]
        self._check_clock(max(times, default=0), now)
        busy = [place for place in self._bureau.places.values() if self._has_work(place, records, now)]
        number = sum(map(len, records.values()))
        if busy:
            emits = self._settle(busy, records, now)
            self._telling.batch(emits.values(), number, time.monotonic() - started)
        self._held = None
        self.turned_at = time.monotonic()
        self.decided += number
        self._report(busy, now - min(times, default=now), now, time.monotonic() - started if busy else 0.0)
        if not busy and self.decided - self._given_back >= GIVE_BACK_AFTER:
            self._given_back = self.decided
            give_back()
        return number

    def _assign(self) -> None:
        assigned = self._journal.assigned()
        served = self._bureau.places.keys()
        if assigned == served:
            return
        self._held = None
        self._watch.rebalanced()
        for partition in served - assigned:
            self._bureau.forget(partition)
        # A restore may take long, and has a watch of its own: whoever asks whether this loop moves must know of it.
        self.restoring = True
        try:
            for partition in sorted(assigned - served):
                started = time.monotonic()
                self._open(partition)
                self._watch.restored(time.monotonic() - started)
        finally:
            self.restoring = False
        self._bureau.settle_memory()

    def _open(self, partition: int) -> None:
        """Serve a partition, and open an epoch of its Seals: an empty one, which has read no more than the last."""
        place = self._read_back(partition)
        try:
            seal = self._seal([], place, place.instant, place.read, place.swept)
            self._commit({partition: Emits(decisions=[seal])}, {partition: {}})
        except BaseException:
            self._bureau.forget(partition)
            raise
        place.seals.keep()

    def _read_back(self, partition: int) -> Place:
        try:
            place = self._bureau.open(partition, self._journal.restore(partition), self._feed)
        except Behind as behind:
            looks = self._behind[partition] = self._behind.get(partition, 0) + 1
            if looks >= BEHIND_LOOKS:
                raise
            raise Unavailable(f"{behind}; looked {looks} times of {BEHIND_LOOKS}") from behind
        self._behind.pop(partition, None)
        return place

    def _take(self, wait_ms: int) -> dict[int, list[Rec]]:
        """Return the batch that was brought but not committed, else a new one."""
        if self._held is None:
            now = self._clock.now_ms()
            due = any(place.desk.due(now) for place in self._bureau.places.values())
            self._held = self._journal.take(self._batch_most, 0 if due else wait_ms)
        return self._held

    def _check_clock(self, newest: int, now: int) -> None:
        if newest > now + self._skew_ms_max:
            raise Unavailable(
                f"a record was appended {newest - now} ms ahead of this clock; at most {self._skew_ms_max} are allowed"
            )

    def _has_work(self, place: Place, records: dict[int, list[Rec]], now: int) -> bool:
        return bool(
            records.get(place.partition)
            or place.touched
            or (place.partition == 0 and len(self._bureau.poison))
            or place.desk.due(now)
            or now - place.sealed_at >= self._seal_idle_ms
        )

    def _settle(self, busy: list[Place], records: dict[int, list[Rec]], now: int) -> dict[int, Emits]:
        """Do steps 4 to 6 for the desks that have something to do; return what was committed."""
        emits: dict[int, Emits] = {}
        inputs: dict[int, dict[int, int]] = {}
        begun: list[Place] = []
        sharing = sum(1 for place in busy if place.touched or place.desk.due(now)) or 1
        try:
            for place in busy:
                begun.append(place)
                batch = records.get(place.partition, [])
                emits[place.partition], inputs[place.partition] = self._decide(place, batch, now, sharing)
            self._commit(emits, inputs)
        except BaseException:
            for place in begun:
                place.drop()
            raise
        for place in busy:
            place.keep(now)
        if 0 in emits:
            self._bureau.poison.clear()
        return emits

    def _decide(self, place: Place, batch: list[Rec], now: int, sharing: int) -> tuple[Emits, dict[int, int]]:
        desk = place.desk
        instant = place.next_instant = max(place.instant, now)
        place.desk.begin(instant, self._entropy, self._bureau.cut, place.touched.items(), sharing)
        if place.partition == 0:
            for rec, reason, detail in self._bureau.poison:
                desk.refuse(rec, reason, detail)
        ends: dict[int, int] = {}
        for rec, reading in zip(batch, desk.read(batch), strict=True):
            topic, _, offset, _, _, _, trace = rec
            if trace is None:
                desk.apply(rec, reading)
            else:
                _traced(desk, rec, reading)
            ends[topic] = offset + 1
        place.next_inputs = {**place.inputs, **ends}
        if batch or desk.said:
            emits = desk.finish()
            place.quiet = False
        else:
            desk.pass_over()
            emits, place.quiet = Emits(), True
        place.next_read = self._bureau.marks
        place.next_swept = place.swept if desk.sweeps else place.next_read
        said = [] if place.quiet else desk.said
        emits.decisions.append(self._seal(said, place, instant, place.next_read, place.next_swept))
        return emits, ends

    def _seal(
        self, said: Sequence[bytes], place: Place, instant: int, read: Sequence[Mark], swept: Sequence[Mark]
    ) -> Message:
        ordinal = place.desk.book.changes.ordinal
        inputs = place.next_inputs.items()
        return Message(SEAL_KEY, place.seals.close(said, place.seq, read, swept, inputs, instant, ordinal))

    def _commit(self, emits: dict[int, Emits], inputs: dict[int, dict[int, int]]) -> None:
        try:
            self._journal.commit(emits, inputs)
        except Unavailable:
            self._journal.rewind()
            self._held = None
            raise

    def _report(self, busy: list[Place], lag_ms: int, now: int, took_s: float) -> None:
        for place in busy:
            if place.quiet:
                continue
            tally = place.desk.book.tally
            self._watch.batch(
                Count(
                    intents=Counter(tally.intents),
                    answers=Counter(tally.answers),
                    refused=tally.refused,
                    missing=tally.missing,
                    erred=tally.erred,
                    waits_ms=tally.waits_ms[:: max(1, len(tally.waits_ms) // 20)],
                    took_s=took_s,
                    lag_ms=lag_ms,
                    approvals_ms=tally.approvals_ms,
                    halts_ms=tally.halts_ms,
                    revokes_ms=tally.revokes_ms,
                    near=limits_reached(tally.near),
                    reviews=reviews_told(tally.reviews),
                    policy_set=self._bureau.set_label,
                )
            )
        for topic in CONTEXT:
            taken, ignored = self._bureau.heard.pop(topic, (0, 0))
            if taken or ignored:
                self._watch.context(topic.name.lower(), taken, ignored, now - self._bureau.heard_at(topic))


def _traced(desk: Desk, rec: Rec, reading: Reading) -> None:
    """Apply a record that belongs to a trace; what is said of it belongs to that too."""
    start = len(desk.decisions)
    desk.apply(rec, reading)
    decisions = desk.decisions
    decisions[start:] = [one._replace(trace=rec.trace) for one in decisions[start:]]

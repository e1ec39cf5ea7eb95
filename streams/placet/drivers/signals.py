"""The context plane of one process: signals folded into facts, and watermarks of risk that say up to when they are."""

import threading
from collections.abc import Iterable, Iterator, Mapping

from placet.context.feeds import part_of
from placet.context.hearing import hear_signal, hear_watermark
from placet.context.reducers import fold_risk
from placet.drivers.aside import set_aside
from placet.drivers.clock import SystemClock
from placet.drivers.keywatch import KeyWatch
from placet.drivers.metrics import Watch
from placet.drivers.settings import Settings
from placet.errors import PlacetError, PoisonRecord, Unavailable, Unsure
from placet.model.codec import HEADERS, decode_as
from placet.model.codec import risk as risk_codec
from placet.model.codec import watermark as watermark_codec
from placet.model.codec.risk import Risk
from placet.model.codec.watermark import Watermark
from placet.model.context_keys import risk_key, signal_key, watermark_key
from placet.model.keys import partition_of
from placet.model.proof import KeyRing
from placet.model.reasons import Reason
from placet.model.topics import Topic
from placet.ports import Clock, Log, Message, Rec

SOURCE = "placet-up"
READ_MOST = 500
WAIT_MS = 250
AGAIN_S = 0.5


class SignalFolder:
    """Follows `placet.signals`, and writes to `placet.risk` what changes there, and up to when all is folded.

    At least once: a signal folded again ends at the same fact. A signal that
    cannot be read or whose writer is no feed that is pinned or on record changes nothing, and is
    set aside once. Where it begins is in the facts themselves, so it keeps no
    position of its own. A feed's watermark is said of risk behind all that the
    feed said before it: there it outlives this process, and so does its silence.
    """

    def __init__(self, log: Log, ring: KeyRing, watch: Watch, settings: Settings, clock: Clock | None = None) -> None:
        self._log = log
        self._keys = KeyWatch(log, ring.apart(settings.skew_ms_max))
        self._watch = watch
        self._clock = clock or SystemClock()
        self._watermark_ms = settings.watermark_ms
        self._skew_ms_max = settings.skew_ms_max
        self._marked_at = 0
        self._aim: tuple[int, dict[int, int]] | None = None
        self._known: dict[bytes, Risk] = {}
        self._next: dict[int, int] = {}
        self._aside: set[tuple[int, int]] = set()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="placet-signals", daemon=True)

    def start(self) -> None:
        """Begin to fold, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """End within a quarter of a second."""
        self._ending.set()
        self._thread.join()

    def recover(self) -> None:
        """Read back what is known, from where signals are still to be folded, and which were set aside."""
        self._next = dict.fromkeys(range(self._log.partitions(Topic.SIGNALS)), 0)
        for rec in self._whole(Topic.RISK):
            fact = decode_as("risk", rec.value)
            if rec.key is not None and fact is not None:
                self._known[rec.key] = fact
                place = fact.signal_partition
                self._next[place] = max(self._next.get(place, 0), fact.signal_offset + 1)
        for rec in self._whole(Topic.QUARANTINE):
            kept = decode_as("quarantined", rec.value)
            if kept is not None and kept.topic == Topic.SIGNALS and kept.offset >= self._next.get(kept.partition, 0):
                self._aside.add((kept.partition, kept.offset))

    def _whole(self, topic: Topic) -> Iterator[Rec]:
        for partition in range(self._log.partitions(topic)):
            offset, end = 0, self._log.end(topic, partition)
            while offset < end and (recs := self._log.read(topic, partition, offset, READ_MOST, 0)):
                yield from recs
                offset = recs[-1].offset + 1

    def turn(self, wait_ms: int) -> None:
        """Fold what has come since; when it is time and all that lay there is folded, say so."""
        # The clock first, the ends after it, and then what is read: all appended before that instant lies before them.
        now = self._clock.now_ms()
        if self._aim is None and now - self._marked_at >= self._watermark_ms:
            self._aim = now, {partition: self._log.end(Topic.SIGNALS, partition) for partition in self._next}
        for partition, offset in self._next.items():
            recs = self._log.read(Topic.SIGNALS, partition, offset, READ_MOST, wait_ms)
            if recs:
                self._keys.hear()  # behind the signals: a key that was on record before one of them is known by now
                self._fold(recs)
                self._next[partition] = recs[-1].offset + 1
        if self._aim is not None and all(self._next[place] >= end for place, end in self._aim[1].items()):
            self._say({}, [Watermark(SOURCE, self._aim[0])])
            self._marked_at, self._aim = self._aim[0], None

    def _fold(self, recs: list[Rec]) -> None:
        changed: dict[bytes, Risk] = {}
        marks: dict[str, Watermark] = {}
        poison: list[tuple[Rec, PoisonRecord]] = []
        for rec in recs:
            try:
                if rec.value is not None and rec.value[:5] in HEADERS["watermark"]:
                    said = self._heard(rec.key, rec.value, rec.at)
                    # The last word of each stands, in the order in which they were said.
                    marks.pop(said.source, None)
                    marks[said.source] = said
                    continue
                key, fact = self._fact(rec, changed)
            except PoisonRecord as error:
                poison.append((rec, error))
                continue
            if fact != changed.get(key, self._known.get(key)):
                changed[key] = fact
        # First: where to begin is in the facts, and a record before that is not looked at again.
        self._set_aside(poison)
        self._say(changed, marks.values())
        # Crash here: the facts are written; the next start reads them back and begins after their signals.
        self._known.update(changed)
        self._aside.difference_update((rec.partition, rec.offset) for rec, _ in poison)
        self._watch.context("signals", len(recs) - len(poison), len(poison), self._clock.now_ms() - recs[-1].at)

    def _fact(self, rec: Rec, changed: dict[bytes, Risk]) -> tuple[bytes, Risk]:
        signal = hear_signal(rec.value, rec.at, self._keys.ring, self._skew_ms_max)
        home = partition_of(signal_key(signal), self._log.partitions(Topic.SIGNALS))
        if rec.partition != home:
            raise PoisonRecord(f"in partition {rec.partition}: its key lies in {home}", Reason.WRONG_PARTITION)
        key = risk_key(signal)
        return key, fold_risk(changed.get(key, self._known.get(key)), signal, rec.partition, rec.offset)

    def _heard(self, key: bytes | None, value: bytes, at: int) -> Watermark:
        said = hear_watermark(key, value, at, self._skew_ms_max)
        if part_of(said.source)[0] == SOURCE:
            raise PoisonRecord(f"watermark of `{SOURCE}`: that is who folds signals, and no feed", Reason.MALFORMED)
        return said

    def _set_aside(self, poison: list[tuple[Rec, PoisonRecord]]) -> None:
        for rec, error in poison:
            place = (rec.partition, rec.offset)
            if place not in self._aside:
                count = self._log.partitions(Topic.QUARANTINE)
                aside = set_aside(*place, rec.at, rec.key, rec.value, error, count)
                self._log.append(Topic.QUARANTINE, aside.partition, [Message(aside.key, aside.value)])
                self._aside.add(place)

    def _say(self, facts: Mapping[bytes, Risk], marks: Iterable[Watermark]) -> None:
        """Write facts, and marks behind them, at once: with the facts alone the next start would pass the marks over."""
        count = self._log.partitions(Topic.RISK)
        said: dict[int, list[Message]] = {partition: [] for partition in range(count)}
        for key, fact in facts.items():
            said[partition_of(key, count)].append(Message(key, risk_codec.frame(fact)))
        behind = [Message(watermark_key(mark), watermark_codec.frame(mark)) for mark in marks]
        for partition, messages in said.items():
            if messages or behind:
                self._log.append(Topic.RISK, partition, messages + behind)

    def _run(self) -> None:
        recovered = False
        while not self._ending.is_set():
            try:
                if not recovered:
                    self.recover()
                    recovered = True
                self.turn(WAIT_MS)
            except Unavailable:
                self._ending.wait(AGAIN_S)
            except Unsure:
                # What was written, or was not, is read back.
                recovered = False
                self._ending.wait(AGAIN_S)
            except PlacetError:
                return  # the folder contradicts itself: the loop meets the same, and says so

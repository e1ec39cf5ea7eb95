"""The context plane of one process: signals folded into facts, and watermarks that say all is quiet."""

import threading

from placet.context.hearing import hear_signal
from placet.context.reducers import fold_risk
from placet.drivers.clock import SystemClock
from placet.drivers.metrics import Watch
from placet.drivers.settings import Settings
from placet.errors import PlacetError, PoisonRecord, Unavailable, Unsure
from placet.model.codec import decode_as
from placet.model.codec import risk as risk_codec
from placet.model.codec import watermark as watermark_codec
from placet.model.codec.risk import Risk
from placet.model.codec.watermark import Watermark
from placet.model.context_keys import risk_key, signal_key, watermark_key
from placet.model.keys import partition_of
from placet.model.proof import KeyRing
from placet.model.reasons import Reason
from placet.model.topics import CONTEXT, Topic
from placet.ports import Clock, Log, Message, Rec

SOURCE = "placet-up"
MARKED = tuple(topic for topic in CONTEXT if topic is not Topic.POLICIES)
"""Topics whose facts may be silent; packs decide until others do."""
READ_MOST = 500
WAIT_MS = 250
AGAIN_S = 0.5


class SignalFolder:
    """Follows `placet.signals`, and writes to `placet.risk` what changes there.

    At least once: a signal folded again ends at the same fact. A signal that
    cannot be read or whose writer is not a pinned feed changes nothing. Where
    it begins is in the facts themselves, so it keeps no position of its own.
    """

    def __init__(self, log: Log, ring: KeyRing, watch: Watch, settings: Settings, clock: Clock | None = None) -> None:
        self._log = log
        self._ring = ring
        self._watch = watch
        self._clock = clock or SystemClock()
        self._watermark_ms = settings.watermark_ms
        self._skew_ms_max = settings.skew_ms_max
        self._marked_at = 0
        self._known: dict[bytes, Risk] = {}
        self._next: dict[int, int] = {}
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
        """Read back what is known, and from where signals are still to be folded."""
        self._next = dict.fromkeys(range(self._log.partitions(Topic.SIGNALS)), 0)
        for partition in range(self._log.partitions(Topic.RISK)):
            offset, end = 0, self._log.end(Topic.RISK, partition)
            while offset < end:
                recs = self._log.read(Topic.RISK, partition, offset, READ_MOST, 0)
                if not recs:
                    break
                for rec in recs:
                    fact = decode_as("risk", rec.value)
                    if rec.key is not None and fact is not None:
                        self._known[rec.key] = fact
                        place = fact.signal_partition
                        self._next[place] = max(self._next.get(place, 0), fact.signal_offset + 1)
                offset = recs[-1].offset + 1

    def turn(self, wait_ms: int) -> None:
        """Fold what has come since; when it is time, say that all is quiet."""
        for partition, offset in self._next.items():
            recs = self._log.read(Topic.SIGNALS, partition, offset, READ_MOST, wait_ms)
            if recs:
                self._fold(recs)
                self._next[partition] = recs[-1].offset + 1
        now = self._clock.now_ms()
        if now - self._marked_at >= self._watermark_ms:
            self._mark(now)
            self._marked_at = now

    def _fold(self, recs: list[Rec]) -> None:
        changed: dict[bytes, Risk] = {}
        ignored = 0
        for rec in recs:
            try:
                key, fact = self._fact(rec, changed)
            except PoisonRecord:
                ignored += 1
                continue
            if fact != changed.get(key, self._known.get(key)):
                changed[key] = fact
        by_partition: dict[int, list[Message]] = {}
        count = self._log.partitions(Topic.RISK)
        for key, fact in changed.items():
            by_partition.setdefault(partition_of(key, count), []).append(Message(key, risk_codec.frame(fact)))
        for partition, messages in by_partition.items():
            self._log.append(Topic.RISK, partition, messages)
        # Crash here: the facts are written; the next start reads them back and begins after their signals.
        self._known.update(changed)
        self._watch.context("signals", len(recs) - ignored, ignored, self._clock.now_ms() - recs[-1].at)

    def _fact(self, rec: Rec, changed: dict[bytes, Risk]) -> tuple[bytes, Risk]:
        signal = hear_signal(rec.value, rec.at, self._ring, self._skew_ms_max)
        home = partition_of(signal_key(signal), self._log.partitions(Topic.SIGNALS))
        if rec.partition != home:
            raise PoisonRecord(f"in partition {rec.partition}: its key lies in {home}", Reason.WRONG_PARTITION)
        key = risk_key(signal)
        return key, fold_risk(changed.get(key, self._known.get(key)), signal, rec.partition, rec.offset)

    def _mark(self, now: int) -> None:
        said = Watermark(source=SOURCE, at=now)
        mark = Message(watermark_key(said), watermark_codec.frame(said))
        for topic in MARKED:
            for partition in range(self._log.partitions(topic)):
                self._log.append(topic, partition, [mark])

    def _run(self) -> None:
        recovered = False
        while not self._ending.is_set():
            try:
                if not recovered:
                    self.recover()
                    recovered = True
                self.turn(WAIT_MS)
            except (Unavailable, Unsure):
                self._ending.wait(AGAIN_S)
            except PlacetError:
                return  # the folder contradicts itself: the loop meets the same, and says so

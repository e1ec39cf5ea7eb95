"""The notary: what was committed becomes leaves, a cut and a checkpoint each second."""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby
from operator import itemgetter

from placet.drivers.ledger.ledger import Ledger
from placet.drivers.ledger.sources import Source
from placet.drivers.logs import logger
from placet.drivers.metrics import Watch, exposition
from placet.errors import PlacetError, Unavailable, Unsure
from placet.ports import Clock, Rec
from placet.provenance.leaf import Move, encode_record

LOGGER = logger("notary")
CUT_MOST = 50_000
"""Records of one cut: their leaves are held in memory until they are on the disk."""
WAIT_MS = 100
AGAIN_S = 0.5
SAMPLE = 100
"""Merge delays measured of one cut, evenly drawn."""


class Notary:
    """Takes records in and commits a cut of them each `checkpoint_ms`. One thread uses it.

    `held` is what was taken in and is not committed yet.
    """

    def __init__(self, source: Source, ledger: Ledger, clock: Clock, watch: Watch, *, checkpoint_ms: int) -> None:
        self._source = source
        self.ledger = ledger
        self._clock = clock
        self._watch = watch
        self._checkpoint_s = checkpoint_ms / 1000
        self.held: list[Rec] = []
        self._cut_at = time.monotonic() - self._checkpoint_s
        self._watch.logged(ledger.state.size, clock.now_ms(), ())

    def turn(self, wait_ms: int = WAIT_MS) -> bool:
        """Take in what has come; return whether that was committed, because it was time or there was enough of it."""
        self.held += self._source.take(CUT_MOST - len(self.held), wait_ms)
        if not self.held:
            return False
        if len(self.held) < CUT_MOST and time.monotonic() - self._cut_at < self._checkpoint_s:
            return False
        self.commit()
        return True

    def commit(self) -> None:
        """Commit all that was taken in; what could not even be begun stays for the next time."""
        began_at = time.monotonic()
        recs = sorted(self.held, key=itemgetter(0, 1, 2))
        leaves, moves = cut_of(recs, self.ledger)
        state = self.ledger.commit(leaves, moves, self._clock.now_ms())
        self.held, self._cut_at = [], began_at
        self._source.logged({(move.topic, move.partition): move.end for move in moves})
        now = self._clock.now_ms()
        self._watch.logged(state.size, now, [now - rec.at for rec in recs[:: max(len(recs) // SAMPLE, 1)]])

    def finish(self) -> None:
        """Commit what is there by now, whether or not it is time."""
        self.held += self._source.take(CUT_MOST - len(self.held), 0)
        if self.held:
            self.commit()

    def close(self) -> None:
        """Give source and log back."""
        self._source.close()
        self.ledger.close()


def cut_of(recs: Sequence[Rec], ledger: Ledger) -> tuple[list[bytes], list[Move]]:
    """Return the leaves and the moves of a cut of records that are sorted by topic, partition and offset."""
    leaves: list[bytes] = []
    moves: list[Move] = []
    for (topic, partition), group in groupby(recs, key=lambda rec: (rec.topic, rec.partition)):
        found, last = len(leaves), -1
        for rec in group:
            leaf = encode_record(rec)
            if leaf is not None:
                leaves.append(leaf)
            last = rec.offset
        start = ledger.state.places.get((topic, partition), 0)
        moves.append(Move(topic, partition, start, last + 1, len(leaves) - found))
    return leaves, moves


class NotaryRunning:
    """A notary at work in a thread. What it cannot know the end of ends it: the next start looks and decides."""

    def __init__(self, notary: Notary, watch: Watch, *, stalled_ms_max: int) -> None:
        self.notary = notary
        self.watch = watch
        self.failure: PlacetError | None = None
        self.ended = threading.Event()
        self._stalled_s = stalled_ms_max / 1000
        self._turned_at = time.monotonic()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="placet-notary", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after one more cut, and give everything back. May be called more than once."""
        self._ending.set()
        self._thread.join()

    def live(self) -> bool:
        """Return whether it takes turns."""
        return not self.ended.is_set() and time.monotonic() - self._turned_at < self._stalled_s

    def ready(self) -> bool:
        """Return whether it holds the log and takes turns."""
        return self.live()

    def measure(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return exposition(self.watch)

    def _run(self) -> None:
        try:
            while not self._ending.is_set():
                try:
                    self.notary.turn()
                except Unavailable as nothing:
                    LOGGER.warning("cut put off: nothing was written", why=str(nothing))
                    self._ending.wait(AGAIN_S)
                self._turned_at = time.monotonic()
            with suppress(Unavailable):  # the next start takes it in
                self.notary.finish()
        except PlacetError as error:
            self.failure = error
            LOGGER.error("the notary ended", kind=type(error).__name__, why=str(error))  # noqa: TRY400  it is no surprise
        except Exception as error:
            self.failure = Unsure(f"the notary ended: {type(error).__name__}: {error}")
            LOGGER.exception("the notary ended")
        finally:
            self.ended.set()
            self.notary.close()

"""How far each context partition was read, and up to when all its feeds were alive."""

from placet.context.feeds import Feeds
from placet.errors import PoisonRecord
from placet.model.codec import HEADERS, decode_known
from placet.model.codec.intent import Position
from placet.model.codec.watermark import Watermark
from placet.model.context_keys import check_key, watermark_key
from placet.model.reasons import Reason
from placet.ports import Rec

WATERMARKS = HEADERS["watermark"]
AHEAD_MS_MAX = 60_000
"""How far the instant a record claims may be ahead of its append time, the same for every reader. What is newest
stands, and what is young does not fade: a word from far ahead would stand for ever, and could not be taken back."""


class Marks:
    """`marks` says by (topic, partition) how far was read and up to when all its feeds were alive, ms; it never goes back."""

    def __init__(self) -> None:
        self.marks: dict[tuple[int, int], tuple[int, int]] = {}
        self._feeds: dict[tuple[int, int], Feeds] = {}

    def hear(self, rec: Rec) -> None:
        """Move the mark of `rec`'s partition: it was read; a watermark says that its feed is alive.

        Raise PoisonRecord where a watermark cannot be believed.
        """
        place = (rec.topic, rec.partition)
        read, heard = self.marks.get(place, (0, 0))
        read = max(read, rec.offset + 1)
        self.marks[place] = (read, heard)  # what is faulty was read as well
        if rec.value is not None and rec.value[:5] in WATERMARKS:
            said: Watermark = decode_known(rec.value)
            check_key(rec.key, watermark_key(said))
            on_time(rec, said.at)
            feeds = self._feeds.get(place) or self._feeds.setdefault(place, Feeds())
            feeds.mark(said.source, min(rec.at, said.at))
            if feeds:
                self.marks[place] = (read, max(heard, feeds.heard_at))

    def believe(self, rec: Rec) -> None:
        """Take a record that was folded as word that its feeds are alive, where no feed says so by watermarks."""
        place = (rec.topic, rec.partition)
        if not self._feeds.get(place):
            offset, heard = self.marks.get(place, (0, 0))
            self.marks[place] = (offset, max(heard, rec.at))

    def covers(self, positions: tuple[Position, ...]) -> bool:
        """Return whether each of these records was read: what is read past one is one further than its offset."""
        return all(self.marks.get((p.topic, p.partition), (0, 0))[0] > p.offset for p in positions)

    def recall(self, topic: int, partition: int, heard_at: int) -> None:
        """Take a Seal's word that a partition was heard up to `heard_at`, ms: what said so may be compacted away."""
        offset, heard = self.marks.get((topic, partition), (0, 0))
        self.marks[topic, partition] = (offset, max(heard, heard_at))


def on_time(rec: Rec, instant: int) -> None:
    """Raise PoisonRecord where a record claims an instant too far ahead of its append time."""
    if instant > rec.at + AHEAD_MS_MAX:
        raise PoisonRecord(
            f"it is {instant - rec.at} ms ahead of its append time: expected at most {AHEAD_MS_MAX}", Reason.MALFORMED
        )

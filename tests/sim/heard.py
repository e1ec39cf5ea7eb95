"""No Seal may count a feed as alive for longer than the feed itself said."""

from contextlib import suppress

from placet.errors import PoisonRecord
from placet.model.codec import seal, watermark
from placet.model.topics import CONTEXT, Topic
from placet.ports import Rec
from tests.faults.tally import Ending
from tests.sim.town_log import TownLog


def heard_no_later_than_they_said(log: TownLog, own: Ending) -> None:
    """Hold for each Seal that no feed counts as alive past its last watermark that was read, where there is one."""
    marks = {
        int(topic): [(rec.offset, rec.at) for rec in log.read(topic, 0, 0, 1 << 30, 0) if is_watermark(rec)]
        for topic in CONTEXT
    }
    for partition in range(log.partitions(Topic.DECISIONS)):
        for rec in log.read(Topic.DECISIONS, partition, 0, 1 << 30, 0):
            if (rec.value or b"")[:5] != seal.HEADER:
                continue
            for mark in seal.decode(rec.value or b"").read_cut:
                said = [at for offset, at in marks[mark.topic] if offset < mark.offset]
                own.checked += 1
                if said and mark.heard_at > said[-1]:
                    title = Topic(mark.topic).title
                    own.violations.append(f"WATERMARK: {partition}@{rec.offset}: {title} heard after it was last alive")


def is_watermark(rec: Rec) -> bool:
    """Return whether this is word from a feed; one that cannot be read, or is not under its own key, says nothing."""
    value = rec.value or b""
    if value[:5] != watermark.HEADER:
        return False
    with suppress(PoisonRecord):
        return rec.key == b"watermark/" + watermark.decode(value).source.encode()
    return False

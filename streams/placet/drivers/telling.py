"""What a worker logs of its batches: a line for each where somebody asks, and what it set aside, in the trace it came in."""

from collections.abc import Iterable

from placet.drivers.logs import logger, traced
from placet.model.codec import quarantined
from placet.model.reasons import Reason
from placet.model.topics import Topic
from placet.ports import Emits, Message

LOGGER = logger("worker")
LINES_MOST = 20
"""Records of one batch that are named; of the others how many there were."""


def tell(emits: Iterable[Emits], records: int, took_s: float) -> None:
    """Log a batch that is committed."""
    said = list(emits)
    aside = [message for each in said for message in each.quarantine]
    for message in aside[:LINES_MOST]:
        _aside(message)
    if len(aside) > LINES_MOST:
        LOGGER.warning("set aside", more=len(aside) - LINES_MOST)
    decisions = sum(len(each.decisions) for each in said)
    LOGGER.debug(
        "settled batch", records=records, decisions=decisions, quarantined=len(aside), took_ms=round(took_s * 1000)
    )


def _aside(message: Message) -> None:
    kept = quarantined.decode(message.value or b"")
    where = f"{Topic(kept.topic).title}/{kept.partition}@{kept.offset}"
    with traced(message.trace):
        LOGGER.warning("set aside", record=where, reason=Reason(kept.reason).name.lower(), detail=kept.detail)

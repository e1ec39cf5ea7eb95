"""What a worker logs of its batches: a line for each where somebody asks, and what it set aside, in the trace it came in."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from placet.decision.sums import Near
from placet.drivers.logs import logger, traced
from placet.model.codec import quarantined
from placet.model.reasons import Reason
from placet.model.topics import Topic
from placet.ports import Emits, Message

LOGGER = logger("worker")
MANDATE = "mandate"
LINES_MOST, WITHIN_S = 20, 10.0
"""Records that are named within some seconds; of the others it is told how many there were."""


class Telling:
    """Logs what is committed. A flood of faulty records is a bounded number of lines: whoever sends it fills no disk."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._since = monotonic()
        self._named = 0
        self._more = 0

    def batch(self, emits: Iterable[Emits], records: int, took_s: float) -> None:
        """Log a batch of so many records."""
        said = list(emits)
        aside = [message for each in said for message in each.quarantine]
        if aside or self._more:
            self._aside(aside)
        LOGGER.debug(
            "settled batch",
            records=records,
            decisions=sum(len(each.decisions) for each in said),
            quarantined=len(aside),
            took_ms=round(took_s * 1000),
        )

    def _aside(self, messages: list[Message]) -> None:
        if self._monotonic() - self._since >= WITHIN_S:
            if self._more:
                LOGGER.warning("set aside", more=self._more)
            self._since, self._named, self._more = self._monotonic(), 0, 0
        named = messages[: LINES_MOST - self._named]
        for message in named:
            _name(message)
        self._named += len(named)
        self._more += len(messages) - len(named)


def limits_reached(near: Sequence[Near]) -> Counter[str]:
    """Log grants that reach most of a limit, a bounded number a batch; return how many of each limit, mandates' together."""
    for one in near[:LINES_MOST]:
        LOGGER.info("limit reached", limit=one.limit, key=one.key, scope=one.scope, used=one.used, max=one.max)
    if len(near) > LINES_MOST:
        LOGGER.info("limit reached", more=len(near) - LINES_MOST)
    return Counter(MANDATE if one.limit.startswith(f"{MANDATE}/") else one.limit for one in near)


def reviews_told(reviews: Counter[str]) -> Counter[str]:
    """Log how many emergencies were called in a batch, and how many were not looked at in time; return what was told."""
    if reviews["asked"]:
        LOGGER.info("emergencies granted, to be reviewed", count=reviews["asked"])
    if reviews["overdue"]:
        LOGGER.warning("emergencies not reviewed in time", count=reviews["overdue"])
    return reviews


def _name(message: Message) -> None:
    kept = quarantined.decode(message.value or b"")
    where = f"{Topic(kept.topic).title}/{kept.partition}@{kept.offset}"
    with traced(message.trace):
        LOGGER.warning("set aside", record=where, reason=Reason(kept.reason).name.lower(), detail=kept.detail)

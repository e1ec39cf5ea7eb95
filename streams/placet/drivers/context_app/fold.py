"""Signals folded many at once: what they lead to, and what of them is poison."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from placet.context.hearing import hear_signal, hear_watermark
from placet.context.reducers import fold_risk
from placet.drivers.context_app.feeds import feed_key, is_feed, mark_feed
from placet.errors import PoisonRecord
from placet.model.codec import HEADERS, decode_known, risk
from placet.model.codec.risk import Risk
from placet.model.context_keys import risk_key, signal_key
from placet.model.keys import partition_of
from placet.model.proof import KeyRing
from placet.model.reasons import Reason


@dataclass(slots=True)
class Folded:
    """What some signals lead to.

    `said` has every fact that a signal made, by partition of `placet.risk` and
    in the order of the signals; `kept` what stands in the end, by partition of
    `placet.signals`: facts, and feeds that marked the partition; `poison` what could not be believed, and why.
    """

    said: dict[int, list[tuple[bytes, bytes]]] = field(default_factory=dict)
    kept: dict[int, dict[bytes, bytes]] = field(default_factory=dict)
    poison: list[tuple[Any, PoisonRecord]] = field(default_factory=list)
    taken: int = 0


class Folder:
    """Folds signals over what is `known` in a partition under a key. `signals` and `risks` count the topics' partitions."""

    def __init__(
        self, known: Callable[[int, bytes], bytes | None], ring: KeyRing, skew_ms_max: int, signals: int, risks: int
    ) -> None:
        self._known = known
        self._ring = ring
        self._skew_ms_max = skew_ms_max
        self._signals = signals
        self._risks = risks

    def fold(self, messages: Iterable[Any]) -> Folded:
        """Return what `messages` lead to, one after the other; nothing is written."""
        folded = Folded()
        for message in messages:
            kept = folded.kept.get(message.partition, {})
            try:
                fold = self._fold(message, kept)
            except PoisonRecord as poison:
                folded.poison.append((message, poison))
                continue
            folded.taken += 1
            if fold is not None:
                key, frame = fold
                folded.kept.setdefault(message.partition, kept)[key] = frame
                if not is_feed(key):
                    folded.said.setdefault(partition_of(key, self._risks), []).append(fold)
        return folded

    def _fold(self, message: Any, kept: dict[bytes, bytes]) -> tuple[bytes, bytes] | None:
        partition, offset = message.partition, message.offset
        if message.value is not None and message.value[:5] in HEADERS["watermark"]:
            said = hear_watermark(message.key, message.value, appended_at(message), self._skew_ms_max)
            key = feed_key(said.source)
            return key, mark_feed(kept.get(key) or self._known(partition, key), said, offset)
        heard = hear_signal(message.value, appended_at(message), self._ring, self._skew_ms_max)
        key = risk_key(heard)
        frame = kept.get(key) or self._known(partition, key)
        known: Risk | None = None if frame is None else decode_known(frame)
        if known is not None and (known.subject, known.source) != (heard.subject, heard.source):
            raise PoisonRecord(f"its key is that of `{known.subject}` by `{known.source}`", Reason.MALFORMED)
        # What one subject's fact is folded from lies in one partition: elsewhere it would be folded twice, apart.
        home = partition_of(signal_key(heard), self._signals)
        if partition != home:
            raise PoisonRecord(f"it lies in partition {partition}, expected {home}", Reason.WRONG_PARTITION)
        fact = fold_risk(known, heard, partition, offset)
        if (fact.signal_partition, fact.signal_offset) != (partition, offset):
            return None
        # Also when it is held already: this signal was folded before, and perhaps not said.
        return key, risk.frame(fact)


def appended_at(message: Any) -> int:
    """Return when a message was appended, ms."""
    seconds: float = message.timestamp
    return round(seconds * 1000)

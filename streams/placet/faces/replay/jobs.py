"""The jobs of a replay, as they travel to the process that does one partition of it."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from placet.faces.cli.place import Place
from placet.faces.replay import same
from placet.faces.replay.candidate import Candidate
from placet.faces.replay.crew import Tell
from placet.faces.replay.instead import instead
from placet.faces.replay.same import Difference, Range, Same
from placet.faces.replay.source import opened


@dataclass(frozen=True)
class SameJob:
    """Every verdict of a partition decided again."""

    place: Place
    asked: Range

    def run(self, partition: int, begun: dict[str, Any] | None, tell: Tell) -> dict[str, Any]:
        """Return what came of a partition; what was found before `begun` was noted is taken over."""
        found = same_of(begun["found"]) if begun is not None else None
        after = begun["at"] if begun is not None else 0
        with opened(self.place) as (log, settled):
            return same.replay(
                log,
                partition,
                settled,
                self.asked,
                lambda at, so_far: tell(at, {"finished": False, "at": at, "found": so_far.to_dict()}),
                begun=(found, after) if found is not None else None,
            ).to_dict()


@dataclass(frozen=True)
class InsteadJob:
    """A partition asked again under other packs. It begins anew where it was interrupted: its history is one."""

    place: Place
    asked: Range
    packs: tuple[dict[str, str], ...]
    alone: bool

    def run(self, partition: int, begun: dict[str, Any] | None, tell: Tell) -> dict[str, Any]:  # noqa: ARG002
        """Return what came of a partition."""
        candidate = Candidate(self.packs, alone=self.alone)
        with opened(self.place) as (log, settled):
            return instead(log, partition, settled, candidate, self.asked, lambda at: tell(at, {})).to_dict()


def same_of(told: dict[str, Any]) -> Same:
    """Return what JSON tells of a replay."""
    return Same(
        told["verdicts"],
        told["same"],
        told["differing"],
        [Difference(**one) for one in told["differences"]],
        Counter(told["not_decided"]),
        told["examples"],
        Counter(told["passed_over"]),
        told["before_range"],
        (told["from_ms"], told["to_ms"]),
        told["reviews"],
        told["reviews_same"],
    )

"""When the feeds of one context partition were last alive: all of them, and of a feed in parts every part."""

import re
from collections.abc import Iterable

from placet.errors import PoisonRecord
from placet.model.reasons import Reason

PARTS_MOST = 1024
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+~%=,\-]{0,199}(?:#(\d{1,4})/(\d{1,4}))?", re.ASCII)


def part_of(source: str) -> tuple[str, int, int]:
    """Return a watermark's feed, which part of it speaks and how many there are: `name`, or `name#part/parts`.

    Raise PoisonRecord (MALFORMED) for any other text: a feed that can never be heard whole would silence a topic.
    """
    found = _SOURCE.fullmatch(source)
    if found is None:
        raise PoisonRecord(f"watermark of `{source[:64]}`: expected a name, or `name#part/parts`", Reason.MALFORMED)
    if found[1] is None:
        return source, 0, 1
    part, parts = int(found[1]), int(found[2])
    if not part < parts <= PARTS_MOST:
        raise PoisonRecord(f"watermark of part {part} of {parts}: expected 0 to {parts - 1}", Reason.MALFORMED)
    return source.partition("#")[0], part, parts


class Feeds:
    """The feeds that mark one partition, each with the newest instant that each of its parts gave, ms.

    A partition is heard up to the oldest of them: one feed that goes on does
    not cover for another that is silent. Of a feed that was once in fewer
    parts only the present ones count. `0` takes a feed that has ended out.
    """

    def __init__(self) -> None:
        self._parts: dict[str, dict[int, int]] = {}

    def __bool__(self) -> bool:
        return bool(self._parts)

    def recall(self, name: str, parts: Iterable[int]) -> None:
        """Take what was known of a feed: the newest instant of each of its parts; none of one that has ended."""
        if known := dict(enumerate(parts)):
            self._parts[name] = known

    def parts_of(self, name: str) -> tuple[int, ...]:
        """Return the newest instant of each part of a feed, for `recall`."""
        return tuple(self._parts.get(name, {}).values())

    def mark(self, source: str, at: int) -> None:
        """Hear a watermark; raise PoisonRecord as `part_of` does, with nothing changed."""
        name, part, parts = part_of(source)
        if at == 0:
            self._parts.pop(name, None)
            return
        known = self._parts.get(name, {})
        if len(known) < parts:
            # It never shrinks: a word from when there were fewer parts speaks of other parts.
            known = self._parts[name] = dict.fromkeys(range(parts), 0)
        if parts == len(known):
            known[part] = max(known[part], at)

    @property
    def heard_at(self) -> int:
        """Return up to when all feeds were alive, ms; 0 while a part was never heard."""
        return min((at for parts in self._parts.values() for at in parts.values()), default=0)

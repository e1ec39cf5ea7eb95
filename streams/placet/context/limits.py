"""The limits a mandate carries, checked when its record is read."""

import re

from placet.errors import PoisonRecord
from placet.model.case import MandateLimit
from placet.model.codec.mandate import Limit
from placet.model.reasons import Reason
from placet.model.strict import INTEGER_MAX

LIMITS_MOST = 64
WINDOW_S_MAX = 366 * 86_400
_MEASURE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def limits_of(said: tuple[Limit, ...]) -> tuple[MandateLimit, ...]:
    """Return the limits of a mandate, at most LIMITS_MOST; raise PoisonRecord for one that bounds nothing countable."""
    if len(said) > LIMITS_MOST:
        raise PoisonRecord(f"{len(said)} limits: expected at most {LIMITS_MOST}", Reason.MALFORMED)
    return tuple([_limit(number, limit) for number, limit in enumerate(said)])


def _limit(number: int, said: Limit) -> MandateLimit:
    if _MEASURE.fullmatch(said.measure) is None:
        expected = "expected `count` or the name of an integer argument"
        raise PoisonRecord(f"limit {number}: measure `{said.measure[:64]}`: {expected}", Reason.MALFORMED)
    if not 0 <= said.max <= INTEGER_MAX:
        raise PoisonRecord(f"limit {number}: max {said.max}: expected 0 to {INTEGER_MAX}", Reason.MALFORMED)
    if not 0 <= said.window_s <= WINDOW_S_MAX:
        expected = f"expected 1 to {WINDOW_S_MAX}, or 0 for the mandate's life"
        raise PoisonRecord(f"limit {number}: window_s {said.window_s}: {expected}", Reason.MALFORMED)
    return MandateLimit(said.measure, said.max, said.window_s, said.actions)

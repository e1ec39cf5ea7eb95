"""A recorded verdict looked at only as far as its grant: what a comparison asks of most of them."""

import re
from typing import NamedTuple

from placet.decision.life import CLAIMED, GRANTED
from placet.model.codec._wire import SMALL, SPAN, long_at, span

HEADER_SIZE, ID_SIZE, TEXTS = 5, 16, 7
_NUMBER = rb"[\x80-\xff]*+[\x00-\x7f]"
_BODY = re.compile(
    rb"(?s)" + _NUMBER * 2 + b"(" + _NUMBER + b")" + _NUMBER
    # State, effect, reason, stop; cause and place of asking; both digests of what was asked; of what was granted.
    + b"(.)(.)(" + _NUMBER + b")(.)" + _NUMBER * 5 + rb".{64}(\x00|\x40.{32})"
).match  # fmt: skip
RUNS = frozenset({GRANTED, CLAIMED})


class Glance(NamedTuple):
    """What a verdict says at a glance; `first` where nothing came before it, `granted` the digest of what may run."""

    first: bool
    state: int
    effect: int
    reason: int
    stop: bool
    granted: bytes

    @property
    def grants(self) -> bool:
        return self.state in RUNS and not self.stop


def glance(value: bytes) -> Glance:
    """Return what the framed verdict `value` says; raise ValueError where it is none."""
    at = HEADER_SIZE + ID_SIZE
    while value[at] & 128:
        at += 1
    at += 1
    for _ in range(TEXTS):
        end = at + SPAN[value[at]]
        at = end if end > at else span(value, at)[1]
    found = _BODY(value, at)
    if found is None:
        raise ValueError("expected a verdict")
    previous, state, effect, reason, stop, granted = found.groups()
    return Glance(previous == b"\x01", SMALL[state[0]], SMALL[effect[0]], _long(reason), stop == b"\x01", granted[1:])


def _long(data: bytes) -> int:
    return SMALL[data[0]] if data[0] < 128 else long_at(data, 0)[0]

"""What one arrow in the life of an intent carries: what caused it, and what was said with it."""

import msgspec

NEVER = 1 << 62
"""A time that does not come, ms: what is unknown waits for a person."""


class Cause(msgspec.Struct, frozen=True, gc=False):
    """The record that moved an intent, and when it was appended (ms); topic 0 is the clock."""

    topic: int
    partition: int
    offset: int
    at: int = 0


CLOCK = Cause(0, 0, 0)


class Said(msgspec.Struct, frozen=True, gc=False):
    """What an arrow carries besides the answer: who claimed, what was reported."""

    executor: str = ""
    nonce: bytes = b""
    ran_digest: bytes = b""
    sensitivity: str = ""
    origin: str = ""
    detail: str = ""
    stop: bool = False


QUIET = Said()

"""Where a record lies, as one word: whoever wrote it hands it on, and who asks with it is decided under no older context."""

import re

from placet.errors import PoisonRecord
from placet.model.codec.intent import Position
from placet.model.reasons import Reason
from placet.model.topics import CONTEXT, Topic

TITLES = {topic.title: topic for topic in CONTEXT}
_TOKEN = re.compile(r"([a-z.]{1,64})/(\d{1,9})@(\d{1,16})")


def token_of(topic: Topic, partition: int, offset: int) -> str:
    """Return the token of a record, as `placet.mandates/0@17`."""
    return f"{topic.title}/{partition}@{offset}"


def position_of(token: str) -> Position:
    """Return the position that a token names; raise PoisonRecord for one of no context topic.

    What is said on `placet.signals` is folded first: who waits for it waits for what comes of it on `placet.risk`.
    """
    match = _TOKEN.fullmatch(token)
    topic = None if match is None else TITLES.get(match[1])
    if match is None or topic is None:
        raise PoisonRecord(
            f"token `{token[:64]}`: expected TOPIC/PARTITION@OFFSET of a context topic, as placet.mandates/0@17",
            Reason.MALFORMED,
        )
    return Position(int(topic), int(match[2]), int(match[3]))

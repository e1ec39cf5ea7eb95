"""What feeds said of themselves, kept beside the facts: a feed that died is known to be silent after a restart too."""

from collections.abc import Iterable

from placet.context.feeds import Feeds, part_of
from placet.model.codec.watermark import Watermark

FIRST = b"#"
"""What the key of a feed begins with, and no fact's: a tenant's name begins with a letter or a digit."""


def feed_key(source: str) -> bytes:
    """Return the key under which all parts of a watermark's feed are kept."""
    return FIRST + part_of(source)[0].encode()


def is_feed(key: bytes) -> bool:
    """Return whether a feed is kept under `key`, and no fact."""
    return key.startswith(FIRST)


def mark_feed(known: bytes | None, said: Watermark, offset: int) -> bytes:
    """Return what is kept of a feed once its watermark at `offset` has been heard.

    The offset, then the newest instant of each part: none of a feed that has
    ended, of which the word is kept that it has.
    """
    name = part_of(said.source)[0]
    feeds = Feeds()
    if known is not None:
        feeds.recall(name, _numbers(known)[1:])
    feeds.mark(said.source, said.at)
    return b" ".join(b"%d" % number for number in (offset, *feeds.parts_of(name)))


def later(known: bytes, other: bytes) -> bool:
    """Return whether `other` was heard after `known`, of the same feed."""
    return _numbers(other)[0] > _numbers(known)[0]


def feeds_of(kept: Iterable[tuple[bytes, bytes]]) -> Feeds:
    """Return the feeds that mark a partition, of what is kept of them by key."""
    feeds = Feeds()
    for key, known in kept:
        feeds.recall(key.removeprefix(FIRST).decode(), _numbers(known)[1:])
    return feeds


def _numbers(known: bytes) -> list[int]:
    return [int(number) for number in known.split()]

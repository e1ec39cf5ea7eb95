"""The table of facts, and of the feeds they are from: what is newest stands, also when it is read back."""

import asyncio
from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Any

import faust
from faust.types import TP

from placet.context.feeds import Feeds
from placet.context.reducers import merge_risk
from placet.drivers.context_app.feeds import FIRST, feeds_of, is_feed, later
from placet.drivers.context_app.outbox import hand_over
from placet.model.codec import decode_known


class Facts(faust.Table[bytes, bytes]):
    """A table that is read by partition, and written many facts at once.

    A worker that was frozen may write an old fact after its successor wrote a
    newer one: read back, the newer one stands.
    """

    def owned(self, partition: int) -> bool:
        """Return whether the facts of `partition` are open here."""
        store: Any = self.data
        return partition in store._dbs  # noqa: SLF001 - to ask it otherwise would open them

    def known(self, partition: int, key: bytes) -> bytes | None:
        """Return what stands under `key` in an owned partition."""
        store: Any = self.data
        found: bytes | None = store._dbs[partition].get(key)  # noqa: SLF001 - in any other way each is asked for twice
        return found

    def feeds(self, partition: int) -> Feeds:
        """Return the feeds that mark an owned partition of signals."""
        store: Any = self.data
        database = store._dbs[partition]  # noqa: SLF001
        keys = list(takewhile(is_feed, database.keys(from_key=FIRST)))
        return feeds_of((key, database.get(key)) for key in keys)

    def put(self, partition: int, facts: Mapping[bytes, bytes | None], read_up_to: int | None = None) -> None:
        """Let `facts` stand in an owned partition; nothing stands where there is None.

        `read_up_to` is the offset in the changelog that this takes the partition to, if it was read there.
        """
        store: Any = self.data
        database = store._dbs[partition]  # noqa: SLF001
        for key, frame in facts.items():
            if frame is None:
                database.delete(key)
            else:
                database.put(key, frame)
        # Last: what a crash leaves out is read back again.
        if read_up_to is not None:
            database.put(store.offset_key, b"%d" % read_up_to)

    async def keep(self, partition: int, facts: Mapping[bytes, bytes]) -> list["asyncio.Future[Any]"]:
        """Write `facts` to the changelog, and return what ends when all replicas have them."""
        title = self.changelog_topic.get_topic_name()

        def kept(offset: int) -> None:
            if self.owned(partition):
                self.data.set_persisted_offset(TP(title, partition), offset)

        return await hand_over(self.app, title, partition, facts.items(), kept)  # type: ignore[arg-type]

    def read_back(self, tp: TP, messages: Iterable[Any]) -> None:
        """Take changes of one partition that were read back, but none that is older than what is known."""
        newest: dict[bytes, bytes | None] = {}
        offset = None
        for message in messages:
            key, value, offset = message.key, message.value, message.offset
            known = newest[key] if key in newest else self.known(tp.partition, key)
            if known and value and known != value and not _stands(key, value, known):
                continue
            newest[key] = value
        self.put(tp.partition, newest, offset)

    def apply_changelog_batch(self, batch: Iterable[Any]) -> None:
        """Take changes that Faust hands over itself."""
        by_tp: dict[TP, list[Any]] = {}
        for event in batch:
            by_tp.setdefault(event.message.tp, []).append(event.message)
        for tp, messages in by_tp.items():
            if self.owned(tp.partition):
                self.read_back(tp, messages)


def _stands(key: bytes, value: bytes, known: bytes) -> bool:
    """Return whether `value` is newer than what is `known` under `key`."""
    if is_feed(key):
        return later(known, value)
    fact = decode_known(value)
    return merge_risk(decode_known(known), fact) is fact

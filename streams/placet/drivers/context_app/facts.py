"""The table of facts: what is newest stands, also when it is read back."""

import asyncio
from collections.abc import Iterable
from typing import Any

import faust

from placet.context.reducers import merge_risk
from placet.model.codec import decode_known


class Facts(faust.Table[bytes, bytes]):
    """A table that tells when its last change is with all replicas.

    A worker that was frozen may write an old fact after its successor wrote a
    newer one: read back, the newer one stands.
    """

    kept: "asyncio.Future[Any]"

    def send_changelog(self, *args: Any, **kwargs: Any) -> Any:
        """Write a change to the changelog."""
        self.kept = super().send_changelog(*args, **kwargs)
        return self.kept

    def apply_changelog_batch(self, batch: Iterable[Any]) -> None:
        """Take changes that were read back, but none that is older than what is known."""
        store: Any = self.data
        newest: dict[bytes, bytes] = {}
        taken = []
        for event in batch:
            key, value = event.message.key, event.message.value
            known = newest.get(key) or store._db_for_partition(event.message.partition).get(key)  # noqa: SLF001
            if known and value and known != value:
                fact = decode_known(value)
                if merge_risk(decode_known(known), fact) is not fact:
                    continue
            if value:
                newest[key] = value
            taken.append(event)
        super().apply_changelog_batch(taken)

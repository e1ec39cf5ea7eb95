"""Records for one partition handed to the producer many at once: a batch has one answer, where each message has its own."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import faust

BATCH_BYTES = 128 << 10


async def hand_over(
    app: faust.App,
    title: str,
    partition: int,
    records: Iterable[tuple[bytes, bytes]],
    kept: Callable[[int], None] | None = None,
) -> list["asyncio.Future[Any]"]:
    """Hand over `records` (key, value) in their order, and return what ends when all replicas have them.

    They follow what was handed over for the partition before. `kept` is called
    with the offset of the last of each batch once that is with all replicas.
    Waits while an earlier batch of the partition has not left, so that no more
    than two are in memory.
    """
    producer: Any = (await app.maybe_start_producer())._ensure_producer()  # noqa: SLF001 - Faust itself knows no batches
    sent: list[asyncio.Future[Any]] = []
    batch = producer.create_batch()
    for key, value in records:
        if batch.append(timestamp=None, key=key, value=value) is None:
            sent.append(await _send(producer, batch, title, partition, kept))
            batch = producer.create_batch()
            batch.append(timestamp=None, key=key, value=value)
    if batch.record_count():
        sent.append(await _send(producer, batch, title, partition, kept))
    return sent


async def _send(
    producer: Any, batch: Any, title: str, partition: int, kept: Callable[[int], None] | None
) -> "asyncio.Future[Any]":
    # A batch that is closed does not linger for more.
    batch.close()
    count = batch.record_count()
    answer: asyncio.Future[Any] = await producer.send_batch(batch, title, partition=partition)

    def heard(done: "asyncio.Future[Any]") -> None:
        if kept is not None and not done.cancelled() and done.exception() is None:
            kept(done.result().offset + count - 1)

    answer.add_done_callback(heard)
    return answer

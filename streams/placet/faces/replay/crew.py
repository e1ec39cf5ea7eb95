"""Partitions replayed side by side, each by one process at a time, with word of how far they are."""

import multiprocessing
import queue
import signal
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any, NamedTuple, Protocol

from placet.faces.cli.place import Place
from placet.faces.replay.bookmark import Bookmark

TELL_S, LOOK_S = 0.2, 0.1
Tell = Callable[[int, dict[str, Any]], None]
"""Hears of a partition how far in its decisions it is, with what may be noted of it."""


class Job(Protocol):
    """What is done with one partition. It travels to another process, and comes back as JSON has it."""

    place: Place

    def run(self, partition: int, begun: dict[str, Any] | None, tell: Tell) -> dict[str, Any]:
        """Return what came of a partition; `begun` is what was noted of it before."""
        ...


class Told(NamedTuple):
    """One word of how far a partition is."""

    partition: int
    at: int
    part: dict[str, Any]


class Seldom:
    """Passes on the first word of each `TELL_S`."""

    def __init__(self, pass_on: Callable[[Told], None]) -> None:
        self._pass_on = pass_on
        self._told_at = 0.0

    def due(self) -> bool:
        """Return whether a word would be passed on now."""
        return time.monotonic() - self._told_at >= TELL_S

    def __call__(self, partition: int, at: int, part: dict[str, Any]) -> None:
        self._told_at = time.monotonic()
        self._pass_on(Told(partition, at, part))


_words: Any = None


def _begin(words: Any) -> None:
    """Be one of the crew: a Ctrl-C is for who leads it."""
    global _words  # noqa: PLW0603  how a process of a pool is given its queue
    _words = words
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _work(job: Job, partition: int, begun: dict[str, Any] | None) -> dict[str, Any]:
    seldom = Seldom(_words.put)
    return job.run(partition, begun, lambda at, part: seldom(partition, at, part) if seldom.due() else None)


def run(
    job: Job, partitions: Iterable[int], processes: int, mark: Bookmark, progress: Callable[[int, int], None]
) -> list[dict[str, Any]]:
    """Return what came of each partition, in order; `progress` hears of a partition how far it is.

    What is finished is noted in `mark`, and so is what is under way where it can go on from there.
    """
    parts = list(partitions)
    done: dict[int, dict[str, Any]] = {}
    left: list[int] = []
    for partition in parts:
        begun = mark.of(partition)
        if begun is not None and begun.get("finished"):
            done[partition] = begun["found"]
        else:
            left.append(partition)

    def hear(told: Told) -> None:
        progress(told.partition, told.at)
        if told.part:
            mark.note(told.partition, told.part)

    def finish(partition: int, found: dict[str, Any]) -> None:
        done[partition] = found
        mark.note(partition, {"finished": True, "found": found})

    if processes == 1 or len(left) < 2:
        seldom = Seldom(hear)
        for partition in left:

            def tell(at: int, part: dict[str, Any], of: int = partition) -> None:
                if seldom.due():
                    seldom(of, at, part)

            finish(partition, job.run(partition, mark.of(partition), tell))
    else:
        _side_by_side(job, left, processes, mark, hear, finish)
    return [done[partition] for partition in parts]


def _side_by_side(
    job: Job,
    left: list[int],
    processes: int,
    mark: Bookmark,
    hear: Callable[[Told], None],
    finish: Callable[[int, dict[str, Any]], None],
) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        words = manager.Queue()
        pool = ProcessPoolExecutor(min(processes, len(left)), context, _begin, (words,))
        try:
            waiting: dict[Future[dict[str, Any]], int] = {
                pool.submit(_work, job, partition, mark.of(partition)): partition for partition in left
            }
            while waiting:
                _hear_all(words, hear)
                for future in [one for one in waiting if one.done()]:
                    finish(waiting.pop(future), future.result())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _hear_all(words: Any, hear: Callable[[Told], None]) -> None:
    try:
        hear(words.get(timeout=LOOK_S))
        while True:
            hear(words.get_nowait())
    except queue.Empty:
        return

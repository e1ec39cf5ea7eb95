"""What is said when a write or an fsync goes wrong, and who shares an fsync."""

import errno
from collections.abc import Callable
from pathlib import Path
from threading import Event, Semaphore, Thread

import pytest

from placet.errors import PlacetError, Unavailable, Unsure
from placet.model.topics import Topic
from placet.ports import Emits, Message
from tests.drivers.embedded.folder import SMALL, Faulty, Folder, Step, outcome
from tests.drivers.embedded.test_crash import acknowledged, examined, victim
from tests.drivers.whole import whole

INTENTS, DECISIONS = int(Topic.INTENTS), int(Topic.DECISIONS)
ONE = [Message(b"k", b"v")]
SEALED = Emits([Message(b"k", b"decided"), Message(b"seal", b"\x00\x00\x00\x00\x09")])


def faulty(tmp_path: Path, clock: Step | None = None) -> tuple[Folder, Faulty]:
    folder = Folder(tmp_path / "journal", SMALL, clock, Faulty)
    disk = folder.owner._disk
    assert isinstance(disk, Faulty)
    return folder, disk


def failing(times: int, error: BaseException, calls: list[int]) -> Callable[[], None]:
    """Return what counts its calls and fails at the first `times`."""

    def step() -> None:
        calls.append(len(calls))
        if len(calls) <= times:
            raise error

    return step


@pytest.mark.parametrize("point", ["before_write", "after_write", "before_sync", "after_sync"])
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_after_a_failed_write_or_fsync_nothing_is_done_until_the_folder_is_opened_again(
    tmp_path: Path, point: str, code: int
) -> None:
    folder, disk = faulty(tmp_path)
    log, journal, feed = folder.log(), folder.journal(), folder.feed()
    log.append(INTENTS, 0, ONE)
    calls: list[int] = []
    setattr(disk, point, failing(1, OSError(code, "the disk says no"), calls))
    with pytest.raises(Unsure, match=f"{folder.path}: .* failed .*the disk says no.*open it again"):
        journal.commit({0: SEALED}, {0: {INTENTS: 1}})
    refused = [
        outcome(lambda: journal.commit({0: SEALED}, {0: {INTENTS: 1}})),
        outcome(lambda: log.append(INTENTS, 0, ONE)),
        outcome(lambda: log.read(DECISIONS, 0, 0, 10, 0)),
        outcome(lambda: journal.take(1, 60_000)),
        outcome(lambda: whole(journal, 0)),
        outcome(feed.take),
    ]
    assert [type(failure) for failure in refused] == [Unsure] * 6
    # It was tried once: what a second fsync says means nothing.
    assert len(calls) == 1
    folder.reopen()
    restored = whole(folder.journal(), 0)
    written = point != "before_write"
    assert (len(restored.tail), restored.inputs[INTENTS]) == ((2, 1) if written else (0, 0))
    assert folder.log().append(INTENTS, 0, ONE) == 1
    folder.close()


def test_a_full_disk_is_unavailable_as_long_as_nothing_was_written(tmp_path: Path) -> None:
    folder, disk = faulty(tmp_path)
    log, journal = folder.log(), folder.journal()
    log.append(INTENTS, 0, ONE * 2)
    taken = journal.take(10, 0)
    disk.full = True
    with pytest.raises(
        Unavailable, match=f"{folder.path}: 0 bytes free on the disk, expected 1 at least; nothing was written"
    ):
        journal.commit({0: SEALED}, {0: {INTENTS: 2}})
    with pytest.raises(Unavailable):
        log.append(INTENTS, 0, ONE)
    assert (log.end(DECISIONS, 0), log.end(INTENTS, 0)) == (0, 2)
    disk.full = False
    journal.rewind()
    assert journal.take(10, 0) == taken
    journal.commit({0: SEALED}, {0: {INTENTS: 2}})
    folder.reopen()
    assert len(whole(folder.journal(), 0).tail) == 2
    folder.close()


@pytest.mark.slow
def test_an_operating_system_that_takes_no_more_bytes_makes_it_unsure_and_loses_nothing(tmp_path: Path) -> None:
    lines = victim(tmp_path / "journal", "file_size", 40_000).communicate(timeout=60)[0].splitlines()
    assert lines[-2].startswith(f"unsure {tmp_path / 'journal'}: a")
    assert lines[-1] == "then Unsure"
    asked, decided = acknowledged(lines)
    found = examined(tmp_path / "journal")
    assert asked >= 1
    assert asked <= found[0] <= asked + 1
    assert decided <= found[1] <= decided + 1


def test_an_interrupt_in_the_middle_of_a_write_is_one_failure_more(tmp_path: Path) -> None:
    folder, disk = faulty(tmp_path)
    disk.before_sync = failing(1, KeyboardInterrupt(), [])
    with pytest.raises(KeyboardInterrupt):
        folder.log().append(INTENTS, 0, ONE)
    with pytest.raises(Unsure):
        folder.log().append(INTENTS, 0, ONE)
    folder.close()


def test_nothing_can_be_read_before_it_is_durable(tmp_path: Path) -> None:
    folder, disk = faulty(tmp_path)
    log, journal = folder.log(), folder.journal()
    log.append(INTENTS, 0, ONE)
    seen: list[object] = []

    def look() -> None:
        seen.append((log.end(INTENTS, 0), len(log.read(INTENTS, 0, 0, 10, 0)), len(journal.take(10, 0).get(0, []))))

    disk.before_sync = look
    log.append(INTENTS, 0, ONE)
    assert seen == [(1, 1, 1)]
    assert len(log.read(INTENTS, 0, 0, 10, 0)) == 2
    folder.close()


class Held:
    """Holds the first fsync until it is let go; counts all of them, and every write."""

    def __init__(self, disk: Faulty) -> None:
        self.entered, self.go, self.written, self.syncs = Event(), Event(), Semaphore(0), 0
        disk.before_sync, disk.after_write = self._sync, self.written.release

    def _sync(self) -> None:
        self.syncs += 1
        if self.syncs == 1:
            self.entered.set()
            assert self.go.wait(60)


def start(work: Callable[[], object], many: int) -> list[Thread]:
    threads = [Thread(target=work) for _ in range(many)]
    for thread in threads:
        thread.start()
    return threads


def test_all_who_write_during_an_fsync_share_the_next(tmp_path: Path) -> None:
    folder, disk = faulty(tmp_path)
    log = folder.log()
    held = Held(disk)
    threads = start(lambda: log.append(INTENTS, 0, ONE), 1)
    assert held.entered.wait(60)
    threads += start(lambda: log.append(INTENTS, 0, ONE), 7)
    for _ in range(8):
        assert held.written.acquire(timeout=60)
    held.go.set()
    for thread in threads:
        thread.join(60)
    assert (held.syncs, log.end(INTENTS, 0)) == (2, 8)
    folder.close()


def test_all_who_share_an_fsync_hear_that_it_failed(tmp_path: Path) -> None:
    folder, disk = faulty(tmp_path)
    log = folder.log()
    held = Held(disk)
    heard: list[PlacetError | int] = []

    def work() -> None:
        heard.append(outcome(lambda: log.append(INTENTS, 0, ONE)))

    threads = start(work, 1)
    assert held.entered.wait(60)
    disk.after_sync = failing(1, OSError(errno.EIO, "gone"), [])
    threads += start(work, 3)
    for _ in range(4):
        assert held.written.acquire(timeout=60)
    held.go.set()
    for thread in threads:
        thread.join(60)
    assert [type(failure) for failure in heard] == [Unsure] * 4
    assert held.syncs == 1
    folder.close()


def test_the_time_of_an_append_never_goes_back_even_if_the_clock_does(tmp_path: Path) -> None:
    clock = Step(5_000)
    folder = Folder(tmp_path / "journal", SMALL, clock)
    for now_ms in (5_000, 4_000, 6_000):
        clock.now = now_ms
        folder.log().append(INTENTS, 0, ONE)
    clock.now = 1
    folder.reopen()
    folder.log().append(INTENTS, 0, ONE)
    assert [rec.at for rec in folder.log().read(INTENTS, 0, 0, 10, 0)] == [5_000, 5_000, 6_000, 6_000]
    folder.close()

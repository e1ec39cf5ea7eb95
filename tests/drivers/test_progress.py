"""A partition is quiet up to an instant once all that lay there then is folded; one that stands still is told from one that was stopped."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

from placet.drivers.context_app.progress import Progress


class Signals:
    """Signals on their way through a partition."""

    def __init__(self) -> None:
        self.progress = Progress()
        self.progress.order.begin(0)
        self.sent: list[Any] = []

    def fold(self, offset: int) -> None:
        event = SimpleNamespace(message=SimpleNamespace(offset=offset), ack=lambda: None)
        self.progress.order.take(offset)
        self.progress.hear(offset)
        self.sent.append(Future())
        self.progress.sent(event, self.sent[-1])

    def keep(self, offset: int) -> None:
        self.sent[offset].set_result(None)
        self.progress.acks.settle()

    def look(
        self, now: int, end: int, fetched: int | None = None, *, committed: int = 0, busy: bool = False
    ) -> int | None:
        self.progress.aim(now, end, committed, end if fetched is None else fetched, busy, 1.0)
        return self.progress.quiet()


def test_it_is_quiet_when_all_that_lay_there_is_folded_and_kept_and_that_is_said_once() -> None:
    signals = Signals()
    signals.fold(0)
    signals.fold(1)
    assert signals.look(100, end=2) is None
    signals.keep(1)
    assert signals.progress.quiet() is None
    signals.keep(0)
    assert signals.progress.quiet() == 100
    assert signals.progress.quiet() is None


def test_signals_that_never_pause_do_not_keep_it_from_being_said() -> None:
    signals = Signals()
    signals.fold(0)
    assert signals.look(100, end=1) is None
    signals.fold(1)
    signals.keep(0)
    assert signals.progress.quiet() == 100
    assert signals.look(200, end=2) is None
    signals.fold(2)
    signals.keep(1)
    assert signals.progress.quiet() == 200


def test_where_nothing_lies_behind_what_was_committed_it_is_quiet_at_once() -> None:
    assert Signals().look(100, end=0) == 100
    assert Signals().look(100, end=7, committed=7) == 100
    assert Signals().look(100, end=8, committed=7) is None


def test_a_control_record_at_the_end_is_passed_when_it_was_asked_for_twice_and_nothing_came() -> None:
    signals = Signals()
    signals.fold(0)
    signals.keep(0)
    # Offset 1 ends a transaction: nobody will ever fold it.
    assert [(signals.look(at, end=2), signals.progress.missed) for at in (100, 200, 300)] == [
        (None, False),
        (None, False),
        (None, True),
    ]
    assert signals.look(400, end=2, fetched=1) is None
    assert [signals.look(at, end=2) for at in (500, 600, 700)] == [None, None, 100]


def test_what_was_fetched_and_folded_by_nobody_is_read_again_and_not_taken_for_folded() -> None:
    signals = Signals()
    for at in (100, 200, 300):
        assert signals.look(at, end=3) is None
    assert signals.progress.missed
    for offset in range(3):
        signals.fold(offset)
        signals.keep(offset)
    assert signals.progress.quiet() == 100


def test_before_it_is_known_where_to_begin_nothing_is_quiet() -> None:
    progress = Progress()
    for at in (100, 200, 300, 400):
        progress.aim(at, 5, 0, 5, False, 1.0)
        assert progress.quiet() is None
    assert progress.order.next is None


def test_what_was_fetched_and_is_on_its_way_is_not_taken_for_folded() -> None:
    signals = Signals()
    assert [signals.look(at, end=5, busy=True) for at in range(100, 600, 100)] == [None] * 5
    signals.progress.hear(0)
    assert [signals.look(at, end=5) for at in range(600, 1_000, 100)] == [None] * 4
    assert [signals.look(at, end=5, fetched=at) for at in range(6, 9)] == [None] * 3


def test_one_that_does_not_move_is_counted_and_one_that_moves_or_has_ended_is_not() -> None:
    signals = Signals()
    signals.fold(0)
    for _ in range(3):
        signals.look(100, end=2)
    # The first look saw it move.
    assert signals.progress.stuck_s == 2.0
    signals.keep(0)
    signals.look(200, end=2)
    assert signals.progress.stuck_s == 0.0
    signals.look(300, end=1)
    assert signals.progress.stuck_s == 0.0

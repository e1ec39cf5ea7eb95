"""Memory goes back to the system where the C library gives it."""

import ctypes
from typing import Any

import pytest

from placet.drivers.memory import few_heaps, give_back


def test_a_library_that_cannot_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(_: Any) -> object:
        return object()

    monkeypatch.setattr(ctypes, "CDLL", without)
    assert (few_heaps(), give_back()) == (False, False)


def test_it_is_asked_for_few_heaps_and_for_all_that_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, tuple[int, ...]]] = []

    class Library:
        def mallopt(self, *numbers: int) -> int:
            asked.append(("mallopt", numbers))
            return 1

        def malloc_trim(self, *numbers: int) -> int:
            asked.append(("malloc_trim", numbers))
            return 0

    monkeypatch.setattr(ctypes, "CDLL", lambda _: Library())
    assert (few_heaps(), give_back()) == (True, False)
    assert asked == [("mallopt", (-8, 2)), ("malloc_trim", (0,))]

"""From the key of a fact to the open intents that rest on it: what a change touches."""

from collections.abc import Hashable
from typing import Any, TypeVar

from placet.context.facts import Bundle

Key = str | Bundle
"""What a slot rests on: one index key, or a bundle of them."""
NO_KEYS: tuple[Key, ...] = ()
H = TypeVar("H", bound=Hashable)


class Index:
    """From the key of a fact to the slots that rest on it.

    A bundle has one place for all of its keys, and each of them leads to it.
    """

    def __init__(self) -> None:
        self._slots: dict[Key, bytes | dict[bytes, None]] = {}
        self._bundles: dict[str, Bundle | dict[Bundle, None]] = {}

    def __len__(self) -> int:
        return len(self._slots) + len(self._bundles)

    def __contains__(self, key: str) -> bool:
        """Return whether anything rests on `key`, alone or in a bundle."""
        return key in self._slots or key in self._bundles

    def move(self, slot: bytes, before: tuple[Key, ...], after: tuple[Key, ...]) -> None:
        """Let a slot that rests on the keys `before` rest on `after`, and on no others."""
        if before == after:
            return
        slots = self._slots
        for key in before:
            # What stands bare under its key is alone there.
            if slots.get(key) is slot:
                del slots[key]
            elif not _take(slots, key, slot):
                continue
            if key.__class__ is Bundle:
                for each in key.keys:
                    _take(self._bundles, each, key)
        for key in after:
            if slots.setdefault(key, slot) is not slot:
                _join(slots, key, slot)
            elif key.__class__ is Bundle:
                for each in key.keys:
                    if self._bundles.setdefault(each, key) is not key:
                        _join(self._bundles, each, key)

    def touched(self, key: str) -> list[bytes]:
        """Return the slots that rest on `key`, alone or in a bundle."""
        found = _under(self._slots, key, bytes)
        for bundle in _under(self._bundles, key, Bundle):
            found += _under(self._slots, bundle, bytes)
        return found


# What stands alone under its key stands there bare: most facts carry one lease.


def _join(table: dict[Any, Any], key: Key, one: Hashable) -> None:
    """Hold `one` as well under a key that something is held under."""
    held = table[key]
    if held.__class__ is dict:
        held[one] = None
    elif held != one:
        table[key] = {held: None, one: None}


def _take(table: dict[Any, Any], key: Key, one: Hashable) -> bool:
    """Let go of `one` under a key; return whether nothing is left there."""
    held = table.get(key)
    if held.__class__ is dict:
        held.pop(one, None)
        if held:
            return False
    elif held != one:
        return False
    del table[key]
    return True


def _under(table: dict[Any, Any], key: Key, kind: type[H]) -> list[H]:
    """Return all that is held under a key."""
    held = table.get(key)
    if held is None:
        return []
    return [held] if isinstance(held, kind) else list(held)

"""From the key of a fact to the open intents that rest on it: what a change touches."""

from placet.context.facts import Bundle

Key = str | Bundle
"""What a slot rests on: one index key, or a bundle of them."""
NO_KEYS: tuple[Key, ...] = ()


class Index:
    """From the key of a fact to the slots that rest on it.

    What stands alone under its key stands there bare: most facts carry one lease.
    A bundle has one place for all of its keys, and each of them leads to it.
    """

    def __init__(self) -> None:
        self._slots: dict[Key, bytes | dict[bytes, None]] = {}
        self._bundles: dict[str, dict[Bundle, None]] = {}

    def __len__(self) -> int:
        return len(self._slots) + len(self._bundles)

    def move(self, slot: bytes, before: tuple[Key, ...], after: tuple[Key, ...]) -> None:
        """Let a slot that rests on the keys `before` rest on `after`, and on no others."""
        if before == after:
            return
        slots = self._slots
        if before:
            self._leave(slot, before)
        for key in after:
            held = slots.setdefault(key, slot)
            if held is slot:
                if key.__class__ is Bundle:
                    self._lead(key)
            elif isinstance(held, dict):
                held[slot] = None
            elif held != slot:
                slots[key] = {held: None, slot: None}

    def touched(self, key: str) -> list[bytes]:
        """Return the slots that rest on `key`, alone or in a bundle."""
        found = self._under(key)
        for bundle in self._bundles.get(key, ()):
            found += self._under(bundle)
        return found

    def _under(self, key: Key) -> list[bytes]:
        held = self._slots.get(key)
        if held is None:
            return []
        return list(held) if isinstance(held, dict) else [held]

    def _leave(self, slot: bytes, keys: tuple[Key, ...]) -> None:
        slots = self._slots
        for key in keys:
            held = slots.get(key)
            if isinstance(held, dict):
                held.pop(slot, None)
                if held:
                    continue
            elif held != slot:
                continue
            del slots[key]
            if isinstance(key, Bundle):
                self._mislead(key)

    def _lead(self, bundle: Bundle) -> None:
        for key in bundle.keys:
            self._bundles.setdefault(key, {})[bundle] = None

    def _mislead(self, bundle: Bundle) -> None:
        for key in bundle.keys:
            bundles = self._bundles[key]
            del bundles[bundle]
            if not bundles:
                del self._bundles[key]

"""What a partition's decisions say of halts: `halted` where one begins to stand, `resumed` where it ends."""

from collections.abc import Sequence

from placet.context.halts import Halt, HaltKey
from placet.decision.voice import Voice


class Bulletin:
    """The halts that a desk has said stand. A new epoch begins with nothing said, and says again what stands."""

    def __init__(self) -> None:
        self._said: dict[HaltKey, Halt] = {}
        self._before: dict[HaltKey, Halt] = {}
        self._opened = False

    def tell(self, standing: Sequence[Halt], voice: Voice) -> list[int]:
        """Say what has changed since the last batch; return how long ago each new halt was appended, ms."""
        self._before = self._said
        if not standing and not self._said:
            self._opened = True
            return []
        now = {halt.key: halt for halt in standing}
        fresh = [halt for key, halt in now.items() if key not in self._said]
        for halt in fresh:
            voice.halted(halt, resumed=False)
        for key, halt in self._said.items():
            if key not in now:
                voice.halted(halt, resumed=True)
        self._said = now
        # What stood before this desk was opened says nothing of how fast a halt is heard.
        opened, self._opened = self._opened, True
        return [voice.instant - halt.heard_at for halt in fresh] if opened else []

    def drop(self) -> None:
        """Nothing of the batch was committed."""
        self._said = self._before

"""Which signals of a partition may be folded: each after all that lie before it."""

from enum import Enum

END = 1 << 62


class Turn(Enum):
    """What becomes of a signal that was delivered."""

    FOLD = 1
    AGAIN = 2
    """Something before it was not delivered: what follows the last one folded is to be read again."""
    LATER = 3
    """It will be delivered once more, after what was asked for."""


class Unbroken:
    """The signals of one partition, as a consumer delivers them that may lose some whenever partitions move.

    Offsets have natural holes too, where records are compacted away or a
    transaction ends: what is not delivered when it is asked for a second time
    was never there. `next` is where the next signal may lie, None before it is
    known where the consumer begins: until then nothing is folded.
    """

    def __init__(self) -> None:
        self.next: int | None = None
        self._asked: tuple[int, int] | None = None

    def begin(self, offset: int | None) -> None:
        """Note where the consumer was told to begin, unless something was folded since."""
        if self.next is None:
            self.next = offset

    def admit(self, offset: int) -> Turn:
        """Return what is to be done with the signal at `offset`."""
        if self.next is None:
            return Turn.LATER
        if offset <= self.next:
            return Turn.FOLD
        if self._asked is None or self._asked[0] != self.next:
            self._asked = (self.next, offset)
            return Turn.AGAIN
        return Turn.FOLD if offset <= self._asked[1] else Turn.LATER

    def take(self, offset: int) -> range:
        """Note that an admitted signal is folded; return the offsets before it that nobody has to fold."""
        assert self.next is not None
        hole = range(self.next, offset)
        self.next = max(self.next, offset + 1)
        return hole

    def nothing_before(self, end: int) -> bool:
        """Return whether all below `end` was folded or was never there; if not, `next` is to be read again."""
        if self.next is None:
            return False
        if self.next >= end or self._asked == (self.next, END):
            return True
        self._asked = (self.next, END)
        return False

"""One partition of a topic read forward, in pages, up to the offsets an audit needs."""

from collections.abc import Iterator

from placet.ports import Log, Rec

PAGE = 2_000
WAIT_MS = 1_000


class Cursor:
    """A reader that moves forward only. `begins` is the first offset still there, once anything was read.

    Where a topic is compacted, expired or holds transaction markers, offsets have gaps;
    what was removed is not to be told from what never was, but below `begins`.
    """

    def __init__(self, log: Log, topic: int, partition: int, end: int | None = None) -> None:
        self._log = log
        self.topic = topic
        self.partition = partition
        self.end = log.end(topic, partition) if end is None else end
        self.begins: int | None = None
        self._position = 0
        self._page: list[Rec] = []
        self._at = 0

    def _peek(self) -> Rec | None:
        if self._at == len(self._page):
            if self._position >= self.end:
                return None
            self._page = self._log.read(self.topic, self.partition, self._position, PAGE, WAIT_MS)
            self._at = 0
            if not self._page or self._page[0].offset >= self.end:
                self._page = []
                self._position = self.end
                return None
            self._position = self._page[-1].offset + 1
            if self.begins is None:
                self.begins = self._page[0].offset
        rec = self._page[self._at]
        return rec if rec.offset < self.end else None

    def upto(self, offset: int) -> Iterator[Rec]:
        """Yield the records not yet read that lie below `offset`."""
        while (rec := self._peek()) is not None and rec.offset < offset:
            self._at += 1
            yield rec

    def __iter__(self) -> Iterator[Rec]:
        return self.upto(self.end)

"""Where a record stands in a log: its leaf, found from what cuts and other leaves of its partition say, in few reads."""

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

from placet.provenance.leaf import CUT, Cut, read_leaf
from placet.provenance.tiles import ENTRIES, HEIGHT, Tile, entries_in, tile_of
from placet.provenance.tree import Read

_PLACE: Final = Struct(">xBBIQ")
"""Kind, topic, partition and offset of a leaf that is no cut."""


class Found(NamedTuple):
    """A leaf, and where it stands."""

    at: int
    leaf: bytes


class Finder:
    """Looks for records in a log of `size` leaves. Bundles are read as they are; a proof says whether they are the log's."""

    def __init__(self, size: int, read: Read) -> None:
        self._size = size
        self._read = read
        self._bundles: dict[int, list[bytes]] = {}

    def find(self, topic: int, partition: int, offset: int) -> Found | None:
        """Return the leaf of a record; None where the log has none, or has not come so far.

        Raise ValueError where a bundle is missing, or holds what is no leaf.
        """
        low, high = 0, -(-self._size >> HEIGHT)
        while low < high:
            middle = (low + high) // 2
            bundle = self._first_mark(middle, high, topic, partition)
            if bundle is None:
                high = middle
                continue
            # INVARIANT: what is looked for stands in the bundles from `low` up to `high`, if anywhere.
            later = False
            for index, leaf in self._marks(bundle, topic, partition):
                if leaf[1] != CUT:
                    found = _PLACE.unpack_from(leaf)[3]
                    if found == offset:
                        return Found(index, leaf)
                    later = later or found > offset
                    continue
                start, end, base, leaves = _taken(leaf, index, topic, partition)
                if start <= offset < end:
                    return self._within(base, leaves, offset)
                later = later or offset < start
            if later:
                high = min(bundle, middle)
            else:
                low = bundle + 1
        return None

    def _first_mark(self, start: int, end: int, topic: int, partition: int) -> int | None:
        """Return the first bundle from `start` up to `end` that says anything of a partition."""
        for bundle in range(start, end):
            if next(self._marks(bundle, topic, partition), None) is not None:
                return bundle
        return None

    def _marks(self, bundle: int, topic: int, partition: int) -> Iterator[Found]:
        """Yield the leaves of a partition in a bundle, and the cuts that moved it."""
        place = bytes((topic,)) + partition.to_bytes(4, "big")
        for number, leaf in enumerate(self._entries(bundle), bundle << HEIGHT):
            if leaf[1] == CUT:
                if _taken(leaf, number, topic, partition)[1]:
                    yield Found(number, leaf)
            elif leaf[2:7] == place:
                yield Found(number, leaf)

    def _within(self, base: int, leaves: int, offset: int) -> Found | None:
        """Look among the leaves that one cut took from one partition: they stand by offset."""
        low, high = base, min(base + leaves, self._size)
        while low < high:
            middle = (low + high) // 2
            leaf = self._entries(middle >> HEIGHT)[middle % (1 << HEIGHT)]
            found = _PLACE.unpack_from(leaf)[3]
            if found == offset:
                return Found(middle, leaf)
            low, high = (middle + 1, high) if found < offset else (low, middle)
        return None

    def _entries(self, bundle: int) -> list[bytes]:
        found = self._bundles.get(bundle)
        if found is None:
            tile: Tile = tile_of(ENTRIES, bundle, self._size)
            found = entries_in(self._read(tile), tile.width)
            if min(map(len, found)) < _PLACE.size:
                raise ValueError(f"{tile.path}: a leaf too short to say where it came from")
            self._bundles[bundle] = found
        return found


def _taken(leaf: bytes, index: int, topic: int, partition: int) -> tuple[int, int, int, int]:
    """Return what a cut took from a partition: from offset, up to offset, index of the first leaf, leaves; all 0 for nothing."""
    cut = read_leaf(leaf)
    assert isinstance(cut, Cut)
    base = index + 1
    for move in cut.moves:
        if move[:2] == (topic, partition):
            return move.start, move.end, base, move.leaves
        base += move.leaves
    return 0, 0, 0, 0

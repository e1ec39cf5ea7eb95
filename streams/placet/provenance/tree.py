"""A growing tree of RFC 6962: what its right edge needs to be remembered, and the tiles each new leaf completes."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TypeVar

from placet.model.merkle import EMPTY, leaf_hash, root_of
from placet.provenance.tiles import (
    ENTRIES,
    HEIGHT,
    WIDTH,
    Tile,
    cut_to,
    entries_in,
    hashes_in,
    levels_in,
    pack_entries,
    pack_hashes,
    tile_of,
)

Read = Callable[[Tile], bytes]
"""Returns the bytes of a tile or a bundle, exactly of its width; a driver cuts them from the full one once that is there."""

T = TypeVar("T")


def reader_over(get: Callable[[str], bytes | None]) -> Read:
    """Return what reads tiles from files found by path; of a partial tile that is gone, from the full one.

    It raises ValueError where neither is there, or the full one is not whole.
    """

    def read(tile: Tile) -> bytes:
        data = get(tile.path)
        if data is not None:
            return data
        whole = get(tile.full.path)
        if whole is None:
            raise ValueError(f"{tile.path}: missing")
        try:
            return cut_to(tile, whole)
        except ValueError as fault:
            raise ValueError(f"{tile.full.path}: {fault}") from None

    return read


class Edge:
    """The right edge of a log: on each tile level the hashes past the last full tile, and the entries past the last bundle.

    `grow` hands out each tile once it is full; `partial` all that are not. Both are
    what tlog-tiles says a tree of that size has.
    """

    __slots__ = ("_entries", "_rows", "size")

    def __init__(self) -> None:
        self.size = 0
        self._entries: list[bytes] = []
        self._rows: list[list[bytes]] = [[]]

    @classmethod
    def read(cls, size: int, read: Read) -> "Edge":
        """Return the edge of a log of `size` leaves; raise ValueError where its last bundle is not what its last tile says."""
        edge = cls()
        edge.size = size
        edge._rows = []
        for level in levels_in(size) or range(1):
            count = size >> HEIGHT * level
            edge._rows.append(_last(hashes_in, level, count, size, read))
        edge._entries = _last(entries_in, ENTRIES, size, size, read)
        for number, (entry, known) in enumerate(zip(edge._entries, edge._rows[0], strict=True)):
            if leaf_hash(entry) != known:
                at = size - len(edge._entries) + number
                raise ValueError(f"leaf {at} is not what its tile says")
        return edge

    def grow(self, entries: Sequence[bytes]) -> list[tuple[Tile, bytes]]:
        """Take entries in, and return the bundles and tiles that became full, each after what it is made of."""
        full: list[tuple[Tile, bytes]] = []
        at = 0
        while at < len(entries):
            taken = entries[at : at + WIDTH - len(self._entries)]
            self._entries += taken
            self.size += len(taken)
            at += len(taken)
            if len(self._entries) == WIDTH:
                bundle = pack_entries(self._entries)
                full.append((Tile(ENTRIES, (self.size >> HEIGHT) - 1), bundle))
                self._rows[0] += _hashes(bundle, self._entries, len(self._rows[0]))
                self._entries = []
                self._carry(full)
        return full

    def _carry(self, full: list[tuple[Tile, bytes]]) -> None:
        level = 0
        while len(row := self._rows[level]) == WIDTH:
            index = (self.size >> HEIGHT * (level + 1)) - 1
            full.append((Tile(level, index), pack_hashes(row)))
            above = root_of(row)
            self._rows[level] = []
            level += 1
            if level == len(self._rows):
                self._rows.append([])
            self._rows[level].append(above)

    def partial(self) -> list[tuple[Tile, bytes]]:
        """Return the bundle and the tiles that are not full yet, lowest first."""
        self._settle()
        found: list[tuple[Tile, bytes]] = []
        if self._entries:
            found.append((Tile(ENTRIES, self.size >> HEIGHT, len(self._entries)), pack_entries(self._entries)))
        for level, row in enumerate(self._rows):
            if row:
                found.append((Tile(level, self.size >> HEIGHT * (level + 1), len(row)), pack_hashes(row)))
        return found

    def root(self) -> bytes:
        """Return the root over all leaves."""
        self._settle()
        above: list[bytes] = []
        for row in self._rows:
            # What a lower level leaves over is the last, smaller subtree of the level above (RFC 6962 §2.1).
            if row or above:
                above = [root_of(row + above)]
        return above[0] if above else EMPTY

    def _settle(self) -> None:
        row = self._rows[0]
        if len(row) < len(self._entries):
            row += _hashes(pack_entries(self._entries), self._entries, len(row))


def _hashes(bundle: bytes, entries: Sequence[bytes], known: int) -> list[bytes]:
    """Return the leaf hashes of a bundle past the first `known`, of the bytes that will be on the disk."""
    at = sum(map(len, entries[:known])) + 2 * known
    found = []
    for entry in entries[known:]:
        start = at + 2
        at = start + len(entry)
        found.append(sha256(b"\x00" + bundle[start:at]).digest())
    return found


def _last(unpack: Callable[[bytes, int], list[T]], level: int, count: int, size: int, read: Read) -> list[T]:
    if not count % WIDTH:
        return []
    tile = tile_of(level, count >> HEIGHT, size)
    try:
        return unpack(read(tile), tile.width)
    except ValueError as fault:
        raise ValueError(str(fault) if tile.path in str(fault) else f"{tile.path}: {fault}") from None

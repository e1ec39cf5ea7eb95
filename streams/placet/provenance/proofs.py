"""Proofs of RFC 6962 §2.1 from the tiles of a log, and whether a proof holds (RFC 9162 §2.1.3.2, §2.1.4.2)."""

from collections.abc import Sequence
from hashlib import sha256

from placet.model.merkle import EMPTY, node_hash, root_from_path, root_of
from placet.provenance.tiles import HEIGHT, WIDTH, Tile, hashes_in, tile_of
from placet.provenance.tree import Read


class TileTree:
    """A tree of `size` leaves as its tiles say it. Every tile is read once; what was read is not checked here."""

    def __init__(self, size: int, read: Read) -> None:
        self.size = size
        self._read = read
        self._tiles: dict[Tile, list[bytes]] = {}

    def leaf(self, index: int) -> bytes:
        """Return the hash of one leaf; raise ValueError where there is none."""
        return self._node(0, index)

    def root(self, size: int | None = None) -> bytes:
        """Return the root of the tree, or of its first `size` leaves."""
        size = self.size if size is None else size
        if not 0 <= size <= self.size:
            raise ValueError(f"a root of {size} leaves, the tree has {self.size}")
        return self._range(0, size) if size else EMPTY

    def inclusion(self, index: int) -> list[bytes]:
        """Return the audit path of a leaf, leaf side first; raise ValueError where there is no such leaf."""
        if not 0 <= index < self.size:
            raise ValueError(f"leaf {index} of {self.size}")
        path: list[bytes] = []
        start, end = 0, self.size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(start, middle))
                start = middle
        return path[::-1]

    def consistency(self, first: int) -> list[bytes]:
        """Return the proof that the tree extends its first `first` leaves; raise ValueError unless it has as many."""
        if not 0 < first <= self.size:
            raise ValueError(f"a consistency proof from {first} leaves to {self.size}")
        path: list[bytes] = []
        start, end, known = 0, self.size, True
        while first < end:
            middle = start + _split(end - start)
            if first <= middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(start, middle))
                start, known = middle, False
        if not known:
            # What the old tree ends with is no root the verifier has.
            path.append(self._range(start, end))
        return path[::-1]

    def _range(self, start: int, end: int) -> bytes:
        """Return the root over the leaves from `start` to `end`, which a node of the tree, or its right edge, stands for."""
        found: list[bytes] = []
        while start < end:
            level = (end - start).bit_length() - 1
            found.append(self._node(level, start >> level))
            start += 1 << level
        while len(found) > 1:
            right, left = found.pop(), found.pop()
            found.append(node_hash(left, right))
        return found[0]

    def _node(self, level: int, index: int) -> bytes:
        """Return the root of a complete subtree of 2^level leaves."""
        row, within = divmod(level, HEIGHT)
        start = index << within
        hashes = self._hashes(tile_of(row, start >> HEIGHT, self.size))
        start %= WIDTH
        if start + (1 << within) > len(hashes):
            raise ValueError(f"no node {index} on level {level} in a tree of {self.size} leaves")
        return root_of(hashes[start : start + (1 << within)])

    def _hashes(self, tile: Tile) -> list[bytes]:
        found = self._tiles.get(tile)
        if found is None:
            try:
                found = self._tiles[tile] = hashes_in(self._read(tile), tile.width)
            except ValueError as fault:
                raise ValueError(f"{tile.path}: {fault}") from None
        return found


def _split(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Say whether `path` proves the leaf hash to be leaf `index` of the tree of `size` leaves with that root."""
    try:
        return _whole(path) and root_from_path(leaf, index, size, b"".join(path)) == root
    except ValueError:
        return False


def consistent(first: int, second: int, root_first: bytes, root_second: bytes, path: Sequence[bytes]) -> bool:
    """Say whether `path` proves that the tree of `second` leaves extends that of `first` (RFC 9162 §2.1.4.2).

    From no leaves there is no proof, and none is said to hold: a witness that starts there decides by itself.
    """
    if not 0 < first <= second or not _whole(path):
        return False
    if first == second:
        return not path and root_first == root_second
    if not path:
        return False
    nodes = list(path) if first & (first - 1) else [root_first, *path]
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old = sha256(b"\x01" + node + old).digest()
            new = sha256(b"\x01" + node + new).digest()
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new = sha256(b"\x01" + new + node).digest()
        at, last = at >> 1, last >> 1
    return last == 0 and old == root_first and new == root_second


def _whole(path: Sequence[bytes]) -> bool:
    return all(len(node) == 32 for node in path)

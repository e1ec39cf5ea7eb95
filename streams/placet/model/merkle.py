"""The Merkle tree of RFC 6962 §2.1 over SHA-256: its root, its audit paths, and the root a path leads to."""

from collections.abc import Sequence
from hashlib import sha256

EMPTY = sha256().digest()
"""The root of no leaves."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of one leaf."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above two others."""
    return sha256(b"\x01" + left + right).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes in order; of none, the hash of nothing."""
    if not leaves:
        return EMPTY
    level = leaves
    while len(level) > 1:
        level = _above(level)
    return level[0]


def levels_of(leaves: Sequence[bytes]) -> list[Sequence[bytes]]:
    """Return all levels of the tree over at least one leaf hash, leaves first, the root alone in the last."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        levels.append(_above(levels[-1]))
    return levels


def _above(level: Sequence[bytes]) -> list[bytes]:
    # A last hash without a neighbour stands one level up as it is: the split of
    # RFC 6962 at the largest power of two comes to the same tree.
    pairs = iter(level)
    above = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]
    if len(level) & 1:
        above.append(level[-1])
    return above


def path_in(levels: Sequence[Sequence[bytes]], index: int) -> bytes:
    """Return the audit path of leaf `index` in the levels of `levels_of`: 32 bytes a node, leaf side first."""
    nodes = []
    for level in levels[:-1]:
        beside = index ^ 1
        if beside < len(level):
            nodes.append(level[beside])
        index >>= 1
    return b"".join(nodes)


def path_of(hashes: Sequence[bytes], index: int) -> bytes:
    """Return the audit path of leaf `index` among leaf hashes: 32 bytes a node, leaf side first."""
    if not 0 <= index < len(hashes):
        raise ValueError(f"leaf {index} of {len(hashes)}")
    return path_in(levels_of(hashes), index)


def root_from_path(leaf: bytes, index: int, size: int, path: bytes) -> bytes:
    """Return the root that the leaf hash and its audit path lead to in a tree of `size` leaves (RFC 9162 §2.1.3.2).

    Raise ValueError where `index` is not in the tree, or the hash or the path has not the length it must have.
    """
    if len(leaf) != 32:
        raise ValueError(f"a leaf hash of {len(leaf)} bytes, expected 32")
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} of {size}")
    at, last, found = 0, size - 1, leaf
    while last:
        if index & 1 or index < last:
            node = path[at : at + 32]
            at += 32
            found = sha256(b"\x01" + node + found if index & 1 else b"\x01" + found + node).digest()
        index >>= 1
        last >>= 1
    if at != len(path):
        raise ValueError(f"an audit path of {len(path)} bytes, expected {at}")
    return found


class KnownTree:
    """A tree whose root is trusted, and what was seen of it: all its leaves together cost one hash each, not a path each."""

    __slots__ = ("_size", "nodes")

    def __init__(self, root: bytes, size: int) -> None:
        """Trust `root` as that of `size` leaves, at least one and fewer than 2^31."""
        self._size = size
        # By index and level: a node of the tree, and the one audit path that leads from it to the root. What lies beside
        # the paths that were seen is enough: the path of any other leaf comes to such a node before it meets theirs.
        self.nodes: dict[int, tuple[bytes, bytes]] = {(size - 1).bit_length(): (root, b"")}

    def holds(self, leaf: bytes, index: int, path: bytes) -> bool:
        """Say whether `path` leads from the leaf hash to the root, as `root_from_path` would find."""
        if not 0 <= index < self._size:
            return False
        nodes = self.nodes
        at, level, last, found = 0, 0, self._size - 1, leaf
        passed: list[tuple[int, tuple[bytes, bytes]]] = []
        while (known := nodes.get(index << 5 | level)) is None:
            if index & 1 or index < last:
                beside, above = path[at : at + 32], path[at + 32 :]
                passed.append(((index ^ 1) << 5 | level, (beside, found + above)))
                at += 32
                found = sha256(b"\x01" + beside + found if index & 1 else b"\x01" + found + beside).digest()
            index >>= 1
            last >>= 1
            level += 1
        if known != (found, path[at:]):
            return False
        nodes.update(passed)
        return True

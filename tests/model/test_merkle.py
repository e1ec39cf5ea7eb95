"""RFC 6962 trees against published proofs and the definition itself."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.model.merkle import (
    EMPTY,
    KnownTree,
    leaf_hash,
    levels_of,
    node_hash,
    path_in,
    path_of,
    root_from_path,
    root_of,
)

VECTORS = Path(__file__).parents[1] / "vectors" / "merkle"
INCLUSION = json.loads((VECTORS / "inclusion.json").read_text("utf-8"))
TREE = json.loads((VECTORS / "reference-tree.json").read_text("utf-8"))
LEAVES = [leaf_hash(bytes.fromhex(text)) for text in TREE["leaf_inputs_hex"]]


def defined_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root as RFC 6962 §2.1 defines it: split at the largest power of two below the size."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(defined_root(leaves[:split]), defined_root(leaves[split:]))


def test_the_reference_tree() -> None:
    levels = [[bytes.fromhex(text) for text in level] for level in TREE["node_hashes_hex_by_level"]]
    assert [list(level) for level in levels_of(LEAVES)] == levels
    roots = [root_of(LEAVES[:size]).hex() for size in range(9)]
    assert roots == TREE["root_hashes_hex_by_size"]


@pytest.mark.parametrize("case", INCLUSION, ids=[case["file"].removesuffix(".json") for case in INCLUSION])
def test_a_published_proof_holds_or_fails(case: dict[str, Any]) -> None:
    leaf, root = base64.b64decode(case["leafHash"] or ""), base64.b64decode(case["root"] or "")
    nodes = [base64.b64decode(node) for node in case["proof"] or ()]
    if any(len(node) != 32 for node in nodes):
        # Ten cases add an empty node at an end; a path of ours is 32 bytes a node and has no place for one.
        assert case["wantErr"]
        assert "garbage" in case["file"]
        return
    path = b"".join(nodes)
    try:
        holds = root_from_path(leaf, case["leafIdx"], case["treeSize"], path) == root
    except ValueError:
        holds = False
    assert holds is not case["wantErr"]


def test_all_proofs_are_there() -> None:
    assert (len(INCLUSION), sum(not case["wantErr"] for case in INCLUSION)) == (98, 6)


@given(st.integers(1, 70), st.data())
def test_every_leaf_has_one_path_to_the_root(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(size)]
    root, levels = defined_root(leaves), levels_of(leaves)
    assert root_of(leaves) == root
    index = data.draw(st.integers(0, size - 1))
    path = path_of(leaves, index)
    assert path == path_in(levels, index)
    assert root_from_path(leaves[index], index, size, path) == root
    for wrong in (path + bytes(32), path[:-32], path + b"\x00", path[:-1]):
        if wrong != path:
            with pytest.raises(ValueError, match="an audit path of"):
                root_from_path(leaves[index], index, size, wrong)
    if path:
        place = data.draw(st.integers(0, len(path) - 1))
        flipped = path[:place] + bytes([path[place] ^ 1]) + path[place + 1 :]
        assert root_from_path(leaves[index], index, size, flipped) != root


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0), (0, -1)])
def test_a_leaf_outside_the_tree_has_no_path(index: int, size: int) -> None:
    with pytest.raises(ValueError, match=f"leaf {index} of"):
        path_of(LEAVES[: max(size, 0)], index)
    with pytest.raises(ValueError, match=f"leaf {index} of {size}"):
        root_from_path(LEAVES[0], index, size, b"")


@given(st.integers(1, 40), st.data())
def test_a_known_tree_says_what_the_path_says_whatever_was_seen_before(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(size)]
    tree, root = KnownTree(root_of(leaves), size), root_of(leaves)
    for _ in range(data.draw(st.integers(1, 30))):
        index = data.draw(st.integers(0, size - 1))
        leaf, path = leaves[index], path_of(leaves, index)
        fault = data.draw(st.sampled_from(["none", "leaf", "path", "index", "cut", "longer", "beyond"]))
        if fault == "leaf":
            leaf = leaves[data.draw(st.integers(0, size - 1))]
        elif fault == "path" and path:
            place = data.draw(st.integers(0, len(path) - 1))
            path = path[:place] + bytes([path[place] ^ 1]) + path[place + 1 :]
        elif fault == "index":
            index = data.draw(st.integers(0, size - 1))
        elif fault == "cut":
            path = path[: data.draw(st.integers(0, len(path)))]
        elif fault == "longer":
            path += bytes(data.draw(st.sampled_from([1, 32])))
        elif fault == "beyond":
            index = data.draw(st.sampled_from([-1, size, size + 1]))
        try:
            expected = root_from_path(leaf, index, size, path) == root
        except ValueError:
            expected = False
        assert tree.holds(leaf, index, path) is expected
    assert len(tree.nodes) <= 2 * size - 1 + size.bit_length()


def test_a_known_tree_keeps_the_root_and_of_each_two_neighbours_the_one_beside_the_path_that_came_first() -> None:
    tree = KnownTree(root_of(LEAVES), 8)
    assert all(tree.holds(leaf, index, path_of(LEAVES, index)) for index, leaf in enumerate(LEAVES))
    assert len(tree.nodes) == 1 + 4 + 2 + 1

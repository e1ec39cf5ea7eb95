"""Proofs against published ones, against the definition, and made from tiles."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.model.merkle import EMPTY, leaf_hash, path_of, root_of
from placet.provenance.checkpoint import open_checkpoint
from placet.provenance.notes import Ed25519Verifier
from placet.provenance.proofs import TileTree, consistent, included
from tests.provenance.logs import DictLog, PublishedLog, b64, vectors

CONSISTENCY = vectors("consistency.json")


@pytest.mark.parametrize("case", CONSISTENCY, ids=[case["file"].removesuffix(".json") for case in CONSISTENCY])
def test_a_published_consistency_proof_holds_or_fails(case: dict[str, Any]) -> None:
    path = [b64(node) for node in case["proof"] or ()]
    roots = b64(case["root1"] or ""), b64(case["root2"] or "")
    assert consistent(case["size1"], case["size2"], *roots, path) is not case["wantErr"]


def test_all_proofs_are_there() -> None:
    assert (len(CONSISTENCY), sum(not case["wantErr"] for case in CONSISTENCY)) == (98, 6)


def test_any_two_checkpoints_of_the_published_log_are_consistent() -> None:
    log = PublishedLog()
    key = Ed25519Verifier.read(log.vkey)
    heads = [open_checkpoint(note, "example.com/log/testdata", [key])[0] for _, note in sorted(log.checkpoints.items())]
    assert [head.size for head in heads] == list(range(16))
    for second in heads[1:]:
        tree = TileTree(second.size, log.read)
        assert tree.root() == second.root
        for first in heads[1 : second.size + 1]:
            assert tree.root(first.size) == first.root
            path = tree.consistency(first.size)
            assert consistent(first.size, second.size, first.root, second.root, path)
        for index in range(second.size):
            leaf = leaf_hash(log.leaves[index])
            assert tree.leaf(index) == leaf
            assert included(leaf, index, second.size, tree.inclusion(index), second.root)


SIZES = st.one_of(st.integers(1, 600), st.sampled_from([255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 66_000]))
LEAVES = [leaf_hash(number.to_bytes(3, "big")) for number in range(66_000)]
BIG = DictLog()
BIG.add([number.to_bytes(3, "big") for number in range(66_000)])


@given(st.integers(1, 66_000), st.data())
def test_a_log_of_three_levels_proves_every_leaf_and_every_prefix(first: int, data: st.DataObject) -> None:
    tree = TileTree(66_000, BIG.read)
    index = data.draw(st.integers(0, 65_999))
    path = tree.inclusion(index)
    root = BIG.edge.root()
    assert included(LEAVES[index], index, 66_000, path, root)
    old = tree.root(first)
    proof = tree.consistency(first)
    assert consistent(first, 66_000, old, root, proof)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        bent = [*proof[:at], bytes(32), *proof[at + 1 :]]
        assert not consistent(first, 66_000, old, root, bent)
    for wrong in (proof[:-1], [*proof, bytes(32)]):
        if wrong != proof:
            assert not consistent(first, 66_000, old, root, wrong)
    assert not consistent(first, 66_000, bytes(32), root, proof)


@given(st.integers(1, 700), st.data())
def test_a_proof_from_tiles_is_that_of_the_definition(size: int, data: st.DataObject) -> None:
    entries = [number.to_bytes(3, "big") for number in range(size)]
    log = DictLog()
    log.add(entries)
    tree, leaves = TileTree(size, log.read), LEAVES[:size]
    assert tree.root() == log.edge.root() == root_of(leaves)
    index = data.draw(st.integers(0, size - 1))
    assert b"".join(tree.inclusion(index)) == path_of(leaves, index)
    first = data.draw(st.integers(1, size))
    assert tree.root(first) == root_of(leaves[:first])
    assert consistent(first, size, root_of(leaves[:first]), tree.root(), tree.consistency(first))


def test_what_is_not_in_the_tree_has_no_proof() -> None:
    log = DictLog()
    log.add([b"a", b"b", b"c"])
    tree = TileTree(3, log.read)
    for index in (-1, 3):
        with pytest.raises(ValueError, match=f"leaf {index} of 3"):
            tree.inclusion(index)
    for first in (0, 4):
        with pytest.raises(ValueError, match=f"from {first} leaves to 3"):
            tree.consistency(first)
    with pytest.raises(ValueError, match="a root of 4 leaves"):
        tree.root(4)
    assert tree.root(0) == EMPTY
    assert not consistent(0, 3, EMPTY, tree.root(), [])
    assert not consistent(4, 3, EMPTY, tree.root(), [])


def test_a_tile_of_a_wrong_length_is_named() -> None:
    log = DictLog()
    log.add([b"a", b"b", b"c"])
    log.files["tile/0/000.p/3"] += b"\x00"
    with pytest.raises(ValueError, match=r"tile/0/000\.p/3: a tile of 97 bytes, expected 96"):
        TileTree(3, log.read).root()

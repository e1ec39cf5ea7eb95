"""The files of a log: where each lies, what is in it, and which a tree of a size has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.model.merkle import EMPTY, leaf_hash, root_of
from placet.provenance.tiles import (
    ENTRIES,
    Tile,
    cut_to,
    entries_in,
    filled_between,
    hashes_in,
    levels_in,
    pack_entries,
    tile_at,
    tile_of,
    tiles_of,
)
from placet.provenance.tree import Edge
from tests.provenance.logs import DictLog, PublishedLog, vectors

GEOMETRY = vectors("geometry-cases.json")


def test_a_tile_lies_where_c2sp_says() -> None:
    (case,) = GEOMETRY["index_to_path"]
    assert Tile(0, case["index"]).path == f"tile/0/{case['path']}"
    assert Tile(ENTRIES, case["index"], 7).path == f"tile/entries/{case['path']}.p/7"
    assert Tile(3, 0).path == "tile/3/000"


@pytest.mark.parametrize("case", GEOMETRY["tree_to_tiles"], ids=lambda case: str(case["size"]))
def test_a_tree_has_the_tiles_that_c2sp_says(case: dict[str, object]) -> None:
    size = case["size"]
    assert isinstance(size, int)
    found = []
    for level in levels_in(size):
        tiles = list(tiles_of(size, level))
        found.append(
            {
                "level": level,
                "full": sum(tile.width == 256 for tile in tiles),
                "partial_width": sum(tile.width for tile in tiles if tile.width < 256),
            }
        )
    assert found == case["tiles"]


@given(st.integers(-1, 63), st.integers(0, 10**10), st.integers(1, 256))
def test_a_path_names_one_tile_and_a_tile_has_one_path(level: int, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert tile_at(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/1",
        "tile/0/0001",
        "tile/0/x000/001",
        "tile/00/001",
        "tile/64/001",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/01",
        "tile/0/001/",
        "tile/0/001/002",
        "tile/0/../001",
        "/tile/0/001",
        "tile/x/001",
        "tile/-1/001",
        "tile/0/00١",
        "tile/0/001\n",
    ],
)
def test_what_is_not_exactly_a_path_names_nothing(path: str) -> None:
    assert tile_at(path) is None


@given(st.lists(st.binary(max_size=40), max_size=30))
def test_a_bundle_gives_back_its_entries(entries: list[bytes]) -> None:
    assert entries_in(pack_entries(entries), len(entries)) == entries


def test_a_bundle_is_the_length_of_each_entry_and_the_entry() -> None:
    assert pack_entries([b"ab", b"", b"c"]) == b"\x00\x02ab\x00\x00\x00\x01c"


@pytest.mark.parametrize(
    ("data", "width", "says"),
    [
        (b"\x00", 1, "cut short"),
        (b"\x00\x02a", 1, "cut short"),
        (b"\x00\x01a\x00", 1, "cut short"),
        (b"\x00\x01a", 2, "of 1 entries, expected 2"),
        (b"\x00\x01a\x00\x00", 1, "of 2 entries, expected 1"),
        (b"", 1, "of 0 entries"),
    ],
)
def test_a_bundle_that_is_not_whole_is_said(data: bytes, width: int, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        entries_in(data, width)


def test_an_entry_of_more_than_two_bytes_of_length_is_refused() -> None:
    assert len(pack_entries([bytes(65_535)])) == 65_537
    with pytest.raises(ValueError, match="65536 bytes"):
        pack_entries([bytes(65_536)])


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_tile_of_another_length_is_said(size: int) -> None:
    with pytest.raises(ValueError, match=f"a tile of {size} bytes, expected 32"):
        hashes_in(bytes(size), 1)


def test_a_tree_without_such_a_tile_says_so() -> None:
    assert tile_of(0, 1, 300) == Tile(0, 1, 44)
    for level, index in ((0, 2), (1, 1), (2, 0), (0, -1)):
        with pytest.raises(ValueError, match=f"no tile {index} on level {level}"):
            tile_of(level, index, 300)


def test_a_partial_tile_is_cut_from_the_full_one() -> None:
    entries = [bytes([number]) for number in range(256)]
    assert cut_to(Tile(ENTRIES, 0, 2), pack_entries(entries)) == b"\x00\x01\x00\x00\x01\x01"
    hashes = [leaf_hash(entry) for entry in entries]
    assert cut_to(Tile(0, 0, 2), b"".join(hashes)) == hashes[0] + hashes[1]


def test_the_published_log_is_made_again_from_its_leaves() -> None:
    log, made = PublishedLog(), DictLog()
    published = {path: data for path, data in log.files.items() if path.startswith("tile/")}
    for leaf in log.leaves:
        made.add([leaf])
    assert made.files == published


@given(st.lists(st.integers(0, 700), min_size=1, max_size=5))
def test_a_log_grown_in_any_steps_is_the_same_log(steps: list[int]) -> None:
    entries = [number.to_bytes(2, "big") for number in range(sum(steps))]
    log, at = DictLog(), 0
    for step in steps:
        before = log.edge.size
        filled = [tile for tile, _ in log.edge.grow(entries[at : at + step])]
        log.edge = Edge.read(before, log.read)
        log.add(entries[at : at + step])
        at += step
        assert log.edge.size == at
        assert log.edge.root() == root_of([leaf_hash(entry) for entry in entries[:at]])
        assert set(filled) == set(filled_between(before, at))
    whole = {tile.path for level in (ENTRIES, *levels_in(at)) for tile in tiles_of(at, level)}
    assert whole <= log.files.keys()
    found = [entry for tile in tiles_of(at, ENTRIES) for entry in entries_in(log.read(tile), tile.width)]
    assert found == entries


def test_an_edge_whose_last_bundle_is_not_its_last_tile_is_refused() -> None:
    log = DictLog()
    log.add([b"one", b"two"])
    log.files["tile/entries/000.p/2"] = pack_entries([b"one", b"twp"])
    with pytest.raises(ValueError, match="leaf 1 is not what its tile says"):
        Edge.read(2, log.read)


def test_no_leaves_have_the_root_of_nothing() -> None:
    assert Edge().root() == EMPTY
    assert Edge.read(0, DictLog().read).root() == EMPTY
    assert list(levels_in(0)) == []
    assert Edge().partial() == []

"""Every record of a log is found, and nothing else, whatever the shape of its cuts."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placet.ports import Rec
from placet.provenance.finding import Finder, Found
from placet.provenance.leaf import Move, encode_cut, encode_record
from placet.provenance.tiles import Tile
from tests.provenance.logs import DictLog

Place = tuple[int, int]
PLACES: Sequence[Place] = ((4, 0), (4, 1), (7, 0))


class Cuts:
    """A log made of cuts; each takes offsets from partitions, of which every fifth gives no leaf, as a watermark does."""

    def __init__(self) -> None:
        self.log = DictLog()
        self.index: dict[tuple[int, int, int], Found] = {}
        self.at = dict.fromkeys(PLACES, 0)
        self._cuts = 0

    def cut(self, taken: dict[Place, int]) -> None:
        leaves: list[bytes] = []
        moves = []
        base = self.log.edge.size
        for place in sorted(place for place, count in taken.items() if count):
            start, end = self.at[place], self.at[place] + taken[place]
            before = len(leaves)
            for offset in range(start, end):
                leaf = encode_record(Rec(*place, offset, 0, b"key", bytes([0, 255, 255, 255, 255])))
                if offset % 5 != 3:
                    assert leaf is not None
                    leaves.append(leaf)
                    self.index[(*place, offset)] = Found(base + len(leaves), leaf)
            moves.append(Move(*place, start, end, len(leaves) - before))
            self.at[place] = end
        self.log.add([encode_cut(self._cuts, base, 0, moves), *leaves])
        self._cuts += 1

    def finder(self) -> Finder:
        return Finder(self.log.edge.size, self.log.read)


def expect_all_found(cuts: Cuts) -> None:
    finder = cuts.finder()
    for place, end in cuts.at.items():
        for offset in range(end + 2):
            assert finder.find(*place, offset) == cuts.index.get((*place, offset)), (place, offset)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3), st.integers(0, 150)), max_size=10))
def test_every_record_is_found_and_no_other(shape: list[tuple[int, int, int]]) -> None:
    cuts = Cuts()
    for counts in shape:
        cuts.cut(dict(zip(PLACES, counts, strict=True)))
    expect_all_found(cuts)


def test_records_of_a_partition_that_is_seldom_heard_are_found_too() -> None:
    cuts = Cuts()
    for number in range(30):
        cuts.cut({(4, 0): 40, (7, 0): number % 13 == 5})
    expect_all_found(cuts)


def test_a_record_is_found_in_few_reads() -> None:
    cuts = Cuts()
    for _ in range(60):
        cuts.cut({(4, 0): 1_000, (4, 1): 1_000, (7, 0): 5})
    reads: list[Tile] = []

    def read(tile: Tile) -> bytes:
        reads.append(tile)
        return cuts.log.read(tile)

    size = cuts.log.edge.size
    assert size > 90_000
    for offset in range(0, 60_000, 997):
        reads.clear()
        assert Finder(size, read).find(4, 1, offset) == cuts.index.get((4, 1, offset))
        assert len(reads) <= 24, "of some 380 bundles"


def test_a_bundle_that_holds_no_leaf_is_said() -> None:
    log = DictLog()
    log.add([b"short"])
    with pytest.raises(ValueError, match=r"tile/entries/000\.p/1: a leaf too short"):
        Finder(1, log.read).find(4, 0, 0)
    with pytest.raises(KeyError):
        Finder(2, log.read).find(4, 0, 0)

"""Nothing is believed before its Seal, and nothing after a Seal that does not fit."""

from collections.abc import Callable

import pytest

from placet.errors import Corrupted, Unavailable
from placet.faces.sdk.past import since
from placet.faces.sdk.sealed import Sealed, SealedReader
from placet.model.codec import seal as seal_codec
from placet.model.codec import verdict
from placet.model.topics import Topic
from tests.faces.sdk.forgery import NEWER, RING, STRANGER, Scribe, verdict_of


def read(scribe: Scribe, start: int = 0, end: int = 1_000, *, genesis: bool = True) -> list[Sealed]:
    reader = SealedReader(0, RING, genesis=genesis)
    return reader.feed(scribe.log.read(Topic.DECISIONS, 0, start, end - start, 0))


def seqs(sealed: list[Sealed]) -> list[int]:
    return [one.record.seq for one in sealed]


def test_what_a_seal_covers_is_believed() -> None:
    scribe = Scribe()
    scribe.batch()
    scribe.batch(verdict_of(0), verdict_of(1))
    scribe.batch(verdict_of(2))
    assert seqs(read(scribe)) == [0, 1, 2]


def test_what_no_seal_covers_yet_is_held_back() -> None:
    scribe = Scribe()
    scribe.batch(verdict_of(0))
    scribe.append(verdict.frame(verdict_of(1)))
    assert seqs(read(scribe)) == [0]


def test_records_come_out_batch_by_batch_however_they_are_read() -> None:
    scribe = Scribe()
    scribe.batch(verdict_of(0), verdict_of(1))
    reader = SealedReader(0, RING, genesis=True)
    out = [seqs(reader.feed([rec])) for rec in scribe.log.read(Topic.DECISIONS, 0, 0, 10, 0)]
    assert out == [[], [], [0, 1]]


def test_a_reader_that_enters_in_the_middle_of_a_batch_believes_nothing_of_it() -> None:
    scribe = Scribe()
    scribe.batch(verdict_of(0), verdict_of(1))
    scribe.batch(verdict_of(2))
    assert seqs(read(scribe, 1, genesis=False)) == [2]


def test_a_reader_that_enters_between_batches_believes_the_next_one() -> None:
    scribe = Scribe()
    scribe.batch(verdict_of(0))
    scribe.batch(verdict_of(1))
    assert seqs(read(scribe, 2, genesis=False)) == [1]


def forged_seal(scribe: Scribe) -> None:
    other = Scribe(private=STRANGER)
    scribe.append(verdict.frame(verdict_of(1)))
    other.seq = 1
    scribe.append(other.seal([verdict_of(1)]))


def wrong_purpose(scribe: Scribe) -> None:
    sealed = seal_codec.decode(scribe.seal())
    payload = seal_codec.encode(sealed._replace(kid="agent-1"))[:-64]
    signature = STRANGER.sign(b"placet/seal/1" + seal_codec.FINGERPRINT + payload)
    scribe.append(seal_codec.HEADER + payload + signature)


def unknown_key(scribe: Scribe) -> None:
    sealed = seal_codec.decode(scribe.seal())
    scribe.append(seal_codec.frame(sealed._replace(kid="nobody")))


def swapped(scribe: Scribe) -> None:
    one, two = verdict_of(1), verdict_of(2)
    for record in (two, one):
        scribe.append(verdict.frame(record))
    scribe.append(scribe.seal([one, two]))


def swapped_and_renumbered(scribe: Scribe) -> None:
    one, two = verdict_of(1), verdict_of(2)
    scribe.append(verdict.frame(two._replace(seq=1)))
    scribe.append(verdict.frame(one._replace(seq=2)))
    scribe.append(scribe.seal([one, two]))


def changed(scribe: Scribe) -> None:
    asked = verdict_of(1)
    scribe.append(verdict.frame(asked._replace(granted_digest=b"x" * 32)))
    scribe.append(scribe.seal([asked]))


def missing_seal(scribe: Scribe) -> None:
    scribe.append(verdict.frame(verdict_of(1)))
    scribe.seal([verdict_of(1)])
    scribe.batch(verdict_of(2))


def missing_record(scribe: Scribe) -> None:
    scribe.append(verdict.frame(verdict_of(1)))
    scribe.append(scribe.seal([verdict_of(1), verdict_of(2)]))


def smuggled_record(scribe: Scribe) -> None:
    scribe.append(verdict.frame(verdict_of(1)))
    scribe.append(verdict.frame(verdict_of(2)))
    scribe.append(scribe.seal([verdict_of(1)]))


def gap_in_seq(scribe: Scribe) -> None:
    scribe.append(verdict.frame(verdict_of(2)))


def repeated_batch(scribe: Scribe) -> None:
    scribe.append(verdict.frame(verdict_of(0)))


def forked_chain(scribe: Scribe) -> None:
    scribe.chain.keep()
    fork = Scribe()
    fork.batch(verdict_of(0, detail="another past"))
    scribe.append(verdict.frame(verdict_of(1)))
    scribe.append(fork.seal([verdict_of(1)]))


def another_partition(scribe: Scribe) -> None:
    scribe.append(verdict.frame(verdict_of(1, partition=3)))


def another_cluster(scribe: Scribe) -> None:
    other = Scribe(cluster="elsewhere")
    other.batch(verdict_of(0))
    scribe.append(other.seal())


def garbage(scribe: Scribe) -> None:
    scribe.append(b"\x00\x00\x00\x00\x06garbage")


def empty_value(scribe: Scribe) -> None:
    scribe.append(None)


@pytest.mark.parametrize(
    "plant",
    [
        forged_seal,
        wrong_purpose,
        unknown_key,
        swapped,
        swapped_and_renumbered,
        changed,
        missing_seal,
        missing_record,
        smuggled_record,
        gap_in_seq,
        repeated_batch,
        forked_chain,
        another_partition,
        another_cluster,
        garbage,
        empty_value,
    ],
)
def test_a_contradiction_ends_all_belief(plant: Callable[[Scribe], None]) -> None:
    scribe = Scribe()
    scribe.batch(verdict_of(0))
    plant(scribe)
    reader = SealedReader(0, RING, genesis=True)
    with pytest.raises(Corrupted, match=r"placet\.decisions/0@\d+: "):
        reader.feed(scribe.log.read(Topic.DECISIONS, 0, 0, 100, 0))
    with pytest.raises(Corrupted):
        reader.feed([])


def test_of_a_batch_with_a_record_of_a_newer_version_nothing_is_believed_and_of_the_next_all() -> None:
    scribe = Scribe()
    scribe.batch(verdict_of(0))
    scribe.append(verdict.frame(verdict_of(1)))
    scribe.append(NEWER + verdict.encode(verdict_of(2)))
    scribe.append(verdict.frame(verdict_of(3)))
    scribe.append(scribe.seal([verdict_of(1), verdict_of(2), verdict_of(3)]))
    scribe.batch(verdict_of(4))
    reader = SealedReader(0, RING, genesis=True)
    assert seqs(reader.feed(scribe.log.read(Topic.DECISIONS, 0, 0, 100, 0))) == [0, 4]
    assert reader.unread == {999}


def test_after_a_seal_of_a_newer_version_the_next_that_can_be_read_is_the_anchor() -> None:
    scribe = Scribe()
    scribe.batch(verdict_of(0))
    scribe.append(verdict.frame(verdict_of(1)))
    scribe.append(NEWER + scribe.seal([verdict_of(1)])[5:])
    scribe.batch(verdict_of(2))
    scribe.batch(verdict_of(3))
    assert seqs(read(scribe)) == [0, 3]


def test_a_newer_desk_from_the_very_first_record_is_passed_over() -> None:
    scribe = Scribe()
    scribe.newer(verdict_of(0), seal=True)
    scribe.newer(verdict_of(1))
    scribe.batch(verdict_of(2))
    assert seqs(read(scribe)) == [2]


def sealed_before(scribe: Scribe) -> None:
    scribe.append(Scribe().seal())


def sealed_again(scribe: Scribe) -> None:
    past = scribe.log.read(Topic.DECISIONS, 0, 0, 2, 0)
    for rec in past:
        scribe.append(rec.value)


@pytest.mark.parametrize(
    "plant",
    [forged_seal, wrong_purpose, unknown_key, another_cluster, garbage, empty_value, sealed_before, sealed_again],
)
def test_what_cannot_be_read_hides_no_contradiction_of_what_comes_behind_it(plant: Callable[[Scribe], None]) -> None:
    scribe = Scribe()
    scribe.batch(verdict_of(0))
    scribe.append(NEWER + b"whatever it holds")
    plant(scribe)
    with pytest.raises(Corrupted):
        read(scribe)


@pytest.mark.parametrize("seal", [False, True])
def test_a_past_among_what_cannot_be_read_is_not_there_for_now(seal: bool) -> None:
    scribe = Scribe()
    scribe.batch(verdict_of(0), verdict_of(1))
    scribe.newer(verdict_of(2), verdict_of(3), seal=seal)
    scribe.batch()
    scribe.batch(verdict_of(4), verdict_of(5))
    assert seqs(since(scribe.log, RING, 0, 1)) == [1, 4, 5]
    assert seqs(since(scribe.log, RING, 0, 4)) == [4, 5]
    for seq in (2, 3):
        with pytest.raises(Unavailable, match="schema id 999"):
            since(scribe.log, RING, 0, seq)


def test_the_first_record_ever_must_be_the_first() -> None:
    scribe = Scribe()
    scribe.seal([verdict_of(0)])
    scribe.batch(verdict_of(1))
    with pytest.raises(Corrupted, match="expected 0 seq 0"):
        read(scribe)


@pytest.mark.parametrize("seq", [0, 1, 2, 5, 6])
def test_the_past_is_found_by_its_sequence_number(seq: int) -> None:
    scribe = Scribe()
    scribe.batch()
    scribe.batch(verdict_of(0), verdict_of(1), verdict_of(2))
    scribe.batch()
    scribe.batch(verdict_of(3))
    scribe.batch(verdict_of(4), verdict_of(5), verdict_of(6))
    scribe.batch()
    assert seqs(since(scribe.log, RING, 0, seq)) == list(range(seq, 7))


def test_a_past_that_is_not_there_is_said() -> None:
    scribe = Scribe()
    scribe.batch(verdict_of(0))
    with pytest.raises(Corrupted, match="no sealed record with seq 4"):
        since(scribe.log, RING, 0, 4)


def test_a_forged_past_is_not_believed() -> None:
    scribe = Scribe()
    scribe.batch(verdict_of(0))
    changed(scribe)
    with pytest.raises(Corrupted):
        since(scribe.log, RING, 0, 1)

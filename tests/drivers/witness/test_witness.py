"""A witness keeps before it answers: whatever fails or dies, it never cosigns two pasts of a log."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from placet.drivers.ledger.folder import FolderStore
from placet.drivers.metrics import Watch, exposition
from placet.drivers.witness.witness import AGAINST_MOST, Witness
from placet.errors import Corrupted, PlacetError, Unavailable, Unsure
from placet.provenance.checkpoint import read_checkpoint
from placet.provenance.cosignature import CosignatureVerifier, time_of
from placet.provenance.notes import Ed25519Verifier, split, verify
from placet.provenance.witnessing import place_of
from tests.drivers.ledger.faulty import FaultyFolder, Killed
from tests.drivers.witness.stand import COSIGNER, LOGS, NOW_S, PLACE, SIGNER, Still, call, note_of, witness_in

OWN = CosignatureVerifier.read(COSIGNER.vkey)


def test_what_is_cosigned_is_kept_with_the_signature_of_the_log(tmp_path: Path) -> None:
    witness = witness_in(tmp_path)
    answer = witness.answer(call(0, 7))
    assert answer.status == 200
    cosigned = verify(note_of(7) + answer.said.encode(), [OWN])
    assert time_of(cosigned.signatures[0].signature) == NOW_S
    assert witness.kept(PLACE) == note_of(7) + answer.said.encode()
    both = verify(witness.kept(PLACE) or b"", [OWN, Ed25519Verifier.read(SIGNER.vkey)])
    assert [line.name for line in both.signatures] == ["example.com/log", "w.example/a"]


def test_a_witness_that_starts_again_goes_on_from_what_it_kept(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    witness_in(store).answer(call(0, 7))
    store.close()
    again = witness_in(tmp_path)
    assert again.answer(call(0, 9)).said == "7\n"
    assert again.answer(call(7, 9)).status == 200


def test_signatures_of_others_are_not_shown_again(tmp_path: Path) -> None:
    witness = witness_in(tmp_path)
    answer = witness.answer(call(0, 7) + "— somebody.example AAAAAAAA\n".encode())
    assert answer.status == 200
    assert b"somebody" not in (witness.kept(PLACE) or b"somebody")


def test_a_fork_is_refused_and_both_heads_are_kept_against_the_log(tmp_path: Path) -> None:
    watch = Watch()
    witness = witness_in(tmp_path, watch)
    witness.answer(call(0, 7))
    assert witness.answer(call(7, 7, "fork")).status == 409
    assert witness.answer(call(7, 9, "fork")).status == 422
    assert witness.answer(call(7, 9, "fork")).status == 422
    assert witness.latest("example.com/log") == read_checkpoint(split(note_of(7))[0])
    shown = witness.against(PLACE)
    assert len(shown) == 2
    for text, size in zip(shown, (7, 9), strict=True):
        # Two notes, each good by itself under the log's own key, that cannot both be heads of one log.
        assert note_of(7) in text
        assert text.endswith(b"\n" + note_of(size, "fork"))
    counted = exposition(watch).decode()
    assert "placet_witness_contradictions 2.0" in counted
    assert 'placet_witness_answers_total{status="422"} 2.0' in counted


def test_what_is_kept_against_a_log_is_bounded(tmp_path: Path) -> None:
    witness = witness_in(tmp_path)
    witness.answer(call(0, 3))
    for number in range(AGAINST_MOST + 3):
        assert witness.answer(call(3, 3, f"fork {number}")).status == 409
    assert len(witness.against(PLACE)) == AGAINST_MOST


def test_of_calls_at_one_time_that_go_on_from_one_head_one_is_cosigned(tmp_path: Path) -> None:
    witness = witness_in(tmp_path)
    witness.answer(call(0, 7))
    calls = [call(7, size) for size in range(8, 24)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(witness.answer, calls))
    good = [size for size, answer in zip(range(8, 24), answers, strict=True) if answer.status == 200]
    assert len(good) == 1
    assert {answer.said for answer in answers if answer.status != 200} == {f"{good[0]}\n"}


def test_two_witnesses_do_not_share_a_folder(tmp_path: Path) -> None:
    witness_in(tmp_path)
    with pytest.raises(Unavailable, match="another"):
        witness_in(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note.replace(b"\n7\n", b"\n6\n"),
        lambda note: note[: note.index(b"\xe2\x80\x94 w.example")],
        lambda _: b"",
        lambda note: note[:-9] + b"AAAAAAA=\n",
    ],
)
def test_a_witness_does_not_go_on_from_what_it_never_cosigned(tmp_path: Path, change: object) -> None:
    store = FolderStore(tmp_path)
    witness_in(store).answer(call(0, 7))
    store.close()
    kept = tmp_path / PLACE / "checkpoint"
    kept.write_bytes(change(kept.read_bytes()))  # type: ignore[operator]
    with pytest.raises(Corrupted, match=r"not a checkpoint that `w.example/a` cosigned"):
        witness_in(tmp_path)


def test_a_head_of_another_log_in_the_place_of_this_one_is_found(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    witness_in(store).answer(call(0, 7))
    store.close()
    (tmp_path / PLACE).rename(tmp_path / place_of("example.com/else"))
    with pytest.raises(Corrupted, match=r"a checkpoint of `example.com/log`, expected one of `example.com/else`"):
        Witness(FolderStore(tmp_path), COSIGNER, {"example.com/else": LOGS["example.com/log"]}, Still(), Watch())


CALLS = ((0, 7, "leaf"), (7, 9, "leaf"), (9, 9, "fork"), (9, 12, "leaf"))


def steps_of(folder: Path) -> int:
    store = FaultyFolder(folder)
    witness = witness_in(store)
    for one in CALLS:
        witness.answer(call(*one))
    store.close()
    return store.steps


def drive(witness: Witness) -> int:
    """Return the largest size that was cosigned before the fault ended it."""
    answered = 0
    try:
        for old, size, word in CALLS:
            if witness.answer(call(old, size, word)).status == 200:
                answered = size
    except (Unsure, Killed):
        return answered
    pytest.fail("the fault was not met")


@pytest.mark.parametrize("mode", ["failed", "kept", "killed", "killed after"])
@pytest.mark.parametrize("power", [False, True])
def test_whatever_fails_no_answer_was_given_that_is_not_kept(tmp_path: Path, mode: str, power: bool) -> None:
    count = steps_of(tmp_path / "whole")
    assert count > 12
    for at in range(count):
        folder = tmp_path / str(at)
        store = FaultyFolder(folder, at, mode)
        witness = witness_in(store)
        answered = drive(witness)
        if mode in ("failed", "kept"):
            # It answers nothing more: what is on the disk is for the next start to find.
            with pytest.raises(PlacetError):
                witness.answer(call(answered, 12))
            assert isinstance(witness.failure, Unsure)
        if power:
            store.lose_power()
        store.close()
        again = witness_in(folder)
        known = again.latest("example.com/log")
        size = known.size if known else 0
        assert size >= answered
        assert again.answer(call(size, 20)).status == 200
        if size:
            assert again.answer(call(20, 20, "fork")).status == 409
        again._store.close()

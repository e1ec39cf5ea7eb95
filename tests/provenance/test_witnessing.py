"""What a witness answers, status by status as tlog-witness lays it down, and that nothing but a longer log is cosigned."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from placet.model.merkle import EMPTY
from placet.provenance.checkpoint import Checkpoint, sign_checkpoint
from placet.provenance.notes import Ed25519Signer, Ed25519Verifier
from placet.provenance.proofs import TileTree
from placet.provenance.witnessing import Asked, Judged, judge, read_asked
from tests.provenance.logs import DictLog

SIGNER = Ed25519Signer("example.com/log", Ed25519PrivateKey.from_private_bytes(b"l" * 32))
STRANGER = Ed25519Signer("example.com/log", Ed25519PrivateKey.from_private_bytes(b"s" * 32))
LOGS = {"example.com/log": [Ed25519Verifier.read(SIGNER.vkey)]}
LEAVES = 40


def log_of(word: bytes, size: int = LEAVES) -> DictLog:
    log = DictLog()
    log.add([word + bytes([n]) if n > 4 else bytes([n]) for n in range(size)])
    return log


TREE = TileTree(LEAVES, log_of(b"leaf").read)
FORK = TileTree(LEAVES, log_of(b"fork").read)
"""Another log, which is the same up to 5 leaves."""


def head(size: int, tree: TileTree = TREE, origin: str = "example.com/log") -> Checkpoint:
    return Checkpoint(origin, size, tree.root(size))


def path(old: int, size: int, log: bytes = b"leaf") -> tuple[bytes, ...]:
    return tuple(TileTree(size, log_of(log, size).read).consistency(old)) if 0 < old < size else ()


def asked(old: int, new: Checkpoint, proof: tuple[bytes, ...] | None = None, signer: Ed25519Signer = SIGNER) -> bytes:
    proof = path(old, new.size) if proof is None else proof
    return Asked(old, proof, sign_checkpoint(new, [signer])).data


def after(size: int | None, data: bytes) -> Judged:
    """Judge a call by a witness that has cosigned `size` leaves, or none yet."""
    return judge(data, LOGS, lambda origin: None if size is None else head(size))


BODY = asked(7, head(20))
TABLE = [
    ("the first head of a log", None, asked(0, head(7)), 200, "", False),
    ("an empty log", None, asked(0, head(0)), 200, "", False),
    ("a longer log", 7, BODY, 200, "", False),
    ("the same head again", 7, asked(7, head(7)), 200, "", False),
    ("an unknown log", 7, asked(7, head(20, origin="example.com/else")), 404, "no log that is witnessed here", False),
    ("a key that is not the log's", 7, asked(7, head(20), signer=STRANGER), 403, "no known key signed", False),
    ("a signature over another text", 7, BODY.replace(b"\n20\n", b"\n21\n"), 403, "is wrong", False),
    ("an old size past the head", 7, asked(21, head(20), ()), 400, "old 21 is past", False),
    ("an old size that is behind", 20, asked(7, head(30)), 409, "20\n", False),
    ("an old size that is ahead", 7, asked(20, head(30)), 409, "7\n", False),
    ("an old size of none, to learn it", 20, asked(0, head(30)), 409, "20\n", False),
    ("a head that is shorter", 20, asked(20, head(7), ()), 400, "old 20 is past", False),
    ("another root over the same leaves", 20, asked(20, head(20, FORK)), 409, "20\n", True),
    ("that, by one who claims an older past", 20, asked(7, head(20, FORK), ()), 409, "20\n", True),
    ("a log that forked before", 20, asked(20, head(30, FORK), path(20, 30, b"fork")), 422, "does not lead", True),
    ("a proof of another log", 7, asked(7, head(20), path(7, 20, b"fork")), 422, "does not lead", True),
    ("no proof", 7, asked(7, head(20), ()), 422, "does not lead", True),
    ("a proof from no leaves", None, asked(0, head(20), path(7, 20)), 422, "does not lead", True),
    ("a proof from a head to itself", 7, asked(7, head(7), path(7, 20)), 422, "does not lead", False),
    ("an empty log with leaves' root", None, asked(0, Checkpoint("example.com/log", 0, bytes(32))), 409, "0\n", True),
]  # fmt: skip


@pytest.mark.parametrize(("size", "data", "status", "said", "against"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])  # fmt: skip
def test_a_witness_answers_as_laid_down(size: int | None, data: bytes, status: int, said: str, against: bool) -> None:
    judged = after(size, data)
    assert (judged.status, bool(judged.against)) == (status, against)
    assert said in judged.said
    assert (judged.head is not None) is (status == 200)
    if status == 409:
        assert (judged.said, judged.kind) == (said, "text/x.tlog.size")


def changed(old: bytes, new: bytes) -> bytes:
    assert old in BODY
    return BODY.replace(old, new, 1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        changed(b"old 7", b"old 07"),
        changed(b"old 7", b"old -7"),
        changed(b"old 7", b"old  7"),
        changed(b"old 7", b"old 9223372036854775808"),
        changed(b"old 7", b"7"),
        changed(b"=\n", b"\n"),
        changed(b"=\n", b"=\r\n"),
        changed(b"=\n", b"=\n!\n"),
        changed(b"old 7\n", b"old 7\n" + b"A" * 43 + b"=\n" * 1 + (b"A" * 43 + b"=\n") * 63),
        BODY.split(b"\n\n")[0] + b"\n\n",
        BODY.split(b"\n\n")[0],
        changed(b"\n20\n", b"\n020\n"),
        changed("—".encode(), b"-"),
    ],
)
def test_what_is_no_call_is_a_bad_request(data: bytes) -> None:
    assert after(7, data).status == 400


def test_a_call_is_read_as_it_was_written() -> None:
    made = Asked(7, path(7, 20), sign_checkpoint(head(20), [SIGNER]))
    assert read_asked(made.data) == made


@given(st.integers(0, LEAVES), st.integers(0, LEAVES), st.integers(0, LEAVES), st.booleans())
def test_only_what_goes_on_from_the_last_head_is_ever_cosigned(seen: int, old: int, new: int, forked: bool) -> None:
    tree, word = (FORK, b"fork") if forked else (TREE, b"leaf")
    proof = path(old, new, word)
    judged = after(seen, asked(old, Checkpoint("example.com/log", new, tree.root(new) if new else EMPTY), proof))
    same = not forked or new <= 5 or (seen <= 5 and old == seen)
    assert (judged.status == 200) is (old == seen <= new and same)
    if judged.against:
        assert forked

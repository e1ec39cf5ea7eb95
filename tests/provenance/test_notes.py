"""Signed notes, checkpoints and proof files as others publish them."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from placet.provenance.checkpoint import Checkpoint, open_checkpoint, read_checkpoint, sign_checkpoint
from placet.provenance.notes import Ed25519Signer, Ed25519Verifier, NoteSignature, sign, split, verify
from placet.provenance.prooffile import ProofFile, read_proof
from tests.provenance.logs import PublishedLog, b64, vectors

OPEN = vectors("open-cases.json")
SIGN = vectors("sign-cases.json")
VKEYS = vectors("vkey-cases.json")
BODIES = vectors("body-cases.json")["cases"]
PROOFS = vectors("proof-cases.json")


def named(lines: tuple[NoteSignature, ...]) -> list[str]:
    return [f"{line.name}+{line.key_id.hex()}" for line in lines]


@pytest.mark.parametrize("case", OPEN, ids=[case["name"] for case in OPEN])
def test_a_published_note_opens_or_does_not(case: dict[str, Any]) -> None:
    data = b64(case["note_base64"]) if "note_base64" in case else case["note"].encode()
    keys = [Ed25519Verifier.read(vkey) for vkey in case["keys"]]
    if "error" in case:
        with pytest.raises(ValueError):  # noqa: PT011 - each says it in its own words
            verify(data, keys)
        return
    note = verify(data, keys)
    assert named(note.signatures) == case["verified"]
    # What is the same line twice is told once there, and by key here.
    assert named(note.unknown) == case["unverified"]


@pytest.mark.parametrize("case", SIGN, ids=[case["name"] for case in SIGN])
def test_a_published_note_is_signed_alike(case: dict[str, Any]) -> None:
    name, key = case["private_key"].removeprefix("PRIVATE+KEY+").split("+", 2)[0::2]
    signer = Ed25519Signer(name, Ed25519PrivateKey.from_private_bytes(b64(key)[1:]))
    if "public_key" in case:
        assert signer.vkey == case["public_key"]
    if "error" in case:
        with pytest.raises(ValueError, match="ends in a newline"):
            sign(case["text"], [signer])
        return
    there = [NoteSignature(name, signer.key_id, b"bad")] if "existing_signature" in case else []
    assert sign(case["text"], [signer], there) == case["note"]


@pytest.mark.parametrize("case", VKEYS["cases"], ids=[case["vkey"][-12:] for case in VKEYS["cases"]])
def test_a_published_key_is_taken_or_refused(case: dict[str, Any]) -> None:
    if case["valid"]:
        assert Ed25519Verifier.read(case["vkey"]).name == case["vkey"].split("+")[0]
    else:
        with pytest.raises(ValueError, match="verifier key"):
            Ed25519Verifier.read(case["vkey"])


def test_no_part_of_a_key_and_no_key_with_another_byte_is_a_key() -> None:
    base = VKEYS["rule"]["base"]
    parts = {base[start:end] for start in range(len(base)) for end in range(start, len(base) + 1)} - {base}
    bent = {base[:at] + chr(ord(base[at]) + 1) + base[at + 1 :] for at in range(len(base))}
    for text in parts | bent:
        with pytest.raises(ValueError, match=r"key"):
            Ed25519Verifier.read(text)


@pytest.mark.parametrize("text", ["a\x01b\n", "a\tb\n", "a\r\n", "a"])
def test_a_text_that_no_note_can_hold_is_not_signed(text: str) -> None:
    with pytest.raises(ValueError, match="the text of a note"):
        sign(text, [])


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb"])
def test_a_name_that_no_key_can_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no name of a key"):
        Ed25519Signer(name, Ed25519PrivateKey.from_private_bytes(bytes(32)))


@pytest.mark.parametrize("case", BODIES, ids=[case["name"] for case in BODIES])
def test_a_published_checkpoint_body_is_read_or_refused(case: dict[str, Any]) -> None:
    """Their roots are no hashes, and ours must be: those that are good there are refused here for that alone."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 - what it says is compared
        read_checkpoint(case["body"])
    if not case.get("error"):
        assert "is no root of a log" in str(error.value) or "advisory" in case
        with_root = case["body"].replace(case["hash_base64"], "A" * 43 + "=")
        if "advisory" not in case:
            assert read_checkpoint(with_root) == Checkpoint(case["origin"], case["size"], bytes(32))


@pytest.mark.parametrize("size", ["01", "+1", " 1", "1 ", "", "-0", "9223372036854775808", "1e3", "١"])
def test_a_size_has_one_text(size: str) -> None:
    with pytest.raises(ValueError, match="is no size of a log"):
        read_checkpoint(f"Log\n{size}\n{'A' * 43}=\n")


def test_a_published_cosigned_checkpoint_is_read() -> None:
    case = vectors("cosigned-example.json")
    text, lines = split(case["checkpoint"].encode())
    assert read_checkpoint(text).size == 20852163
    assert [line.name for line in lines] == ["example.com/behind-the-sofa", "witness.example.com/w1"]
    assert int.from_bytes(lines[1].signature[:8], "big") == case["timestamp"]


SIGNER = Ed25519Signer("example.com/placet", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
KNOWN = Ed25519Verifier.read(SIGNER.vkey)
HEAD = Checkpoint("example.com/placet", 7, bytes(range(32)))


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_no_bit_of_a_checkpoint_can_be_flipped(at: int, bit: int) -> None:
    data = bytearray(sign_checkpoint(HEAD, [SIGNER]))
    data[at % len(data)] ^= 1 << bit
    try:
        head, _ = open_checkpoint(bytes(data), HEAD.origin, [KNOWN])
    except ValueError:
        return
    raise AssertionError(f"a bent checkpoint says {head}")


def test_a_checkpoint_is_of_its_log_and_of_a_known_key() -> None:
    data = sign_checkpoint(HEAD, [SIGNER])
    assert open_checkpoint(data, HEAD.origin, [KNOWN])[0] == HEAD
    with pytest.raises(ValueError, match=r"a checkpoint of `example\.com/placet`, expected one of `other`"):
        open_checkpoint(data, "other", [KNOWN])
    stranger = Ed25519Verifier.read(PublishedLog().vkey)
    with pytest.raises(ValueError, match="no known key"):
        open_checkpoint(data, HEAD.origin, [stranger])


def test_during_a_rotation_either_key_verifies() -> None:
    other = Ed25519Signer("example.com/placet", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    data = sign_checkpoint(HEAD, [SIGNER, other])
    for key in (SIGNER, other):
        assert open_checkpoint(data, HEAD.origin, [Ed25519Verifier.read(key.vkey)])[0] == HEAD


@pytest.mark.parametrize("case", PROOFS["marshal"], ids=[case["name"] for case in PROOFS["marshal"]])
def test_a_published_proof_goes_both_ways(case: dict[str, Any]) -> None:
    extra = case["extra_base64"]
    proof = ProofFile(
        case["index"],
        tuple(map(b64, case["hashes"])),
        case["checkpoint"].encode(),
        None if extra is None else b64(extra),
    )
    assert proof.text == case["proof"].encode()
    assert read_proof(proof.text) == proof


@pytest.mark.parametrize("case", PROOFS["reject"], ids=[case["name"] for case in PROOFS["reject"]])
def test_a_published_bad_proof_is_refused(case: dict[str, Any]) -> None:
    text = case.get("proof") or case["proof_prefix"] + case["then_repeat"] * case["times"] + case["proof_suffix"]
    with pytest.raises(ValueError, match=r"proof|base64"):
        read_proof(text.encode())


def test_the_proof_in_the_text_of_c2sp_is_read() -> None:
    proof = read_proof(PROOFS["spec_example"]["proof"].encode())
    assert (proof.leaf, len(proof.path)) == (73894, 5)
    assert proof.checkpoint.startswith(b"example.com/fancylog\n109482\n")


@pytest.mark.parametrize("index", ["01", "9223372036854775808", "9" * 5000, "", "1 "])
def test_an_index_has_one_text(index: str) -> None:
    with pytest.raises(ValueError, match="expected `index`"):
        read_proof(f"c2sp.org/tlog-proof@v1\nindex {index}\n\nc\n".encode())

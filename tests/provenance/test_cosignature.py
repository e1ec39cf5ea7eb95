"""Cosignatures as published, and that only the key, the time and the text that were signed are believed."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from placet.provenance.cosignature import CosignatureVerifier, Cosigner, time_of, verifier_of
from placet.provenance.notes import Ed25519Signer, Ed25519Verifier, split
from tests.provenance.logs import vectors

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
COSIGNER = Cosigner("witness.example/w1", PRIVATE)
VERIFIER = CosignatureVerifier.read(COSIGNER.vkey)
TEXT = "example.com/log\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


def test_the_published_cosignature_says_its_time_and_its_text() -> None:
    case = vectors("cosigned-example.json")
    text, lines = split(case["checkpoint"].encode())
    line = next(line for line in lines if line.name == "witness.example.com/w1")
    assert (time_of(line.signature), len(line.signature)) == (case["timestamp"], 72)
    # What is signed, by a key of our own in the place of the one that was not published.
    ours = Cosigner("w", PRIVATE).cosign(text, case["timestamp"])
    PRIVATE.public_key().verify(ours.signature[8:], case["ed25519_cosigned_message"].encode())


def test_a_key_has_the_id_of_its_name_type_and_bytes() -> None:
    # SHA-256("witness.example/w1\n" || 04 || key), its first four bytes; made with sha256sum.
    name, key_id, _ = COSIGNER.vkey.split("+", 2)
    assert (name, key_id) == ("witness.example/w1", VERIFIER.key_id.hex())
    assert Ed25519Signer("witness.example/w1", PRIVATE).key_id != VERIFIER.key_id


@pytest.mark.parametrize(
    ("text", "at", "name", "private", "good"),
    [
        (TEXT, 1_700_000_000, "witness.example/w1", PRIVATE, True),
        (TEXT.replace("7", "8"), 1_700_000_000, "witness.example/w1", PRIVATE, False),
        (TEXT, 1_700_000_000, "witness.example/w1", Ed25519PrivateKey.from_private_bytes(bytes(32)), False),
    ],
)
def test_only_what_was_signed_is_believed(
    text: str, at: int, name: str, private: Ed25519PrivateKey, good: bool
) -> None:
    assert VERIFIER.verify(TEXT, Cosigner(name, private).cosign(text, at).signature) is good


def test_another_time_than_the_one_signed_is_not_believed() -> None:
    signature = COSIGNER.cosign(TEXT, 1_700_000_000).signature
    assert not VERIFIER.verify(TEXT, (1_700_000_001).to_bytes(8, "big") + signature[8:])
    assert not VERIFIER.verify(TEXT, signature[:-1])
    assert not VERIFIER.verify(TEXT, b"")
    late = COSIGNER.cosign(TEXT, 1 << 63).signature
    assert not VERIFIER.verify(TEXT, late)


def test_a_plain_signature_is_no_cosignature_and_the_other_way_round() -> None:
    signer = Ed25519Signer("witness.example/w1", PRIVATE)
    assert not VERIFIER.verify(TEXT, signer.sign(TEXT))
    assert not Ed25519Verifier.read(signer.vkey).verify(TEXT, COSIGNER.cosign(TEXT, 1).signature)
    with pytest.raises(ValueError, match="expected a cosigner's"):
        CosignatureVerifier.read(signer.vkey)
    with pytest.raises(ValueError, match="expected Ed25519"):
        Ed25519Verifier.read(COSIGNER.vkey)
    assert isinstance(verifier_of(signer.vkey), Ed25519Verifier)
    assert isinstance(verifier_of(COSIGNER.vkey), CosignatureVerifier)

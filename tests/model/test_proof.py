"""Writers' proofs: what is signed, what is refused, and one signature check for a batch."""

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from placet.errors import PoisonRecord
from placet.model.codec import claim, outcome
from placet.model.merkle import leaf_hash, path_of, root_of
from placet.model.proof import KeyRing, PinnedKey, Proof, Signer
from placet.model.reasons import Reason

EXECUTOR = Signer("exec-1", "service:psp", bytes(range(32)))
OTHER = Signer("exec-2", "service:bank", bytes(range(1, 33)))
PURPOSES = ("executor",)
BATCH = [b"payload %d" % number for number in range(7)]


class CountingKey:
    """A public key that counts how often it is asked."""

    def __init__(self, public: bytes) -> None:
        self.key = Ed25519PublicKey.from_public_bytes(public)
        self.asked = 0

    def verify(self, signature: bytes, data: bytes) -> None:
        self.asked += 1
        self.key.verify(signature, data)


def ring() -> KeyRing:
    return KeyRing(
        [EXECUTOR.pinned("executor"), OTHER.pinned("executor"), PinnedKey("op", "user:op", "operator", OTHER.public)]
    )


def signed() -> list[Proof]:
    return EXECUTOR.sign_batch("claim", claim.FINGERPRINT, BATCH)


def refused(keys: KeyRing, unsigned: bytes, proof: Any, **other: Any) -> str:
    asked = {"name": "claim", "fingerprint": claim.FINGERPRINT, "purposes": PURPOSES, **other}
    with pytest.raises(PoisonRecord) as caught:
        keys.verify(asked["name"], asked["fingerprint"], unsigned, proof, asked["purposes"], "acme", 0)
    assert caught.value.reason == Reason.WRITER_UNPROVED
    return str(caught.value)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_every_record_of_a_batch_is_proved(size: int) -> None:
    keys = ring()
    proofs = EXECUTOR.sign_batch("claim", claim.FINGERPRINT, BATCH[:size])
    assert [proof[:4] for proof in proofs] == [("service:psp", "exec-1", index, size) for index in range(size)]
    for unsigned, proof in zip(BATCH, proofs, strict=False):
        assert keys.verify("claim", claim.FINGERPRINT, unsigned, proof, PURPOSES, "acme", 0) == "service:psp"


def test_what_is_signed_is_domain_size_and_root() -> None:
    leaves = [leaf_hash(b"placet/claim/1" + claim.FINGERPRINT + unsigned) for unsigned in BATCH]
    proof = signed()[4]
    assert proof.path == path_of(leaves, 4)
    message = b"placet/batch/1" + b"\x00\x00\x00\x07" + root_of(leaves)
    Ed25519PublicKey.from_public_bytes(EXECUTOR.public).verify(proof.signature, message)


def test_an_empty_batch_has_no_proofs() -> None:
    assert EXECUTOR.sign_batch("claim", claim.FINGERPRINT, []) == []


def test_one_signature_is_checked_for_a_batch() -> None:
    keys = ring()
    counting = CountingKey(EXECUTOR.public)
    keys.pinned["exec-1"] = keys.pinned["exec-1"]._replace(public=counting)  # type: ignore[arg-type]
    for unsigned, proof in zip(BATCH, signed(), strict=True):
        keys.verify("claim", claim.FINGERPRINT, unsigned, proof, PURPOSES, "acme", 0)
    assert counting.asked == 1
    refused(keys, BATCH[0] + b"x", signed()[0])
    refused(keys, BATCH[0] + b"x", signed()[0])
    assert counting.asked == 3  # what failed is not remembered
    for unsigned, proof in zip(BATCH, EXECUTOR.sign_batch("claim", claim.FINGERPRINT, BATCH[:2]), strict=False):
        keys.verify("claim", claim.FINGERPRINT, unsigned, proof, PURPOSES, "acme", 0)
    assert counting.asked == 4


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("placet.model.proof._TREES_MOST", 3)
    keys = ring()
    for number in range(10):
        unsigned = b"alone %d" % number
        proof = EXECUTOR.sign_batch("claim", claim.FINGERPRINT, [unsigned])[0]
        keys.verify("claim", claim.FINGERPRINT, unsigned, proof, PURPOSES, "acme", 0)
    assert len(keys._trees) == 3
    monkeypatch.setattr("placet.model.proof._NODES_MOST", 40)
    for number in range(10):
        batch = [b"batch %d, %d" % (number, place) for place in range(8)]
        for unsigned, proof in zip(batch, EXECUTOR.sign_batch("claim", claim.FINGERPRINT, batch), strict=True):
            keys.verify("claim", claim.FINGERPRINT, unsigned, proof, PURPOSES, "acme", 0)
            assert keys._nodes == sum(len(tree.nodes) for tree in keys._trees.values()) <= 40


def test_every_flipped_byte_is_refused() -> None:
    keys = ring()
    unsigned, proof = BATCH[5], signed()[5]
    keys.verify("claim", claim.FINGERPRINT, unsigned, proof, PURPOSES, "acme", 0)
    for place in range(len(unsigned)):
        refused(keys, flipped(unsigned, place), proof)
    for place in range(32):
        refused(keys, unsigned, proof, fingerprint=flipped(claim.FINGERPRINT, place))
    for place in range(len(proof.path)):
        refused(keys, unsigned, proof._replace(path=flipped(proof.path, place)))
    for place in range(len(proof.signature)):
        refused(keys, unsigned, proof._replace(signature=flipped(proof.signature, place)))


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_a_proof_is_of_its_own_place_and_batch() -> None:
    keys = ring()
    proofs = signed()
    others = EXECUTOR.sign_batch("claim", claim.FINGERPRINT, [b"x%d" % number for number in range(7)])
    for unsigned, proof in zip(BATCH, proofs, strict=True):
        keys.verify("claim", claim.FINGERPRINT, unsigned, proof, PURPOSES, "acme", 0)
    first = proofs[0]
    for wrong in (
        proofs[1],
        first._replace(index=1),
        first._replace(index=-1),
        first._replace(index=7),
        first._replace(size=8),
        first._replace(size=6),
        first._replace(size=0),
        first._replace(size=-1),
        first._replace(size=2**31 - 1),
        first._replace(path=proofs[1].path),
        first._replace(path=others[0].path),
        first._replace(path=first.path[:-32]),
        first._replace(path=first.path + bytes(32)),
        first._replace(path=b""),
        first._replace(signature=others[0].signature),
        first._replace(signature=b""),
        first._replace(signature=first.signature + b"\x00"),
        first._replace(path=others[0].path, signature=others[0].signature),
    ):
        refused(keys, BATCH[0], wrong)


def test_a_proof_of_one_kind_of_record_is_none_of_another() -> None:
    proof = signed()[0]
    refused(ring(), BATCH[0], proof, name="outcome")
    refused(ring(), BATCH[0], proof, fingerprint=outcome.FINGERPRINT)


def test_an_inner_node_is_no_leaf() -> None:
    keys = ring()
    leaves = [leaf_hash(b"placet/claim/1" + claim.FINGERPRINT + unsigned) for unsigned in BATCH[:4]]
    proof = EXECUTOR.sign_batch("claim", claim.FINGERPRINT, BATCH[:4])[0]
    refused(keys, leaves[0] + leaves[1], Proof(proof.issuer, proof.kid, 0, 2, proof.path[32:], proof.signature))


def test_a_signature_over_something_else_is_none() -> None:
    leaf = leaf_hash(b"placet/claim/1" + claim.FINGERPRINT + BATCH[0])
    for message in (leaf, b"placet/seal/1" + leaf, b"placet/batch/1" + leaf, b"placet/batch/1\x01\x00\x00\x00" + leaf):
        refused(ring(), BATCH[0], Proof("service:psp", "exec-1", 0, 1, b"", EXECUTOR.sign(message)))
    good = Proof("service:psp", "exec-1", 0, 1, b"", EXECUTOR.sign(b"placet/batch/1\x00\x00\x00\x01" + leaf))
    assert ring().verify("claim", claim.FINGERPRINT, BATCH[0], good, PURPOSES, "acme", 0) == "service:psp"


def test_the_key_decides_who_wrote_and_what_for() -> None:
    proof = signed()[0]
    assert "without proof" in refused(ring(), BATCH[0], None)
    assert "no key `exec-9`" in refused(ring(), BATCH[0], proof._replace(kid="exec-9"))
    assert "not of the issuer `service:bank`" in refused(ring(), BATCH[0], proof._replace(issuer="service:bank"))
    refused(ring(), BATCH[0], proof._replace(issuer="service:bank", kid="exec-2"))
    assert "for `executor`, expected operator" in refused(ring(), BATCH[0], proof, purposes=("operator",))
    assert "expected agent or feed" in refused(ring(), BATCH[0], proof, purposes={"feed", "agent"})
    refused(ring(), BATCH[0], proof, purposes=())
    assert ring().verify("claim", claim.FINGERPRINT, BATCH[0], proof, {"agent", "executor"}, "acme", 0) == "service:psp"


def test_a_proof_verified_under_one_key_is_not_remembered_for_another() -> None:
    keys = ring()
    unsigned, proof = BATCH[0], signed()[0]
    keys.verify("claim", claim.FINGERPRINT, unsigned, proof, PURPOSES, "acme", 0)
    refused(keys, unsigned, proof._replace(kid="op", issuer="user:op"), purposes=("operator",))


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ([EXECUTOR.pinned("executor"), EXECUTOR.pinned("seal")], "`exec-1` is given twice"),
        ([EXECUTOR.pinned("anything")], "`exec-1` is for `anything`, expected one of agent, approver"),
        ([PinnedKey("k", "i", "seal", bytes(31))], "`k` has 31 bytes, expected 32"),
    ],
)
def test_a_faulty_key_file_is_said(keys: list[PinnedKey], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        KeyRing(keys)


def test_a_claim_travels_with_its_proof() -> None:
    bare = claim.Claim("acme", "user:ada", bytes(16), 1, hashlib.sha256().digest(), "service:psp", bytes(16), 5, None)
    proof = EXECUTOR.sign_batch("claim", claim.FINGERPRINT, [claim.encode_unsigned(bare)])[0]
    framed = claim.frame(bare._replace(proof=claim.Proof(*proof)))
    read, proof_at = claim.decode_signed(framed)
    assert (
        ring().verify("claim", claim.FINGERPRINT, framed[5:proof_at], read.proof, PURPOSES, "acme", 0) == "service:psp"
    )


def test_the_key_of_rfc_8032() -> None:
    # RFC 8032 §7.1, test 1
    signer = Signer("k", "i", bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    assert signer.public.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    signature = signer.sign(b"")
    assert signature.hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    assert KeyRing([signer.pinned("seal")]).check("k", b"", signature, {"seal"}) == "i"

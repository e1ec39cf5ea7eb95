"""Policies of trust: what a quorum is, whose word counts, and what is no policy."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from placet.provenance.checkpoint import Checkpoint, sign_checkpoint
from placet.provenance.cosignature import Cosigner
from placet.provenance.notes import Ed25519Signer
from placet.provenance.trust import read_policy

LOG = Ed25519Signer("example.com/log", Ed25519PrivateKey.from_private_bytes(b"l" * 32))
OTHER = Ed25519Signer("example.com/other", Ed25519PrivateKey.from_private_bytes(b"o" * 32))
WITNESSES = {
    name: Cosigner(f"w.example/{name}", Ed25519PrivateKey.from_private_bytes(name.encode() * 32)) for name in "abc"
}
A, B = WITNESSES["a"].vkey, WITNESSES["b"].vkey
KEYS = "".join(f"witness {name} {key.vkey} https://{name}.example/\n" for name, key in WITNESSES.items())
HEAD = Checkpoint("example.com/log", 7, bytes(32))
QUORUMS = {
    "none": f"{KEYS}quorum none\n",
    "one": f"# a witness\n{KEYS}\n\tquorum \t a\n",
    "two": f"{KEYS}group g 2 a b c\nquorum g\n",
    "all": f"{KEYS}group g all a b c\nquorum g\n",
    "inner": f"{KEYS}group x any a b\ngroup g all x c\nquorum g",
}


def note(cosigners: str, head: Checkpoint = HEAD, signer: Ed25519Signer = LOG) -> bytes:
    lines = "".join(WITNESSES[name].cosign(head.text, 1_700_000_000).line for name in cosigners)
    return sign_checkpoint(head, [signer]) + lines.encode()


@pytest.mark.parametrize(
    ("quorum", "cosigners", "good"),
    [
        ("none", "", True), ("one", "", False), ("one", "b", False), ("one", "a", True), ("two", "a", False),
        ("two", "ca", True), ("two", "aa", False), ("all", "ab", False), ("all", "cab", True), ("inner", "ab", False),
        ("inner", "bc", True),
    ],
)  # fmt: skip
def test_a_quorum_is_counted_as_the_policy_says(quorum: str, cosigners: str, good: bool) -> None:
    policy = read_policy(f"log {LOG.vkey}\n{QUORUMS[quorum]}")
    if good:
        head, found = policy.open(note(cosigners))
        assert (head, policy.cosigners(found)) == (HEAD, set(cosigners))
    else:
        with pytest.raises(ValueError, match="do not make the quorum"):
            policy.open(note(cosigners))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (note("a", signer=OTHER), "no known key of `example.com/log` signed"),
        (note("a", HEAD._replace(origin="example.com/other")), "a checkpoint of `example.com/other`, expected one of"),
        (note("a").replace(b"\n7\n", b"\n8\n"), "is wrong"),
        (sign_checkpoint(HEAD, [OTHER]), "no known key signed"),
    ],
)
def test_a_checkpoint_that_the_log_did_not_sign_is_not_believed(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_policy(f"log {LOG.vkey}\n{KEYS}quorum none\n").open(data)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"witness a {A}\n", "no quorum"),
        ("quorum a\n", "line 1: `a` is not named above"),
        ("quorum none\nquorum none\n", "line 2: a second quorum"),
        (f"witness a {A}\nwitness a {B}\nquorum a\n", "line 2: `a` stands already"),
        (f"witness a {A}\nwitness b {A}\nquorum a\n", "line 2: this key stands already"),
        (f"log {LOG.vkey}\nlog {LOG.vkey}\nquorum none\n", "line 2: this key stands already"),
        (f"witness none {A}\nquorum none\n", "`none` stands already"),
        (f"witness a {LOG.vkey}\nquorum a\n", "expected a cosigner's"),
        (f"log {A}\nquorum none\n", "expected Ed25519"),
        (f"witness a {A.replace('+', '+0', 1)}\nquorum a\n", "is no verifier key"),
        (f"witness a {A.replace('w.', 'v.', 1)}\nquorum a\n", "is no verifier key"),
        (f"witness a {A}\ngroup g 2 a\nquorum g\n", "line 2: `2` of 1 members"),
        (f"witness a {A}\ngroup g 0 a\nquorum g\n", "`0` of 1 members"),
        (f"witness a {A}\ngroup g 01 a\nquorum g\n", "`01` of 1 members"),
        (f"witness a {A}\ngroup g most a\nquorum g\n", "`most` of 1 members"),
        (f"witness a {A}\ngroup g all a a\nquorum g\n", "stands in a group already"),
        (f"witness a {A}\ngroup g all h\ngroup h all a\nquorum g\n", "`h` is not named above"),
        (f"witness a {A}\ngroup g all a\ngroup h all a g\nquorum g\n", "line 3: `a` is not named above, or stands"),
        (f"witness a {A}\ngroup a all a\nquorum a\n", "`a` stands already"),
        ("trust everybody\nquorum none\n", "line 1: expected `log KEY"),
        (f"witness a {A} http://w.example/ more\nquorum a\n", "expected `log KEY"),
        (f"witness a {A}\ngroup g all\nquorum a\n", "expected `log KEY"),
        ("quorum none\r\n", "line 1: a control character"),
    ],
)
def test_what_is_not_understood_is_no_policy(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_policy(text)

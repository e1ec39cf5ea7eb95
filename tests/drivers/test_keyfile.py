"""Keys are made once, kept from others, and refused when anything about them is wrong."""

import base64
import json
import stat
from pathlib import Path

import pytest

from placet.drivers.keyfile import FIRST_KEYS, Keys, add_key, ensure_keys, read_keys, read_secret, write_secret
from placet.errors import Corrupted, Unavailable
from placet.model.codec import claim
from placet.model.codec.claim import Claim
from placet.provenance.seal import SealChain
from tests.support.memory import CountedEntropy


@pytest.fixture
def made(tmp_path: Path) -> Keys:
    return ensure_keys(tmp_path / "keys.json", tmp_path / "secrets", CountedEntropy())


def test_the_first_start_makes_keys_nobody_else_can_read(made: Keys) -> None:
    assert [(key.purpose, key.issuer) for key in made.file.keys] == list(FIRST_KEYS)
    assert stat.S_IMODE(made.secrets.stat().st_mode) == 0o700
    files = sorted(made.secrets.iterdir())
    assert len(files) == len(FIRST_KEYS) + 1
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def of_all(keys: Keys) -> set[str]:
    """Return for what there are private halves."""
    return {entry.purpose for entry in keys.file.keys if (keys.secrets / f"{entry.kid}.key").exists()}


def test_what_only_desks_may_hold_lies_apart_where_that_is_asked(tmp_path: Path) -> None:
    desks = tmp_path / "desks"
    rest = ensure_keys(tmp_path / "keys.json", tmp_path / "secrets", CountedEntropy(), desks=desks)
    of_desks = Keys(tmp_path / "keys.json", desks)
    assert len(list(desks.iterdir())) == 2
    assert len(of_desks.kek()) == 32
    assert of_desks.seal_key().kid == rest.file.keys[0].kid
    assert of_all(rest) == {"operator", "feed", "directory", "executor"}
    assert of_all(of_desks) == {"seal"}
    with pytest.raises(Unavailable):
        rest.kek()
    assert stat.S_IMODE(desks.stat().st_mode) == 0o700
    # Looked at again, there is nothing to make.
    ensure_keys(tmp_path / "keys.json", tmp_path / "secrets", CountedEntropy(), desks=desks)
    assert len(list(desks.iterdir())) == 2


def test_the_next_start_finds_the_same_keys(made: Keys) -> None:
    again = ensure_keys(made.pinned, made.secrets, CountedEntropy())
    assert again.file == made.file
    assert again.kek() == made.kek()


def test_the_public_file_holds_no_secret(made: Keys) -> None:
    public = made.pinned.read_text()
    secrets = [file.read_text() for file in made.secrets.iterdir()]
    assert not [secret for secret in secrets if secret in public]


def test_what_a_key_signs_verifies_for_its_purpose_and_no_other(made: Keys) -> None:
    unsigned = claim.encode_unsigned(
        Claim("acme", "user:bob", bytes(16), 1, bytes(32), "service:executor", bytes(16), 1, None)
    )
    (proof,) = made.signer("executor").sign_batch("claim", claim.FINGERPRINT, [unsigned])
    assert made.ring.verify("claim", claim.FINGERPRINT, unsigned, proof, ("executor",), "acme", 0) == "service:executor"
    with pytest.raises(Exception, match="is for `executor`, expected operator"):
        made.ring.verify("claim", claim.FINGERPRINT, unsigned, proof, ("operator",), "acme", 0)


def test_the_newest_key_of_a_purpose_signs(made: Keys) -> None:
    entry = add_key(made.pinned, made.secrets, "executor", "service:shop", CountedEntropy())
    keys = Keys(made.pinned, made.secrets)
    assert keys.signer("executor").kid == entry.kid
    assert keys.signer("executor", "service:executor").issuer == "service:executor"


def test_without_the_private_half_nothing_is_signed(made: Keys) -> None:
    with pytest.raises(Unavailable, match="no private approver key"):
        made.signer("approver")
    with pytest.raises(Unavailable, match="of `service:nobody`"):
        made.signer("executor", "service:nobody")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o622])
def test_a_secret_others_can_reach_is_refused(made: Keys, mode: int) -> None:
    (made.secrets / "kek").chmod(mode)
    with pytest.raises(Corrupted, match="lets others at a secret"):
        made.kek()


def test_a_folder_others_can_enter_is_refused(made: Keys) -> None:
    made.secrets.chmod(0o755)
    with pytest.raises(Corrupted, match="mode 0755"):
        made.signer("seal")


def test_a_private_key_under_another_name_is_refused(made: Keys) -> None:
    seal, operator = (made.secrets / f"{key.kid}.key" for key in made.file.keys[:2])
    operator.write_text(seal.read_text())
    with pytest.raises(Corrupted, match="is not the private half"):
        made.signer("operator")


def test_a_secret_is_never_overwritten(tmp_path: Path) -> None:
    write_secret(tmp_path / "s" / "kek", bytes(32))
    with pytest.raises(FileExistsError):
        write_secret(tmp_path / "s" / "kek", bytes(range(32)))
    assert read_secret(tmp_path / "s" / "kek") == bytes(32)


@pytest.mark.parametrize("text", ["", "not base64!", base64.b64encode(bytes(31)).decode()])
def test_a_broken_secret_is_said_without_being_shown(tmp_path: Path, text: str) -> None:
    write_secret(tmp_path / "s" / "kek", bytes(32))
    (tmp_path / "s" / "kek").write_text(text)
    with pytest.raises(Corrupted) as refused:
        read_secret(tmp_path / "s" / "kek")
    assert not text or text not in str(refused.value)


ONE = {"kid": "a", "issuer": "user:root", "purpose": "operator", "public": base64.b64encode(bytes(32)).decode()}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "invalid json"),
        (json.dumps({"version": 2, "keys": []}), "`version`"),
        (json.dumps({"version": 1, "keys": [{**ONE, "purpose": "everything"}]}), "`keys.0.purpose`"),
        (json.dumps({"version": 1, "keys": [{**ONE, "public": "AAAA"}]}), "has 3 bytes, expected 32"),
        (json.dumps({"version": 1, "keys": [{**ONE, "private": "x"}]}), "`keys.0.private`"),
        (json.dumps({"version": 1, "keys": [{**ONE, "kid": "../x"}]}), "`keys.0.kid`"),
        (json.dumps({"version": 1, "keys": [ONE, ONE]}), "stands twice"),
    ],
)
def test_a_key_file_that_is_none_is_refused_with_the_place(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "keys.json").write_text(content)
    with pytest.raises(Corrupted, match=says):
        read_keys(tmp_path / "keys.json")


def test_no_key_file_is_said_with_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="`placet keys init` made"):
        read_keys(tmp_path / "keys.json")


def test_a_start_that_crashed_before_the_public_file_begins_again(tmp_path: Path) -> None:
    entropy = CountedEntropy()
    ensure_keys(tmp_path / "keys.json", tmp_path / "secrets", entropy)
    kek = read_secret(tmp_path / "secrets" / "kek")
    (tmp_path / "keys.json").unlink()
    again = ensure_keys(tmp_path / "keys.json", tmp_path / "secrets", entropy)
    assert again.kek() == kek
    assert again.signer("seal").kid == again.file.keys[0].kid


def test_the_seal_key_seals(made: Keys) -> None:
    assert SealChain("c", 0, made.seal_key(), None).close([], 0, (), (), (), 1, 0)[:5] == b"\x00\x00\x00\x00\x09"


def test_a_signal_is_signed_with_the_newest_key_that_speaks_as_its_source(made: Keys) -> None:
    entropy = CountedEntropy()
    entropy.draw(4096)
    added = add_key(made.pinned, made.secrets, "feed", "service:siem", entropy, sources=("edr*",))
    keys = Keys(made.pinned, made.secrets)
    (first,) = [key for key in made.file.keys if key.purpose == "feed"]
    assert first.sources == ("*",)
    assert keys.signer("feed", source="service:siem").kid == added.kid
    assert keys.signer("feed", source="edr-2").kid == added.kid
    assert keys.signer("feed", source="hr").kid == first.kid
    with pytest.raises(Unavailable, match="speaks as `hr`"):
        keys.signer("feed", "service:siem", "hr")

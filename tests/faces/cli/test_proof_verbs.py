"""`placet prove`, `verify` and `witness`: from an intent to a file that holds for whoever has the log's key, and for nobody without."""

from pathlib import Path

import pytest

from placet.provenance.prooffile import read_proof
from tests.faces.cli.proving import Proved, ran
from tests.faces.cli.said import Said, placet
from tests.provenance.planted import ELSEWHERE, LOG, PROOF, PROOFS, PROVED, SIGNER, leaf, proof_of

Caps = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def proved(tmp_path_factory: pytest.TempPathFactory) -> Proved:
    return ran(tmp_path_factory.mktemp("run"))


def prove(capsys: Caps, proved: Proved, out: Path, *more: object) -> Said:
    return placet(capsys, "prove", proved.intent, "--data", proved.data, "--out", out, *more)


def test_a_record_of_an_intent_is_proved_to_whoever_has_the_key(proved: Proved, tmp_path: Path, capsys: Caps) -> None:
    made = prove(capsys, proved, tmp_path, "--json").json
    assert Path(made["file"]).name == f"{proved.intent}-{made['offset']}.tlog-proof"
    said = placet(capsys, "verify", made["file"], "--vkey", proved.vkey, "--json")
    assert said.code == 0, said
    assert said.json["holds"]
    assert said.json["leaf"] == made["leaf"] == read_proof(Path(made["file"]).read_bytes()).leaf
    assert said.json["record"]["place"] == f"placet.decisions/0@{made['offset']}"
    assert (said.json["record"]["kind"], said.json["record"]["id"]) == ("verdict", proved.intent)
    assert said.json["record"]["state"] == "denied"
    in_words = placet(capsys, "verify", made["file"], "--vkey", proved.vkey).out
    assert f"holds: leaf {made['leaf']} of" in in_words
    assert "effect: deny" in in_words


def test_a_proof_meets_the_quorum_of_a_policy(proved: Proved, tmp_path: Path, capsys: Caps) -> None:
    made = prove(capsys, proved, tmp_path, "--json").json
    said = placet(capsys, "verify", made["file"], "--policy", proved.policy, "--json")
    assert said.code == 0, said
    assert [signer.rpartition("+")[0] for signer in said.json["signers"]] == ["placet.local/log", "w.example/a"]
    file = Path(made["file"])
    alone = file.read_bytes().decode().split("— w.example/a")[0]
    file.write_text(alone)
    refused = placet(capsys, "verify", file, "--policy", proved.policy)
    assert refused.code == 3
    assert "do not make the quorum `a`" in refused.err
    assert placet(capsys, "verify", file, "--vkey", proved.vkey).code == 0


def test_each_record_of_its_life_can_be_proved(proved: Proved, tmp_path: Path, capsys: Caps) -> None:
    entries = placet(capsys, "show", proved.intent, "--data", proved.data, "--json").json["entries"]
    made = prove(capsys, proved, tmp_path, "--all", "--json").json
    assert [one["offset"] for one in made] == [entry["offset"] for entry in entries]
    chosen = prove(capsys, proved, tmp_path, "--offset", entries[0]["offset"], "--json").json
    assert chosen == made[0]
    assert prove(capsys, proved, tmp_path).out.startswith(f"file={made[-1]['file']} leaf=")


def test_what_cannot_be_proved_is_said(proved: Proved, tmp_path: Path, capsys: Caps, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    none = placet(capsys, "prove", "00" * 16, "--data", proved.data)
    assert (none.code, "nothing is said of intent" in none.err) == (1, True)
    wrong = prove(capsys, proved, tmp_path, "--offset", 999_999)
    assert (wrong.code, "has no record at offset 999999: expected one of" in wrong.err) == (1, True)
    monkeypatch.setenv("PLACET_LEDGER", str(tmp_path / "none"))
    assert "no provenance log here" in prove(capsys, proved, tmp_path).err


def copied(source: Path, place: Path) -> Path:
    for path in source.rglob("*"):
        if path.is_file():
            copy = place / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return place


def test_nothing_is_proved_from_a_log_that_does_not_agree(
    proved: Proved, tmp_path: Path, capsys: Caps, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = prove(capsys, proved, tmp_path, "--json").json["leaf"]
    bent = copied(proved.data / "ledger", tmp_path / "ledger")
    monkeypatch.setenv("PLACET_LEDGER", str(bent))
    assert prove(capsys, proved, tmp_path).code == 0
    [tile, *_] = sorted(bent.glob("tile/0/000.p/*"), key=lambda path: -int(path.name))
    whole = tile.read_bytes()
    tile.write_bytes(whole[: at * 32 - 32] + bytes(32) + whole[at * 32 :])
    said = prove(capsys, proved, tmp_path)
    assert (said.code, "is not under the signed root" in said.err) == (3, True)
    tile.write_bytes(whole)
    bundle = bent / "tile/entries/000.p" / tile.name
    entries = bundle.read_bytes()
    bundle.write_bytes(entries.replace(bytes.fromhex(proved.intent), bytes(16)))
    said = prove(capsys, proved, tmp_path)
    assert (said.code, "is not this record" in said.err) == (3, True)
    bundle.write_bytes(entries[:-1])
    said = prove(capsys, proved, tmp_path)
    assert (said.code, "cut short" in said.err) == (3, True)


@pytest.mark.parametrize("change", [case[1] for case in PROOFS], ids=[case[0] for case in PROOFS])
def test_a_proof_with_anything_wrong_in_it_does_not_hold(change: object, tmp_path: Path, capsys: Caps) -> None:
    file = tmp_path / "a.tlog-proof"
    file.write_bytes(PROOF)
    assert placet(capsys, "verify", file, "--vkey", SIGNER.vkey).code == 0
    file.write_bytes(change(PROOF))  # type: ignore[operator]
    said = placet(capsys, "verify", file, "--vkey", SIGNER.vkey, "--json")
    assert (said.code, said.json["exit"]) == (3, 3)


def test_a_proof_holds_under_its_own_key_and_record_only(tmp_path: Path, capsys: Caps) -> None:
    file, record = tmp_path / "a.tlog-proof", tmp_path / "record"
    file.write_bytes(PROOF)
    said = placet(capsys, "verify", file, "--vkey", ELSEWHERE.vkey)
    assert (said.code, "no known key signed this note" in said.err) == (3, True)
    record.write_bytes(leaf(PROVED + 1))
    said = placet(capsys, "verify", file, "--vkey", SIGNER.vkey, "--record", record)
    assert (said.code, "the record it carries is not the one in" in said.err) == (3, True)
    file.write_bytes(proof_of(LOG, PROVED)._replace(extra=None).text)
    assert "does not lead from its record" in placet(capsys, "verify", file, "--vkey", SIGNER.vkey, "--record", record).err  # fmt: skip
    said = placet(capsys, "verify", file, "--vkey", SIGNER.vkey)
    assert (said.code, "carries no record: expected --record FILE" in said.err) == (2, True)
    record.write_bytes(leaf(PROVED))
    said = placet(capsys, "verify", file, "--vkey", SIGNER.vkey, "--record", record, "--json")
    place = {"place": f"placet.decisions/0@{2 * 99 + PROVED % 100 - 1}"}
    assert said.json["record"] == {**place, "unread": f"no schema {'0' * 64} is known here"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "no log to believe"),
        (("--vkey", "key"), "--vkey: `key` is no verifier key"),
        (("--policy", "{policy}"), "line 1: expected `log KEY [URL]`"),
    ],
)
def test_whom_to_believe_must_be_said(arguments: tuple[str, ...], says: str, tmp_path: Path, capsys: Caps) -> None:
    file, policy = tmp_path / "a.tlog-proof", tmp_path / "policy"
    file.write_bytes(PROOF)
    policy.write_text("believe everybody\n")
    said = placet(capsys, "verify", file, *(word.format(policy=policy) for word in arguments))
    assert (said.code, says in said.err) == (2, True), said.err


def test_a_witness_says_its_key_and_who_it_is_every_time(tmp_path: Path, capsys: Caps) -> None:
    own = ("witness", "--data", tmp_path / "w", "--name", "w.example/a")
    first = placet(capsys, *own, "--vkey").out.strip()
    assert first.startswith("w.example/a+")
    assert placet(capsys, *own, "--vkey", "--json").json == {"vkey": first}
    assert (tmp_path / "w/secrets/witness.key").stat().st_mode & 0o777 == 0o600
    for more, says in (
        ((), "no log is named"),
        (("--log", "key"), "`key` is no verifier key"),
        (("--log", first), "expected Ed25519"),
    ):
        said = placet(capsys, *own, *more)
        assert (said.code, says in said.err) == (2, True), said.err
    said = placet(capsys, "witness", "--data", tmp_path / "w", "--name", "two words", "--log", SIGNER.vkey)
    assert (said.code, "no name of a key" in said.err) == (2, True)
    said = placet(capsys, "witness", "--data", tmp_path / "w", "--log", SIGNER.vkey)
    assert (said.code, "--name is missing" in said.err) == (2, True)


def test_a_log_whose_witnesses_cannot_be_asked_does_not_start(tmp_path: Path, capsys: Caps, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    policy = tmp_path / "policy"
    monkeypatch.setenv("PLACET_WITNESSES", str(policy))
    assert placet(capsys, "up", "--data", tmp_path / "data", "--port", 0).code == 1
    policy.write_text("quorum a\n")
    said = placet(capsys, "up", "--data", tmp_path / "data", "--port", 0)
    assert (said.code, f"{policy}: line 1: `a` is not named above" in said.err) == (1, True)

"""`placet ledger`: the key alone, a checkpoint, soundness, completeness, serving and rotation, over the log of a real `up`."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from placet.drivers.embedded import open_reader
from placet.drivers.ledger.folder import FolderReader
from placet.drivers.ledger.serving import LogServer
from placet.drivers.settings import Settings
from placet.faces.auditor.tlog import open_head
from placet.faces.cli import main
from placet.faces.gateway.server import Server
from placet.model.topics import Topic
from placet.provenance.leaf import LOGGED
from placet.provenance.ledger import read_state


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a desk was up for so long that it sealed, and a notary logged it."""
    folder = tmp_path_factory.mktemp("run")
    up(folder)
    return folder


def up(folder: Path) -> None:
    Server(Settings(data=folder, port=0, seal_idle_ms=50, checkpoint_ms=10)).stop()


def said(arguments: list[str], capsys: pytest.CaptureFixture[str], code: int = 0) -> str:
    assert main(arguments) == code
    return capsys.readouterr().out


def test_the_verifier_key_is_printed_alone_and_verifies_the_checkpoint(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vkey = said(["ledger", "checkpoint", "--data", str(data), "--vkey"], capsys)
    assert vkey.count("\n") == 1
    note = said(["ledger", "checkpoint", "--data", str(data)], capsys)
    head = open_head(note.encode(), [vkey.strip()])
    assert head.origin == "placet.local/log"
    assert head.size > 1
    as_json = json.loads(said(["ledger", "checkpoint", "--data", str(data), "--json"], capsys))
    assert as_json == {"origin": head.origin, "size": head.size, "root": head.root.hex(), "note": note}


def test_a_log_is_sound_and_complete(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = json.loads(said(["ledger", "fsck", "--data", str(data), "--json"], capsys))
    assert (report["sound"], report["flaws"]) == (True, [])
    complete = json.loads(said(["ledger", "complete", "--data", str(data), "--json"], capsys))
    assert complete["complete"]
    checks = {check["name"]: check for check in complete["checks"]}
    assert set(checks) == {"SEALS", "V1", "V11", "V13", "V14", "V18"}
    assert checks["V13"]["checked"] > 0
    assert checks["V14"]["checked"] == report["size"]


def test_a_folder_at_rest_is_logged_to_its_last_record(data: Path) -> None:
    state = read_state((data / "ledger" / ".placet" / "state.json").read_bytes())
    reader = open_reader(data / "journal")
    ends = {(int(topic), 0): end for topic in LOGGED if (end := reader.end(topic, 0))}
    reader.close()
    assert dict(state.places) == ends
    assert ends[int(Topic.DECISIONS), 0] > 0


def test_without_a_notary_there_is_no_log(tmp_path: Path) -> None:
    Server(Settings(data=tmp_path, port=0, notary=False)).stop()
    assert not (tmp_path / "ledger").exists()


def test_a_bent_log_is_found_faulty_by_fsck_and_audit(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bent = tmp_path / "ledger"
    for path in (data / "ledger").rglob("*"):
        if path.is_file():
            copy = bent / path.relative_to(data / "ledger")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    [bundle, *_] = sorted(bent.glob("tile/entries/000.p/*"), key=lambda path: -int(path.name))
    bundle.write_bytes(bundle.read_bytes()[:-1] + b"\xff")
    monkeypatch.setenv("PLACET_LEDGER", str(bent))
    out = said(["ledger", "fsck", "--data", str(data)], capsys, 3)
    assert "FAULTY" in out
    assert f"tile/0/000.p/{bundle.name}: is not the hashes of what lies below it" in out
    report = json.loads(said(["audit", "--data", str(data), "--json"], capsys, 3))
    violated = {check["name"] for check in report["checks"] if check["violated"]}
    # What is last in the bundle is a record or a cut: V13 holds records alone against the topics.
    assert {"V14"} <= violated <= {"V13", "V14"}


def test_a_checkpoint_kept_from_earlier_must_be_extended(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes((data / "ledger" / "checkpoint").read_bytes())
    said(["ledger", "fsck", "--data", str(data), "--since", str(kept)], capsys)
    other = tmp_path / "other"
    up(other)
    out = said(["ledger", "fsck", "--data", str(other), "--since", str(kept)], capsys, 3)
    assert "no known key signed the checkpoint" in out


def test_where_no_log_is_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("checkpoint", "fsck", "serve"):
        assert main(["ledger", verb, "--data", str(tmp_path)]) == 1
        assert "no provenance log here" in capsys.readouterr().err


@pytest.fixture
def served(data: Path) -> Iterator[str]:
    server = LogServer(FolderReader(data / "ledger"), "127.0.0.1", 0)
    yield server.url
    server.stop()


def test_a_log_is_served_as_c2sp_wants_it_and_nothing_else_of_it(data: Path, served: str) -> None:
    with urllib.request.urlopen(f"{served}/checkpoint") as got:
        assert got.read() == (data / "ledger" / "checkpoint").read_bytes()
        assert got.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert got.headers["Cache-Control"] == "no-cache"
    path = FolderReader(data / "ledger").list("tile/0/")[-1]
    with urllib.request.urlopen(f"{served}/{path}") as got:
        assert got.read() == (data / "ledger" / path).read_bytes()
        assert got.headers["Content-Type"] == "application/octet-stream"
        assert "immutable" in got.headers["Cache-Control"]
    for hidden in (".placet/state.json", "tile/0/../../.placet/state.json", "tile", "", "..%2Fkeys.json", "tile/0/009"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{served}/{hidden}")
        assert refused.value.code == 404
        refused.value.close()


def test_a_rotation_signs_with_both_keys_and_then_with_the_new_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def vkey() -> str:
        return said(["ledger", "checkpoint", "--data", str(tmp_path), "--vkey"], capsys).strip()

    def opens(key: str) -> bool:
        try:
            return open_head((tmp_path / "ledger" / "checkpoint").read_bytes(), [key]).size > 0
        except ValueError:
            return False

    rotate = ["ledger", "rotate", "--data", str(tmp_path)]
    assert main(rotate) == 1
    assert "no private key of a provenance log" in capsys.readouterr().err
    up(tmp_path)
    old = vkey()
    assert main([*rotate, "--retire"]) == 5
    made = json.loads(said([*rotate, "--json"], capsys))
    assert main(rotate) == 5
    up(tmp_path)
    assert vkey() == made["vkey"] != old
    assert (opens(old), opens(made["vkey"])) == (True, True)
    assert json.loads(said([*rotate, "--retire", "--json"], capsys)) == {"retired": "ledger-1", "vkey": made["vkey"]}
    up(tmp_path)
    assert (opens(old), opens(made["vkey"])) == (False, True)
    assert json.loads(said(["ledger", "fsck", "--data", str(tmp_path), "--json"], capsys))["sound"]


def test_a_log_whose_key_is_lost_is_not_signed_with_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    up(tmp_path)
    (tmp_path / "secrets" / "ledger-1.key").unlink()
    assert main(["up", "--data", str(tmp_path), "--port", "0"]) == 1
    assert "no private key of this log" in capsys.readouterr().err

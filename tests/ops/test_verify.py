"""The verifier in Go accepts a log and its proofs, and names each thing that is wrong with them; Tessera's `fsck` agrees."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from placet.drivers.ledger.folder import FolderReader
from placet.faces.auditor.fsck import check
from placet.provenance.checkpoint import sign_checkpoint
from tests.faces.cli.proving import ran
from tests.provenance.planted import (
    EARLIER,
    ELSEWHERE,
    FOLDERS,
    LOG,
    PROOF,
    PROOFS,
    PROVED,
    SIGNER,
    Planted,
    grown,
    head,
    lay,
    leaf,
    proof_of,
)

ROOT = Path(__file__).parents[2]
TESSERA = "github.com/transparency-dev/tessera/cmd/fsck@v1.0.4"
Verify = Callable[..., subprocess.CompletedProcess[str]]


def go(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["go", *arguments], cwd=cwd, env={**os.environ, **environment}, check=False, capture_output=True, text=True
    )


@pytest.fixture(scope="session")
def verify(tmp_path_factory: pytest.TempPathFactory) -> Verify:
    if shutil.which("go") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no Go found: the verifier for strangers was not built")
        pytest.skip("no Go found")
    program = tmp_path_factory.mktemp("verify") / "verify"
    built = go("build", "-o", str(program), ".", cwd=ROOT / "ops" / "verify")
    assert built.returncode == 0, built.stderr

    def run(*arguments: object, vkey: str = SIGNER.vkey) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *map(str, arguments), "--vkey", vkey], check=False, capture_output=True, text=True
        )

    return run


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return lay(tmp_path / "log", LOG)


@pytest.fixture
def since(tmp_path: Path) -> Path:
    path = tmp_path / "earlier"
    path.write_bytes(sign_checkpoint(head(grown(EARLIER)), [SIGNER]))
    return path


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512, 700])
def test_a_good_log_of_any_shape_is_fine(verify: Verify, tmp_path: Path, size: int) -> None:
    done = verify("folder", lay(tmp_path / "log", grown(size)), "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["result"], said["size"], said["origin"]) == ("fine", size, SIGNER.name)
    assert said["bundles"] == -(-size // 256)


def test_a_log_that_has_grown_since_is_fine(verify: Verify, log: Path, since: Path) -> None:
    assert verify("folder", log, "--since", since).returncode == 0


def test_what_a_log_has_written_ahead_of_its_checkpoint_is_counted_and_not_believed(verify: Verify, log: Path) -> None:
    (log / "tile/entries/003.p").mkdir()
    (log / "tile/entries/003.p/4").write_bytes(b"not yet")
    (log / "tile/0/.002.p-188.part").write_bytes(b"")
    said = json.loads(verify("folder", log, "--json").stdout)
    assert (said["ahead"], said["strange"]) == (1, 1)


def test_a_checkpoint_needs_no_partial_tile_once_the_full_one_is_there(verify: Verify, tmp_path: Path) -> None:
    log = lay(lay(tmp_path / "log", LOG), grown(800))
    for level in ("0", "entries"):
        shutil.rmtree(log / f"tile/{level}/002.p")
    (log / "checkpoint").write_bytes(sign_checkpoint(head(LOG), [SIGNER]))
    assert verify("folder", log).returncode == 0


def test_a_partial_tile_left_from_an_earlier_checkpoint_must_be_the_beginning_of_its_full_one(
    verify: Verify, log: Path
) -> None:
    for level, part in (("0", (log / "tile/0/001").read_bytes()[:96]), ("entries", None)):
        where = log / f"tile/{level}/001.p"
        where.mkdir()
        (where / "3").write_bytes(part or b"".join(len(leaf(n)).to_bytes(2, "big") + leaf(n) for n in (256, 257, 258)))
        assert verify("folder", log).returncode == 0
        (where / "3").write_bytes((where / "3").read_bytes()[:-1] + b"?")
        done = verify("folder", log)
        assert done.returncode == 3
        assert f"tile/{level}/001.p/3: not the beginning of tile/{level}/001" in done.stderr
        shutil.rmtree(where)


@pytest.mark.parametrize("planted", FOLDERS, ids=[planted.name for planted in FOLDERS])
def test_what_is_wrong_with_a_log_is_named(verify: Verify, log: Path, since: Path, planted: Planted) -> None:
    planted.plant(log)
    done = verify("folder", log, *(("--since", since) if planted.since else ()))
    assert done.returncode == 3, done.stdout + done.stderr
    assert re.search(planted.said, done.stderr), done.stderr


def checked(log: Path, since: Path) -> bool:
    report = check(FolderReader(log).get, [SIGNER.vkey], {"earlier": since.read_bytes()})
    return report is not None and not report.flawed


def test_the_fsck_of_placet_takes_the_log_for_sound(log: Path, since: Path) -> None:
    assert checked(log, since)


@pytest.mark.parametrize("planted", FOLDERS, ids=[planted.name for planted in FOLDERS])
def test_the_fsck_of_placet_finds_the_same(log: Path, since: Path, planted: Planted) -> None:
    planted.plant(log)
    # Other logs may write lines behind the root; this one writes none, and the verifier for strangers holds it to that.
    assert checked(log, since) is (planted.name == "lines behind the root")


def test_each_refusal_has_its_own_words() -> None:
    # Two share theirs: a signature over a root or a size that was changed later is over another text.
    assert len({planted.said for planted in FOLDERS}) == len(FOLDERS) - 1 == 32


def test_a_machine_without_go_is_told_what_is_missing(tmp_path: Path) -> None:
    for name in ("bash", "make"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    done = subprocess.run(
        ["make", "verify"], cwd=ROOT, env={"PATH": str(tmp_path)}, check=False, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "no Go found: ops/verify needs Go 1.23 or newer" in done.stderr


def test_a_proof_is_fine_with_its_record_inside_or_beside_it(verify: Verify, tmp_path: Path) -> None:
    proof, record = tmp_path / "a.tlog-proof", tmp_path / "record"
    proof.write_bytes(PROOF)
    record.write_bytes(leaf(PROVED))
    assert verify("proof", proof).returncode == 0
    assert verify("proof", proof, "--record", record).returncode == 0
    proof.write_bytes(proof_of(LOG, PROVED)._replace(extra=None).text)
    assert verify("proof", proof, "--record", record).returncode == 0
    bare = verify("proof", proof)
    assert (bare.returncode, "carries no record" in bare.stderr) == (2, True)


@pytest.mark.parametrize(("change", "said"), [case[1:] for case in PROOFS], ids=[case[0] for case in PROOFS])
def test_what_is_wrong_with_a_proof_is_named(
    verify: Verify, tmp_path: Path, change: Callable[[bytes], bytes], said: str
) -> None:
    proof = tmp_path / "a.tlog-proof"
    proof.write_bytes(change(PROOF))
    done = verify("proof", proof)
    assert done.returncode == 3, done.stdout + done.stderr
    assert re.search(said, done.stderr), done.stderr


def test_another_record_than_the_one_proved_is_refused(verify: Verify, tmp_path: Path) -> None:
    proof, record = tmp_path / "a.tlog-proof", tmp_path / "record"
    record.write_bytes(leaf(PROVED + 1))
    proof.write_bytes(PROOF)
    assert "the record it carries is not the one" in verify("proof", proof, "--record", record).stderr
    proof.write_bytes(proof_of(LOG, PROVED)._replace(extra=None).text)
    assert "does not lead to the signed root" in verify("proof", proof, "--record", record).stderr


def test_a_proof_of_another_log_is_refused(verify: Verify, tmp_path: Path) -> None:
    proof = tmp_path / "a.tlog-proof"
    proof.write_bytes(PROOF)
    done = verify("proof", proof, vkey=ELSEWHERE.vkey)
    assert done.returncode == 3
    assert "of `placet.example/log`, and not signed by the key given: expected `other.example/log`" in done.stderr


def test_what_a_desk_has_logged_and_proved_holds_for_strangers(verify: Verify, tmp_path: Path) -> None:
    proved = ran(tmp_path)
    [proof] = (tmp_path / "first").glob("*.tlog-proof")
    for arguments in (("folder", proved.data / "ledger"), ("proof", proof)):
        alone = verify(*arguments, vkey=proved.vkey)
        assert alone.returncode == 0, alone.stderr
        witnessed = verify(*arguments, "--policy", proved.policy, vkey=proved.vkey)
        assert witnessed.returncode == 0, witnessed.stderr
        assert "w.example/a+" in witnessed.stdout
    proof.write_text(proof.read_text().split("— w.example/a")[0])
    assert "do not make the quorum `a`" in verify("proof", proof, "--policy", proved.policy, vkey=proved.vkey).stderr


@pytest.fixture(scope="session")
def fsck(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], str]:
    """Return what runs Tessera's `fsck` over a log and says what it said."""
    place = tmp_path_factory.mktemp("tessera")
    if shutil.which("go") is None:
        pytest.skip("no Go found")
    built = go("install", TESSERA, cwd=place, GOBIN=str(place), GOFLAGS="-mod=mod")
    if built.returncode:
        pytest.skip(f"Tessera's fsck does not build here: {built.stderr.strip().splitlines()[-1]}")
    key = place / "vkey"
    key.write_text(SIGNER.vkey)

    def run(log: Path) -> str:
        # One worker ends with each fault it meets, and with the last of them all waiting: there are more than files.
        done = subprocess.run(
            [place / "fsck", "--ui=false", "-N=64", f"--storage_url=file://{log}/", f"--public_key={key}"],
            check=False,
            capture_output=True,
            text=True,
        )
        return done.stderr

    return run


@pytest.mark.parametrize("size", [1, 256, 700])
def test_a_tool_of_the_tlog_world_takes_the_log_for_fine(
    fsck: Callable[[Path], str], tmp_path: Path, size: int
) -> None:
    assert f"Successfully fsck'd log with size {size} " in fsck(lay(tmp_path / "log", grown(size)))


FOR_ALL = [planted for planted in FOLDERS if not planted.since and not planted.strict]


@pytest.mark.parametrize("planted", FOR_ALL, ids=[planted.name for planted in FOR_ALL])
def test_a_tool_of_the_tlog_world_refuses_what_is_wrong(
    fsck: Callable[[Path], str], log: Path, planted: Planted
) -> None:
    planted.plant(log)
    assert "Successfully" not in fsck(log)

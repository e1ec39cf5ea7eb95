"""A pack that is watched is looked at again when a file of it changes, and only then."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from placet.faces.cli.policy_watch import follow
from tests.architecture.house import ROOT
from tests.faces.cli.said import placet

Caps = pytest.CaptureFixture[str]
DATA = ROOT / "policies" / "data_access"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA, tmp_path / "packs" / "data_access"))


def doing(*steps: Callable[[], object]) -> Callable[[], None]:
    """Return a wait that does one step at a time, and after the last is what Ctrl-C is."""
    left: Iterator[Callable[[], object]] = iter(steps)

    def wait() -> None:
        step = next(left, None)
        if step is None:
            raise KeyboardInterrupt
        step()

    return wait


def watched(folder: Path, *steps: Callable[[], object]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    with pytest.raises(KeyboardInterrupt):
        found.extend(follow([folder], doing(*steps)))  # what came before the end is kept
    return found


def write(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_a_pack_is_looked_at_once_and_again_only_when_a_file_changes(pack: Path) -> None:
    found = watched(
        pack.parent,
        lambda: None,
        lambda: write(pack / "tests.yaml", "effect: permit", "effect: defer"),
        lambda: None,
        lambda: write(pack / "rules.yaml", "resource.rank == 0", "resource.rank == 0 && resource.rank == 1"),
        lambda: write(pack / "rules.yaml", "resource.rank == 0 &&", "resource.rnk == 0 &&"),
    )
    assert [(one["loads"], one["fine"]) for one in found] == [
        (True, True),
        (True, False),
        (True, False),
        (False, False),
    ]
    assert (found[0]["failed"], found[0]["lines"]) == (0, [])
    assert found[1]["failed"] > 0
    assert "expected defer" in found[1]["lines"][0]
    assert any("error never_true" in line for line in found[2]["lines"])
    assert "did you mean `resource.rank`" in found[3]["lines"][0]


def test_a_change_of_nothing_but_the_instant_is_a_change(pack: Path) -> None:
    def touch() -> None:
        stat = (pack / "pack.yaml").stat()
        os.utime(pack / "pack.yaml", ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))

    assert len(watched(pack, touch)) == 2


def test_a_pack_that_comes_or_goes_or_cannot_be_read_is_told_and_watching_goes_on(pack: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    found = watched(
        pack.parent,
        lambda: (pack / "rules.yaml").write_bytes(b"rules: \xff"),
        lambda: shutil.move(pack, kept),
        lambda: shutil.copytree(DATA, pack),
    )
    lines = [one["lines"][:1] for one in found]
    assert "is not UTF-8" in lines[1][0]
    assert lines[2] == [f"{pack}: the pack is gone"]
    assert [one["fine"] for one in found] == [True, False, False, True]


def test_ctrl_c_ends_the_verb_with_0(pack: Path, capsys: Caps, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = doing((pack / "tests.yaml").unlink)
    monkeypatch.setattr(time, "sleep", lambda _: waits())
    said = placet(capsys, "policy", "watch", pack, "--json")
    assert said.code == 0
    assert [(line["name"], line["fine"]) for line in said.lines] == [("data_access", True)] * 2
    assert said.lines[1]["passed"] == 0


def test_people_see_what_is_wrong_and_a_line_for_each_look(
    pack: Path, capsys: Caps, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = doing(lambda: write(pack / "rules.yaml", "rules:", "rulse:"))
    monkeypatch.setattr(time, "sleep", lambda _: waits())
    said = placet(capsys, "policy", "watch", pack)
    lines = said.out.splitlines()
    assert lines[0].endswith(f" {pack}: fine, 19 rules, 25 passed, 0 failed")
    assert "did you mean `rules`" in said.out
    assert lines[-1].endswith(f" {pack}: not fine, does not load")


def test_a_folder_that_is_not_there_is_wrong_usage(tmp_path: Path, capsys: Caps) -> None:
    assert placet(capsys, "policy", "watch", tmp_path / "none").code == 2

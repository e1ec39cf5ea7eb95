"""The generator's two ways with a changed schema: before a release in place, after it under a new id."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.model.records import SCHEMAS

ROOT = SCHEMAS.parent
CODEC = Path("streams/placet/model/codec")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of what the generator reads and writes."""
    for part in (Path("ops/codegen"), Path("schemas"), CODEC):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def generate(copy: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(copy / "ops" / "codegen" / "generate.py"), *flags]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def change(copy: Path, name: str) -> None:
    path = copy / "schemas" / f"{name}.avsc"
    schema = json.loads(path.read_text("utf-8"))
    schema["fields"].append({"name": "remark", "type": "string", "default": ""})
    path.write_text(json.dumps(schema), "utf-8")


def ids(copy: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((copy / "schemas" / "ids.json").read_text("utf-8"))
    return found


def test_before_a_release_a_changed_schema_keeps_its_id(copy: Path) -> None:
    before = ids(copy)
    change(copy, "watermark")
    checked = generate(copy, "--check")
    assert checked.returncode == 1
    assert f"{CODEC}/watermark.py" in checked.stdout.splitlines()
    assert generate(copy).returncode == 0
    after = ids(copy)
    assert after.keys() == before.keys()
    assert after["22"]["version"] == 1
    assert after["22"]["fingerprint"] != before["22"]["fingerprint"]
    assert {key: row for key, row in after.items() if key != "22"} == {
        key: row for key, row in before.items() if key != "22"
    }
    assert "remark: str" in (copy / CODEC / "watermark.py").read_text("utf-8")
    assert generate(copy, "--check").returncode == 0


def test_after_a_release_a_changed_schema_gets_the_next_id_and_the_old_one_stays(copy: Path) -> None:
    before = ids(copy)
    old = (copy / "schemas" / "watermark.avsc").read_text("utf-8")
    change(copy, "watermark")
    assert generate(copy, "--release").returncode == 0
    after = ids(copy)
    number = str(len(before) + 1)
    assert {key: row for key, row in after.items() if key != number} == before
    assert (after[number]["name"], after[number]["version"]) == ("watermark", 2)
    history = copy / "schemas" / "history" / "watermark"
    assert (history / "22.avsc").read_text("utf-8") == old
    assert "remark" in (history / f"{number}.avsc").read_text("utf-8")
    assert f"SCHEMA_ID = {number}\n" in (copy / CODEC / "watermark.py").read_text("utf-8")
    assert generate(copy, "--check").returncode == 0


def test_a_record_that_is_gone_and_a_type_that_is_not_covered_are_said(copy: Path) -> None:
    path = copy / "schemas" / "watermark.avsc"
    path.write_text('{"type": "record", "name": "Watermark", "fields": [{"name": "at", "type": "double"}]}', "utf-8")
    assert "watermark.at: no type `double`" in generate(copy).stderr
    path.unlink()
    assert "id 22 is of `watermark`, and there is no schemas/watermark.avsc" in generate(copy).stderr


def test_after_a_release_the_older_version_has_a_reader_of_its_own(copy: Path) -> None:
    change(copy, "watermark")
    assert generate(copy, "--release").returncode == 0
    reader = (copy / CODEC / "watermark_22.py").read_text("utf-8")
    assert "SCHEMA_ID = 22\n" in reader
    assert "def encode" not in reader
    assert '"watermark": (watermark_22,)' in (copy / CODEC / "table.py").read_text("utf-8")
    (copy / CODEC / "watermark_22.py").write_text("", "utf-8")
    assert generate(copy, "--check").stdout.splitlines() == [f"{CODEC}/watermark_22.py"]


def test_a_release_changes_what_workers_read_or_what_they_say(copy: Path) -> None:
    before = ids(copy)
    change(copy, "watermark")
    change(copy, "repeat")
    ended = generate(copy, "--release")
    assert ended.returncode == 1
    assert "watermark are written to workers, repeat are said by them" in ended.stderr
    assert ids(copy) == before

"""Each kind of error in a pack is refused at its line and column, and says what was expected."""

from pathlib import Path

import pytest

from placet.policy.diagnostics import PackError
from placet.policy.pack import BYTES_MAX, load_pack

BROKEN = Path(__file__).parent / "broken"
KINDS = sorted(folder.name for folder in BROKEN.iterdir() if folder.is_dir())


def files_of(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text("utf-8") for file in folder.glob("*.yaml")}


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_pack_is_refused_where_it_is_broken(kind: str) -> None:
    expected = (BROKEN / kind / "expected").read_text("utf-8").splitlines()
    with pytest.raises(PackError) as refused:
        load_pack(files_of(BROKEN / kind))
    assert [str(diagnostic) for diagnostic in refused.value.diagnostics] == expected


def test_every_fault_is_told_at_once_and_under_the_folder_it_came_from() -> None:
    files = files_of(BROKEN / "unknown_field")
    files["pack.yaml"] += "freshness: [{fact: actor.rsk, heard_ms: 1}]\n"
    with pytest.raises(PackError) as refused:
        load_pack(files, "policies/x/")
    assert [diagnostic.file for diagnostic in refused.value.diagnostics] == [
        "policies/x/pack.yaml",
        "policies/x/rules.yaml",
    ]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"pack.yaml": "name: a"}, "rules.yaml:1:1: the file is missing"),
        ({"pack.yaml": "", "rules.yaml": "rules: []"}, "pack.yaml:1:1: the file is empty"),
        (
            {"pack.yaml": "x", "notes.txt": ""},
            "notes.txt:1:1: a pack holds pack.yaml, rules.yaml, tests.yaml and nothing",
        ),
        (
            {"pack.yaml": "#" * BYTES_MAX, "rules.yaml": "#"},
            "pack.yaml:1:1: the pack has 1048577 bytes, at most 1048576",
        ),
        ({"pack.yaml": "[" * 5000, "rules.yaml": "rules: []"}, "pack.yaml:1:1: not YAML: "),
        ({"pack.yaml": "\ud800", "rules.yaml": "rules: []"}, "pack.yaml:1:1: the text is not Unicode"),
    ],
)
def test_what_is_no_pack_at_all_is_refused(files: dict[str, str], expected: str) -> None:
    with pytest.raises(PackError) as refused:
        load_pack(files)
    assert str(refused.value.diagnostics[0]).startswith(expected)

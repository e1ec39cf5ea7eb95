"""Each library stands where it is good at something, the core ones really do, and none is installed for nothing."""

import re
import tomllib
from importlib.metadata import packages_distributions

import pytest

from tests.architecture.house import CORE, LIBRARIES, ROOT, imports_of, modules, strangers, within


def _normal(distribution: str) -> str:
    return distribution.lower().replace("_", "-")


def test_no_library_stands_where_it_does_not_belong() -> None:
    assert [wrong for name, path in modules() for wrong in strangers(name, path.read_text())] == []


@pytest.mark.parametrize("library", CORE)
def test_a_core_library_is_used_where_it_is_good_at_something(library: str) -> None:
    users = {
        name for name, path in modules() if library in {i.name.split(".")[0] for i in imports_of(path.read_text())}
    }
    assert LIBRARIES[library].must, library
    for place in LIBRARIES[library].must:
        assert any(within(user, frozenset({place})) for user in users), f"{place} does not use {library}"


def test_the_table_and_the_declared_dependencies_are_the_same() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"[<>=]", line)[0] for line in project["dependencies"]}
    by_import = packages_distributions()
    in_table = {_normal(name) for library in LIBRARIES for name in by_import[library]}
    assert declared <= in_table
    # `google` and `ruamel` are namespaces that several distributions share.
    alone = LIBRARIES.keys() - {"google", "ruamel"}
    assert {_normal(name) for library in alone for name in by_import[library]} <= declared


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_names_exact_versions_with_hashes_and_no_place_to_fetch_from(lock: str) -> None:
    text = (ROOT / lock).read_text()
    pinned = re.findall(
        r"^([a-z0-9.-]+)==([^\s;]+)(?: ; [^\\]+)? \\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE
    )
    named = re.findall(r"^[a-zA-Z0-9]\S*", text, re.MULTILINE)
    assert len(pinned) == len(named) > 40
    assert (
        re.findall(r"(?:https?:|file:|--index|--extra-index|--find-links|--trusted-host|^-[a-z] )", text, re.MULTILINE)
        == []
    )


def test_the_expression_engine_is_one_exact_build() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "cel-expr-python==0.1.3" in project["dependencies"]

"""`import placet` costs nothing, and offers what its stub promises."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import placet

STUB = Path(placet.__file__).with_suffix(".pyi")


def test_importing_the_package_loads_nothing_of_it() -> None:
    heavy = "{'pydantic', 'httpx2', 'confluent_kafka', 'rocksdict', 'placet.faces'}"
    code = f"import sys, placet; print(sorted({heavy} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_stub_names_what_the_package_offers() -> None:
    names = {
        alias.asname
        for node in ast.parse(STUB.read_text()).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert names == set(dir(placet)) - {"__version__"}


def test_every_name_is_there() -> None:
    for name in dir(placet):
        assert getattr(placet, name) is not None


def test_another_name_is_not() -> None:
    with pytest.raises(AttributeError, match="has no `nothing`"):
        placet.nothing  # type: ignore[attr-defined]  # noqa: B018

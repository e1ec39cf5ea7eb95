"""A release after this one: grown schemas, their codecs made by the generator, the package loaded beside the present one."""

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PARTS = (Path("streams"), Path("schemas"), Path("policies"), Path("ops/codegen"))
Change = Callable[[list[dict[str, Any]]], None]
"""What becomes of the fields of a schema."""


def with_field(name: str, kind: Any, default: Any) -> Change:
    """Return the change that adds a field, before the proof where there is one."""

    def change(fields: list[dict[str, Any]]) -> None:
        place = len(fields) - (fields[-1]["name"] in {"proof", "signature"})
        fields.insert(place, {"name": name, "type": kind, "default": default})

    return change


def widened(name: str) -> Change:
    """Return the change that makes an `int` a `long`, which no code needs to know of."""

    def change(fields: list[dict[str, Any]]) -> None:
        next(field for field in fields if field["name"] == name)["type"] = "long"

    return change


ASKED: Mapping[str, Change] = {
    "intent": with_field("hint", "string", "none"),
    "withdraw": with_field("by_hand", "boolean", False),
    "vote": with_field("weight", "int", 1),
    "claim": with_field("place", ["null", "string"], None),
    "outcome": with_field("cost", "long", 0),
}
"""What agents, approvers and executors write, each with a field that this release does not know."""
KNOWN: Mapping[str, Change] = {
    "principal": with_field("labels", {"type": "array", "items": "string"}, ["new"]),
    "mandate": with_field("tags", {"type": "map", "values": "string"}, {"made": "here"}),
    "risk": with_field("model", "string", ""),
    "risk_signal": with_field("model", "string", ""),
    "sensitivity": with_field("score", "int", -1),
    "control": with_field("ticket", "bytes", "\u00ff"),
    "pack": with_field("signed_off", "boolean", True),
    "active_set": with_field("pilot", ["null", "string"], None),
    "watermark": with_field("lag", "long", 0),
}
"""What feeds and operators write."""
SAID: Mapping[str, Change] = {
    "verdict": with_field("note", "string", ""),
    "repeat": with_field("note", "string", ""),
    "refusal": with_field("note", "string", ""),
    "halted": with_field("note", "string", ""),
    "seal": with_field("note", "string", ""),
    "desk_change": with_field("note", "string", ""),
    "case": with_field("note", "string", ""),
    "case_body": with_field("note", "string", ""),
}
"""What a desk writes."""


class Release:
    """The package of a later release in a folder. `module` is one of its modules, which know only each other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in PARTS:
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        self._modules: dict[str, Any] = {}

    def grow(self, changes: Mapping[str, Change]) -> subprocess.CompletedProcess[str]:
        """Change schemas and release them; return how the generator ended."""
        for name, change in changes.items():
            path = self.folder / "schemas" / f"{name}.avsc"
            schema = json.loads(path.read_text("utf-8"))
            change(schema["fields"])
            path.write_text(json.dumps(schema, indent=2) + "\n", "utf-8")
        command = [sys.executable, str(self.folder / "ops" / "codegen" / "generate.py"), "--release"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def module(self, name: str) -> Any:
        """Return `placet.name` of this release."""
        if name not in self._modules:
            with self._instead():
                importlib.import_module(f"placet.{name}")
        return self._modules[f"placet.{name}"]

    @contextmanager
    def _instead(self) -> Iterator[None]:
        """Let `placet` be this release's package for as long as its modules are imported."""
        present = _taken()
        sys.modules.update(self._modules)
        sys.path.insert(0, str(self.folder / "streams"))
        try:
            yield
        finally:
            sys.path.remove(str(self.folder / "streams"))
            self._modules = _taken()
            sys.modules.update(present)


def released(folder: Path, *changes: Mapping[str, Change]) -> Release:
    """Return the package after one release for each of `changes`."""
    made = Release(folder)
    for each in changes:
        ended = made.grow(each)
        assert ended.returncode == 0, ended.stdout + ended.stderr
    return made


def _taken() -> dict[str, Any]:
    """Return the modules of `placet` that are imported, and let go of them."""
    names = [name for name in sys.modules if name == "placet" or name.startswith("placet.")]
    return {name: sys.modules.pop(name) for name in names}

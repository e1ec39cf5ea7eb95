"""A bookmark: how far each partition of one replay has come, in a file from which the same replay goes on."""

import json
import os
from pathlib import Path
from typing import Any

from placet.errors import Unavailable
from placet.faces.cli.verb import usage


class Bookmark:
    """What was found so far, by partition. `asked` says which replay it is of; another one does not go on from it."""

    def __init__(self, path: Path | None, asked: dict[str, Any]) -> None:
        self._path = path
        self._asked = asked
        self._parts: dict[int, dict[str, Any]] = {}
        if path is None or not path.exists():
            return
        try:
            told = json.loads(path.read_bytes())
            known, parts = told["asked"], told["partitions"]
        except (ValueError, KeyError, TypeError):
            raise usage(f"--resume: {path}: no bookmark of a replay: expected JSON") from None
        if known != asked:
            names = ", ".join(sorted(name for name in {*known, *asked} if known.get(name) != asked.get(name)))
            raise usage(f"--resume: {path}: is of another replay: `{names}` differ", "name another file to begin anew")
        self._parts = {int(number): part for number, part in parts.items()}

    def of(self, partition: int) -> dict[str, Any] | None:
        """Return what was noted of a partition, or None."""
        return self._parts.get(partition)

    def note(self, partition: int, part: dict[str, Any]) -> None:
        """Note how far a partition is; the file holds all of it or what it held before."""
        self._parts[partition] = part
        if self._path is None:
            return
        beside = self._path.with_name(self._path.name + ".new")
        told = {
            "asked": self._asked,
            "partitions": {str(number): self._parts[number] for number in sorted(self._parts)},
        }
        try:
            beside.write_text(json.dumps(told))
            os.replace(beside, self._path)  # noqa: PTH105  one step, whatever was there
        except OSError as error:
            raise Unavailable(f"{self._path}: cannot be written: {error.strerror}") from error

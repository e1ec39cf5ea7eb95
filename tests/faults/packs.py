"""Packs read once a run instead of once a life of a worker: reading is a pure function, and most of a story's time."""

from collections.abc import Mapping

from placet.policy.diagnostics import PackError
from placet.policy.pack import Pack, load_pack

_READ: dict[tuple[tuple[str, str], ...], Pack | PackError] = {}


def read_once(files: Mapping[str, str]) -> Pack:
    """Return what `load_pack` returns, or raise what it raises; the second time from memory."""
    name = tuple(sorted(files.items()))
    if name not in _READ:
        try:
            _READ[name] = load_pack(files)
        except PackError as error:
            _READ[name] = error
    found = _READ[name]
    if isinstance(found, PackError):
        raise found
    return found

"""A log held in a dict, and the published one."""

import base64
import json
from pathlib import Path
from typing import Any

from placet.provenance.tiles import CHECKPOINT, Tile, cut_to
from placet.provenance.tree import Edge

VECTORS = Path(__file__).parents[1] / "vectors" / "tlog"


def vectors(name: str) -> Any:
    return json.loads((VECTORS / name).read_text("utf-8"))


def b64(text: str) -> bytes:
    return base64.b64decode(text)


class DictLog:
    """What `Edge` hands out, by path, partial tiles forgotten once the full one is there."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.edge = Edge()

    def add(self, entries: list[bytes]) -> None:
        for tile, data in (*self.edge.grow(entries), *self.edge.partial()):
            self.files[tile.path] = data
            if tile.width == 256:
                for path in [path for path in self.files if path.startswith(f"{tile.path}.p/")]:
                    del self.files[path]

    def read(self, tile: Tile) -> bytes:
        found = self.files.get(tile.path)
        return cut_to(tile, self.files[tile.full.path]) if found is None else found


class PublishedLog(DictLog):
    """The files of the log that Tessera's authors publish."""

    def __init__(self) -> None:
        super().__init__()
        said = vectors("tessera-log.json")
        self.vkey: str = said["vkey"]
        self.leaves = [leaf.encode() for leaf in said["leaves"]]
        self.checkpoints = {int(size): note.encode() for size, note in said["checkpoints"].items()}
        for kind in ("tiles_base64", "entry_bundles_base64"):
            self.files |= {path: b64(data) for path, data in said[kind].items()}
        self.files[CHECKPOINT] = self.checkpoints[max(self.checkpoints)]

"""What a log's writer remembers beside the tiles: one small file, replaced as a whole, that is the commit point."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from placet.provenance.leaf import Move

STATE: Final = ".placet/state.json"
FORMAT: Final = 1

Place = tuple[int, int]
"""A topic and a partition."""


class State(NamedTuple):
    """How far a log is.

    `checkpoint` is the note of `size` and `root` as it is published next; `before` the
    size of the commit before, whose parts may still lie beside the full tiles; `places`
    how far each partition was read, one past the last; `instant` that of the newest cut;
    `holder` who writes now.
    """

    origin: str
    size: int
    root: bytes
    cuts: int
    before: int
    places: Mapping[Place, int]
    instant: int
    checkpoint: bytes
    holder: str

    def moved(self, moves: Iterable[Move]) -> dict[Place, int]:
        """Return the places after `moves`; raise ValueError for one that does not go on where the log is."""
        places = dict(self.places)
        for move in moves:
            at = places.get(move[:2], 0)
            if move.start != at or move.end <= at:
                raise ValueError(
                    f"topic {move.topic} partition {move.partition}: offsets {move.start} to {move.end}, the log is at {at}"
                )
            places[move[:2]] = move.end
        return places

    @property
    def data(self) -> bytes:
        """Return the file."""
        said = {
            "format": FORMAT,
            "origin": self.origin,
            "size": self.size,
            "root": b64encode(self.root).decode(),
            "cuts": self.cuts,
            "before": self.before,
            "places": [[*place, offset] for place, offset in sorted(self.places.items())],
            "instant": self.instant,
            "checkpoint": self.checkpoint.decode(),
            "holder": self.holder,
        }
        return json.dumps(said, ensure_ascii=False, indent=1).encode() + b"\n"


def read_state(data: bytes) -> State:
    """Return what the file says; raise ValueError where it is none."""
    try:
        said = json.loads(data)
        if said["format"] != FORMAT:
            raise ValueError(f"format {said['format']}, known is {FORMAT}")
        places = {(int(topic), int(partition)): int(offset) for topic, partition, offset in said["places"]}
        return State(
            str(said["origin"]),
            int(said["size"]),
            b64decode(said["root"], validate=True),
            int(said["cuts"]),
            int(said["before"]),
            places,
            int(said["instant"]),
            said["checkpoint"].encode(),
            str(said["holder"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as fault:
        raise ValueError(f"{STATE}: not the state of a log: {fault}") from None

"""What a folder says of itself when it is opened, compared with what lies in it."""

from dataclasses import dataclass, field
from pathlib import Path

from placet.drivers.embedded.ends import Place
from placet.drivers.embedded.layout import (
    END,
    FORMAT,
    INDEX,
    META_CLUSTER,
    META_END,
    META_FORMAT,
    META_INPUT,
    META_PARTITIONS,
    NUMBER,
    PLACE,
    POINTER,
    ROW,
    ROWED,
    RUNS,
    end_row,
    read_input_row,
)
from placet.drivers.embedded.rows import Rows
from placet.errors import Corrupted
from placet.model.topics import Topic


@dataclass(slots=True)
class State:
    """The meta rows of a folder. `ends`, `latest` and `kept` are given for every partition, `inputs` where one was committed."""

    cluster: str
    counts: dict[int, int]
    next_run: int
    ends: dict[Place, int] = field(default_factory=dict)
    latest: dict[Place, int] = field(default_factory=dict)
    kept: dict[Place, int] = field(default_factory=dict)
    inputs: dict[tuple[int, int], int] = field(default_factory=dict)


def read_state(rows: Rows) -> State:
    """Return the meta rows. Raise `Corrupted` when one is missing or cannot be understood."""
    form = _row(rows, META_FORMAT)
    if form != bytes([FORMAT]):
        raise Corrupted(f"{rows.folder}: written in format {form.hex()}, known is {FORMAT:02x}")
    counts = dict(PLACE.iter_unpack(_row(rows, META_PARTITIONS)))
    newest = rows.last_key(RUNS)
    next_run = 0 if newest is None else NUMBER.unpack(newest)[0] + 1
    state = State(_row(rows, META_CLUSTER).decode(), counts, next_run, inputs=read_inputs(rows))
    for topic, count in counts.items():
        for partition in range(count):
            place = (topic, partition)
            state.ends[place] = state.latest[place] = state.kept[place] = 0
    for key, value in rows.scan(INDEX, META_END):
        topic, partition = PLACE.unpack_from(key, len(META_END))
        place = (topic, partition)
        state.ends[place], state.latest[place], state.kept[place] = END.unpack(value)
    return state


def read_inputs(rows: Rows) -> dict[tuple[int, int], int]:
    """Return the committed input positions by partition and topic, one past the last."""
    return {read_input_row(key): NUMBER.unpack(value)[0] for key, value in rows.scan(INDEX, META_INPUT)}


def read_end(rows: Rows, topic: int, partition: int) -> int:
    """Return one past the last record of a partition, as the folder has it now."""
    value = rows.get(INDEX, end_row(topic, partition))
    return 0 if value is None else int(END.unpack(value)[0])


def check_state(rows: Rows, state: State) -> None:
    """Raise `Corrupted` unless every plain partition ends where its last run ends, and no input is read beyond its end."""
    for (topic, partition), end in state.ends.items():
        if topic not in ROWED:
            last = next(rows.scan_back(INDEX, PLACE.pack(topic, partition)), None)
            there = 0 if last is None else ROW.unpack(last[0])[2] + POINTER.unpack(last[1])[1]
            _agree(rows.folder, topic, partition, end, there)
    for (partition, topic), position in state.inputs.items():
        if position > state.ends.get((topic, partition), 0):
            raise Corrupted(
                f"{rows.folder}: {Topic(topic).title}/{partition} is decided up to {position}, "
                f"and ends at {state.ends.get((topic, partition), 0)}"
            )


def _agree(folder: Path, topic: int, partition: int, end: int, there: int) -> None:
    if there != end:
        raise Corrupted(f"{folder}: {Topic(topic).title}/{partition} should end at {end}, its last run ends at {there}")


def _row(rows: Rows, key: bytes) -> bytes:
    value = rows.get(INDEX, key)
    if value is None:
        raise Corrupted(f"{rows.folder}: no row `{key[1:].decode()}`; expected a journal of placet")
    return value

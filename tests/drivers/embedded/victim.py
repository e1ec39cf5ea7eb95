"""A process that decides batches in a folder until it is killed: by itself at a named call, or from outside.

Each batch: three intents are appended, two of them decided, and one line is
printed after each step that was acknowledged.
"""

import os
import resource
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

from placet.drivers.clock import SystemClock
from placet.drivers.embedded import Embedded, EmbeddedSettings, open_owner
from placet.errors import PlacetError, Unsure
from placet.model.topics import Topic
from placet.ports import Emits, Message
from tests.drivers.embedded.folder import Faulty
from tests.drivers.whole import whole

SEAL = b"\x00\x00\x00\x00\x09"
ASKED = 3
SETTINGS = EmbeddedSettings(free_bytes_min=1)


def intents(batch: int) -> list[Message]:
    return [Message(b"t/a", f"i{batch}.{number}".encode() * 200) for number in range(ASKED)]


def emits(batch: int) -> Emits:
    decisions = [Message(b"t/a", f"d{batch}.{number}".encode() * 300) for number in range(ASKED)]
    return Emits(
        [*decisions, Message(b"seal", SEAL + b"%d" % batch)],
        [Message(b"t/a", f"c{batch}".encode() * 500)],
        [Message(batch.to_bytes(8, "big"), f"change {batch}".encode())],
        [Message(b"1/0/%d" % batch, b"raw")] if batch % 3 == 0 else [],
    )


def consistent(owner: Embedded) -> tuple[int, int]:
    """Return how many batches were asked and decided; fail unless each is there whole and nothing else is."""
    log, journal = owner.log(), owner.journal()
    asked, rest = divmod(log.end(Topic.INTENTS, 0), ASKED)
    assert rest == 0
    expected = [message for batch in range(asked) for message in intents(batch)]
    assert values(owner, Topic.INTENTS) == [message.value for message in expected]
    restored = whole(journal, 0)
    decided = len(restored.changes)
    said = [emits(batch) for batch in range(decided)]
    assert values(owner, Topic.DECISIONS) == [message.value for batch in said for message in batch.decisions]
    assert values(owner, Topic.CASES) == [message.value for batch in said for message in batch.cases]
    assert values(owner, Topic.QUARANTINE) == [message.value for batch in said for message in batch.quarantine]
    assert [Message(rec.key, rec.value) for rec in restored.changes] == [batch.desk[0] for batch in said]
    assert [rec.value for rec in restored.tail] == ([message.value for message in said[-1].decisions] if said else [])
    assert restored.inputs == {Topic.OUTCOMES: 0, Topic.VOTES: 0, Topic.INTENTS: decided * ASKED}
    return asked, decided


def values(owner: Embedded, topic: int) -> list[bytes | None]:
    log = owner.log()
    return [rec.value for rec in log.read(topic, 0, 0, 1 << 30, 0)]


def decide(owner: Embedded, said: Callable[[str], object]) -> None:
    log, journal = owner.log(), owner.journal()
    for batch in count():
        log.append(Topic.INTENTS, 0, intents(batch))
        said(f"asked {batch}")
        taken = journal.take(ASKED, 0)[0]
        journal.commit({0: emits(batch)}, {0: {Topic.INTENTS: taken[-1].offset + 1}})
        said(f"decided {batch}")


def dying(call: int) -> Callable[[], None]:
    """Return what kills this process at its `call`th call."""
    left = iter(range(call - 1))

    def step() -> None:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    return step


def main(folder: Path, point: str, number: int) -> None:
    # The parent reads line by line; what was printed was acknowledged before.
    def said(line: str) -> None:
        print(line, flush=True)

    if point == "file_size":
        owner = open_owner(folder, SystemClock(), SETTINGS)
        resource.setrlimit(resource.RLIMIT_FSIZE, (number, resource.RLIM_INFINITY))
        try:
            decide(owner, said)
        except Unsure as failure:
            said(f"unsure {failure}")
        try:
            owner.log().append(Topic.INTENTS, 0, intents(0))
        except PlacetError as failure:
            said(f"then {type(failure).__name__}")
        os._exit(0)
    disk = Faulty.own(folder, SETTINGS)
    if point != "outside":
        setattr(disk, point, dying(number))
    decide(Embedded(disk, SystemClock(), SETTINGS), said)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))

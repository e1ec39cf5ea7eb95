"""An open loop: records sent on a fixed schedule that waits for nobody, and readers that say when each answer is there."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from placet.faces.bench.machine import percentiles
from placet.faces.bench.workload import Wave
from placet.model.codec import verdict
from placet.model.topics import Topic
from placet.ports import Log, Message, Rec

SLOT_S = 0.1
CLAIM_AFTER_S, OUTCOME_AFTER_S = 5.0, 6.0
READ_MOST = 1_000
END_S = 20.0

Send = Callable[[int, int, Sequence[Message]], object]


class Due(NamedTuple):
    """One record and when it is to be sent, ns from the start; `number` is the intent's, or -1."""

    at_ns: int
    topic: Topic
    partition: int
    message: Message
    number: int


def schedule(waves: Iterable[Wave], first: int) -> list[Due]:
    """Return when each record of the waves is due: one wave every 100 ms, intents evenly within it.

    Claims follow five seconds after their intents, outcomes a second later;
    they are known beforehand, so no reader has to act. `first` is the number
    of the first intent.
    """
    found: list[Due] = []
    number = first
    for slot, wave in enumerate(waves):
        begins = int(slot * SLOT_S * 1e9)
        step = int(SLOT_S * 1e9) // max(1, wave.size)
        queues = {partition: iter(messages) for partition, messages in wave.intents.items()}
        for place, partition in enumerate(wave.order):
            found.append(Due(begins + place * step, Topic.INTENTS, partition, next(queues[partition]), number))
            number += 1
        for after_s, part in ((CLAIM_AFTER_S, wave.claims), (OUTCOME_AFTER_S, wave.outcomes)):
            late = [(partition, message) for partition, messages in part.items() for message in messages]
            for place, (partition, message) in enumerate(late):
                at = begins + int(after_s * 1e9) + int(SLOT_S * 1e9) * place // len(late)
                found.append(Due(at, Topic.OUTCOMES, partition, message, -1))
    return sorted(found, key=lambda due: due.at_ns)


class Follower:
    """Reads the decisions of one partition as they come, in a thread of its own."""

    def __init__(self, log: Log, partition: int, offset: int) -> None:
        self.seen: list[tuple[int, Sequence[Rec]]] = []
        self.count = 0
        self._log, self._partition, self._next = log, partition, offset
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"bench-follower-{partition}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def first_answers(self) -> Iterable[tuple[int, int]]:
        """Yield (number of the intent, ns at which its first answer was read)."""
        for at_ns, records in self.seen:
            for rec in records:
                value = rec.value or b""
                if value[:5] != verdict.HEADER:
                    continue
                said = verdict.decode(value)
                if said.previous_seq < 0:
                    yield int.from_bytes(said.id, "big"), at_ns

    def _run(self) -> None:
        while not self._stop.is_set():
            records = self._log.read(Topic.DECISIONS, self._partition, self._next, READ_MOST, 200)
            if records:
                self.seen.append((time.monotonic_ns(), records))
                self._next = records[-1].offset + 1
                self.count += sum(1 for rec in records if (rec.value or b"")[:5] == verdict.HEADER)


@dataclass(frozen=True, slots=True)
class Latency:
    """What an open loop showed: percentiles of ms from due to read, what never came, and how late sending was."""

    answers_ms: dict[str, float]
    lost: int
    sending_ms: dict[str, float]


def play(dues: Sequence[Due], send: Send, followers: Sequence[Follower], warm_s: float, *, threads: bool) -> Latency:
    """Send every record when it is due and return how long first answers took to be read.

    `threads`: one sender for each partition, where `send` waits until a record
    is durable; else one for all. The first `warm_s` seconds are not counted.
    """
    start = time.monotonic_ns() + 50_000_000
    shares: dict[int, list[Due]] = defaultdict(list)
    for due in dues:
        shares[due.partition if threads else 0].append(due)
    late: list[float] = []
    senders = [
        threading.Thread(target=_send, args=(share, send, start, late), name="bench-sender", daemon=True)
        for share in shares.values()
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    until = time.monotonic() + END_S
    while sum(one.count for one in followers) < len(dues) and time.monotonic() < until:
        time.sleep(0.05)
    for follower in followers:
        follower.stop()
    seen = {number: at for follower in followers for number, at in follower.first_answers()}
    asked = [due for due in dues if due.number >= 0]
    counted = [due for due in asked if due.at_ns >= warm_s * 1e9]
    took = [(seen[due.number] - start - due.at_ns) / 1e6 for due in counted if due.number in seen]
    return Latency(percentiles(took), sum(due.number not in seen for due in asked), percentiles(late))


def _send(dues: Sequence[Due], send: Send, start: int, late: list[float]) -> None:
    here = 0
    while here < len(dues):
        wait = start + dues[here].at_ns - time.monotonic_ns()
        if wait > 0:
            time.sleep(wait / 1e9)
        now = time.monotonic_ns() - start
        groups: dict[tuple[Topic, int], list[Message]] = {}
        while here < len(dues) and dues[here].at_ns <= now:
            due = dues[here]
            groups.setdefault((due.topic, due.partition), []).append(due.message)
            late.append((now - due.at_ns) / 1e6)
            here += 1
        for (topic, partition), messages in groups.items():
            send(topic, partition, messages)

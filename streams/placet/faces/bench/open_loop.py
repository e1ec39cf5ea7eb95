"""An open loop: records sent on a fixed schedule that waits for nobody, and readers that say when each answer is there."""

import gc
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from placet.faces.bench.machine import percentiles
from placet.faces.bench.workload import Wave
from placet.model.codec import claim, outcome, verdict
from placet.model.topics import Topic
from placet.ports import Log, Message

SLOT_S = 0.1
CLAIM_AFTER_S, OUTCOME_AFTER_S = 0.5, 1.0
READ_MOST = 1_000
END_S = 20.0
HELD_S = 0.005
"""How often a held claim is looked at again."""

Send = Callable[[int, int, Sequence[Message]], object]


class Due(NamedTuple):
    """One record and when it is to be sent, ns from the start; `number` is that of its intent."""

    at_ns: int
    topic: Topic
    partition: int
    message: Message
    number: int


def schedule(waves: Iterable[Wave], first: int) -> list[Due]:
    """Return when each record of the waves is due: one wave every 100 ms, intents evenly within it.

    Claims follow half a second after their intents, outcomes a second after,
    but none before the first answer was read. `first` is the number of the
    first intent.
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
        for after_s, codec, part in (
            (CLAIM_AFTER_S, claim, wave.claims),
            (OUTCOME_AFTER_S, outcome, wave.outcomes),
        ):
            late = [(partition, message) for partition, messages in part.items() for message in messages]
            for place, (partition, message) in enumerate(late):
                at = begins + int(after_s * 1e9) + int(SLOT_S * 1e9) * place // len(late)
                about = int.from_bytes(codec.decode(message.value or b"").id, "big")
                found.append(Due(at, Topic.OUTCOMES, partition, message, about))
    return sorted(found, key=lambda due: due.at_ns)


class Follower:
    """Reads the decisions of one partition as they come, in a thread of its own.

    `answered` says when the first verdict of each intent was read, ns;
    `count` how many verdicts there were.
    """

    def __init__(self, log: Log, partition: int, offset: int) -> None:
        self.answered: dict[int, int] = {}
        self.count = 0
        self._log, self._partition, self._next = log, partition, offset
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"bench-follower-{partition}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            records = self._log.read(Topic.DECISIONS, self._partition, self._next, READ_MOST, 200)
            now = time.monotonic_ns()
            for rec in records:
                value = rec.value or b""
                if value[:5] == verdict.HEADER:
                    # The first field of a verdict is the intent's id, 16 bytes.
                    self.answered.setdefault(int.from_bytes(value[5:21], "big"), now)
                    self.count += 1
                self._next = rec.offset + 1


@dataclass(frozen=True, slots=True)
class Latency:
    """What an open loop showed: percentiles of ms from due to read, what never came, how late sending was, all sent."""

    answers_ms: dict[str, float]
    lost: int
    sending_ms: dict[str, float]
    sent: int


def play(dues: Sequence[Due], send: Send, followers: Sequence[Follower], warm_s: float, *, threads: bool) -> Latency:
    """Send every record when it is due and return how long first answers took to be read.

    `threads`: one sender for each partition, where `send` waits until a record
    is durable; else one for all. The first `warm_s` seconds are not counted.
    """
    # The schedule is large and stays: the collector going over it would be measured as somebody's latency.
    gc.collect()
    gc.freeze()
    start = time.monotonic_ns() + 50_000_000
    shares: dict[int, list[Due]] = defaultdict(list)
    for due in dues:
        shares[due.partition if threads else 0].append(due)
    senders = [Sender(share, send, followers, start) for share in shares.values()]
    for sender in senders:
        sender.thread.join()
    sent = sum(sender.sent for sender in senders)
    until = time.monotonic() + END_S
    while sum(one.count for one in followers) < sent and time.monotonic() < until:
        time.sleep(0.05)
    for follower in followers:
        follower.stop()
    seen = {number: at for follower in followers for number, at in follower.answered.items()}
    asked = [due for due in dues if due.topic is Topic.INTENTS]
    took = [
        (seen[due.number] - start - due.at_ns) / 1e6
        for due in asked
        if due.at_ns >= warm_s * 1e9 and due.number in seen
    ]
    late = [one for sender in senders for one in sender.late_ms]
    return Latency(percentiles(took), sum(due.number not in seen for due in asked), percentiles(late), sent)


class Sender:
    """Sends intents when they are due, whatever became of those before; claims and outcomes also once they may be sent."""

    def __init__(self, dues: Sequence[Due], send: Send, followers: Sequence[Follower], start: int) -> None:
        self.late_ms: list[float] = []
        self.sent = 0
        self._dues, self._send, self._start = dues, send, start
        self._answered = [follower.answered for follower in followers]
        self._held: dict[int, deque[Due]] = defaultdict(deque)
        self.thread = threading.Thread(target=self._run, name="bench-sender", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        here, dues = 0, self._dues
        until = self._start + (dues[-1].at_ns if dues else 0) + int(END_S * 1e9)
        while here < len(dues) or (any(self._held.values()) and time.monotonic_ns() < until):
            at_ns = dues[here].at_ns if here < len(dues) else 1 << 62
            wait_s = (self._start + at_ns - time.monotonic_ns()) / 1e9
            if wait_s > 0:
                time.sleep(min(wait_s, HELD_S) if any(self._held.values()) else wait_s)
            now = time.monotonic_ns() - self._start
            groups: dict[tuple[Topic, int], list[Message]] = {}
            while here < len(dues) and dues[here].at_ns <= now:
                due = dues[here]
                here += 1
                if due.topic is Topic.INTENTS:
                    groups.setdefault((due.topic, due.partition), []).append(due.message)
                    self.late_ms.append((now - due.at_ns) / 1e6)
                else:
                    self._held[due.partition].append(due)
            for partition, held in self._held.items():
                while held and held[0].number in self._answered[partition]:
                    groups.setdefault((Topic.OUTCOMES, partition), []).append(held.popleft().message)
            for (topic, partition), messages in groups.items():
                self._send(topic, partition, messages)
                self.sent += len(messages)

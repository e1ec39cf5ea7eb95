"""Those who ask and the feed, in one process: `python -m tests.faults.cluster.agents SPEC`, until SIGTERM.

Intents fall due by the clock, whatever becomes of those before (open loop).
Each that the cluster has acknowledged is written to the file `asked`: partition,
offset and id. What is not acknowledged is sent again, as agents do.
"""

import json
import os
import signal
import sys
import threading
from collections import deque
from pathlib import Path
from random import Random
from time import monotonic, time, time_ns

from placet import wiring
from placet.drivers.kafka import KafkaLog
from placet.errors import Unavailable, Unsure
from placet.model.keys import key_of, partition_of
from placet.model.topics import Topic
from placet.ports import Message
from tests.faults.cluster import cast
from tests.faults.town import TENANT

TICK_S = 0.02
AT_ONCE = 100
SIGNALS_S = 0.1
"""The feed says something this often."""
GRAVE_EVERY = 12


class Agents:
    """One thread that asks, one that sends for each partition, and one for the feed."""

    def __init__(self, log: KafkaLog, rate: int, seed: int, asked: Path) -> None:
        self._log = log
        self._rate = rate
        # Whoever begins anew takes numbers nobody took before.
        self._number = time_ns()
        self._draw = Random(seed)
        self._asked = os.open(asked, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._letters: list[deque[tuple[bytes, Message]]] = [deque() for _ in range(cast.PARTITIONS)]
        self.stop = threading.Event()

    def run(self) -> None:
        """Ask until told to stop; then see to it that everything asked is written."""
        threads = [threading.Thread(target=self._send, args=(each,)) for each in range(cast.PARTITIONS)]
        threads.append(threading.Thread(target=self._feed))
        for thread in threads:
            thread.start()
        begun, made = monotonic(), 0
        while not self.stop.wait(TICK_S):
            due = int((monotonic() - begun) * self._rate)
            for _ in range(due - made):
                self._ask()
            made = due
        for thread in threads:
            thread.join()

    def _ask(self) -> None:
        self._number += 1
        asked = cast.an_intent(self._draw, _now(), self._number)
        key = key_of(TENANT, asked.authority)
        letters = self._letters[partition_of(key, cast.PARTITIONS)]
        letters.append((asked.id, Message(key, cast.frame(asked))))

    def _send(self, partition: int) -> None:
        letters = self._letters[partition]
        while letters or not self.stop.wait(TICK_S):
            some = [letters[at] for at in range(min(AT_ONCE, len(letters)))]
            if not some:
                continue
            try:
                first = self._log.append(Topic.INTENTS, partition, [message for _, message in some])
            except (Unavailable, Unsure):
                continue
            # Of a batch that was acknowledged without a gap the offsets follow each other; the check looks by id too.
            lines = "".join(f"{partition} {first + at} {name.hex()}\n" for at, (name, _) in enumerate(some))
            os.write(self._asked, lines.encode())
            for _ in some:
                letters.popleft()

    def _feed(self) -> None:
        draw, number = Random(7), 0
        while not self.stop.wait(SIGNALS_S):
            number += 1
            score = 95 if number % GRAVE_EVERY == 0 else draw.choice((0, 10, 30))
            subject = cast.AGENTS[number % len(cast.AGENTS)]
            value = cast.a_signal(_now(), subject, score, number)
            try:
                self._log.append(Topic.SIGNALS, 0, [Message(f"{TENANT}/{subject}".encode(), value)])
            except (Unavailable, Unsure):
                continue


def _now() -> int:
    return int(time() * 1000)


def main(text: str) -> int:
    """Ask as the spec says until SIGTERM."""
    spec = json.loads(text)
    settings = cast.settings(spec["bootstrap"], spec["prefix"], spec["name"])
    log = KafkaLog(wiring.cluster(settings))
    agents = Agents(log, spec["rate"], spec["seed"], Path(spec["folder"]) / "asked")
    signal.signal(signal.SIGTERM, lambda *_: agents.stop.set())
    print("up", flush=True)
    agents.run()
    log.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

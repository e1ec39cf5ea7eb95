"""A service that claims and acts, in one process: `python -m tests.faults.cluster.executor SPEC`, until SIGTERM.

It believes only what a Seal closes (the SDK's reader), acts at most once on
each grant, and writes each action to the file `acts` before it acts: intent,
attempt, granted digest, nonce. What contradicts its Seals ends it with exit 3.
"""

import json
import os
import signal
import sys
from collections import deque
from pathlib import Path
from secrets import token_bytes
from threading import Event
from time import monotonic, time

from placet import wiring
from placet.drivers.kafka import Connection, KafkaLog
from placet.drivers.kafka.follower import Follower
from placet.errors import Corrupted, PoisonRecord, Unavailable, Unsure
from placet.faces.sdk.begun import BegunSet
from placet.faces.sdk.sealed import Sealed, SealedReader
from placet.model.codec.refusal import Refusal
from placet.model.codec.verdict import Verdict
from placet.model.keys import key_of, partition_of
from placet.model.proof import KeyRing, Signer
from placet.model.reasons import State
from placet.model.topics import Topic
from placet.ports import Message, Rec
from tests.faults import town
from tests.faults.cluster import cast
from tests.faults.town import OTHER_KEY, SHOP_KEY, TENANT

KEYS = {key.issuer: key for key in (SHOP_KEY, OTHER_KEY)}
WAIT_MS = 50
READ_MOST = 2_000
Slot = tuple[str, bytes, int]
"""Authority, id and attempt of what is granted."""


class Service:
    """Hears sealed decisions of all partitions, claims what is granted to it, acts once, and tells."""

    def __init__(self, connection: Connection, signer: Signer, folder: Path) -> None:
        self._signer = signer
        self._log = KafkaLog(connection)
        self._ring: KeyRing = cast.ring()
        starts = {(Topic.DECISIONS, each): self._log.end(Topic.DECISIONS, each) for each in range(cast.PARTITIONS)}
        self._readers = {
            each: SealedReader(each, self._ring, genesis=starts[Topic.DECISIONS, each] == 0)
            for each in range(cast.PARTITIONS)
        }
        self._follower = Follower(connection, starts)
        self._nonce = token_bytes(16)
        name = signer.issuer.replace(":", "-")
        self._acts = os.open(folder / f"acts-{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._begun = BegunSet(folder / f"begun-{name}", _now())
        self._claimed: dict[Slot, Verdict] = {}
        self._done: set[Slot] = set()
        self._later: deque[tuple[float, Verdict]] = deque()
        self._letters: dict[int, deque[Message]] = {each: deque() for each in range(cast.PARTITIONS)}

    def turn(self) -> None:
        """Hear what is new and answer it. Raise `Corrupted` when it contradicts its Seals."""
        for rec in self._heard():
            for one in self._readers[rec.partition].feed([rec]):
                self._take(one)
        while self._later and self._later[0][0] <= monotonic():
            self._claim(self._later.popleft()[1])
        self._post()

    def _heard(self) -> list[Rec]:
        try:
            return self._follower.take(READ_MOST, WAIT_MS)
        except (Unavailable, Unsure):
            return []

    def _take(self, one: Sealed) -> None:
        record = one.record
        if isinstance(record, Refusal):
            known = self._claimed.get((record.authority, record.id, record.attempt))
            if known is not None and record.retry_after_ms and record.cause_topic == Topic.OUTCOMES:
                self._later.append((monotonic() + record.retry_after_ms / 1000, known))
        elif isinstance(record, Verdict) and record.audience == self._signer.issuer:
            if record.state == State.GRANTED:
                self._claim(record)
            elif record.state == State.CLAIMED and not record.stop:
                self._act(record)

    def _claim(self, said: Verdict) -> None:
        self._claimed[said.authority, said.id, said.attempt] = said
        self._send(said, town.a_claim(_now(), said, said.granted_digest, self._nonce, self._signer))

    def _act(self, said: Verdict) -> None:
        slot = (said.authority, said.id, said.attempt)
        if slot in self._done or (said.claim_required and said.nonce != self._nonce):
            return
        if not said.claim_required and not self._begun.begin(TENANT, *slot, said.expires_at):
            return
        self._done.add(slot)
        line = f"{said.authority} {said.id.hex()} {said.attempt} {said.granted_digest.hex()} {said.nonce.hex()}\n"
        os.write(self._acts, line.encode())
        nonce = said.nonce or self._nonce
        self._send(said, town.an_outcome(_now(), said, State.DONE, said.granted_digest, nonce, self._signer))

    def _send(self, said: Verdict, value: bytes) -> None:
        key = key_of(TENANT, said.authority)
        self._letters[partition_of(key, cast.PARTITIONS)].append(Message(key, value))

    def _post(self) -> None:
        """Append what waits; what may not have arrived is sent again with the next turn."""
        for partition, letters in self._letters.items():
            if letters:
                try:
                    self._log.append(Topic.OUTCOMES, partition, list(letters))
                except (Unavailable, Unsure):
                    continue
                letters.clear()

    def close(self) -> None:
        """Give everything back."""
        self._follower.close()
        self._log.close()
        self._begun.close()


def _now() -> int:
    return int(time() * 1000)


def main(text: str) -> int:
    """Serve as the spec says until SIGTERM; 3 when what was read contradicts itself."""
    spec = json.loads(text)
    connection = wiring.cluster(cast.settings(spec["bootstrap"], spec["prefix"], spec["name"]))
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    service = Service(connection, KEYS[spec["issuer"]], Path(spec["folder"]))
    print("up", flush=True)
    try:
        while not stop.is_set():
            service.turn()
    except (Corrupted, PoisonRecord) as fault:
        print(f"corrupted: {fault}", flush=True)
        return 3
    service.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

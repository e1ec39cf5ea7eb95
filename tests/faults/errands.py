"""Ordinary work, for a worker that is killed under it: so many intents brought to an end, however often it takes."""

from random import Random

from placet.model.codec import decode_any, intent, open_frame
from placet.model.codec.verdict import Verdict
from placet.model.keys import key_of, partition_of
from placet.model.reasons import State
from placet.model.topics import Topic
from placet.ports import Clock, Log, Message
from tests.faults import town
from tests.faults.fleet import PACKS, Fleet
from tests.faults.town import PEOPLE, SHOP_KEY, TENANT
from tests.support.keyed import keyed

FINAL = frozenset(set(State) - {State.ASKED, State.DEFERRED, State.PENDING, State.GRANTED, State.CLAIMED})
"""States in which nobody waits any more; what is unknown waits for a person."""
AT_ONCE = 3


class Errands:
    """Intents that are asked for, claimed, done and reported. Whoever begins anew takes numbers nobody took before."""

    def __init__(self, log: Log, clock: Clock, numbers: range = range(0)) -> None:
        self._log = log
        self._clock = clock
        self._partitions = log.partitions(Topic.INTENTS)
        self._read = {partition: log.end(Topic.DECISIONS, partition) for partition in range(self._partitions)}
        self._left: list[int] = []
        self._open: set[bytes] = set()
        self.take(numbers)
        # Drawn per process, never stored (schemas/claim.avsc).
        self._nonces = Random()
        self._mine: set[bytes] = set()
        if log.end(Topic.POLICIES, 0) <= len(PACKS):
            Fleet.publish(clock.now_ms(), self._publish)

    def __repr__(self) -> str:
        return f"left {self._left}, open {sorted(int.from_bytes(each, 'big') for each in self._open)}"

    def take(self, numbers: range) -> None:
        """Take these upon oneself as well."""
        self._left += numbers
        self._open |= {number.to_bytes(16, "big") for number in numbers}

    def step(self) -> bool:
        """Do what can be done now; return whether anything is left."""
        for number in self._left[:AT_ONCE]:
            self._ask(number)
            self._left.remove(number)
        for partition, at in self._read.items():
            for rec in self._log.read(Topic.DECISIONS, partition, at, 500, 10):
                self._read[partition] = rec.offset + 1
                if open_frame(rec.value or b"")[0] == "verdict":
                    self._hear(decode_any(rec.value or b""))
        return bool(self._left or self._open)

    def _ask(self, number: int) -> None:
        kind = ("shop.refund", "shop.look", "shop.export", "shop.refund")[number % 4]
        arguments = {"amount": number % 2_000} if kind == "shop.refund" else {}
        person = PEOPLE[number % len(PEOPLE)]
        now = self._clock.now_ms()
        asked = town.an_intent(now, number, action=kind, arguments=arguments, authority=person)
        self._send(Topic.INTENTS, person, intent.frame(asked))

    def _hear(self, said: Verdict) -> None:
        if said.id not in self._open:
            return
        now = self._clock.now_ms()
        if said.state in FINAL:
            self._open.remove(said.id)
        elif said.state == State.GRANTED:
            nonce = self._nonces.randbytes(16)
            self._mine.add(nonce)
            self._send(Topic.OUTCOMES, said.authority, town.a_claim(now, said, said.granted_digest, nonce))
        elif not said.claim_required or said.nonce in self._mine:
            nonce = said.nonce or bytes(16)
            value = town.an_outcome(now, said, State.DONE, said.granted_digest, nonce, SHOP_KEY)
            self._send(Topic.OUTCOMES, said.authority, value)

    def _send(self, topic: Topic, authority: str, value: bytes) -> None:
        key = key_of(TENANT, authority)
        self._log.append(topic, partition_of(key, self._partitions), [Message(key, value)])

    def _publish(self, topic: Topic, value: bytes) -> None:
        self._log.append(topic, 0, [Message(keyed(value), value)])

"""Executors that keep their word: they claim what a committed verdict grants them, act at most once, and report."""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from placet.model.codec import open_frame, verdict
from placet.model.codec.verdict import Verdict
from placet.model.reasons import State
from placet.model.topics import Topic
from placet.ports import Log
from tests.faults import town
from tests.faults.fleet import Fleet
from tests.faults.town import OTHER, OTHER_KEY, SHOP, SHOP_KEY

KEYS = {SHOP: SHOP_KEY, OTHER: OTHER_KEY}


class Act(NamedTuple):
    """One action in the world, and the claim it rests on."""

    tenant: str
    authority: str
    id: bytes
    attempt: int
    intent_digest: bytes  # after its deadline an id may be given to another intent
    executor: str
    nonce: bytes


def act_of(said: Verdict) -> Act:
    """Return the action that a verdict of state `claimed` is the leave for."""
    named = said.tenant, said.authority, said.id, said.attempt, said.intent_digest
    return Act(*named, said.executor, said.nonce)


class Executors:
    """Two services that follow the decisions of all partitions, sometimes slow, sometimes born anew without memory."""

    def __init__(self, random: Random, fleet: Fleet, log: Callable[[], Log], now_ms: Callable[[], int]) -> None:
        self._random = random
        self._fleet = fleet
        self._log = log
        self._now = now_ms
        self._read: dict[int, int] = {}
        self._nonces: dict[bytes, Verdict] = {}
        self.acts: Counter[Act] = Counter()

    def listen(self) -> None:
        """Read what is committed since the last time and answer it."""
        if self._random.random() < 0.05:
            self._nonces.clear()  # died: whoever comes after does not know what was begun
        log = self._log()
        for partition in range(log.partitions(Topic.DECISIONS)):
            at, end = self._read.get(partition, 0), log.end(Topic.DECISIONS, partition)
            while at < end:
                for rec in log.read(Topic.DECISIONS, partition, at, 500, 1_000):
                    at = rec.offset + 1
                    self.hear(rec.value or b"")
            self._read[partition] = at

    def hear(self, value: bytes) -> None:
        """Answer one decision record."""
        if open_frame(value)[0] != "verdict":
            return
        said = verdict.decode(value)
        if said.state == State.GRANTED:
            self._claim(said)
        elif said.state == State.CLAIMED and not said.stop and self._mine(said):
            self.act(said)
        elif said.state == State.UNKNOWN and said.nonce in self._nonces and self._random.random() < 0.5:
            self._report(said, State.DONE, said.nonce)

    def _mine(self, said: Verdict) -> bool:
        if not said.claim_required:
            return said.executor in KEYS
        return said.nonce in self._nonces

    def act(self, said: Verdict) -> None:
        """Do it, once, and mostly tell."""
        self.acts[act_of(said)] += 1
        draw = self._random.random()
        if draw < 0.65:
            self._report(said, State.DONE, said.nonce)
        elif draw < 0.85:
            self._report(said, self._random.choice((State.FAILED, State.REFUSED)), said.nonce)
        if draw < 0.1:
            self._report(said, State.DONE, said.nonce)  # told twice: the first answer was slow in coming

    def _claim(self, said: Verdict) -> None:
        draw = self._random
        if draw.random() < 0.15:
            return  # nobody comes: the lease lapses
        by = KEYS[said.audience or draw.choice((SHOP, OTHER))]
        if draw.random() < 0.05:
            by = OTHER_KEY
        nonce = draw.randbytes(16)
        granted = said.granted_digest if draw.random() < 0.95 else bytes(32)
        self._nonces[nonce] = said
        for _ in range(draw.choice((1, 1, 1, 2))):
            self._fleet.write(Topic.OUTCOMES, said.authority, town.a_claim(self._now(), said, granted, nonce, by))
        if draw.random() < 0.1:  # a second process of the same service, with a nonce of its own
            rival = draw.randbytes(16)
            self._nonces[rival] = said
            value = town.a_claim(self._now(), said, granted, rival, by)
            self._fleet.write(Topic.OUTCOMES, said.authority, value)

    def _report(self, said: Verdict, result: State, nonce: bytes) -> None:
        draw = self._random
        more: dict[str, Any] = {}
        if draw.random() < 0.3:
            more = {
                "sensitivity": draw.choice(("internal", "restricted")),
                "origin": draw.choice(("internal", "external")),
            }
        ran = said.granted_digest if result is State.DONE else b""
        by = KEYS[said.executor]
        value = town.an_outcome(self._now(), said, result, ran, nonce or bytes(16), by, **more)
        self._fleet.write(Topic.OUTCOMES, said.authority, value)

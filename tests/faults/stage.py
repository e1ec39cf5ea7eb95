"""A small stage for one fault at a time: a journal, a worker with a script, and nobody else."""

from typing import Any

from placet.decision.settings import DeskSettings
from placet.faces.auditor import audit
from placet.model import codec
from placet.model.codec import intent
from placet.model.codec.intent import Intent
from placet.model.keys import key_of, partition_of
from placet.model.reasons import Reason, State
from placet.model.topics import Topic
from placet.ports import Log, Message, Rec
from tests.faults import town
from tests.faults.fleet import Fleet
from tests.faults.journals import MEMORY, Make, whole
from tests.faults.script import Script
from tests.faults.town import TENANT
from tests.faults.worker import Worker
from tests.support.keyed import keyed


class Stage:
    """`send`, `turn`, `said`: write a record, run one turn, read what was decided since the last time."""

    def __init__(self, partitions: int = 1, settings: DeskSettings | None = None, make: Make = MEMORY) -> None:
        self.clock = make.clock()
        self._wait_ms = make.wait_ms
        self.script = Script()
        self.handle = make.handle(partitions, self.clock)
        self.worker = Worker(self.handle, self.clock, self.script, settings or DeskSettings(), 0, 500)
        self._read = dict.fromkeys(range(partitions), 0)
        self._number = 0

    @property
    def now(self) -> int:
        return self.clock.now_ms()

    @property
    def log(self) -> Log:
        return self.handle.log()

    def open(self) -> "Stage":
        """Publish what has to be there before anything is granted, and serve."""
        Fleet.publish(self.now, self.publish)
        self.turn()
        return self

    def close(self) -> None:
        self.handle.close()

    def publish(self, topic: Topic, value: bytes | None, key: str | None = None) -> int:
        """Append a context record, under its own key where none is given; return its offset."""
        return self.log.append(topic, 0, [Message(keyed(value) if key is None else key.encode(), value)])

    def send(
        self, topic: Topic, value: bytes | None, authority: str = town.PEOPLE[0], *, misplaced: bool = False
    ) -> tuple[int, int]:
        """Append a record of an input topic; return its partition and offset."""
        key = key_of(TENANT, authority)
        count = self.log.partitions(Topic.INTENTS)
        partition = (partition_of(key, count) + misplaced) % count
        return partition, self.log.append(topic, partition, [Message(key, value)])

    def intent(self, **more: Any) -> Intent:
        self._number += 1
        return town.an_intent(self.now, self._number, **more)

    def ask(self, asked: Intent) -> list[Any]:
        self.send(Topic.INTENTS, intent.frame(asked), asked.authority)
        return self.turn()

    def turn(self) -> list[Any]:
        """Run one turn; where time passes by itself, as many as it takes. Return what was said."""
        if self._wait_ms:
            self.worker.drain(self._wait_ms)
        else:
            self.worker.turn()
        return self.said()

    def later(self, ms: int) -> list[Any]:
        self.clock.pass_ms(ms)
        return self.turn()

    def said(self) -> list[Any]:
        """Return the decisions since the last call, Seals left out."""
        found: list[Any] = []
        for partition, at in self._read.items():
            records = [rec for rec in whole(self.log, Topic.DECISIONS, partition) if rec.offset >= at]
            self._read[partition] = records[-1].offset + 1 if records else at
            found += map(decoded, records)
        return [record for record in found if type(record).__name__ != "Seal"]

    def seals(self, partition: int = 0) -> list[Any]:
        return [r for r in map(decoded, self.all(Topic.DECISIONS, partition)) if type(r).__name__ == "Seal"]

    @staticmethod
    def gone(key: str) -> Message:
        return Message(key.encode(), None)

    def all(self, topic: Topic, partition: int = 0) -> list[Rec]:
        return whole(self.log, topic, partition)

    def violations(self) -> list[str]:
        """Return what the auditor finds, each with the name of its check."""
        report = audit(self.log, town.KEY_FILE, town.KEK)
        return [f"{check.name}: {violation.text}" for check in report.checks.values() for violation in check.shown]


def decoded(rec: Rec) -> Any:
    return codec.decode_any(rec.value or b"")


def states(said: list[Any]) -> list[State]:
    return [State(record.state) for record in said if type(record).__name__ == "Verdict"]


def reasons(said: list[Any]) -> list[Reason]:
    return [Reason(record.reason) for record in said if type(record).__name__ == "Refusal"]

"""The context as its topics hold it, read as far as a batch had: for facts that no case was asked for."""

from typing import Any

from placet.context.tables import RESOURCE, RISK, Tables
from placet.errors import PoisonRecord
from placet.faces.replay.closed import Cursor
from placet.faces.replay.known import Recalled
from placet.model.codec.intent import Intent
from placet.model.codec.seal import Mark
from placet.model.proof import KeyRing
from placet.model.topics import CONTEXT, Topic
from placet.ports import Log


class Background:
    """Tables of all that is left of the context below some marks. What was compacted away since is not in them."""

    def __init__(self, log: Log, ring: KeyRing) -> None:
        self._tables = Tables(ring, log.partitions)
        self._cursors = {
            (int(topic), partition): Cursor(log, topic, partition)
            for topic in CONTEXT
            if topic not in (Topic.POLICIES, Topic.KEYS)
            for partition in range(log.partitions(topic))
        }

    def advance(self, marks: tuple[Mark, ...]) -> None:
        """Read on, up to `marks`; they never go back."""
        for mark in marks:
            cursor = self._cursors.get((mark.topic, mark.partition))
            for rec in () if cursor is None else cursor.upto(mark.offset):
                try:
                    self._tables.hear(rec)
                    self._tables.fold(rec)
                    self._tables.believe(rec)
                except PoisonRecord:
                    continue  # no desk took it

    def stand_in(self, tables: Recalled) -> None:
        """Let everything that is looked up be what the topics hold."""
        mine = self._tables
        tables.principals, tables.mandates, tables.risks = mine.principals, mine.mandates, mine.risks
        tables.resources, tables.calendar = mine.resources, mine.calendar
        tables.identity_changes = -mine.identity_changes - 1

    def lend(self, tables: Recalled, intent: Intent, facts: tuple[str, ...]) -> list[str]:
        """Put facts about an intent into `tables`; return those that the topics do not hold either."""
        tenant, absent = intent.tenant, []
        for fact in facts:
            root, _, part = fact.partition(".")
            if root == "calendar":
                row: Any = self._tables.calendar.get(tenant, {}).get(part)
                held = {**tables.calendar, tenant: {**tables.calendar.get(tenant, {}), part: row}}
                tables.calendar = held if row is not None else tables.calendar
            elif part == "risk":
                whose = f"session:{intent.session}" if root == "session" else getattr(intent, root)
                row = self._tables.risks.get(f"{RISK}{tenant}/{whose}")
                tables.risks = {**tables.risks, f"{RISK}{tenant}/{whose}": row} if row is not None else tables.risks
            else:
                row = self._tables.resources.get(f"{RESOURCE}{tenant}/{intent.resource}")
                key = f"{RESOURCE}{tenant}/{intent.resource}"
                tables.resources = {**tables.resources, key: row} if row is not None else tables.resources
            if row is None:
                absent.append(fact)
        return absent

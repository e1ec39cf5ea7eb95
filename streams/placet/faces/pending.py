"""What waits for people, read from decisions: each pending intent once, with what was asked and who has said yes."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from placet.errors import PoisonRecord
from placet.model.codec import BY_HEADER, decode_as, open_frame
from placet.model.codec.verdict import Verdict
from placet.model.digests import intent_digest
from placet.model.reasons import State
from placet.model.topics import Topic
from placet.ports import Log

READ_MOST, FETCH_MS = 2_000, 5_000
Name = tuple[str, str, bytes, int]
"""Tenant, authority, id and attempt."""


class Pending(NamedTuple):
    """One intent that waits: its newest verdict, and its arguments, None where the intent that was answered is not there.

    Identical intents of one agent have the same `group`.
    """

    verdict: Verdict
    arguments: dict[str, Any] | None

    @property
    def name(self) -> Name:
        said = self.verdict
        return said.tenant, said.authority, said.id, said.attempt

    @property
    def group(self) -> bytes:
        return self.verdict.action_digest

    def told(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        said, approval = self.verdict, self.verdict.approval
        names = ("tenant", "authority", "attempt", "actor", "mandate", "action", "resource", "purpose", "detail")
        return {
            "id": said.id.hex(),
            **{name: getattr(said, name) for name in names},
            "arguments": self.arguments,
            "rules": list(said.rules),
            "quorum": approval.quorum if approval else 0,
            "eligible": list(approval.eligible) if approval else [],
            "voters": list(approval.voters) if approval else [],
            "acr": list(approval.acr) if approval else [],
            "auth_age_s_max": (approval.auth_age_ms_max // 1000 or None) if approval else None,
            "asked_at": said.asked_at,
            "expires_at": said.expires_at,
            "intent_digest": said.intent_digest.hex(),
            "group": self.group.hex(),
        }


class Inbox:
    """Follows the decisions of a journal, from its begin, for what waits for people; of one tenant, or of all."""

    def __init__(self, log: Log, tenant: str = "") -> None:
        self._log = log
        self._tenant = tenant
        self._at = dict.fromkeys(range(log.partitions(Topic.DECISIONS)), 0)
        self._open: dict[Name, Pending] = {}

    def read(self, wait_ms: int = 0) -> bool:
        """Read what has come; where that is nothing, wait so long for it. Return whether what waits has changed."""
        before = dict(self._open)
        moved = [self._partition(partition) for partition in self._at]
        if wait_ms and not any(moved):
            # Nothing anywhere: wait at one place, and look at all of them again soon.
            partition = next(iter(self._at))
            self._log.read(Topic.DECISIONS, partition, self._at[partition], 1, wait_ms)
            for partition in self._at:
                self._partition(partition)
        return before != self._open

    def waiting(self, now_ms: int) -> list[Pending]:
        """Return what still waits at `now_ms`, the first to expire first."""
        found = [each for each in self._open.values() if each.verdict.expires_at > now_ms]
        return sorted(found, key=lambda each: (each.verdict.expires_at, each.verdict.id))

    def _partition(self, partition: int) -> bool:
        start, end = self._at[partition], self._log.end(Topic.DECISIONS, partition)
        while self._at[partition] < end:
            recs = self._log.read(Topic.DECISIONS, partition, self._at[partition], READ_MOST, FETCH_MS)
            if not recs:
                break
            for rec in recs:
                verdict = decode_as("verdict", rec.value or b"")
                if verdict is not None and self._tenant in ("", verdict.tenant):
                    self._hear(partition, verdict)
            self._at[partition] = recs[-1].offset + 1
        return self._at[partition] > start

    def _hear(self, partition: int, verdict: Verdict) -> None:
        name = (verdict.tenant, verdict.authority, verdict.id, verdict.attempt)
        if verdict.state == State.PENDING:
            known = self._open.get(name)
            arguments = self._asked(partition, verdict) if known is None else known.arguments
            self._open[name] = Pending(verdict, arguments)
        else:
            self._open.pop(name, None)

    def _asked(self, partition: int, verdict: Verdict) -> dict[str, Any] | None:
        """Return the arguments of the very intent that a verdict answers, by its digest."""
        recs = self._log.read(Topic.INTENTS, partition, verdict.asked_offset, 1, FETCH_MS)
        value = (recs[0].value or b"") if recs and recs[0].offset == verdict.asked_offset else b""
        try:
            if open_frame(value)[0] != "intent":
                return None
            reader = BY_HEADER[value[:5]]
            intent, end = reader.decode_signed(value)
        except PoisonRecord:
            return None
        if intent_digest(value[5:end], reader.FINGERPRINT) != verdict.intent_digest:
            return None
        arguments: dict[str, Any] = orjson.loads(intent.arguments)
        return arguments


def groups(waiting: Iterable[Pending]) -> list[list[Pending]]:
    """Return what waits with what is identical to it, in order of the first of each."""
    found: dict[bytes, list[Pending]] = {}
    for each in waiting:
        found.setdefault(each.group, []).append(each)
    return list(found.values())

"""What waits for people, read from decisions: each pending intent once, with what was asked and who has said yes; and each
emergency that they have to look at afterwards.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from placet.errors import PoisonRecord
from placet.model.codec import BY_HEADER, decode_as, open_frame
from placet.model.codec.review import Review
from placet.model.codec.verdict import Verdict
from placet.model.digests import intent_digest
from placet.model.reasons import ReviewState, State
from placet.model.topics import Topic
from placet.ports import Log

READ_MOST, FETCH_MS = 2_000, 5_000
Name = tuple[str, str, bytes, int]
"""Tenant, authority, id and attempt."""
ANSWERED = frozenset({ReviewState.RIGHT, ReviewState.WRONG})


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
    def digest(self) -> bytes:
        """Return what votes bind to."""
        return self.verdict.intent_digest

    @property
    def group(self) -> bytes:
        return self.verdict.action_digest

    @property
    def proof(self) -> tuple[tuple[str, ...], int]:
        """Return how voters must have authenticated (empty: any way), and how long ago at most, ms (0: any time)."""
        approval = self.verdict.approval
        return ((), 0) if approval is None else (approval.acr, approval.auth_age_ms_max)

    def told(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        said, approval = self.verdict, self.verdict.approval
        names = ("tenant", "authority", "attempt", "actor", "mandate", "action", "resource", "purpose", "detail")
        acr, age_ms = self.proof
        return {
            "kind": "approval",
            "id": said.id.hex(),
            **{name: getattr(said, name) for name in names},
            "arguments": self.arguments,
            "rules": list(said.rules),
            "quorum": approval.quorum if approval else 0,
            "eligible": list(approval.eligible) if approval else [],
            "voters": list(approval.voters) if approval else [],
            "acr": list(acr),
            "auth_age_s_max": age_ms // 1000 or None,
            "asked_at": said.asked_at,
            "expires_at": said.expires_at,
            "intent_digest": said.intent_digest.hex(),
            "group": self.group.hex(),
        }


class Reviewed(NamedTuple):
    """One emergency that people have to look at: the newest record of its review. Yes finds it right, no finds it wrong."""

    review: Review

    @property
    def name(self) -> Name:
        said = self.review
        return said.tenant, said.authority, said.id, said.attempt

    @property
    def digest(self) -> bytes:
        """Return what votes bind to."""
        return self.review.digest

    @property
    def group(self) -> bytes:
        return self.review.digest

    @property
    def proof(self) -> tuple[tuple[str, ...], int]:
        """Return how voters must have authenticated, as `Pending.proof`."""
        return self.review.acr, self.review.auth_age_ms_max

    @property
    def overdue(self) -> bool:
        return self.review.state == ReviewState.OVERDUE

    def told(self) -> dict[str, Any]:
        """Return it as JSON has it; `intent_digest` is what a vote on it has to name."""
        said = self.review
        names = ("tenant", "authority", "attempt", "actor", "action", "resource", "purpose", "quorum", "by", "detail")
        return {
            "kind": "review",
            "state": ReviewState(said.state).name.lower(),
            "id": said.id.hex(),
            **{name: getattr(said, name) for name in names},
            "eligible": list(said.eligible),
            "not_of": sorted({*said.chain, said.owner} - {""}),
            "voters": list(said.voters),
            "acr": list(said.acr),
            "auth_age_s_max": said.auth_age_ms_max // 1000 or None,
            "asked_at": said.asked_at,
            "expires_at": said.expires_at,
            "intent_digest": said.digest.hex(),
        }


Asking = Pending | Reviewed


class Inbox:
    """Follows the decisions of a journal, from its begin, for what waits for people; of one tenant, or of all."""

    def __init__(self, log: Log, tenant: str = "") -> None:
        self._log = log
        self._tenant = tenant
        self._at = dict.fromkeys(range(log.partitions(Topic.DECISIONS)), 0)
        self._open: dict[Name, Pending] = {}
        self._reviews: dict[bytes, Reviewed] = {}

    def read(self, wait_ms: int = 0) -> bool:
        """Read what has come; where that is nothing, wait so long for it. Return whether what waits has changed."""
        before = dict(self._open), dict(self._reviews)
        moved = [self._partition(partition) for partition in self._at]
        if wait_ms and not any(moved):
            # Nothing anywhere: wait at one place, and look at all of them again soon.
            partition = next(iter(self._at))
            self._log.read(Topic.DECISIONS, partition, self._at[partition], 1, wait_ms)
            for partition in self._at:
                self._partition(partition)
        return before != (self._open, self._reviews)

    def waiting(self, now_ms: int) -> list[Pending]:
        """Return what still waits at `now_ms`, the first to expire first."""
        found = [each for each in self._open.values() if each.verdict.expires_at > now_ms]
        return sorted(found, key=lambda each: (each.verdict.expires_at, each.verdict.id))

    def reviews(self) -> list[Reviewed]:
        """Return the emergencies that are to be looked at, the first to be overdue first: one that is stays until it is answered."""
        return sorted(self._reviews.values(), key=lambda each: (each.review.expires_at, each.review.id))

    def asking(self, now_ms: int) -> list[Asking]:
        """Return all that people are asked at `now_ms`."""
        return [*self.waiting(now_ms), *self.reviews()]

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
                review = decode_as("review", rec.value or b"") if verdict is None else None
                if review is not None and self._tenant in ("", review.tenant):
                    self._review(review)
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

    def _review(self, review: Review) -> None:
        if review.state in ANSWERED:
            self._reviews.pop(review.digest, None)
        else:
            self._reviews[review.digest] = Reviewed(review)

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


def groups(waiting: Iterable[Asking]) -> list[list[Asking]]:
    """Return what waits with what is identical to it, in order of the first of each."""
    found: dict[bytes, list[Asking]] = {}
    for each in waiting:
        found.setdefault(each.group, []).append(each)
    return list(found.values())

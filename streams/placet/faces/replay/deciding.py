"""A desk's own rooms, put to work on cases: what they look up is what a case holds, and nobody is asked for proof again."""

from collections.abc import Mapping
from typing import Any

from placet.context.join import Joiner
from placet.context.parties import Asker
from placet.decision.answer import Answer
from placet.decision.arrow import Cause, Said
from placet.decision.ballot import Ballot, Cast, Count
from placet.decision.book import Book
from placet.decision.counts import part_of
from placet.decision.intake import Asked, Intake
from placet.decision.judge import Judge
from placet.decision.limits import Limits
from placet.decision.meters import Holdings, Meters
from placet.decision.settings import DeskSettings
from placet.decision.sums import Exceeded, Weighed
from placet.decision.ties import Tied
from placet.decision.vault import Vault, commitment
from placet.decision.voice import Voice
from placet.faces.replay.known import Recalled
from placet.faces.replay.opened import Known
from placet.model.case import Case
from placet.model.codec import BY_HEADER, decode_known, verdict
from placet.model.codec.case_body import Metered
from placet.model.codec.claim import Claim
from placet.model.codec.desk_change import Lease, Session
from placet.model.codec.intent import Intent
from placet.model.codec.outcome import Outcome
from placet.model.codec.review import Review
from placet.model.codec.vote import Vote
from placet.model.codec.withdraw import Withdraw
from placet.model.keys import key_of
from placet.model.proof import KeyRing
from placet.model.reasons import Effect
from placet.policy.evaluate import Finding, Plan

NO_KEK = bytes(32)
"""Nothing is put under lock here."""
FORGOTTEN_EVERY_MS = 900_000
"""How often what was spent in windows that have passed is let go of."""


LIFE_GONE = "what it follows is not known: it could not be decided again, or lies before the range"
NO_CASE = "no case was kept: its authority was not known, or its caller was barred from emergencies"
NO_ACTOR = "no case was kept: whether an unsigned intent that asks for more context has a known actor"


class NotKept(Exception):
    """What would have to be known was not kept: the text says what."""


class CaseJoiner(Joiner):
    """A joiner that finds what a case holds. It is `blind` where there is none."""

    blind = False

    def join(self, intent: Intent, asker: Asker, arguments: dict[str, object], wanted: tuple[str, ...]) -> Case:
        """Join as a desk does; raise NotKept where there is nothing to join with."""
        if self.blind:
            raise NotKept(NO_CASE)
        return super().join(intent, asker, arguments, wanted)

    def knows(self, tenant: str, name: str) -> bool:
        """Return whether a principal is known; raise NotKept where there is nothing to know it from."""
        if self.blind:
            raise NotKept(NO_ACTOR)
        return super().knows(tenant, name)


class Readings(Holdings):
    """What a case says was held and spent: its readings stand for everything that is counted."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], int] = {}
        self._read: dict[str, int] = {}

    def take(self, limits: tuple[Metered, ...]) -> None:
        """Stand at these readings: what others used, and what the intent itself held."""
        self._said = {(one.limit, one.scope): one.used + one.own for one in limits} if limits else {}
        self._read = {}

    def name(self, tied: tuple[Tied, ...]) -> None:
        """Let the readings be found by the names of these limits; a case says nothing of what a limit measures."""
        said = self._said
        self._read = {
            each.name: said[each.limit.name, each.scope] for each in tied if (each.limit.name, each.scope) in said
        }

    def of(self, key: bytes) -> Mapping[str, int]:  # noqa: ARG002  a case is of one key
        return self._read


class CaseLimits(Limits):
    """Limits as a case read them.

    How many scopes a key has is no reading, nor when a window passes: both are
    counted along. `since` is the instant from which on that is whole.
    """

    since = 0

    def __init__(self, readings: Readings, holdings: Holdings, meters: Meters, settings: DeskSettings) -> None:
        super().__init__(readings, Meters(), settings)
        self._readings = readings
        self._counted = Counted(holdings, meters, settings)

    def _within(self, asked: Asked, tied: tuple[Tied, ...], finding: Finding, instant: int) -> Weighed | None:
        self._readings.name(tied)
        full = self._counted.crowded(asked.key, tied)
        return None if full else super()._within(asked, tied, finding, instant)

    def _still_within(
        self, asked: Asked, tied: tuple[Tied, ...], finding: Finding, instant: int, lease: Lease
    ) -> Weighed | None:
        self._readings.name(tied)
        return super()._still_within(asked, tied, finding, instant, lease)

    def _crowded(self, key: bytes, tied: tuple[Tied, ...]) -> str:
        self._readings.name(tied)
        return self._counted.crowded(key, tied)

    def _again_at(self, key: bytes, exceeded: list[Exceeded], instant: int) -> int:
        if self.since and any(instant - each.tied.window_ms < self.since for each in exceeded if each.tied.window_ms):
            raise NotKept(LIFE_GONE)
        return self._counted.again_at(key, exceeded, instant)


class Counted(Limits):
    """Limits as they are counted along with history."""

    def crowded(self, key: bytes, tied: tuple[Tied, ...]) -> str:
        """Return why one of these may not be counted under a key, or an empty text."""
        return self._crowded(key, tied)

    def again_at(self, key: bytes, exceeded: list[Exceeded], instant: int) -> int:
        """Return when windows that pass leave enough of what was exceeded, or 0."""
        return self._again_at(key, exceeded, instant)


class CaseJudge(Judge):
    """A judge of cases: context, packs, limits and ballots are those of the case that was put last."""

    known: Known | None = None
    own_votes = False
    """Whether the votes are those that its own history holds, not those of the case."""

    def put(self, known: Known) -> None:
        """Judge under this case from here on."""
        self.known = known
        self.begin(known.instant, known.cut)

    def keeps_case(self, intent: Intent, answer: Answer) -> bool:  # noqa: ARG002
        """Return whether a case was kept: it is here."""
        return self.known is not None

    def _count(self, plan: Plan, finding: Finding, lease: Lease | None, ballot: Ballot | None) -> Count | None:
        if self.own_votes or self.known is None or finding.effect is not Effect.STEP_UP:
            return super()._count(plan, finding, lease, ballot)
        asked_at = ballot.asked_at if ballot is not None else self._instant if lease is None else lease.asked_at
        came = {} if ballot is None else {cast.value: cast.at for cast in ballot.casts}
        casts = tuple(Cast(decode_known(value), value, came.get(value, 0)) for value in self.known.votes)
        return super()._count(plan, finding, None, Ballot(asked_at, casts))


class Speech(Voice):
    """A voice that is heard one word at a time: `made` is the decision it said, `told` what it said instead.

    `more` are the reviews it said with it, each in its framing, by seq.
    """

    def __init__(self, partition: int) -> None:
        super().__init__(partition, Vault(NO_KEK))
        self.salt = b""
        self.made: bytes | None = None
        self.told = ""
        self.more: dict[int, tuple[Review, bytes]] = {}

    def at(self, seq: int) -> None:
        """Say the next word at this seq."""
        self.seq, self.made, self.told, self.more = seq, None, "", {}

    def say(
        self,
        asked: Asked,
        answer: Answer,
        cause: Cause,
        previous: int,
        asked_offset: int,
        asked_at: int,
        body: bytes | None,
        said: Said,
    ) -> int:
        """Say a verdict at once; return its seq."""
        saying = (self.seq, asked, answer, cause, previous, asked_offset, asked_at, body, said)
        self.made = verdict.HEADER + self.payload(saying)
        self.seq += 1
        return saying[0]

    def review(self, record: Review, cause: Cause) -> tuple[Review, bytes]:
        """Say where a review is: with the verdict that was said, or by itself."""
        said, value = super().review(record, cause)
        if self.made is None:
            self.made = value
        else:
            self.more[said.seq] = said, value
        return said, value

    def _case(self, key: bytes, seq: int, body: bytes) -> bytes:  # noqa: ARG002
        return commitment(self.salt, body)

    def repeat(self, *said: Any, **_: Any) -> None:
        """Note that a pointer would have been said."""
        self.told = f"a pointer to the answer at seq {said[4]}"

    def refusal(self, *said: Any, **_: Any) -> None:
        """Note that a refusal would have been said."""
        self.told = f"a refusal for reason {int(said[1])}: {said[2]}"


class CaseBook(Book):
    """The memory of a desk that replays: what is open, and what was answered. Nothing of it is written anywhere."""

    def __init__(self, partition: int, settings: DeskSettings, tables: Recalled) -> None:
        super().__init__(partition, settings, NO_KEK, tables.covers)
        self.speech = Speech(partition)
        self.voice = self.speech
        self.session: Session | None = None
        self._forget_at = 0

    def start(self, instant: int) -> None:
        """Start a batch at `instant`, ms."""
        self.instant = instant
        self.voice.begin(self.voice.seq, instant)

    def close_batch(self) -> None:
        """What the batch changed stands."""
        self.settled.keep()
        self.settled.forget(self.instant)
        self.leases.keep()
        self.reviews.keep()
        if self.instant >= self._forget_at:
            self._forget_at = self.instant + FORGOTTEN_EVERY_MS
            for row in self.meters.rows():
                if part_of(row).is_over(self.instant):
                    self.meters.forget(row)
        self.meters.keep()
        self.changes.begin()
        self._session_undo.clear()
        self._hearing, self._freeing = [], []

    def open(self, lease: Lease, facts: Any = (), key: bytes | None = None) -> None:  # noqa: ARG002
        """Remember an open intent; what it rests on is asked by nobody here."""
        self.leases.put(lease, (), key)

    def session_of(self, asked: Asked) -> Session | None:  # noqa: ARG002
        """Return what had come back to the session, as the case says."""
        return self.session


class Reread(Intake):
    """Reads what was taken before: its writer was proved then. `ring` says who holds a key."""

    def __init__(self, partition: int, partitions: int, ring: KeyRing) -> None:
        super().__init__(partition, partitions, ring)
        self._ring = ring

    def said_in(self, value: bytes) -> tuple[Any, bytes]:
        """Return a claim, an outcome, a vote or a withdrawal, and its key."""
        said: Claim | Outcome | Vote | Withdraw = BY_HEADER[value[:5]].decode(value)
        return said, key_of(said.tenant, said.authority)

    def teller(self, told: Outcome) -> tuple[str, bool]:
        """Return who signed an outcome, and whether that is a person who settles what is unknown."""
        if told.proof is None:
            return told.executor, False
        settles = self._ring.purpose_of(told.proof.kid, told.tenant) == "operator"
        return told.proof.issuer, settles

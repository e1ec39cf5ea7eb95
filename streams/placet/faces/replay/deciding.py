"""A desk's own rooms, put to work on cases: what they look up is what a case holds, and nobody is asked for proof again."""

from collections.abc import Mapping
from typing import Any

from placet.context.join import Joiner
from placet.context.parties import Asker
from placet.decision.answer import Answer
from placet.decision.arrow import Cause, Said
from placet.decision.ballot import Ballot, Cast, Count
from placet.decision.book import Book
from placet.decision.intake import Asked, Intake
from placet.decision.judge import Judge
from placet.decision.limits import Limits, Weighed
from placet.decision.meters import Holdings, Meters
from placet.decision.settings import DeskSettings
from placet.decision.ties import Tied
from placet.decision.vault import Vault, commitment
from placet.decision.voice import Saying, Voice
from placet.faces.replay.known import Recalled
from placet.faces.replay.opened import Known
from placet.model.case import Case
from placet.model.codec import BY_HEADER, decode_known, verdict
from placet.model.codec.case_body import Metered
from placet.model.codec.claim import Claim
from placet.model.codec.desk_change import Lease, Session
from placet.model.codec.intent import Intent
from placet.model.codec.outcome import Outcome
from placet.model.codec.vote import Vote
from placet.model.codec.withdraw import Withdraw
from placet.model.keys import key_of
from placet.model.proof import KeyRing
from placet.model.reasons import Effect
from placet.policy.evaluate import Finding, Plan

NO_KEK = bytes(32)
"""Nothing is put under lock here."""


class NotKept(Exception):
    """What would have to be known was not kept: there is no case."""


class CaseJoiner(Joiner):
    """A joiner that finds what a case holds. It is `blind` where there is none."""

    blind = False

    def join(self, intent: Intent, asker: Asker, arguments: dict[str, object], wanted: tuple[str, ...]) -> Case:
        """Join as a desk does; raise NotKept where there is nothing to join with."""
        if self.blind:
            raise NotKept
        return super().join(intent, asker, arguments, wanted)


class Readings(Holdings):
    """What a case says was held and spent: its readings stand for everything that is counted."""

    def __init__(self) -> None:
        super().__init__()
        self._read: dict[str, int] = {}

    def take(self, limits: tuple[Metered, ...]) -> None:
        """Stand at these readings: what others used, and what the intent itself held."""
        self._read = {f"{one.limit} {one.scope}": one.used + one.own for one in limits} if limits else {}

    def of(self, key: bytes) -> Mapping[str, int]:  # noqa: ARG002  a case is of one key
        return self._read


class CaseLimits(Limits):
    """Limits as a case read them. How many scopes a key has is no reading: it is counted along."""

    def __init__(self, readings: Readings, holdings: Holdings, meters: Meters, settings: DeskSettings) -> None:
        super().__init__(readings, Meters(), settings)
        self._counted = Counted(holdings, meters, settings)

    def _within(self, asked: Asked, tied: tuple[Tied, ...], finding: Finding, instant: int) -> Weighed | None:
        return None if self._full(asked.key, tied) else super()._within(asked, tied, finding, instant)

    def _full(self, key: bytes, tied: tuple[Tied, ...]) -> bool:
        return self._counted.full(key, tied)


class Counted(Limits):
    """Limits as they are counted along with history."""

    def full(self, key: bytes, tied: tuple[Tied, ...]) -> bool:
        """Return whether one more scope would be too many under a key."""
        return self._full(key, tied)


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
        casts = tuple(Cast(decode_known(value), value) for value in self.known.votes)
        return super()._count(plan, finding, None, Ballot(asked_at, casts))


class Speech(Voice):
    """A voice that is heard one word at a time: `made` is the verdict it said last, `told` what it said instead."""

    def __init__(self, partition: int) -> None:
        super().__init__(partition, Vault(NO_KEK))
        self.salt = b""
        self.made: bytes | None = None
        self.told = ""

    def at(self, seq: int) -> None:
        """Say the next word at this seq."""
        self.seq, self.made, self.told = seq, None, ""

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
        saying = Saying(self.seq, asked, answer, cause, previous, asked_offset, asked_at, body, said)
        self.made = verdict.HEADER + self.payload(saying)
        return self.seq

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

    def start(self, instant: int) -> None:
        """Start a batch at `instant`, ms."""
        self.instant = instant
        self.voice.begin(self.voice.seq, instant)

    def close_batch(self) -> None:
        """What the batch changed stands."""
        self.settled.keep()
        self.settled.forget(self.instant)
        self.leases.keep()
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

"""The memory of one desk: what was answered, what is open, and the one way in which both change."""

from collections.abc import Iterable

from placet.decision.answer import Answer
from placet.decision.arrow import CLOCK, QUIET, Cause, Said
from placet.decision.awaiting import Awaiting, Covers
from placet.decision.changes import Changes
from placet.decision.index import Key
from placet.decision.intake import Asked
from placet.decision.leases import Leases
from placet.decision.life import ASKED, CLAIMED, DENIED, PENDING, WAITING, step
from placet.decision.meters import HOLD, RELEASE, SPEND, Meters, name_of, posts_of
from placet.decision.readings import Readings
from placet.decision.reviews import Reviews, asked_of
from placet.decision.settings import DeskSettings
from placet.decision.settled import CUT, REST, TRANSIENT_FLAG, SettledTable
from placet.decision.tally import Tally
from placet.decision.vault import Vault
from placet.decision.voice import Voice
from placet.model.codec.desk_change import Lease, Session
from placet.model.codec.review import Review
from placet.model.reasons import TRANSIENT, ReviewState
from placet.ports import Entropy, Rec


class Book:
    """All a desk remembers. Changes of a batch stand after `keep`, and are gone after `drop`."""

    def __init__(self, partition: int, settings: DeskSettings, key_encryption_key: bytes, covers: Covers) -> None:
        self.settings = settings
        self.settled = SettledTable()
        self.leases = Leases()
        self.awaiting = Awaiting(self.leases, covers)
        self.meters = Meters()
        self.sessions: dict[str, Session] = {}
        self.vault = Vault(key_encryption_key)
        self.voice = Voice(partition, self.vault)
        self.changes = Changes(partition, settings.deadline_ms_max, settings.session_ms_max)
        self.reviews = Reviews()
        self.readings = Readings()
        self.tally = Tally()
        self.heard: list[str] = []
        self.freed: list[str] = []
        self._hearing: list[str] = []
        self._freeing: list[str] = []
        self.seq = 0
        self.instant = 0
        self._session_undo: list[tuple[str, Session | None]] = []

    def begin(self, instant: int, entropy: Entropy) -> None:
        """Start a batch at `instant`, ms."""
        self.instant = instant
        self.voice.begin(self.seq, instant)
        self.vault.begin(entropy)
        self.tally = Tally()
        self._hearing, self._freeing = [], []
        self.changes.begin()
        self.changes.retire(instant, self.leases, self.sessions, self.settled, self.meters)

    def finish(self) -> None:
        """Close the batch: write all that was said, and put what it changed among its emits."""
        self.voice.write()
        self.voice.emits.desk = self.changes.messages(self.voice.seq, self.instant, self.vault.made)

    def keep(self) -> None:
        """The batch is committed: what it changed stands."""
        self.seq = self.voice.seq
        self.settled.keep()
        self.settled.forget(self.instant)
        self.leases.keep()
        self.reviews.keep()
        self._session_undo.clear()
        for session in self.changes.forgotten:
            if self.sessions.get(session.key) is session:
                del self.sessions[session.key]
        for meter in self.changes.past:
            self.meters.forget(meter)
        self.meters.keep()
        self.changes.begin()
        self.heard += self._hearing
        self.freed += self._freeing
        self._hearing, self._freeing = [], []
        self.vault.made = []

    def drop(self) -> None:
        """Nothing of the batch was committed: all is as it was before."""
        self.settled.drop()
        self.leases.drop()
        self.reviews.drop()
        self.meters.drop()
        for key, before in reversed(self._session_undo):
            if before is None:
                self.sessions.pop(key, None)
            else:
                self.sessions[key] = before
        self._session_undo.clear()
        self.vault.drop()
        self.changes.drop()

    def first(self, asked: Asked, answer: Answer, cause: Cause, asked_at: int, body: bytes | None) -> int:
        """Write the first answer to an intent attempt, and remember it; return its seq."""
        step(ASKED, answer.state)
        said = Said(executor=asked.intent.audience) if answer.state is CLAIMED else QUIET
        if answer.holds and not answer.posted:
            answer.posts = posts_of(ASKED, (), answer.state, answer.holds)
            self.tally.near += answer.near
        seq = self.voice.say(asked, answer, cause, -1, cause.offset, asked_at, body, said)
        self.tally.count(asked.intent.action, answer, self.instant - asked_at)
        self._remember(asked, answer, seq)
        if answer.emergency is not None:
            self.review(asked_of(asked, answer.emergency, self.voice.partition, seq, self.instant), CLOCK)
        return seq

    def _remember(self, asked: Asked, answer: Answer, seq: int) -> None:
        """Remember under which `seq` an attempt was answered first, and whether another may follow."""
        deadline = asked.intent.deadline
        row = REST.pack(
            seq,
            deadline,
            asked.intent.attempt,
            TRANSIENT_FLAG if answer.reason in TRANSIENT and answer.state is DENIED else 0,
            asked.intent_digest[:CUT],
            asked.action_digest[:CUT],
        )
        self.settled.put(asked.slot, row, deadline, self.instant)
        self.changes.settled.append(asked.slot + row)
        if deadline - self.instant > self.settings.deadline_ms_max:
            self.changes.long_lived.append(asked.slot)

    def refuse(
        self,
        rec: Rec,
        reason: int,
        detail: str,
        identity: tuple[str, str, bytes, int] = ("", "", b"", 0),
        key: bytes = b"",
        retry_after_ms: int = 0,
    ) -> None:
        """Write the one refusal of a record that is not decided."""
        self.tally.refused[reason] += 1
        self.voice.refusal(rec, reason, detail, identity, key, retry_after_ms)

    def move(
        self, lease: Lease, asked: Asked, answer: Answer, cause: Cause, body: bytes | None, said: Said = QUIET
    ) -> int:
        """Write the next arrow of an open intent, and remember where it is now; return the arrow's seq."""
        waits = lease.state == PENDING
        # What goes on waiting for people takes no arrow, as what is told to stop takes none.
        if not said.stop and not (waits and answer.state is PENDING):
            step(lease.state, answer.state)
        if answer.state is DENIED and answer.reason in TRANSIENT:
            known = self.settled.find(lease.slot)
            if known is not None:
                self._remember(asked, answer, known.seq)
        if waits and answer.state is not PENDING:
            self.tally.approvals_ms.append(self.instant - lease.asked_at)
        if lease.holds or answer.holds:
            seq = self._post(lease, asked, answer, cause, body, said)
        else:
            seq = self.voice.say(asked, answer, cause, lease.seq, lease.asked_offset, lease.asked_at, body, said)
        if answer.emergency is not None and lease.state in WAITING:
            self.review(asked_of(asked, answer.emergency, self.voice.partition, seq, self.instant), CLOCK)
        return seq

    def review(self, record: Review, cause: Cause) -> None:
        """Say the next record of the review of an emergency, and remember it for as long as it is not answered."""
        record, value = self.voice.review(record, cause)
        self.tally.reviews[ReviewState(record.state).name.lower()] += 1
        if record.state in (ReviewState.RIGHT, ReviewState.WRONG):
            self.reviews.close(record.digest)
            self.changes.reviews[record.digest] = None
        else:
            self.reviews.put(record)
            self.changes.reviews[record.digest] = value

    def _post(self, lease: Lease, asked: Asked, answer: Answer, cause: Cause, body: bytes | None, said: Said) -> int:
        """Write an arrow that takes, spends or releases amounts, and count them so; return its seq."""
        if not said.stop:
            answer.posts = posts_of(lease.state, lease.holds, answer.state, answer.holds)
        seq = self.voice.say(asked, answer, cause, lease.seq, lease.asked_offset, lease.asked_at, body, said)
        if not answer.posts:
            return seq
        phases = {(limit, scope): phase for limit, scope, _, phase in answer.posts}
        if HOLD in phases.values():
            self.tally.near += answer.near
        for held in lease.holds:
            phase = phases.get((held.limit, held.scope))
            meter = None
            if phase == SPEND:
                meter = self.meters.spend(asked.key, held, self.instant, seq)
            elif phase == RELEASE:
                meter = self.meters.take_back(asked.key, held, seq) if held.phase == SPEND else None
                self._freeing.append(f"{asked.key.decode()}/{name_of(held)}")
            if meter is not None:
                self.changes.meters[meter.key, name_of(meter), meter.window_ms] = meter
        return seq

    def open(self, lease: Lease, facts: Iterable[Key] = (), key: bytes | None = None) -> None:
        """Remember an intent that something can still happen to, the index keys it rests on, and its own key."""
        self.leases.put(lease, facts, key)
        self.changes.opened[lease.slot] = lease

    def close(self, slot: bytes) -> None:
        """Forget an intent that has come to the end of its life."""
        self.leases.close(slot)
        self.readings.forget(slot)
        self.changes.opened.pop(slot, None)
        self.changes.closed.append(slot)

    def hear(self, session: Session) -> None:
        """Remember what came back to a session."""
        self._session_undo.append((session.key, self.sessions.get(session.key)))
        self.sessions[session.key] = session
        self.changes.sessions[session.key] = session
        self._hearing.append(session.key)

    def session_of(self, asked: Asked) -> Session | None:
        """Return what came back to the session of an intent, or None."""
        if not self.sessions:
            return None
        name = asked.intent.session
        return self.sessions.get(f"{asked.key.decode()}/{name}") if name else None

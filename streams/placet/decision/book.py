"""The memory of one desk: what was answered, what is open, and the one way in which both change."""

from collections.abc import Iterable

from placet.decision.arrow import NEVER, QUIET, Cause, Said
from placet.decision.changes import Changes
from placet.decision.index import Key
from placet.decision.intake import Asked
from placet.decision.judge import Answer, obligations_of
from placet.decision.leases import Leases
from placet.decision.life import ASKED, CLAIMED, PENDING, step
from placet.decision.readings import Readings
from placet.decision.settings import DeskSettings
from placet.decision.settled import CUT, REST, TRANSIENT_FLAG, SettledTable
from placet.decision.tally import Tally
from placet.decision.vault import Vault, commitment
from placet.decision.voice import NOTHING, Voice
from placet.model.codec import verdict
from placet.model.codec.desk_change import Lease, Session
from placet.model.reasons import TRANSIENT
from placet.policy.evaluate import Finding
from placet.ports import Entropy, Rec

SPOKEN_MOST = 10_000


class Book:
    """All a desk remembers. Changes of a batch stand after `keep`, and are gone after `drop`."""

    def __init__(self, partition: int, settings: DeskSettings, key_encryption_key: bytes) -> None:
        self.settings = settings
        self.settled = SettledTable()
        self.leases = Leases()
        self.sessions: dict[str, Session] = {}
        self.vault = Vault(key_encryption_key)
        self.voice = Voice(partition)
        self.changes = Changes(partition, settings.deadline_ms_max, settings.session_ms_max)
        self.readings = Readings()
        self.tally = Tally()
        self.heard: list[str] = []
        self._hearing: list[str] = []
        self.seq = 0
        self.instant = 0
        self._session_undo: list[tuple[str, Session | None]] = []
        self._spoken: dict[int, tuple[Finding, bytes, bytes, bytes]] = {}

    def begin(self, instant: int, entropy: Entropy) -> None:
        """Start a batch at `instant`, ms."""
        self.instant = instant
        self.voice.begin(self.seq, instant)
        self.vault.begin(entropy)
        self.tally = Tally()
        self._hearing = []
        self.changes.begin()
        self.changes.retire(instant, self.leases, self.sessions, self.settled)

    def finish(self) -> None:
        """Close the batch: put what it changed among its emits."""
        self.voice.emits.desk = self.changes.messages(self.voice.seq, self.instant, self.vault.made)

    def keep(self) -> None:
        """The batch is committed: what it changed stands."""
        self.seq = self.voice.seq
        self.settled.keep()
        self.settled.forget(self.instant)
        self.leases.keep()
        self._session_undo.clear()
        for session in self.changes.forgotten:
            if self.sessions.get(session.key) is session:
                del self.sessions[session.key]
        self.changes.begin()
        self.heard += self._hearing
        self._hearing = []
        self.vault.made = []

    def drop(self) -> None:
        """Nothing of the batch was committed: all is as it was before."""
        self.settled.drop()
        self.leases.drop()
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
        seq = self._say(asked, answer, cause, -1, cause.offset, asked_at, body, said)
        self.tally.count(asked.intent.action, answer, self.instant - asked_at)
        deadline = asked.intent.deadline
        row = REST.pack(
            seq,
            deadline,
            asked.intent.attempt,
            TRANSIENT_FLAG if answer.reason in TRANSIENT else 0,
            asked.intent_digest[:CUT],
            asked.action_digest[:CUT],
        )
        self.settled.put(asked.slot, row, deadline, self.instant)
        self.changes.settled.append(asked.slot + row)
        if deadline - self.instant > self.settings.deadline_ms_max:
            self.changes.long_lived.append(asked.slot)
        return seq

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
        if not said.stop:
            step(lease.state, answer.state)
        if lease.state == PENDING:
            self.tally.approvals_ms.append(self.instant - lease.asked_at)
        return self._say(asked, answer, cause, lease.seq, lease.asked_offset, lease.asked_at, body, said)

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
        name = asked.intent.session
        return self.sessions.get(f"{asked.key.decode()}/{name}") if name and self.sessions else None

    def _say(
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
        intent, key, voice = asked.intent, asked.key, self.voice
        committed = b""
        if body is not None:
            lock = self.vault.lock_of(key)
            nonce, sealed = self.vault.encrypt(lock, voice.partition, voice.seq, body)
            voice.case(key, lock, nonce, sealed)
            committed = commitment(lock.salt, body)
        rules, missing, obligations = self._of(answer.finding)
        arguments = answer.granted_arguments
        payload = verdict.splice(
            asked.head,
            voice.partition,
            voice.seq,
            previous,
            self.instant,
            answer.state,
            answer.effect,
            answer.reason,
            said.stop,
            cause.topic,
            cause.partition,
            cause.offset,
            asked_offset,
            asked_at,
            asked.intent_digest,
            asked.action_digest,
            answer.granted_digest,
            NOTHING if arguments is None else verdict.encode_granted_arguments(arguments),
            intent.audience,
            intent.deadline,
            answer.until if answer.until < NEVER else 0,
            answer.claim_required,
            answer.act_ms_max,
            answer.retry_after_ms,
            answer.set_digest,
            answer.engine,
            committed,
            rules,
            missing,
            obligations,
            NOTHING if answer.approval is None else verdict.encode_approval(answer.approval),
            NOTHING,
            said.executor,
            said.nonce,
            said.ran_digest,
            said.sensitivity,
            said.origin,
            said.detail or answer.detail,
        )
        return voice.verdict(key, payload)

    def _of(self, finding: Finding | None) -> tuple[bytes, bytes, bytes]:
        """Return a finding's rules, missing facts and obligations, encoded once for as long as it is remembered."""
        if finding is None:
            return NOTHING, NOTHING, NOTHING
        known = self._spoken.get(id(finding))
        if known is None:
            if len(self._spoken) > SPOKEN_MOST:
                self._spoken.clear()
            known = self._spoken[id(finding)] = (
                finding,
                verdict.encode_rules(finding.rules),
                verdict.encode_missing(finding.missing),
                verdict.encode_obligations(obligations_of(finding)),
            )
        return known[1], known[2], known[3]

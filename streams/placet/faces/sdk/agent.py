"""An agent asks leave for an action, and hears the answer."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Unpack

from placet.errors import Unavailable
from placet.faces.sdk.asking import Asker, Asking, make_intent
from placet.faces.sdk.connection import Connection
from placet.faces.sdk.errors import NoAnswer
from placet.faces.sdk.hearing import Attempt, Ear, Heard, Hearing
from placet.faces.sdk.ids import new_id
from placet.faces.sdk.models import Answer
from placet.faces.sdk.outbox import Letter
from placet.faces.sdk.past import since
from placet.faces.sdk.sealed import Sealed
from placet.faces.sdk.steps import Flow, Wait, adrive, drive, pause
from placet.model import strict
from placet.model.codec import intent as intent_codec
from placet.model.codec import withdraw as withdraw_codec
from placet.model.codec.intent import Intent
from placet.model.codec.refusal import Refusal
from placet.model.codec.repeat import Repeat
from placet.model.codec.verdict import Verdict
from placet.model.codec.withdraw import Withdraw
from placet.model.keys import key_of
from placet.model.proof import Signer
from placet.model.reasons import TRANSIENT, State
from placet.model.topics import Topic

TIMEOUT_MS, ATTEMPTS = 30_000, 3
PAST_S = 10.0
WAITING = frozenset({State.DEFERRED, State.PENDING})


class Agent:
    """Asks for one actor, under one authority.

    `actor` acts, `authority` answers for it (the same when empty), `mandate`
    is the delegation between them, `session` the run of the agent whose
    sensitivity and risk count together. `signer` proves the intents where
    packs want that. May be used from many threads and event loops at once.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        tenant: str,
        actor: str,
        authority: str = "",
        mandate: str = "",
        session: str = "",
        signer: Signer | None = None,
    ) -> None:
        self.connection = connection
        self.tenant = strict.identifier(tenant, "tenant")
        self.actor = strict.identifier(actor, "actor")
        self.authority = strict.identifier(authority or actor, "authority")
        self.mandate = mandate and strict.identifier(mandate, "mandate")
        self.session = session and strict.identifier(session, "session")
        self._signer = signer
        self._key = key_of(self.tenant, self.authority)
        self._hearing = Hearing()
        self._partition: int | None = None

    def ask(
        self,
        action: str,
        resource: str,
        arguments: Mapping[str, Any],
        *,
        timeout_ms: int = TIMEOUT_MS,
        attempts: int = ATTEMPTS,
        **more: Unpack[Asking],
    ) -> Answer:
        """Ask, and return the answer once it is a grant or final, or as it stands after `timeout_ms`.

        A transient refusal is asked again until `attempts` are made. Raises
        `NoAnswer` when nothing was heard in time, and `PoisonRecord` for what
        can be no intent.
        """
        return self.submit(self.intent(action, resource, arguments, **more), timeout_ms=timeout_ms, attempts=attempts)

    async def aask(
        self,
        action: str,
        resource: str,
        arguments: Mapping[str, Any],
        *,
        timeout_ms: int = TIMEOUT_MS,
        attempts: int = ATTEMPTS,
        **more: Unpack[Asking],
    ) -> Answer:
        """Ask as `ask` does, without blocking the event loop."""
        intent = self.intent(action, resource, arguments, **more)
        return await self.asubmit(intent, timeout_ms=timeout_ms, attempts=attempts)

    def submit(self, intent: Intent, *, timeout_ms: int = TIMEOUT_MS, attempts: int = ATTEMPTS) -> Answer:
        """Publish an intent made before, and return the answer as `ask` does. Doing so again asks nothing twice."""
        return drive(self.asking(intent, timeout_ms / 1000, attempts))

    async def asubmit(self, intent: Intent, *, timeout_ms: int = TIMEOUT_MS, attempts: int = ATTEMPTS) -> Answer:
        """Submit as `submit` does, without blocking the event loop."""
        return await adrive(self.asking(intent, timeout_ms / 1000, attempts))

    def hear(self, answer: Answer, *, timeout_ms: int = TIMEOUT_MS) -> Answer:
        """Return what an intent that was deferred, pending or granted has become, waiting until it changes or time is up."""
        return drive(self._hearing_on(answer, timeout_ms / 1000))

    async def ahear(self, answer: Answer, *, timeout_ms: int = TIMEOUT_MS) -> Answer:
        """Hear as `hear` does, without blocking the event loop."""
        return await adrive(self._hearing_on(answer, timeout_ms / 1000))

    def withdraw(self, answer: Answer, reason: str = "", *, timeout_ms: int = TIMEOUT_MS) -> Answer:
        """Take an intent back, and return what became of it: WITHDRAWN, unless a claim or an end was earlier."""
        return drive(self._withdrawing(answer, reason, timeout_ms / 1000))

    async def awithdraw(self, answer: Answer, reason: str = "", *, timeout_ms: int = TIMEOUT_MS) -> Answer:
        """Withdraw as `withdraw` does, without blocking the event loop."""
        return await adrive(self._withdrawing(answer, reason, timeout_ms / 1000))

    def intent(self, action: str, resource: str, arguments: Mapping[str, Any], **more: Unpack[Asking]) -> Intent:
        """Return the intent that `ask` would publish, checked as far as it can be here; raise PoisonRecord otherwise."""
        connection = self.connection
        now = connection.clock.now_ms()
        who = Asker(self.tenant, self.actor, self.authority, self.mandate, self.session)
        fresh = more.get("id") or new_id(now, connection.entropy)
        return make_intent(who, action, resource, arguments, fresh=fresh, now=now, more=more)

    def asking(self, intent: Intent, seconds: float, attempts: int) -> Flow[Answer]:
        """Return what `submit` does as a flow, for those who make it part of theirs."""
        until = time.monotonic() + seconds
        partition = yield from self._joined(until)
        while True:
            with self._listening(_attempt(intent), _answers) as ear:
                letter = Letter(Topic.INTENTS, partition, self._key, intent_codec, intent, self._signer)
                yield from self._sent(letter, until)
                answer = yield from self._answered(partition, ear, intent, until)
            again_s = answer.retry_after_ms / 1000 if answer.reason in TRANSIENT and not answer.waiting else 0
            too_late = self.connection.clock.now_ms() + answer.retry_after_ms >= intent.deadline
            if not again_s or too_late or intent.attempt >= attempts or again_s >= _left_s(until):
                return answer
            yield from _paused(again_s)
            intent = intent._replace(attempt=intent.attempt + 1)

    def _joined(self, until: float) -> Flow[int]:
        """Return this agent's partition, of which every decision from now on is heard."""
        if self._partition is None:
            self._partition = yield Wait(self.connection.background(self._join), _left_s(until))
        return self._partition

    def _join(self) -> int:
        partition = self.connection.partition(self.tenant, self.authority)
        self.connection.follower.join(self._hearing, partition)
        return partition

    def _sent(self, letter: Letter, until: float) -> Flow[None]:
        attempt = _whose(letter.record)
        try:
            offset = yield Wait(self.connection.outbox.send(letter), _left_s(until))
        except TimeoutError:
            raise NoAnswer(
                f"intent {attempt[2].hex()}: not known to be written in time; submit it again", letter.record
            ) from None
        if offset >= 0:
            self._hearing.asked_at(attempt, letter.partition, offset)

    def _answered(self, partition: int, ear: Ear, intent: Intent, until: float) -> Flow[Answer]:
        """Wait for an answer that is more than waiting; follow the pointer of a repeat to what it repeats."""
        try:
            heard: Heard = yield Wait(ear.future, _left_s(until))
        except TimeoutError:
            if ear.newest is None:
                raise NoAnswer(
                    f"intent {intent.id.hex()}: nothing was heard in time; it may still be decided", intent
                ) from None
            return Answer.of(ear.newest)
        if not isinstance(heard, Repeat):
            return Answer.of(heard)
        known = yield Wait(self.connection.background(lambda: self._newest(partition, heard)), _left_s(until))
        if ear.newest is not None and ear.newest.seq > known.seq:
            known = ear.newest
        answer = Answer.of(known)
        if not answer.waiting:
            return answer
        return (yield from self._hearing_on(answer, _left_s(until)))

    def _newest(self, partition: int, repeat: Repeat) -> Verdict | Refusal:
        """Return the newest record of the attempt a repeat is about."""
        sealed = self._past(partition, repeat.first_seq)
        whose = (repeat.tenant, repeat.authority, repeat.id, repeat.attempt)
        mine = [one.record for one in sealed if one.name == "verdict" and _whose(one.record) == whose]
        if not mine:
            raise Unavailable(
                f"partition {partition} seq {repeat.first_seq}: not the first answer to {repeat.id.hex()}"
            )
        newest: Verdict = mine[-1]
        return newest

    def _past(self, partition: int, seq: int) -> list[Sealed]:
        return since(self.connection.log, self.connection.ring, partition, seq)

    def _hearing_on(self, answer: Answer, seconds: float) -> Flow[Answer]:
        attempt = (answer.tenant, answer.authority, bytes.fromhex(answer.id), answer.attempt)

        def moved(heard: Heard) -> bool:
            return isinstance(heard, Verdict) and heard.seq > answer.seq and heard.state not in WAITING

        partition = yield from self._joined(time.monotonic() + seconds)
        with self._listening(attempt, moved) as ear:
            known = self._hearing.newest(attempt)
            if known is not None and known.seq >= answer.seq:
                ear.take(known)
            else:
                # What was sealed between that answer and this ear is in the past already.
                past = self.connection.background(lambda: self._past(partition, answer.seq))
                for one in (yield Wait(past, max(seconds, PAST_S))):
                    if one.name == "verdict" and _whose(one.record) == attempt:
                        ear.take(one.record)
            try:
                return Answer.of((yield Wait(ear.future, seconds)))
            except TimeoutError:
                newest = ear.newest
                return answer if newest is None or newest.seq <= answer.seq else Answer.of(newest)

    def _withdrawing(self, answer: Answer, reason: str, seconds: float) -> Flow[Answer]:
        record = Withdraw(
            tenant=answer.tenant,
            authority=answer.authority,
            id=bytes.fromhex(answer.id),
            attempt=answer.attempt,
            actor=self.actor,
            reason=reason,
            proof=None,
        )
        until = time.monotonic() + seconds
        partition = yield from self._joined(until)
        yield from self._sent(Letter(Topic.INTENTS, partition, self._key, withdraw_codec, record, self._signer), until)
        return (yield from self._hearing_on(answer, seconds))

    @contextmanager
    def _listening(self, attempt: Attempt, wanted: Callable[[Heard], bool]) -> Iterator[Ear]:
        ear = self._hearing.listen(attempt, wanted)
        try:
            yield ear
        finally:
            self._hearing.unlisten(attempt, ear)


def _left_s(until: float) -> float:
    return max(0.0, until - time.monotonic())


def _answers(heard: Heard) -> bool:
    """Return whether a record ends the wait of `ask`."""
    return not isinstance(heard, Verdict) or heard.state not in WAITING


def _attempt(intent: Intent) -> Attempt:
    return intent.tenant, intent.authority, intent.id, intent.attempt


def _whose(record: Any) -> Attempt:
    return record.tenant, record.authority, record.id, record.attempt


def _paused(seconds: float) -> Flow[None]:
    try:
        yield pause(seconds)
    except TimeoutError:
        return

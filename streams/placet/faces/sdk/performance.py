"""One grant carried out: checked, claimed, begun at most once, run, and its outcome left. Told once, for threads and for asyncio."""

import asyncio
import inspect
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, NamedTuple

from placet.errors import Unavailable
from placet.faces.sdk import checks
from placet.faces.sdk.begun import BegunSet
from placet.faces.sdk.checks import Fault
from placet.faces.sdk.connection import Connection
from placet.faces.sdk.errors import NotBegun, Stopped, raised_by
from placet.faces.sdk.follow import THERE_MS
from placet.faces.sdk.models import Answer, Grant, Obligation, Result
from placet.faces.sdk.offers import Offer
from placet.faces.sdk.outbox import Letter
from placet.faces.sdk.steps import Call, Flow, Wait, pause
from placet.model.codec import claim as claim_codec
from placet.model.codec import outcome as outcome_codec
from placet.model.codec.claim import Claim
from placet.model.codec.outcome import Outcome
from placet.model.codec.verdict import Verdict
from placet.model.keys import key_of
from placet.model.proof import Signer
from placet.model.reasons import State
from placet.model.topics import Topic

CLAIM_S, OUTCOME_S = 10.0, 30.0
DETAIL_MAX = 256


class Terms(NamedTuple):
    """Who carries out, under what name, with which duties and bounds."""

    name: str
    tenant: str
    signer: Signer
    nonce: bytes
    capabilities: frozenset[str]
    skew_ms_max: int
    begun: BegunSet | None


class Performance:
    """Carries out one offer. `run` is given the grant, and is called at most once.

    `begins` says yes once for an offer in the life of this process; `since`
    gives by partition the offset before which it is not known here what an
    earlier process has begun.
    """

    def __init__(
        self,
        connection: Connection,
        terms: Terms,
        offer: Offer,
        *,
        begins: Callable[[Offer, int], bool],
        since: Mapping[int, int],
    ) -> None:
        self._connection = connection
        self._terms = terms
        self._offer = offer
        self._begins = begins
        self._since = since

    def flow(self, run: Callable[[Grant], Any], asked: bytes | None, seconds: float) -> Flow[Any]:
        """Return what `run` returned. `asked` are the arguments asked for, where the caller has them.

        Raises `NotBegun` for a failed check, `NotGranted` when the grant is
        over or another's, `Stopped` when it was cancelled, and what `run`
        raised, each after the outcome that goes with it.
        """
        verdict = yield from self._offered(seconds)
        arguments, fault = yield from self._checked(verdict, asked)
        if verdict.state == State.GRANTED:
            if fault is not None and not (fault.refuse and verdict.audience == self._terms.name):
                raise NotBegun(fault.says)
            claimed = yield from self._claimed(verdict)
            if fault is None and claimed.granted_digest != verdict.granted_digest:
                fault = Fault(True, "the claim was accepted for another digest")
            # Decided again at the claim, the same action may be granted with other duties.
            fault = fault or checks.fault_of(claimed, arguments, self._terms.capabilities)
            verdict = claimed
        elif fault is None and self._terms.begun is None:
            fault = Fault(True, "a grant that is its own claim needs a begun-set, and this executor has none")
        # Whoever passes here is the only one, ever, to act on this grant or to refuse it.
        yield from self._begun(verdict)
        fault = fault or checks.late(verdict, self._connection.clock.now_ms(), self._terms.skew_ms_max)
        if fault is not None:
            yield from self._left(verdict, State.REFUSED, b"", Result(detail=fault.says))
            raise NotBegun(fault.says)
        return (yield from self._ran(verdict, self._grant(verdict, arguments), run))

    def _offered(self, seconds: float) -> Flow[Verdict]:
        try:
            verdict: Verdict = yield Wait(self._offer.offered, seconds)
        except TimeoutError:
            raise NotBegun(f"intent {self._offer.place.id.hex()}: no sealed grant was heard in time") from None
        if not checks.addressed(verdict, self._terms.name, self._terms.tenant):
            raise raised_by(Answer.of(verdict))
        return verdict

    def _checked(self, verdict: Verdict, asked: bytes | None) -> Flow[tuple[dict[str, Any], Fault | None]]:
        """Return the arguments that will run, and why they may not."""
        late = checks.late(verdict, self._connection.clock.now_ms(), self._terms.skew_ms_max)
        if late is not None:
            return {}, late
        try:
            granted = verdict.granted_arguments
            if granted is None:
                granted = asked
            if granted is None:
                value = yield Wait(self._connection.background(lambda: self._intent(verdict)), CLAIM_S)
                granted = checks.arguments_asked(verdict, value)
            arguments = checks.parsed(granted)
        except TimeoutError:
            return {}, Fault(False, f"the intent at offset {verdict.asked_offset} could not be read in time")
        except checks.Newer as error:
            return {}, Fault(False, str(error))
        except ValueError as error:
            return {}, Fault(True, str(error))
        return arguments, checks.fault_of(verdict, arguments, self._terms.capabilities)

    def _intent(self, verdict: Verdict) -> bytes | None:
        recs = self._connection.log.read(Topic.INTENTS, verdict.partition, verdict.asked_offset, 1, THERE_MS)
        return recs[0].value if recs and recs[0].offset == verdict.asked_offset else None

    def _claimed(self, verdict: Verdict) -> Flow[Verdict]:
        """Claim until there is an answer that stands; raise when it is not ours."""
        until = time.monotonic() + CLAIM_S
        while True:
            try:
                if self._offer.claiming():
                    claim = self._send(claim_codec, self._claim(verdict), verdict.partition)
                    self._offer.claimed_at((yield Wait(claim, CLAIM_S)))
                heard = yield Wait(self._offer.answered, max(0.0, until - time.monotonic()))
            except TimeoutError:
                raise NotBegun(f"intent {verdict.id.hex()}: the claim was not answered in time") from None
            if isinstance(heard, Verdict):
                if self._offer.ours(heard, self._terms.name):
                    return heard
                raise raised_by(Answer.of(heard))
            if not heard.retry_after_ms or time.monotonic() + heard.retry_after_ms / 1000 >= until:
                raise raised_by(Answer.of(heard))
            try:
                yield pause(heard.retry_after_ms / 1000)
            except TimeoutError:
                continue

    def _claim(self, verdict: Verdict) -> Claim:
        return Claim(
            tenant=verdict.tenant,
            authority=verdict.authority,
            id=verdict.id,
            attempt=verdict.attempt,
            granted_digest=verdict.granted_digest,
            executor=self._terms.name,
            nonce=self._terms.nonce,
            claimed_at=self._connection.clock.now_ms(),
            proof=None,
        )

    def _begun(self, verdict: Verdict) -> Flow[None]:
        """Pass once for each grant, ever. What is its own claim is on disk before it passes."""
        if not verdict.claim_required and self._offer.offset < self._since.get(verdict.partition, 1 << 62):
            raise NotBegun(
                f"intent {verdict.id.hex()}: granted before this begun-set was; who knows whether it was begun"
            )
        if not self._begins(self._offer, verdict.expires_at):
            raise NotBegun(f"intent {verdict.id.hex()}: this process has begun it before")
        begun = self._terms.begun
        if verdict.claim_required or begun is None:
            return
        place = (verdict.tenant, verdict.authority, verdict.id, verdict.attempt)
        fresh = yield Wait(self._connection.background(lambda: begun.begin(*place, verdict.expires_at)), CLAIM_S)
        if not fresh:
            # Whether it ended is not known here: the outcome stays unknown until a person settles it.
            raise NotBegun(f"intent {verdict.id.hex()}: an earlier process has begun it")

    def _grant(self, verdict: Verdict, arguments: Mapping[str, Any]) -> Grant:
        return Grant(
            tenant=verdict.tenant,
            authority=verdict.authority,
            actor=verdict.actor,
            id=verdict.id.hex(),
            attempt=verdict.attempt,
            action=verdict.action,
            resource=verdict.resource,
            purpose=verdict.purpose,
            arguments=dict(arguments),
            obligations=tuple(Obligation.of(one) for one in verdict.obligations),
            digest=verdict.granted_digest.hex(),
            expires_at=verdict.expires_at,
            stopped=self._offer.stopped.is_set,
        )

    def _ran(self, verdict: Verdict, grant: Grant, run: Callable[[Grant], Any]) -> Flow[Any]:
        if self._offer.stopped.is_set():
            yield from self._left(verdict, State.REFUSED, b"", Result(detail="stopped before it began"))
            raise Stopped(f"intent {grant.id}: stopped before it began")
        digest = verdict.granted_digest
        try:
            value = yield Call(_bound(run, grant), self._offer.on_stop)
        except GeneratorExit:
            raise
        except asyncio.CancelledError:
            stopped = self._offer.stopped.is_set()
            yield from self._left(verdict, State.FAILED, digest, Result(detail="stopped" if stopped else "cancelled"))
            if stopped:
                raise Stopped(f"intent {grant.id}: stopped while it ran") from None
            raise
        except BaseException as error:
            # The message may hold what the action worked on; the name of the error does not.
            yield from self._left(verdict, State.FAILED, digest, Result(detail=type(error).__name__))
            raise
        told = value if isinstance(value, Result) else Result(value=value)
        yield from self._left(verdict, State.DONE, digest, told)
        return told.value

    def _left(self, verdict: Verdict, state: State, digest: bytes, told: Result) -> Flow[None]:
        """Leave the outcome. One that cannot be written leaves the intent unknown, which is what it then is."""
        outcome = Outcome(
            tenant=verdict.tenant,
            authority=verdict.authority,
            id=verdict.id,
            attempt=verdict.attempt,
            executor=self._terms.name,
            nonce=self._terms.nonce,
            result=state,
            ran_digest=digest,
            sensitivity=told.sensitivity,
            origin=told.origin,
            detail=told.detail[:DETAIL_MAX],
            finished_at=self._connection.clock.now_ms(),
            proof=None,
        )
        try:
            yield Wait(self._send(outcome_codec, outcome, verdict.partition), OUTCOME_S)
        except (TimeoutError, Unavailable):
            return

    def _send(self, codec: Any, record: Any, partition: int) -> Future[int]:
        key = key_of(record.tenant, record.authority)
        return self._connection.outbox.send(Letter(Topic.OUTCOMES, partition, key, codec, record, self._terms.signer))


def _bound(run: Callable[[Grant], Any], grant: Grant) -> Callable[[], Any]:
    """Return `run` with its grant, async where it is."""
    if not inspect.iscoroutinefunction(run):
        return lambda: run(grant)

    async def running() -> Any:
        return await run(grant)

    return running

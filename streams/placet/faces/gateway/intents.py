"""Routes of an intent's life: submit, await, withdraw, claim, report."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from placet.faces.gateway.bodies import ClaimBody, IntentBody, OutcomeBody, WithdrawBody
from placet.faces.gateway.callers import tenant_of
from placet.faces.gateway.gateway import Gateway, number
from placet.faces.gateway.problems import Problem, json_answer
from placet.faces.gateway.views import state_of
from placet.faces.sdk.ids import new_id
from placet.model import strict
from placet.model.codec import claim as claim_codec
from placet.model.codec import intent as intent_codec
from placet.model.codec import outcome as outcome_codec
from placet.model.codec import withdraw as withdraw_codec
from placet.model.codec.claim import Claim
from placet.model.codec.intent import Intent, Position
from placet.model.codec.outcome import Outcome
from placet.model.codec.withdraw import Withdraw
from placet.model.digests import action_digest, intent_digest
from placet.model.reasons import State
from placet.model.topics import Topic

FRESH_MS = 250
"""An intent just submitted is decided within this; what is unknown after it is looked for in the log."""


class IntentRoutes:
    """What agents and executors ask over HTTP."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/v1/intents", self.submit, methods=["POST"]),
            Route("/v1/intents", self.awaited, methods=["GET"]),
            Route("/v1/intents/{tenant}/{authority:path}/{id}", self.awaited, methods=["GET"]),
            Route("/v1/withdraw", self.withdraw, methods=["POST"]),
            Route("/v1/claims", self.claim, methods=["POST"]),
            Route("/v1/outcomes", self.outcome, methods=["POST"]),
        ]

    async def submit(self, request: Request) -> Response:
        """202: the intent is written, and will be decided. The answer is awaited where `await` says."""
        gateway = self._gateway
        body = await gateway.body(request, IntentBody)
        now = gateway.clock.now_ms()
        arguments = strict.canonical(body.arguments)
        strict.parse_canonical(arguments)
        authority = body.authority or body.actor
        intent = Intent(
            id=bytes.fromhex(body.id) if body.id else new_id(now, gateway.connection.entropy),
            attempt=body.attempt,
            tenant=body.tenant,
            actor=body.actor,
            authority=authority,
            mandate=body.mandate,
            action=body.action,
            resource=body.resource,
            purpose=body.purpose,
            session=body.session,
            after=tuple(bytes.fromhex(one) for one in body.after),
            audience=body.audience,
            arguments=arguments,
            deadline=body.deadline or now + body.deadline_ms,
            at_least=tuple(Position(at.topic, at.partition, at.offset) for at in body.at_least),
            emergency=body.emergency,
            proof=None,
        )
        signer = gateway.signer_or_none("agent", body.actor)
        partition, offset = await gateway.send_decided(Topic.INTENTS, intent_codec, intent, signer)
        action = (body.tenant, authority, body.actor, body.audience, body.action, body.resource, arguments)
        return json_answer(
            {
                "tenant": body.tenant,
                "authority": authority,
                "id": intent.id.hex(),
                "attempt": intent.attempt,
                "intent_digest": intent_digest(intent_codec.encode_unsigned(intent)).hex(),
                "action_digest": action_digest(*action).hex(),
                "deadline": intent.deadline,
                "partition": partition,
                "offset": offset,
                "await": f"/v1/intents/{body.tenant}/{authority}/{intent.id.hex()}"
                f"?attempt={intent.attempt}&wait_ms={min(10_000, gateway.settings.wait_ms_max)}",
            },
            202,
        )

    async def awaited(self, request: Request) -> Response:
        """200: the newest state, as soon as there is one after `after_seq`, at the latest after `wait_ms`. 404: none yet."""
        gateway = self._gateway
        given = {**request.query_params, **request.path_params}
        try:
            intent = bytes.fromhex(given["id"])
            whose = (tenant_of(request, given["tenant"]), given["authority"], intent)
        except (KeyError, ValueError):
            raise Problem(400, "no such name of an intent", "path", "tenant, authority and 32 hex digits") from None
        if len(intent) != 16:
            raise Problem(400, f"an id of {len(intent)} bytes", "path id", "32 hex digits")
        attempt = number(request, "attempt", 0, 1_000)
        after = number(request, "after_seq", 0, 1 << 53) if "after_seq" in request.query_params else -1
        wait_ms = number(request, "wait_ms", 0, gateway.settings.wait_ms_max)
        found = await gateway.newest.wait(whose, attempt, after, min(wait_ms, FRESH_MS) / 1000)
        if found is None:
            found = await gateway.blocking(lambda: gateway.newest.search(whose, attempt))
        if wait_ms > FRESH_MS and (found is None or found.seq <= after):
            found = await gateway.newest.wait(whose, attempt, after, (wait_ms - FRESH_MS) / 1000) or found
        if found is None:
            raise Problem(404, "nothing is known of this intent", "path id", "an id that was submitted, or more time")
        return json_answer(state_of(found))

    async def withdraw(self, request: Request) -> Response:
        """202: the withdrawal is written."""
        body = await self._gateway.body(request, WithdrawBody)
        record = Withdraw(
            tenant=body.tenant,
            authority=body.authority,
            id=bytes.fromhex(body.id),
            attempt=body.attempt,
            actor=body.actor,
            reason=body.reason,
            proof=None,
        )
        signer = self._gateway.signer_or_none("agent", body.actor)
        place = await self._gateway.send_decided(Topic.INTENTS, withdraw_codec, record, signer)
        return _written(place)

    async def claim(self, request: Request) -> Response:
        """202: the claim is written, signed with the executor's key if this gateway holds it, else 403."""
        body = await self._gateway.body(request, ClaimBody)
        record = Claim(
            tenant=body.tenant,
            authority=body.authority,
            id=bytes.fromhex(body.id),
            attempt=body.attempt,
            granted_digest=bytes.fromhex(body.granted_digest),
            executor=body.executor,
            nonce=bytes.fromhex(body.nonce),
            claimed_at=self._gateway.clock.now_ms(),
            proof=None,
        )
        signer = self._gateway.signer("executor", body.executor)
        return _written(await self._gateway.send_decided(Topic.OUTCOMES, claim_codec, record, signer))

    async def outcome(self, request: Request) -> Response:
        """202: the outcome is written, signed with the executor's key if this gateway holds it, else 403."""
        body = await self._gateway.body(request, OutcomeBody)
        record = Outcome(
            tenant=body.tenant,
            authority=body.authority,
            id=bytes.fromhex(body.id),
            attempt=body.attempt,
            executor=body.executor,
            nonce=bytes.fromhex(body.nonce),
            result=State[body.result.upper()],
            ran_digest=bytes.fromhex(body.ran_digest),
            sensitivity=body.sensitivity,
            origin=body.origin,
            detail=body.detail,
            finished_at=self._gateway.clock.now_ms(),
            proof=None,
        )
        signer = self._gateway.signer("executor", body.executor)
        return _written(await self._gateway.send_decided(Topic.OUTCOMES, outcome_codec, record, signer))


def _written(place: tuple[int, int]) -> Response:
    return json_answer({"partition": place[0], "offset": place[1]}, 202)

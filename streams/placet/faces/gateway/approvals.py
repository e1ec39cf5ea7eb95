"""Routes of approvals: what waits for people, and their votes."""

import threading
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from placet.errors import PoisonRecord
from placet.faces.gateway.bodies import VoteBody
from placet.faces.gateway.gateway import Gateway
from placet.faces.gateway.problems import Problem, Unproved, json_answer
from placet.faces.pending import Asking, Inbox, Reviewed
from placet.model import strict
from placet.model.codec import vote as vote_codec
from placet.model.codec.vote import Vote
from placet.model.topics import Topic
from placet.policy.approval import Approval


class ApprovalRoutes:
    """What approvers ask over HTTP."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._lock = threading.Lock()
        self._inbox: Inbox | None = None

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/v1/approvals", self.waiting, methods=["GET"]),
            Route("/v1/votes", self.vote, methods=["POST"]),
        ]

    async def waiting(self, request: Request) -> Response:
        """200: what waits for people now, of one `tenant` where that is named, the first to expire first; and under
        `reviews` the emergencies that they have to look at.
        """
        tenant = request.query_params.get("tenant", "")
        found = [each for each in await self._gateway.blocking(self._read) if tenant in ("", each.name[0])]
        told: dict[str, list[Any]] = {"approvals": [], "reviews": []}
        for each in found:
            told["reviews" if isinstance(each, Reviewed) else "approvals"].append(each.told())
        return json_answer(told)

    def _read(self) -> list[Asking]:
        with self._lock:
            inbox = self._inbox = self._inbox or Inbox(self._gateway.connection.log)
            inbox.read()
            return inbox.asking(self._gateway.clock.now_ms())

    async def vote(self, request: Request) -> Response:
        """202: the vote is written, signed with the approver's key if this gateway holds it, else 403.

        How and when the voter authenticated is what the token in `Subject-Token` proves of them, and nothing where
        there is none; where the intent wants more than that: 401, with what it wants (RFC 9470). What the vote leads to
        is awaited where the intent's own answers are.
        """
        gateway = self._gateway
        body = await gateway.body(request, VoteBody)
        acr, auth_time = self._authenticated(request, body)
        now = gateway.clock.now_ms()
        await self._proved(body, acr, now - auth_time)
        record = Vote(
            tenant=body.tenant,
            authority=body.authority,
            id=bytes.fromhex(body.id),
            attempt=body.attempt,
            intent_digest=bytes.fromhex(body.intent_digest),
            voter=body.voter,
            approve=body.approve,
            reason=body.reason,
            arguments=None if body.arguments is None else strict.canonical(body.arguments),
            voted_at=now,
            acr=acr,
            auth_time=auth_time,
            proof=None,
        )
        signer = gateway.signer("approver", body.voter)
        partition, offset = await gateway.send_decided(Topic.VOTES, vote_codec, record, signer)
        return json_answer({"partition": partition, "offset": offset}, 202)

    def _authenticated(self, request: Request, body: VoteBody) -> tuple[str, int]:
        """Return how and when (ms) the voter authenticated by the token of the request; raise Problem for another's token."""
        given = request.headers.getlist("subject-token")
        if not given:
            return "", 0
        gateway, where = self._gateway, "header Subject-Token"
        if len(given) > 1:
            raise Problem(400, f"{len(given)} tokens", where, "one")
        try:
            shown = gateway.tokens.read(given[0], gateway.clock.now_ms(), gateway.settings.skew_ms_max)
        except PoisonRecord as nobody:
            raise Problem(401, str(nobody), where, "a token that an issuer of identity.json signed") from None
        if shown.who != (body.tenant, body.voter):
            whose = f"the token of `{shown.who.principal}` of tenant `{shown.who.tenant}`"
            raise Problem(403, whose, where, f"that of `{body.voter}` of tenant `{body.tenant}`")
        return shown.acr, shown.auth_time

    async def _proved(self, body: VoteBody, acr: str, auth_age_ms: int) -> None:
        """Raise the challenge where what waits wants another proof than this; the desk looks at it again."""
        name = (body.tenant, body.authority, bytes.fromhex(body.id), body.attempt)
        found = await self._gateway.blocking(self._read)
        for each in [each for each in found if (each.name, each.digest.hex()) == (name, body.intent_digest)]:
            if not Approval(1, (), 0, (), *each.proof).is_proved(acr, auth_age_ms):
                raise Unproved(*each.proof)

"""Routes of approvals: what waits for people, and their votes."""

import threading

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from placet.faces.gateway.bodies import VoteBody
from placet.faces.gateway.callers import tenant_of
from placet.faces.gateway.gateway import Gateway
from placet.faces.gateway.problems import json_answer
from placet.faces.pending import Inbox, Pending
from placet.model import strict
from placet.model.codec import vote as vote_codec
from placet.model.codec.vote import Vote
from placet.model.topics import Topic


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
        """200: what waits for people now, of one `tenant` where that is named, the first to expire first."""
        tenant = tenant_of(request, request.query_params.get("tenant", ""))
        found = await self._gateway.blocking(self._read)
        return json_answer({"approvals": [each.told() for each in found if tenant in ("", each.verdict.tenant)]})

    def _read(self) -> list[Pending]:
        with self._lock:
            inbox = self._inbox = self._inbox or Inbox(self._gateway.connection.log)
            inbox.read()
            return inbox.waiting(self._gateway.clock.now_ms())

    async def vote(self, request: Request) -> Response:
        """202: the vote is written, signed with the approver's key if this gateway holds it, else 403.

        What it leads to is awaited where the intent's own answers are.
        """
        gateway = self._gateway
        body = await gateway.body(request, VoteBody)
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
            voted_at=gateway.clock.now_ms(),
            proof=None,
        )
        signer = gateway.signer("approver", body.voter)
        partition, offset = await gateway.send_decided(Topic.VOTES, vote_codec, record, signer)
        return json_answer({"partition": partition, "offset": offset}, 202)

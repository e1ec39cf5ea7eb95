"""Routes that publish context: what feeds, classifiers, identity systems and operators say. The gateway signs for them."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from placet.context.caep import Stream, hear
from placet.faces.gateway.bodies import (
    ActiveSetBody,
    ControlBody,
    MandateBody,
    PackBody,
    PrincipalBody,
    RiskBody,
    SensitivityBody,
    SignalBody,
)
from placet.faces.gateway.gateway import Gateway
from placet.faces.gateway.problems import Problem, json_answer
from placet.faces.heard import newest_principal
from placet.faces.pushed import find_pushed
from placet.faces.sdk.tokens import token_of
from placet.model.codec import active_set, control, decode_as, mandate, pack, principal, risk_signal, sensitivity
from placet.model.codec.principal import Principal
from placet.model.context_keys import KEYS
from placet.model.topics import Topic
from placet.policy.cases import run_tests
from placet.policy.diagnostics import PackError
from placet.policy.pack import load_pack

READ_MOST = 500
NAMED = (Topic.SIGNALS, Topic.SENSITIVITY, Topic.PRINCIPALS)
"""Topics whose records name a source: only a key that speaks as it proves them."""


class ContextRoutes:
    """POST /v1/context/<what>, each answered 202 with where the record lies."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def routes(self) -> list[Route]:
        """Return the routes."""
        table: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "risk": self.risk,
            "signal": self.signal,
            "sensitivity": self.sensitivity,
            "principal": self.principal,
            "mandate": self.mandate,
            "control": self.control,
            "pack": self.pack,
            "active-set": self.active_set,
        }
        return [Route(f"/v1/context/{name}", route, methods=["POST"]) for name, route in table.items()]

    async def risk(self, request: Request) -> Response:
        """Publish a risk signal, folded into a fact by the context plane."""
        body = await self._gateway.body(request, RiskBody)
        now = self._gateway.clock.now_ms()
        event_at = body.event_at or now
        record = risk_signal.RiskSignal(
            tenant=body.tenant,
            subject=body.subject,
            source=body.source,
            event_id=body.event_id or f"{body.source}-{event_at}",
            score=body.score,
            event_at=event_at,
            half_life_s=body.half_life_s,
            reason=body.reason,
            proof=None,
        )
        return _told([await self._signal(record)])

    async def signal(self, request: Request) -> Response:
        """Publish what follows from one CAEP or RISC event; a change of status goes to the principal at once."""
        gateway = self._gateway
        body = await gateway.body(request, SignalBody)
        heard = hear(body.claims, Stream(body.tenant, body.issuer, body.audience), gateway.clock.now_ms())
        places = [await self._signal(record) for record in heard.signals]
        unknown: list[str] = []
        for change in heard.changes:
            known = await gateway.blocking(lambda one=change: self._principal(one.tenant, one.subject))  # type: ignore[misc]
            if known is None:
                unknown.append(change.subject)
                continue
            # The rest is said again as it was: the newest word of any source counts for it.
            record = known._replace(
                status=change.status, source=change.source, observed_at=change.observed_at, proof=None
            )
            places.append(await self._written(Topic.PRINCIPALS, principal, record, "directory"))
        return _told(places, ignored=heard.ignored, unknown=unknown)

    async def sensitivity(self, request: Request) -> Response:
        """Publish what a classifier knows of a resource."""
        body = await self._gateway.body(request, SensitivityBody)
        record = sensitivity.Sensitivity(
            tenant=body.tenant,
            resource=body.resource,
            label=body.label,
            owner=body.owner,
            origin=body.origin,
            categories=tuple(body.categories),
            source=body.source,
            observed_at=body.observed_at or self._gateway.clock.now_ms(),
            proof=None,
        )
        return _told([await self._written(Topic.SENSITIVITY, sensitivity, record, "feed")])

    async def principal(self, request: Request) -> Response:
        """Publish what an identity system says of a principal."""
        body = await self._gateway.body(request, PrincipalBody)
        record = principal.Principal(
            tenant=body.tenant,
            id=body.id,
            kind=body.kind,
            status=body.status,
            owner=body.owner,
            groups=tuple(body.groups),
            attributes=body.attributes,
            capabilities=tuple(body.capabilities),
            source=body.source,
            observed_at=body.observed_at or self._gateway.clock.now_ms(),
            proof=None,
        )
        return _told([await self._written(Topic.PRINCIPALS, principal, record, "directory")])

    async def mandate(self, request: Request) -> Response:
        """Publish one link of delegated authority."""
        body = await self._gateway.body(request, MandateBody)
        record = mandate.Mandate(
            tenant=body.tenant,
            id=body.id,
            delegator=body.delegator,
            delegate=body.delegate,
            task=body.task,
            actions=tuple(body.actions),
            resources=tuple(body.resources),
            limits=tuple(
                mandate.Limit(measure=one.measure, max=one.max, window_s=one.window_s, actions=tuple(one.actions))
                for one in body.limits
            ),
            parent=body.parent,
            expires_at=body.expires_at,
            status=body.status,
            observed_at=body.observed_at or self._gateway.clock.now_ms(),
            proof=None,
        )
        return _told([await self._written(Topic.MANDATES, mandate, record, "operator")])

    async def control(self, request: Request) -> Response:
        """Publish an operator's word."""
        body = await self._gateway.body(request, ControlBody)
        now = self._gateway.clock.now_ms()
        record = control.Control(
            tenant=body.tenant,
            id=f"{body.scope}-{now}",
            kind=body.kind,
            scope=body.scope,
            value=body.value,
            reason=body.reason,
            by=self._gateway.signer("operator").issuer,
            observed_at=body.observed_at or now,
            expires_at=body.expires_at,
            proof=None,
        )
        return _told([await self._written(Topic.CONTROLS, control, record, "operator")])

    async def pack(self, request: Request) -> Response:
        """Publish a pack that loads and passes its own tests; it decides nothing until an active set names it.

        One that is there already is not written again: the answer says where it lies.
        """
        gateway = self._gateway
        body = await gateway.body(request, PackBody)
        try:
            loaded = await gateway.blocking(lambda: load_pack(body.files))
        except PackError as error:
            raise Problem(400, str(error), "body.files", "a pack that loads") from None
        failed = [one.says for one in await gateway.blocking(lambda: run_tests(loaded)) if not one.passed]
        if failed:
            raise Problem(400, f"the pack fails its own test `{failed[0]}`", "body.files", "a pack whose tests pass")
        files = tuple(pack.File(name, text) for name, text in sorted(body.files.items()))
        record = pack.Pack(body.tenant, loaded.name, loaded.digest, files, gateway.clock.now_ms(), None)
        log, ring = gateway.connection.log, gateway.connection.ring
        known = await gateway.blocking(lambda: find_pushed(log, ring, record))
        if known is not None:
            place = _place(Topic.POLICIES, known.partition, known.offset)
        else:
            place = await self._written(Topic.POLICIES, pack, record, "operator")
        return _told([place], digest=loaded.digest.hex())

    async def active_set(self, request: Request) -> Response:
        """Move the pointer to the packs that decide."""
        gateway = self._gateway
        body = await gateway.body(request, ActiveSetBody)
        revision = body.revision or await gateway.blocking(lambda: self._next_revision(body.tenant))
        digests = tuple(bytes.fromhex(one) for one in body.digests)
        record = active_set.ActiveSet(body.tenant, revision, digests, body.reason, gateway.clock.now_ms(), None)
        place = await self._written(Topic.POLICIES, active_set, record, "operator")
        return _told([place], revision=revision)

    def _next_revision(self, tenant: str) -> int:
        pointers = (one for one in self._all(Topic.POLICIES, "active_set") if one.tenant == tenant)
        return max((one.revision for one in pointers), default=0) + 1

    def _principal(self, tenant: str, name: str) -> Principal | None:
        connection = self._gateway.connection
        return newest_principal(connection.log, connection.ring, tenant, name)

    def _all(self, topic: Topic, name: str) -> Iterator[Any]:
        """Yield every record of one kind in a context topic. Blocks for its reads."""
        log = self._gateway.connection.log
        for partition in range(log.partitions(topic)):
            offset, end = 0, log.end(topic, partition)
            while offset < end:
                recs = log.read(topic, partition, offset, READ_MOST, 0)
                if not recs:
                    break
                for rec in recs:
                    record = decode_as(name, rec.value)
                    if record is not None:
                        yield record
                offset = recs[-1].offset + 1

    async def _signal(self, record: risk_signal.RiskSignal) -> dict[str, Any]:
        return await self._written(Topic.SIGNALS, risk_signal, record, "feed")

    async def _written(self, topic: Topic, codec: Any, record: Any, purpose: Any) -> dict[str, Any]:
        signer = self._gateway.signer(purpose, source=record.source if topic in NAMED else None)
        _, key = KEYS[codec.HEADER]
        partition, offset = await self._gateway.send(topic, key(record), codec, record, signer)
        return _place(topic, partition, offset)


def _place(topic: Topic, partition: int, offset: int) -> dict[str, Any]:
    return {
        "topic": topic.title,
        "partition": partition,
        "offset": offset,
        "token": token_of(topic, partition, offset),
    }


def _told(written: list[dict[str, Any]], **more: Any) -> Response:
    return json_answer({"written": written, **more}, 202)

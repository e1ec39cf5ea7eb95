"""The routes of the gateway in one application, behind its guard."""

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from placet.context.identity import Who
from placet.drivers.metrics import CONTENT_TYPE
from placet.errors import PlacetError
from placet.faces.gateway.approvals import ApprovalRoutes
from placet.faces.gateway.context import ContextRoutes
from placet.faces.gateway.gateway import Gateway
from placet.faces.gateway.guard import App, Guard
from placet.faces.gateway.intents import IntentRoutes
from placet.faces.gateway.logs import LogRoutes
from placet.faces.gateway.problems import Problem, json_answer, of_failure


def build(gateway: Gateway, token: str, who: Callable[[str], Who] | None = None) -> App:
    """Return the whole HTTP face; `who` says whose another token than `token` is."""
    health = HealthRoutes(gateway)
    app = Starlette(
        routes=[
            *IntentRoutes(gateway).routes(),
            *ApprovalRoutes(gateway).routes(),
            *ContextRoutes(gateway).routes(),
            *LogRoutes(gateway).routes(),
            *health.routes(),
        ],
        exception_handlers={
            Problem: _answered,
            PlacetError: _failed,
            TimeoutError: _late,
            HTTPException: _refused,
        },
    )
    return Guard(app, token, gateway.settings.host_names, gateway.settings.body_bytes_max, who)


class HealthRoutes:
    """What probes and Prometheus ask."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/livez", self.live, methods=["GET"]),
            Route("/readyz", self.ready, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
        ]

    async def live(self, _: Request) -> Response:
        """200 while the loop takes its turns, else 503."""
        return _word(self._gateway.running.live(), "live", "stalled")

    async def ready(self, _: Request) -> Response:
        """200 while every partition is served and what is decided is believed, else 503."""
        ready = self._gateway.running.ready() and self._gateway.newest.failure is None
        return _word(ready, "ready", "not ready")

    async def metrics(self, _: Request) -> Response:
        """200: the metrics in Prometheus' text format."""
        body = await self._gateway.blocking(self._gateway.running.measure)
        return Response(body, media_type=CONTENT_TYPE)


def _word(good: bool, word: str, otherwise: str) -> Response:
    return json_answer({"status": word if good else otherwise}, 200 if good else 503)


async def _answered(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.answer()


async def _failed(_: Request, error: Exception) -> Response:
    assert isinstance(error, PlacetError)
    return of_failure(error).answer()


async def _late(_: Request, __: Exception) -> Response:
    return Problem(503, "not known to be written in time", "journal", "send the same again", kind="unsure").answer()


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    what = {404: "no such path", 405: "no such method here"}.get(error.status_code, error.detail)
    return Problem(error.status_code, what, f"path {request.url.path[:200]}", "a path of this service").answer()

"""A plain function that runs only when placet says so, with the arguments that were granted."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar, Unpack, cast

from placet.faces.sdk.agent import ATTEMPTS, TIMEOUT_MS, Agent
from placet.faces.sdk.asking import Asking
from placet.faces.sdk.errors import raised_by
from placet.faces.sdk.executor import OFFER_S, Executor
from placet.faces.sdk.models import Grant, Result
from placet.faces.sdk.offers import Place
from placet.faces.sdk.steps import Flow, adrive, drive

P = ParamSpec("P")
R = TypeVar("R")


def guarded(
    *,
    agent: Agent,
    executor: Executor,
    action: str,
    resource: str,
    local: tuple[str, ...] = (),
    timeout_ms: int = TIMEOUT_MS,
    sensitivity: str = "",
    origin: str = "",
    **more: Unpack[Asking],
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator: each call asks, waits for the grant, claims it, runs once, and leaves the outcome.

    The call's arguments, by name, are the intent's arguments, and the function
    runs with those that were granted, which may be narrower. `resource` may
    name them: `order/{order}`. Parameters in `local` (as `self`) are passed
    through and not asked about. `sensitivity` and `origin` are said of what the
    function returns, unless it returns a `Result`.

    A call raises `NotGranted` (`Denied` and its kinds, `Deferred`, `Pending`,
    `Ended`, `Settled`: `errors` says which is which), `NoAnswer`, `NotBegun` or `Stopped` when the function
    did not run to its end, and whatever the function raised. Raises
    `ValueError` at once where agent and executor are of two tenants.
    """
    _of_one_tenant(agent, executor, action)

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        calls = _Calls(function, action, resource, local)
        is_async = inspect.iscoroutinefunction(function)

        def told(value: Any) -> Any:
            said = isinstance(value, Result) or not (sensitivity or origin)
            return value if said else Result(value=value, sensitivity=sensitivity, origin=origin)

        def flow(*args: Any, **kwargs: Any) -> Flow[Any]:
            arguments, kept = calls.bound(*args, **kwargs)
            asking = cast("Asking", {"audience": executor.name, **more})
            intent = agent.intent(action, calls.resource_of({**arguments, **kept}), arguments, **asking)
            place = Place(intent.tenant, intent.authority, intent.id, intent.attempt)

            def run(grant: Grant) -> Any:
                return told(call(**grant.arguments, **kept))

            async def arun(grant: Grant) -> Any:
                return told(await call(**grant.arguments, **kept))

            try:
                yield from executor.expecting(place)
                answer = yield from agent.asking(intent, timeout_ms / 1000, ATTEMPTS)
                if not answer.granted:
                    raise raised_by(answer)
                return (yield from executor.performing(answer, arun if is_async else run, intent.arguments, OFFER_S))
            finally:
                executor.forget(place)

        call = cast("Callable[..., Any]", function)
        if is_async:

            @functools.wraps(function)
            async def aguarded(*args: P.args, **kwargs: P.kwargs) -> Any:
                return await adrive(flow(*args, **kwargs))

            return cast("Callable[P, R]", aguarded)

        @functools.wraps(function)
        def plain(*args: P.args, **kwargs: P.kwargs) -> R:
            return cast("R", drive(flow(*args, **kwargs)))

        return plain

    return decorate


def _of_one_tenant(agent: Agent, executor: Executor, action: str) -> None:
    if executor.tenant and executor.tenant != agent.tenant:
        raise ValueError(f"`{action}`: asked in tenant `{agent.tenant}`, and its executor is of `{executor.tenant}`")


class _Calls:
    """How calls of one function become arguments of an intent, and back."""

    def __init__(self, function: Callable[..., Any], action: str, resource: str, local: tuple[str, ...]) -> None:
        self._signature = inspect.signature(function)
        self._resource = resource
        self._local = frozenset(local)
        for name, parameter in self._signature.parameters.items():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
                raise TypeError(f"`{action}`: parameter `{name}` has no name of its own to ask about")

    def bound(self, *args: Any, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the arguments to ask about, and those that stay here."""
        call = self._signature.bind(*args, **kwargs)
        call.apply_defaults()
        asked = {name: value for name, value in call.arguments.items() if name not in self._local}
        return asked, {name: value for name, value in call.arguments.items() if name in self._local}

    def resource_of(self, arguments: Mapping[str, Any]) -> str:
        """Return the resource of a call."""
        return self._resource.format_map(arguments)

"""Decide, at the moment of each action, whether this agent may do it for this person now.

    import placet

    with placet.connect(data="data") as connection:
        agent = placet.Agent(connection, tenant="acme", actor="agent:ada", authority="user:bob", mandate="m1")
        executor = placet.Executor(connection, name="service:executor")

        @placet.guarded(agent=agent, executor=executor, action="payments.refund", resource="order/{order}")
        def refund(order: str, amount: int) -> None: ...

What stands here is loaded when it is first used, so that importing `placet` costs nothing.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOMES = {
    "Agent": "agent",
    "Answer": "models",
    "Bound": "models",
    "Connection": "connection",
    "Denied": "errors",
    "Deferred": "errors",
    "Ended": "errors",
    "Executor": "executor",
    "Feed": "feed",
    "Grant": "models",
    "Halted": "errors",
    "Misasked": "errors",
    "NoAnswer": "errors",
    "NotBegun": "errors",
    "NotGranted": "errors",
    "NotTrusted": "errors",
    "Obligation": "models",
    "OutsideMandate": "errors",
    "OverLimit": "errors",
    "Pending": "errors",
    "Result": "models",
    "Settled": "errors",
    "Stopped": "errors",
    "TryAgain": "errors",
    "connect": "connection",
    "guarded": "guarded",
}
__all__ = [*_HOMES, "__version__"]  # noqa: PLE0604  names of one table


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module `placet` has no `{name}`")
    found = getattr(import_module(f"placet.faces.sdk.{home}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)

"""One telling of a flow for two kinds of callers: generators that yield what to wait for, driven by threads or by asyncio."""

import asyncio
import contextlib
import inspect
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for `future`, at most `seconds`; then the flow hears a `TimeoutError`, and the future lives on."""

    future: Future[Any]
    seconds: float


@dataclass(frozen=True, slots=True)
class Call:
    """Run the user's function. `running` is told how to cancel it while it runs as a task."""

    function: Callable[[], Any]
    running: Callable[[Callable[[], object]], None]


Step = Wait | Call
Flow = Generator[Step, Any, T]


def pause(seconds: float) -> Wait:
    """Return a wait that ends by its time alone."""
    return Wait(Future(), seconds)


def drive(flow: Flow[T]) -> T:
    """Run a flow in this thread. An `async` function is refused: it has no loop here."""
    try:
        step = next(flow)
        while True:
            try:
                heard = step.future.result(step.seconds) if isinstance(step, Wait) else _call(step)
            except BaseException as error:  # noqa: BLE001  the flow decides what each error means
                step = flow.throw(error)
            else:
                step = flow.send(heard)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    finally:
        flow.close()


async def adrive(flow: Flow[T]) -> T:
    """Run a flow in this event loop. A plain function runs in a thread, an `async` one as a task that can be cancelled."""
    try:
        step = next(flow)
        while True:
            try:
                heard = await (_await(step) if isinstance(step, Wait) else _acall(step))
            except BaseException as error:  # noqa: BLE001  the flow decides what each error means
                step = flow.throw(error)
            else:
                step = flow.send(heard)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    finally:
        flow.close()


def _call(step: Call) -> Any:
    value = step.function()
    if inspect.iscoroutine(value):
        value.close()
        raise TypeError("an async function needs the async form: `aperform`, or `@guarded` on the async function")
    return value


async def _await(step: Wait) -> Any:
    # `wait` leaves the future alone when time runs out or the caller is cancelled: others may wait for it.
    done, _ = await asyncio.wait({asyncio.wrap_future(step.future)}, timeout=step.seconds)
    if not done:
        raise TimeoutError
    return done.pop().result()


async def _acall(step: Call) -> Any:
    loop = asyncio.get_running_loop()
    if inspect.iscoroutinefunction(step.function):
        task = loop.create_task(step.function())
        step.running(lambda: loop.call_soon_threadsafe(task.cancel))
        return await task
    thread = asyncio.ensure_future(asyncio.to_thread(step.function))
    while not thread.done():
        # A thread cannot be cancelled: what it did is known when it ends, and not before.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({thread})
    return thread.result()

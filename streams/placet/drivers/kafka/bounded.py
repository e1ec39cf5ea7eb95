"""A call of a client that may not end by itself, given no longer than anybody waits for it."""

from collections.abc import Callable
from threading import Event, Thread


def ends_within(call: Callable[[], object], seconds: float) -> bool:
    """Run `call` in a thread of its own; return whether it ended within `seconds`, and raise what it raised.

    A call that did not end goes on in its thread, with all it holds, and
    whatever it raises then is nobody's any more.
    """
    ended, raised = Event(), list[BaseException]()

    def run() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001  it is raised where it was waited for
            raised.append(error)
        ended.set()

    Thread(target=run, name="placet-bounded", daemon=True).start()
    if not ended.wait(seconds):
        return False
    if raised:
        raise raised[0]
    return True

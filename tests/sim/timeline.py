"""Time that passes only when nobody has anything to do: one baton, tasks that take it in turn, and timers between."""

import heapq
from collections.abc import Callable
from itertools import count
from threading import Lock, Thread

from tests.faults.script import Died

START_MS = 1_760_000_000_000
TICK_MS = 0.001
"""The least that any wait takes: a time that never passes would be waited for for ever."""
HUNG_S = 120.0
"""No task holds the baton for so long in real time: a simulation that does is broken."""


class Task:
    """One line of calls that runs while it holds the baton. A victim hears `Died` where it waits."""

    def __init__(self, timeline: "Timeline", name: str, body: Callable[[], None] | None) -> None:
        self.name = name
        self.wake = timeline.now
        self.done = body is None
        self.victim = False
        self.failure: BaseException | None = None
        self.baton = Lock()
        self.baton.acquire()
        self._timeline = timeline
        self._body = body
        self._thread: Thread | None = None

    def begin(self) -> None:
        self._thread = Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self.wait()
        try:
            assert self._body is not None
            self._body()
        except Died:
            pass
        except BaseException as failure:  # noqa: BLE001  whoever tells the story hears of it
            self.failure = failure
        self.done = True
        self._timeline.leave(self)

    def wait(self) -> None:
        assert self.baton.acquire(timeout=HUNG_S), f"{self.name}: nobody gives the baton on"


class Timeline:
    """Milliseconds since it began, which everybody in a simulation shares. The same draws give the same order of all."""

    def __init__(self, choose: Callable[[list[Task]], Task] = lambda ready: ready[0]) -> None:
        self.now = 0.0
        self._choose = choose
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._number = count()
        self._main = Task(self, "main", None)
        self._main.done = False
        self._tasks = [self._main]
        self.current = self._main
        self.switches = 0

    def monotonic(self) -> float:
        """Return seconds, as the clients' own clocks do."""
        return self.now / 1000

    def now_ms(self) -> int:
        return START_MS + int(self.now)

    def at(self, ms: float, call: Callable[[], None]) -> None:
        """Make `call` when it is `ms`; it must not wait."""
        heapq.heappush(self._timers, (max(ms, self.now), next(self._number), call))

    def later(self, ms: float, call: Callable[[], None]) -> None:
        self.at(self.now + ms, call)

    def start(self, name: str, body: Callable[[], None]) -> Task:
        """Let `body` run beside the rest, from the next time anybody waits."""
        task = Task(self, name, body)
        self._tasks.append(task)
        task.begin()
        return task

    def pause(self, ms: float) -> None:
        """Let `ms` pass for the task that holds the baton, and others have it meanwhile."""
        task = self.current
        task.wake = self.now + max(ms, TICK_MS)
        self._give(task)
        if task.victim:
            raise Died(task.name)

    def wake(self, task: Task) -> None:
        """Let `task` go on at once, whatever it waits for."""
        task.wake = min(task.wake, self.now)

    def pass_ms(self, ms: float) -> None:
        """Let time pass for whoever tells the story."""
        self.pause(ms)

    def leave(self, task: Task) -> None:
        """Give the baton on for good."""
        self._tasks.remove(task)
        self._next().baton.release()

    def _give(self, task: Task) -> None:
        chosen = self._next()
        if chosen is not task:
            self.switches += 1
            chosen.baton.release()
            task.wait()

    def _next(self) -> Task:
        """Return who has the baton next; time passes up to the first that has anything to do."""
        while True:
            first = min(task.wake for task in self._tasks)
            if self._timers and self._timers[0][0] <= max(first, self.now):
                at, _, call = heapq.heappop(self._timers)
                self.now = max(self.now, at)
                call()
                continue
            self.now = max(self.now, first)
            ready = [task for task in self._tasks if task.wake <= self.now]
            self.current = ready[0] if len(ready) == 1 else self._choose(ready)
            return self.current

    def end(self) -> None:
        """Let every task but the main one die where it waits."""
        for task in self._tasks[1:]:
            task.victim = True
            task.wake = self.now
        while len(self._tasks) > 1:
            self.pause(0)

"""A consumer's place in its group and what it has heard there: all that the broker and the process hold of it."""

from tests.sim.group import Group, Member
from tests.sim.link import Link, Lost
from tests.sim.timeline import Task


class Seat:
    """Joins, hears, and loses its place when no heartbeats come; the consumer itself may be gone by then."""

    def __init__(self, link: Link, group: Group, instance: str, session_ms: float) -> None:
        self._link = link
        self._group = group
        self._instance = instance
        self._session_ms = session_ms
        self._waiting: Task | None = None
        self.topics: tuple[str, ...] = ()
        self.member: Member | None = None
        self.news: list[tuple[str, int]] = []

    def take(self, topics: tuple[str, ...]) -> None:
        """Join for these topics, now and whenever the place is lost."""
        self.topics = topics
        self._link.on_silence.append(self._fell_silent)
        self.join()

    def join(self) -> None:
        """Ask for a place; nothing happens when nobody answers."""
        try:
            self.member = self._link.ask("JoinGroup", self._join)
        except Lost:
            self.member = None

    def _join(self) -> Member:
        self.member = self._group.join(self._instance, self.topics, self._session_ms, self.hear)
        if self._link.silent_since is not None:
            # Whoever asked is gone by now: nobody sends heartbeats for this place either.
            self._fell_silent()
        return self.member

    def hear(self, what: str, generation: int) -> None:
        self.news.append((what, generation))
        self.wake()

    def wait(self, ms: float) -> None:
        """Let `ms` pass, or less when there is something to hear or to read."""
        timeline = self._link.timeline
        self._waiting = timeline.current
        try:
            timeline.pause(ms)
        finally:
            self._waiting = None

    def wake(self) -> None:
        if self._waiting is not None:
            self._link.timeline.wake(self._waiting)

    def lose(self) -> None:
        """Be without a place, until the next `join`."""
        self.member = None
        self.news.clear()

    def give_up(self) -> None:
        """Leave for good. A static member says nothing: its place waits until its session is over."""
        member, self.member = self.member, None
        self.topics = ()
        if self._fell_silent in self._link.on_silence:
            self._link.on_silence.remove(self._fell_silent)
        if member is None or self._link.dead:
            return
        if self._instance:
            self._link.timeline.later(self._session_ms, lambda: self._group.leave(member))
        else:
            self._group.leave(member)

    def _fell_silent(self) -> None:
        since, member = self._link.silent_since, self.member
        if member is None:
            return

        def over() -> None:
            if self._link.silent_since == since:
                self._group.leave(member)

        self._link.timeline.later(self._session_ms, over)

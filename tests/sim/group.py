"""A group coordinator: static members, generations, eager `range`, sessions, and positions that wait for a transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import NamedTuple

from confluent_kafka import KafkaError

from tests.sim.refusals import Refused
from tests.sim.timeline import Timeline

Position = tuple[str, int]
"""A topic and a partition."""


class Membership(NamedTuple):
    """What a member shows with a commit: the generation it belongs to, and who it is."""

    group: str
    generation: int
    member: str
    instance: str


@dataclass
class Member:
    """One consumer of the group. `hears` is called with `revoke`, `assign`, `lost` or `fenced`, and the generation."""

    id: str
    instance: str
    topics: tuple[str, ...]
    session_ms: float
    hears: Callable[[str, int], None]
    joined: bool = True
    partitions: list[Position] = field(default_factory=list)


class Group:
    """The members and the positions of one consumer group.

    `heartbeat` says how many ms it takes a member to hear that it should join again.
    """

    def __init__(
        self, name: str, timeline: Timeline, counts: Callable[[str], int], heartbeat: Callable[[], float]
    ) -> None:
        self.name = name
        self._timeline = timeline
        self._counts = counts
        self._heartbeat = heartbeat
        self._numbers = count(1)
        self.generation = 0
        self.balancing = False
        self.members: dict[str, Member] = {}
        self.positions: dict[Position, int] = {}
        self.pending: dict[int, dict[Position, int]] = {}
        self.rebalances = 0
        self.refused = 0

    # Membership

    def join(
        self, instance: str, topics: tuple[str, ...], session_ms: float, hears: Callable[[str, int], None]
    ) -> Member:
        """Take a member in. One that comes back under its instance id takes its old place, and the old one is fenced."""
        name = f"{instance}-{next(self._numbers)}" if instance else f"member-{next(self._numbers)}"
        place = instance or name
        made = Member(name, instance, topics, session_ms, hears)
        before = self.members.get(place)
        self.members[place] = made
        if before is not None:
            before.hears("fenced", self.generation)
            if not self.balancing and before.topics == topics and before.joined:
                made.partitions = before.partitions
                hears("assign", self.generation)
                return made
        self._begin()
        return made

    def rejoin(self, member: Member) -> bool:
        """Say that `member`, which has given up what it had, wants its share. False when it is not known any more."""
        if self._find(member) is None:
            return False
        member.joined = True
        self._finish()
        return True

    def leave(self, member: Member) -> None:
        """Take a member out: it said so, or its session is over."""
        place = self._find(member)
        if place is None:
            return
        del self.members[place]
        member.hears("lost", -1)
        self._begin()

    def _find(self, member: Member) -> str | None:
        place = member.instance or member.id
        return place if self.members.get(place) is member else None

    def _begin(self) -> None:
        if not self.balancing:
            self.balancing = True
            self.rebalances += 1
            for member in self.members.values():
                # One that has just come has nothing to give up.
                if member.partitions:
                    member.joined = False
                    self._timeline.later(self._heartbeat(), partial(self._ask_back, member))
        self._finish()

    def _ask_back(self, member: Member) -> None:
        if self._find(member) is not None:
            member.hears("revoke", self.generation)

    def _finish(self) -> None:
        if not self.balancing or not all(member.joined for member in self.members.values()):
            return
        self.balancing = False
        self.generation += 1
        shares = self._shares()
        for place, member in list(self.members.items()):
            member.partitions = shares[place]
            member.hears("assign", self.generation)

    def _shares(self) -> dict[str, list[Position]]:
        """Return what each member gets, by `range`: of every topic the first ones get the first partitions."""
        shares: dict[str, list[Position]] = {place: [] for place in self.members}
        topics = sorted({topic for member in self.members.values() for topic in member.topics})
        for topic in topics:
            places = sorted(place for place, member in self.members.items() if topic in member.topics)
            total, at = self._counts(topic), 0
            for number, place in enumerate(places):
                size = total // len(places) + (number < total % len(places))
                shares[place] += [(topic, partition) for partition in range(at, at + size)]
                at += size
        return shares

    # Positions

    def check(self, shown: Membership) -> None:
        """Refuse a commit of anyone but a member of this generation, as brokers since 2.5 do."""
        if shown.generation < 0 and not self.members:
            return
        if shown.generation < 0 and not shown.member and not shown.instance:
            return  # who shows nothing at all is let through in a transaction
        held = self.members.get(shown.instance or shown.member)
        code = None
        if held is None:
            code = KafkaError.UNKNOWN_MEMBER_ID
        elif held.id != shown.member:
            code = KafkaError.FENCED_INSTANCE_ID
        elif shown.generation != self.generation:
            code = KafkaError.ILLEGAL_GENERATION
        if code is not None:
            self.refused += 1
            raise Refused(code)

    def hold(self, producer: int, positions: Mapping[Position, int]) -> None:
        """Keep positions until the transaction of `producer` ends."""
        self.pending.setdefault(producer, {}).update(positions)

    def mark(self, producer: int, *, commit: bool) -> None:
        """End what `producer` has pending here."""
        held = self.pending.pop(producer, {})
        if commit:
            self.positions.update(held)

    def stable(self, wanted: Position) -> bool:
        """Return whether no open transaction may still move this position."""
        return not any(wanted in held for held in self.pending.values())

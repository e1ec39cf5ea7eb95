"""Two desks on one journal: the first is lost at some point, the second reads it back, and the first still tries to commit."""

from collections.abc import Mapping
from typing import Any

from placet.drivers.loop import Loop
from placet.errors import Unavailable
from placet.model import codec
from placet.model.codec import intent as intent_codec
from placet.model.topics import Topic
from placet.ports import Emits, Message
from tests.decision.reference.stage import Stage
from tests.decision.test_limits import SUM, pack
from tests.support.memory import CountedEntropy, Memory
from tests.support.world import AGENT, World, digest_of

BUDGET = 100
VOTERS = ("user:flo", "user:fay")
RULES = """\
rules:
  - {id: refund, because: refund, on: [shop.refund], effect: permit}
  - {id: people, because: people, on: [shop.refund], when: "arguments.amount > 65", effect: step_up,
     approval: {quorum: 2, from: ["group:finance"], expires_s: 60}}
"""
PACK = {**pack(SUM), "rules.yaml": RULES}
Event = tuple[int, Message]


class Handle(Memory):
    """One desk's hold of the journal: it commits until a later one has been given out."""

    def __init__(self, journal: Memory, holders: list["Handle"]) -> None:
        super().__init__(journal.count, journal.clock)
        self.topics, self.committed = journal.topics, journal.committed
        self._holders = holders
        holders.append(self)

    def commit(self, emits: Mapping[int, Emits], inputs: Mapping[int, Mapping[int, int]]) -> None:
        if self._holders[-1] is not self:
            raise Unavailable("another desk serves this partition now")
        super().commit(emits, inputs)


class Town(Stage):
    """The world in which the story happens, set up once, and every record of it, framed once.

    Two intents of one agent want 60 and 70 of a budget of 100; the second waits for two people.
    """

    def __init__(self, revoked: str) -> None:
        self.revision = 0
        World.__init__(self, pack=PACK)
        self.clock.now += 1
        for name in VOTERS:
            self.publish_principal(name, kind="user", groups=("finance",))
        self.loop.step(0)
        self.clock.now += 1
        self.revoked = revoked
        first, second = self.intent(arguments={"amount": 60}), self.intent(arguments={"amount": 70})
        self.ids = {"A": first.id, "B": second.id}
        self.first = self.loop.bureau.places[0].desk.book.seq
        start = {place: len(log) for place, log in self.memory.topics.items()}
        self.start = {place: log[:] for place, log in self.memory.topics.items()}
        self.committed = dict(self.memory.committed)
        self.events: dict[str, list[Event]] = {}
        for name in "A", "B":
            asked = {"A": first, "B": second}[name]
            self.send(Topic.INTENTS, intent_codec.frame(asked))
            self._note(name, start)
            self.claim(asked, digest_of(asked))
            self._note("C", start)
        for number, voter in enumerate(VOTERS, 1):
            self.vote(second, voter)
            self._note(f"V{number}", start)
        kind = "agent" if revoked == AGENT else "user"
        groups = () if revoked == AGENT else ("finance",)
        self.publish_principal(revoked, kind=kind, status="suspended", groups=groups)
        self._note("R", start)
        self.halt("tenant")
        self._note("H", start)

    def _note(self, name: str, start: dict[tuple[int, int], int]) -> None:
        """Take what was just appended as the event `name`."""
        for place, log in self.memory.topics.items():
            for rec in log[start.get(place, 0) :]:
                self.events.setdefault(name, []).append((place[0], Message(rec.key, rec.value)))
            start[place] = len(log)

    def open(self, handle: Handle) -> Loop:
        """Return a loop that knows nothing but what is committed."""
        self.memory, self.entropy = handle, CountedEntropy()
        return self.new_loop()


class Run:
    """One order of events on the journal: from the start, or from where another run had come, on a desk that is opened there.

    `turns` says of each turn what came, and how many decisions there are by its end; `said` are all of them, decoded.
    """

    def __init__(self, town: Town, before: "Run | None" = None) -> None:
        self.town = town
        self.journal = Memory(1, town.clock)
        topics = before.journal.topics if before else town.start
        self.journal.topics = {place: log[:] for place, log in topics.items()}
        self.journal.committed = dict(before.journal.committed if before else town.committed)
        self.holders: list[Handle] = []
        self.said: list[tuple[str, Any]] = list(before.said) if before else []
        self.turns: list[tuple[str, int]] = list(before.turns) if before else []
        self._read: int = before._read if before else self.journal.end(Topic.DECISIONS, 0)
        self.loop = town.open(Handle(self.journal, self.holders))
        self.loop._assign()

    def play(self, name: str, *, refused: bool = False) -> None:
        """Let one event come and the desk turn; with `refused` its first try comes to nothing: another desk holds the journal."""
        for topic, message in self.town.events[name]:
            self.journal.append(topic, 0, [message])
        if refused:
            self.refuse()
        self.loop.step(0)
        records = self.journal.read(Topic.DECISIONS, 0, self._read, 1 << 30, 0)
        self._read += len(records)
        self.said += [(codec.open_frame(rec.value or b"")[0], codec.decode_any(rec.value or b"")) for rec in records]
        self.turns.append((name, len(self.said)))

    def refuse(self) -> None:
        """Let the desk turn while another one holds the journal: it must commit nothing, and take nothing for committed."""
        end, book = self.journal.end(Topic.DECISIONS, 0), self.loop.bureau.places[0].desk.book
        seq = book.seq
        Handle(self.journal, self.holders)
        try:
            self.loop.step(0)
        except Unavailable:
            self.holders.pop()
        else:
            raise AssertionError("a desk that was replaced has committed")
        assert (self.journal.end(Topic.DECISIONS, 0), book.seq) == (end, seq)

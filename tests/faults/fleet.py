"""Everybody who writes: agents that ask, ask again and take back, feeds that change their mind, operators, and noise."""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from placet.errors import Unavailable, Unsure
from placet.model import strict
from placet.model.codec import intent
from placet.model.codec.intent import Intent
from placet.model.keys import key_of, partition_of
from placet.model.reasons import State
from placet.model.topics import Topic
from placet.ports import Log, Message
from tests.faults import town
from tests.faults.poison import Bad, bad_context, bad_inputs
from tests.faults.town import AGENTS, OTHER, PEOPLE, RESOURCES, SHOP, TENANT, UNKNOWN_RESOURCE, VOTERS
from tests.support.keyed import keyed

SCORES = (0, 30, 69, 70, 95)
LABELS = ("public", "confidential", "restricted")
AMOUNTS = (1, 10, 400, 401, 1_000, 1_001, 4_000, 6_500, 7_000, 7_000, 9_000, 9_500)
ASKED_MOST = 40
LARGE = tuple(strict.canonical({"amount": amount}) for amount in AMOUNTS if 5_000 < amount <= 9_000)
"""What a refund says that people are asked about."""
PACKS = (town.OPEN_PACK, town.STRICT_PACK)


class Letter(NamedTuple):
    """A record on its way; its writer keeps it until it was told that it arrived."""

    topic: Topic
    partition: int
    message: Message


class Fleet:
    """Writes what `random` draws. A writer that hears nothing of a record brings it again, as writers do."""

    def __init__(self, random: Random, log: Callable[[], Log], now_ms: Callable[[], int]) -> None:
        self._random = random
        self._log = log
        self._now = now_ms
        self._number = 0
        self._revision = 1
        self._letters: list[Letter] = []
        self._digests = [town.digest_of_pack(files) for files in PACKS]
        self.asked: list[Intent] = []
        self._votes: list[tuple[str, bytes]] = []
        self.poisoned = 0
        self.publish(now_ms(), self._publish)
        self._acts: tuple[tuple[int, Callable[[], None]], ...] = (
            (40, self._ask),
            (6, self._ask_again),
            (5, self._reuse),
            (5, self._withdraw),
            (8, self._risk),
            (5, self._label),
            (4, self._status),
            (3, self._freeze),
            (3, self._mandate),
            (3, self._activate),
            (2, self._watermark),
            (4, self._settle),
            (16, self._vote),
            (4, self._vote_again),
            (10, self._poison),
            (3, self._poison_context),
        )

    @staticmethod
    def publish(now: int, say: Callable[[Topic, bytes], object]) -> None:
        """Say what has to be known before anything is granted."""
        for name in (*AGENTS, *PEOPLE, *VOTERS, SHOP, OTHER):
            say(Topic.PRINCIPALS, town.a_principal(now, name))
        for agent in AGENTS:
            for person in PEOPLE:
                say(Topic.MANDATES, town.a_mandate(now, agent, person))
        for resource in RESOURCES:
            say(Topic.SENSITIVITY, town.a_label(now, resource, "internal"))
        for files in PACKS:
            digest = town.digest_of_pack(files)
            say(Topic.POLICIES, town.a_pack(now, files, digest))
        say(Topic.POLICIES, town.a_set(now, 1, town.digest_of_pack(PACKS[0])))

    def act(self) -> None:
        """Let somebody do one thing."""
        weights, acts = zip(*self._acts, strict=True)
        self._random.choices(acts, weights)[0]()

    def post(self) -> None:
        """Bring what waits to the journal. A record whose writer hears nothing comes again, at once or later."""
        while self._letters:
            letter = self._letters[0]
            try:
                self._log().append(letter.topic, letter.partition, [letter.message])
            except (Unavailable, Unsure):
                return
            self._letters.pop(0)

    def write(self, topic: Topic, authority: str, value: bytes | None, *, misplaced: bool = False) -> None:
        """Send a record of an input topic on its way."""
        count = self._log().partitions(Topic.INTENTS)
        key = key_of(TENANT, authority)
        partition = partition_of(key, count)
        if misplaced:
            partition = (partition + 1) % count
        self._letters.append(Letter(topic, partition, Message(key, value)))

    def _publish(self, topic: Topic, value: bytes | None, key: bytes | None = None) -> None:
        self._letters.append(Letter(topic, 0, Message(keyed(value) if key is None else key, value)))

    def _send(self, asked: Intent) -> None:
        self.write(Topic.INTENTS, asked.authority, intent.frame(asked))

    def _some(self) -> Intent | None:
        return self._random.choice(self.asked[-ASKED_MOST:]) if self.asked else None

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _ask(self) -> None:
        draw = self._random
        agent, person = draw.choice(AGENTS), draw.choice(PEOPLE)
        kind = draw.choice(("shop.refund", "shop.refund", "shop.look", "shop.export", "shop.unheard-of"))
        arguments: dict[str, object] = {}
        if kind == "shop.refund":
            arguments = {"amount": draw.choice(AMOUNTS)}
        elif kind == "shop.export":
            arguments = {"rows": draw.randrange(9)}
        asked = town.an_intent(
            self._now(),
            self._next(),
            actor=agent,
            authority=person,
            action=kind,
            arguments=arguments,
            resource=draw.choice((*RESOURCES, UNKNOWN_RESOURCE)),
            session=draw.choice(("s1", "s2", "")),
            audience=draw.choice((SHOP, SHOP, OTHER, "")),
            deadline=self._now() + draw.choice((2_000, 20_000, 60_000, 600_000)),
        )
        self.asked.append(asked)
        self._send(asked)

    def _ask_again(self) -> None:
        """Ask the same, as an agent does that heard no answer; or as the next attempt."""
        known = self._some()
        if known is not None:
            self._send(known if self._random.random() < 0.7 else known._replace(attempt=known.attempt + 1))

    def _reuse(self) -> None:
        """Ask something else under an id that was used; sometimes long after."""
        known = self._some()
        if known is None:
            return
        later = max(self._now(), known.deadline) + 30_000
        other = strict.canonical({"amount": 2, "note": "something else"})
        self._send(known._replace(arguments=other, action="shop.refund", deadline=later))

    def _withdraw(self) -> None:
        known = self._some()
        if known is not None:
            actor = known.actor if self._random.random() < 0.8 else "agent:mallory"
            self.write(Topic.INTENTS, known.authority, town.a_withdrawal(known, actor))

    def _risk(self) -> None:
        draw = self._random
        subject, source = draw.choice((*AGENTS, *PEOPLE)), draw.choice(("siem", "edr"))
        half_life_s = draw.choice((0, 0, 30))
        value = town.a_risk(self._now(), subject, draw.choice(SCORES), source, half_life_s)
        self._publish(Topic.RISK, value)

    def _label(self) -> None:
        resource = self._random.choice((*RESOURCES, UNKNOWN_RESOURCE))
        value = town.a_label(self._now(), resource, self._random.choice(LABELS))
        self._publish(Topic.SENSITIVITY, value)

    def _status(self) -> None:
        name = self._random.choice((*AGENTS, PEOPLE[0], VOTERS[0]))
        value = town.a_principal(self._now(), name, self._random.choice(("suspended", "active", "active")))
        self._publish(Topic.PRINCIPALS, value)

    def _freeze(self) -> None:
        self._publish(Topic.CONTROLS, town.a_calendar(self._now(), "freeze", self._random.choice(("on", "off"))))

    def _mandate(self) -> None:
        agent, person = self._random.choice(AGENTS), self._random.choice(PEOPLE)
        status = self._random.choice(("suspended", "active", "active"))
        self._publish(Topic.MANDATES, town.a_mandate(self._now(), agent, person, status))

    def _activate(self) -> None:
        """Point to a pack; sometimes by a pointer that was overtaken."""
        stale = self._random.random() < 0.2
        self._revision += 0 if stale else 1
        digest = self._random.choice(self._digests)
        self._publish(Topic.POLICIES, town.a_set(self._now(), self._revision, digest))

    def _watermark(self) -> None:
        topic = self._random.choice((Topic.RISK, Topic.PRINCIPALS, Topic.SENSITIVITY))
        self._publish(topic, town.a_watermark(self._now()))

    def _settle(self) -> None:
        known = self._some()
        if known is not None:
            result = self._random.choice((State.DONE, State.FAILED))
            self.write(Topic.OUTCOMES, known.authority, town.a_settlement(self._now(), known, result))

    def _vote(self) -> None:
        """Vote on what is likely to wait for people; sometimes as who asks, on something else, or for less."""
        draw = self._random
        large = [one for one in self.asked[-ASKED_MOST:] if one.arguments in LARGE]
        if not large:
            return
        # Votes are read before intents: on what was asked in this very turn nobody can vote yet.
        asked = draw.choice(large[-5:-1] or large)
        for voter in draw.sample((*VOTERS, PEOPLE[0]), 2):
            more: dict[str, object] = {}
            if draw.random() < 0.1:
                more["intent_digest"] = draw.randbytes(32)
            if draw.random() < 0.3:
                more["arguments"] = strict.canonical({"amount": draw.choice((5_000, 6_000, 9_999))})
            value = town.a_vote(self._now(), asked, voter, draw.random() < 0.9, **more)
            self._votes.append((asked.authority, value))
            self.write(Topic.VOTES, asked.authority, value)

    def _vote_again(self) -> None:
        """Send a vote again, byte for byte: a writer that heard nothing, or somebody who kept it."""
        if self._votes:
            self.write(Topic.VOTES, *self._random.choice(self._votes[-ASKED_MOST:]))

    def _poison(self) -> None:
        number = self._next() + (1 << 64)
        bad: Bad = self._random.choice(list(bad_inputs(self._now(), number).values()))
        if bad.misplaced and self._log().partitions(Topic.INTENTS) == 1:
            return
        self.write(bad.topic, PEOPLE[0], bad.value, misplaced=bad.misplaced)

    def _poison_context(self) -> None:
        bad = self._random.choice(list(bad_context(self._now()).values()))
        self.poisoned += 1
        # A key of its own: a record that replaces it before it was read would take its refusal with it.
        self._publish(bad.topic, bad.value, f"{TENANT}/poison/{self._next()}".encode())

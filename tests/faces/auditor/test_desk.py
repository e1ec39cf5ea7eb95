"""What the real desk says under the shipped packs, in random stories: the auditor decides it all again and agrees."""

import base64
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from placet.faces.auditor import Report, audit
from placet.model.codec import verdict
from placet.model.codec.active_set import ActiveSet
from placet.model.codec.intent import Intent
from placet.model.codec.pack import File, Pack
from placet.model.proof import PinnedKey
from placet.model.reasons import State
from placet.model.topics import Topic
from placet.policy.pack import load_pack
from placet.ports import Rec
from tests.support.memory import Memory
from tests.support.world import AGENT, EXECUTOR, KEK, PERSON, TENANT, World, digest_of

POLICIES = Path(__file__).parents[3] / "policies"
SEEDS = range(8)
ACTORS = (AGENT, "agent:release-1", "service:pipeline", "workflow:night")
RESOURCES = ("order/7", "order/8", "account/own/1", "account/payee/2", "warehouse/sales", "service/shop")


def keys_of(world: World) -> dict[str, Any]:
    """Return the world's pinned keys as their file would hold them."""
    seal = PinnedKey("seal-1", "placet", "seal", world.seal_private.public_key().public_bytes_raw())
    pinned = [
        seal,
        world.operator.pinned("operator"),
        world.directory.pinned("directory")._replace(sources=("*",)),
        world.classifier.pinned("feed"),
        world.executor.pinned("executor"),
        world.other.pinned("executor"),
    ]
    return {
        "keys": [
            {
                "kid": k.kid,
                "issuer": k.issuer,
                "purpose": k.purpose,
                "public": base64.b64encode(k.public).decode(),
                "sources": list(k.sources),
            }
            for k in pinned
        ]
    }


def found(report: Report) -> dict[str, list[str]]:
    return {check.name: [str(v) for v in check.shown] for check in report.checks.values() if check.shown}


def verdicts_of(world: World) -> list[verdict.Verdict]:
    log = [rec.value for partition in (0, 1) for rec in world.memory.read(Topic.DECISIONS, partition, 0, 1 << 30, 0)]
    return [verdict.decode(value) for value in log if value and value[:5] == verdict.HEADER]


class Teller:
    """Makes things happen in a world, drawn from one seed."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.world = World(partitions=2)
        self.asked: list[Intent] = []
        self.revision = 1
        self._shipped()
        for actor in ACTORS:
            self._principal(actor)
        self._principal(PERSON, groups=("support", "engineering"))
        self._principal(EXECUTOR, capabilities=("mask-personal", "watch-errors"))
        for number, actor in enumerate(ACTORS):
            self.world.publish_mandate(id=f"m-{number}", delegate=actor, delegator=PERSON)
        self.world.publish_mandate(
            id="m-deep", delegate=ACTORS[1], delegator=AGENT, parent="m-0", actions=("data.*", "payments.*")
        )
        self._known()

    def _shipped(self) -> None:
        """Push the packs of the repository, and make them all the active set, in an order of its own each time."""
        digests = []
        for name in self.draw.sample(["payments", "data_access", "operations"], 3):
            files = {path.name: path.read_text() for path in (POLICIES / name).glob("*.yaml")}
            if "unsigned_intents" not in files["pack.yaml"]:
                files["pack.yaml"] += "\nunsigned_intents: true\n"
            digests.append(load_pack(files).digest)
            pushed = Pack(
                TENANT, name, digests[-1], tuple(File(*f) for f in sorted(files.items())), self.world.clock.now, None
            )
            self.world.context(Topic.POLICIES, self.world.signed("pack", pushed, self.world.operator))
        self.revision += 1
        pointer = ActiveSet(TENANT, self.revision, tuple(digests), "", self.world.clock.now, None)
        self.world.context(Topic.POLICIES, self.world.signed("active_set", pointer, self.world.operator))

    def _principal(self, name: str, status: str = "active", **more: Any) -> None:
        more.setdefault("owner", self.draw.choice([None, PERSON]))
        more.setdefault("attributes", self.draw.choice([{}, {"tenure": "new"}, {"tenure": "old"}]))
        more.setdefault(
            "groups", tuple(self.draw.sample(["support", "privacy-cleared", "on-call", "data-engineering"], 2))
        )
        self.world.publish_principal(name, kind="agent", status=status, source=self.draw.choice(["hr", "idp"]), **more)

    def _known(self) -> None:
        for resource in RESOURCES:
            if self.draw.random() < 0.8:
                self.world.publish_sensitivity(
                    resource, self.draw.choice(["public", "internal", "confidential", "restricted"])
                )
        for subject in (*ACTORS, PERSON, "session:s1", "session:s2"):
            if self.draw.random() < 0.9:
                self.world.publish_risk(self.draw.choice([0, 20, 30]), subject)
        self.world.set_calendar("freeze", self.draw.choice(["on", "off"]))

    def risk(self, subject: str) -> None:
        source, score = self.draw.choice(["siem", "edr"]), self.draw.choice([0, 10, 20, 25, 30, 39, 45, 69, 75, 100])
        self.world.publish_risk(score, subject, source, self.draw.choice([0, 60, 3600]))

    def arguments(self, action: str) -> dict[str, Any]:
        pick = self.draw.choice
        made: dict[str, dict[str, Any]] = {
            "payments.quote": {"amount": pick([1, 900]), "currency": "EUR"},
            "payments.refund": {"amount": pick([100, 4000, 40_000, 70_000]), "currency": pick(["EUR", "GBP"])},
            "payments.transfer": {"amount": pick([5_000, 300_000, 2_000_000_000]), "currency": "EUR", "iban": pick(["DE02120300000000202051", "RU0212030000000020205112"])},
            "data.read": {"rows": pick([1, 500])},
            "data.query": {"statement": pick(["select 1", "drop table x"]), "mode": pick(["read_only", "read_write"]), "rows": pick([10, 5000])},
            "data.export": {"destination": pick(["s3://ours-eu/x", "https://elsewhere"]), "rows": 10},
            "data.share": {"with": pick([["user:a"], ["user:a", "mail:b"], []]), "days": pick([10, 200])},
            "data.delete": {"rows": 3},
            "deploy.release": {"environment": pick(["dev", "production"]), "version": pick(["1.2.3", "v1.2.3-rc1"]), "share": pick([5, 50]), "checks": pick([{}, {"tests": "passed"}, {"tests": "passed", "scan-1": "failed"}])},
            "service.restart": {"environment": "production", "instances": pick([1, 100])},
            "service.scale": {"environment": "production", "to": pick([0, 3])},
            "logs.read": {"minutes": 5},
            "config.change": {"environment": "production", "values": {"a": "b"}},
        }  # fmt: skip
        arguments = made.get(action, {})
        extra: dict[str, dict[str, Any]] = {
            "payments.refund": {"note": "thanks"},
            "data.export": {"include_contacts": True},
            "data.read": {"columns": ["a", "b"]},
        }
        if action in extra and self.draw.random() < 0.5:
            arguments |= extra[action]
        if self.draw.random() < 0.05:
            arguments |= pick([{"amount": True}, {"rows": "many"}, {"other": 1}, {"days": 1.5}])
        return arguments

    def resource(self, action: str) -> str:
        """Return a resource, mostly of a kind that the rules for the action are about."""
        kinds = {"payments.refund": "order/", "payments.transfer": "account/", "data.query": "warehouse/"}
        fitting = [one for one in RESOURCES if one.startswith(kinds.get(action, "service/"))]
        return self.draw.choice(fitting if self.draw.random() < 0.8 else RESOURCES)

    def ask(self) -> None:
        actions = ["payments.quote", "payments.refund", "payments.transfer", "data.read", "data.query", "data.export", "data.share", "data.delete", "deploy.release", "service.restart", "service.scale", "logs.read", "config.change", "no.such"]  # fmt: skip
        number = self.draw.randrange(len(ACTORS))
        action = self.draw.choice(actions)
        deep = number == 1 and self.draw.random() < 0.5
        intent = self.world.intent(
            action,
            self.arguments(action),
            actor=ACTORS[number] if self.draw.random() > 0.03 else "agent:nobody",
            mandate="m-deep" if deep else f"m-{number}",
            resource=self.resource(action),
            session=self.draw.choice(["", *["s1", "s2"] * 5]),
            audience=self.draw.choice([EXECUTOR, EXECUTOR, EXECUTOR, ""]),
            emergency=self.draw.random() < 0.2,
            deadline=self.world.clock.now + self.draw.choice([30_000, 120_000, 800_000]),
        )
        self.asked.append(intent)
        self.world.ask(intent)

    def act(self) -> None:
        """Claim what is granted, report what is claimed, or say something wrong."""
        intent, state = self._open()
        granted = self._granted(intent)
        nonce = self.draw.choice([b"n" * 16, b"n" * 16, b"n" * 16, b"m" * 16])
        by = self.draw.choice([self.world.executor] * 5 + [self.world.other])
        if self.draw.random() < (0.9 if state == State.GRANTED else 0.1):
            self.world.claim(intent, granted, nonce, by)
        else:
            # An executor that says `done` of what it never claimed did it without leave: here nobody does.
            held = [v for v in verdicts_of(self.world) if v.id == intent.id and v.state == State.CLAIMED]
            own = bool(held) and by.issuer == held[-1].executor and held[-1].nonce in (nonce, b"")
            results = [State.DONE, State.DONE, State.FAILED, State.REFUSED]
            result = self.draw.choice(results if own else results[2:])
            ran = granted if result is State.DONE else b""
            label, origin = self.draw.choice([("", ""), ("confidential", "internal"), ("public", "external")])
            self.world.report(intent, result, nonce, ran=ran, by=by, sensitivity=label, origin=origin)

    def _open(self) -> tuple[Intent, int]:
        """Return an intent that is granted, claimed or waiting, and its state; sometimes any other."""
        states = {said.id: said.state for said in verdicts_of(self.world)}
        waiting = (State.GRANTED, State.CLAIMED, State.UNKNOWN, State.DEFERRED)
        held = [intent for intent in self.asked if states.get(intent.id) in waiting]
        intent = self.draw.choice(held if held and self.draw.random() < 0.9 else self.asked)
        return intent, states.get(intent.id, 0)

    def _granted(self, intent: Intent) -> bytes:
        """Return the digest last granted to an intent, or that of what it asks."""
        digests = [
            said.granted_digest for said in verdicts_of(self.world) if said.id == intent.id and said.granted_digest
        ]
        return digests[-1] if digests else digest_of(intent)

    def upset(self) -> None:
        """Change what is known, let time pass, restart, or send what no desk can decide."""
        world, draw = self.world, self.draw
        what = draw.randrange(12)
        if what <= 1:
            self.risk(draw.choice([*ACTORS, PERSON, "session:s1"]))
        elif what == 3:
            self._principal(draw.choice(ACTORS), draw.choice(["active", "active", "suspended"]))
        elif what == 4:
            world.publish_sensitivity(draw.choice(RESOURCES), draw.choice(["public", "internal", "restricted"]))
        elif what == 5:
            world.set_calendar("freeze", draw.choice(["on", "off"]))
        elif what == 6:
            world.clock.now += draw.choice([500, 5_000, 40_000, 200_000])
        elif what == 7:
            world.restart()
        elif what == 8:
            world.send(
                Topic.INTENTS, draw.choice([None, b"junk", b"\x00\x00\x00\x00\x01short", b"\x00\x00\x00\x00\x63x"])
            )
        elif what == 9 and self.asked:
            intent = draw.choice(self.asked)
            world.ask(draw.choice([intent, intent._replace(purpose="other"), intent._replace(attempt=2)]))
        elif what in (2, 10) and self.asked:
            intent, _ = self._open()
            world.take_back(intent, draw.choice([intent.actor, AGENT]))
        else:
            world.send(Topic.OUTCOMES, b"junk")
        world.step()

    def tell(self, turns: int) -> World:
        for _ in range(turns):
            self.world.clock.now += self.draw.randrange(300)
            self.draw.choice([self.ask] * 5 + [self.act] * 3 + [self.upset] * 2)() if self.asked else self.ask()
        self.world.later(1_500)
        return self.world


@cache
def told(seed: int) -> World:
    return Teller(seed).tell(100)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_story_of_the_real_desk_is_clean(seed: int) -> None:
    world = told(seed)
    report = audit(world.memory, keys_of(world), KEK)
    assert found(report) == {}
    assert report["V5"].checked > 30
    assert not report["V5"].unchecked


def test_the_stories_reach_every_effect_and_state() -> None:
    """Random stories are worth what they reach: every effect, and every state of the table but `asked`."""
    told_all = [said for seed in SEEDS for said in verdicts_of(told(seed))]
    assert {said.effect for said in told_all} == {1, 2, 3, 4, 5}
    assert {State(said.state).name for said in told_all} == {state.name for state in State} - {"ASKED"}


class Late(Memory):
    """A journal whose newest desk change is not visible yet: its marker is still on its way."""

    shown = False

    def end(self, topic: int, partition: int) -> int:
        return super().end(topic, partition) - (topic == Topic.DESK and not self.shown)

    def read(self, topic: int, partition: int, offset: int, most: int, wait_ms: int) -> list[Rec]:
        self.shown = self.shown or (topic == Topic.DESK and wait_ms > 0)
        end = self.end(topic, partition)
        return [rec for rec in super().read(topic, partition, offset, most, wait_ms) if rec.offset < end]


def test_a_change_whose_marker_is_on_its_way_is_waited_for_and_one_that_never_comes_is_named() -> None:
    world = World()
    world.ask(world.intent())
    late = Late(1, world.clock)
    late.topics = world.memory.topics
    report = audit(late, keys_of(world), KEK)
    assert found(report) == {}
    assert report["V20"].unchecked.total() == 1
    missing = Memory(1, world.clock)
    missing.topics = {**world.memory.topics, (Topic.DESK, 0): world.memory.topics[Topic.DESK, 0][:-1]}
    assert "V20" in found(audit(missing, keys_of(world), KEK))

"""A placet over a folder to put recorded calls before: the real desk and loop, its journal on disk, its keys its own."""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

from placet import wiring
from placet.drivers.clock import SystemClock
from placet.drivers.keyfile import Keys
from placet.drivers.settings import Settings
from placet.faces.auditor import Report, audit
from placet.model import codec, strict
from placet.model.codec import active_set, claim, intent, mandate, outcome, pack, principal, sensitivity
from placet.model.codec.active_set import ActiveSet
from placet.model.codec.claim import Claim
from placet.model.codec.intent import Intent
from placet.model.codec.mandate import Mandate
from placet.model.codec.outcome import Outcome
from placet.model.codec.pack import File, Pack
from placet.model.codec.principal import Principal
from placet.model.codec.sensitivity import Sensitivity
from placet.model.codec.verdict import Verdict
from placet.model.keys import key_of, partition_of
from placet.model.proof import Signer
from placet.model.reasons import Effect, Reason, State
from placet.model.topics import Topic
from placet.policy.pack import load_pack
from placet.ports import Message
from tests.support.keyed import keyed

DEADLINE_MS = 600_000
FILES = ("pack.yaml", "rules.yaml", "tests.yaml")


class Back(NamedTuple):
    """What came back from a call that ran."""

    origin: str
    failed: bool
    sensitivity: str = "internal"


class Said(NamedTuple):
    """The first answer to a call. `took_ms`: from before its append until it was read back, in process."""

    effect: Effect
    reason: Reason
    rules: tuple[str, ...]
    took_ms: float


@dataclass
class Session:
    """One run: who acts for whom under which mandate, and what was asked so far."""

    tenant: str
    agent: str
    person: str
    name: str
    asked: list[bytes] = field(default_factory=list)


class Stand:
    """Decides recorded calls in order. Use it in a `with` block; `folder` is made and keeps the journal.

    Times are those of a real installation only where each write is `synced` to disk.
    """

    def __init__(self, folder: Path, *, synced: bool = True) -> None:
        settings = Settings(data=folder, partitions=1, wal_sync=synced)
        self._clock = SystemClock()
        self._stack = wiring.embedded(settings)
        self._log = self._stack.log
        self._operator = self._stack.keys.signer("operator")
        self._executor = self._stack.keys.signer("executor")
        self._number = 0
        self._delegated_at = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def open_tenant(self, tenant: str, packs: Path, agents: Iterable[str]) -> None:
        """Make the pack in the folder `packs` the tenant's active set, and its agents and executor known."""
        texts = {name: (packs / name).read_text("utf-8") for name in FILES}
        digest, now = load_pack(texts).digest, self._clock.now_ms()
        pushed = Pack(tenant, packs.name, digest, tuple(File(*each) for each in sorted(texts.items())), now, None)
        self._say(Topic.POLICIES, self._signed("pack", pack, pushed, self._operator))
        pointer = ActiveSet(tenant, 1, (digest,), "evaluated", now, None)
        self._say(Topic.POLICIES, self._signed("active_set", active_set, pointer, self._operator))
        for agent in agents:
            self.know(tenant, agent)
        self.know(tenant, self._executor.issuer)
        self._stack.loop.step(0)  # the pack is loaded here, not within the time of the first call

    def know(self, tenant: str, name: str, attributes: Mapping[str, str] | None = None) -> None:
        """Make a principal known; its kind is the part of its name before the colon."""
        kind, now = name.partition(":")[0], self._clock.now_ms()
        record = Principal(tenant, name, kind, "active", None, (), dict(attributes or {}), (), "directory", now, None)
        self._say(Topic.PRINCIPALS, self._signed("principal", principal, record, self._operator))

    def label(self, tenant: str, resource: str, owner: str | None = None) -> None:
        """Label a resource `internal`, with its owner where one is known."""
        now = self._clock.now_ms()
        record = Sensitivity(tenant, resource, "internal", owner, None, (), "catalogue", now, None)
        self._say(Topic.SENSITIVITY, self._signed("sensitivity", sensitivity, record, self._operator))

    def open_session(
        self, tenant: str, agent: str, person: str, actions: Iterable[str], resources: Iterable[str], task: str
    ) -> Session:
        """Return a session under a new signed mandate, which has the session's name."""
        self._number += 1
        session = Session(tenant, agent, person, f"run-{self._number}")
        self.delegate(session, actions, resources, task)
        return session

    def delegate(self, session: Session, actions: Iterable[str], resources: Iterable[str], task: str) -> None:
        """Give the session's mandate, or give it anew: always later than before, so that the newer one stands."""
        self._delegated_at = max(self._delegated_at + 1, self._clock.now_ms())
        record = Mandate(
            tenant=session.tenant,
            id=session.name,
            delegator=session.person,
            delegate=session.agent,
            task=task,
            actions=tuple(actions),
            resources=tuple(resources),
            limits=(),
            parent="",
            expires_at=0,
            status="active",
            observed_at=self._delegated_at,
            proof=None,
        )
        self._say(
            Topic.MANDATES,
            self._signed("mandate", mandate, record, self._operator),
        )

    def ask(
        self, session: Session, action: str, resource: str, arguments: Mapping[str, object], back: Back | None
    ) -> Said:
        """Return the first answer to one call; where it is a grant and the call ran, claim it and report `back`."""
        self._number += 1
        asked = Intent(
            id=self._number.to_bytes(16, "big"),
            attempt=1,
            tenant=session.tenant,
            actor=session.agent,
            authority=session.person,
            mandate=session.name,
            action=action,
            resource=resource,
            purpose="what its person asked for",
            session=session.name,
            after=tuple(session.asked),
            audience=self._executor.issuer,
            arguments=strict.canonical(dict(arguments)),
            deadline=self._clock.now_ms() + DEADLINE_MS,
            at_least=(),
            emergency=False,
            proof=None,
        )
        started = time.perf_counter()
        verdict = self._answer(Topic.INTENTS, asked, intent.frame(asked))
        took_ms = (time.perf_counter() - started) * 1000
        session.asked.append(asked.id)
        if back is not None:
            self._carry_out(asked, verdict, back)
        return Said(Effect(verdict.effect), Reason(verdict.reason), verdict.rules, took_ms)

    def _carry_out(self, asked: Intent, verdict: Verdict, back: Back) -> None:
        who, now, nonce = self._executor.issuer, self._clock.now_ms(), bytes(16)
        if verdict.state == State.GRANTED:
            nonce = asked.id
            begun = Claim(asked.tenant, asked.authority, asked.id, 1, verdict.granted_digest, who, nonce, now, None)
            claimed = self._answer(Topic.OUTCOMES, asked, self._signed("claim", claim, begun, self._executor))
            expect(claimed, State.CLAIMED)
        elif verdict.state != State.CLAIMED:
            return
        result = State.FAILED if back.failed else State.DONE
        told = Outcome(
            tenant=asked.tenant,
            authority=asked.authority,
            id=asked.id,
            attempt=1,
            executor=who,
            nonce=nonce,
            result=result,
            ran_digest=b"" if back.failed else verdict.granted_digest,
            sensitivity=back.sensitivity,
            origin=back.origin,
            detail="",
            finished_at=now,
            proof=None,
        )
        expect(self._answer(Topic.OUTCOMES, asked, self._signed("outcome", outcome, told, self._executor)), result)

    def _answer(self, topic: Topic, asked: Intent, value: bytes) -> Verdict:
        """Append one record, turn the loop, and return the verdict that is then readable."""
        key = key_of(asked.tenant, asked.authority)
        here = partition_of(key, self._log.partitions(topic))
        end = self._log.end(Topic.DECISIONS, here)
        self._log.append(topic, here, [Message(key, value)])
        self._stack.loop.step(0)
        for rec in self._log.read(Topic.DECISIONS, here, end, 100, 0):
            name, _ = codec.open_frame(rec.value or b"")
            if name == "seal":
                continue
            said = codec.decode_any(rec.value or b"")
            if isinstance(said, Verdict) and said.id == asked.id:
                return said
            raise AssertionError(f"{asked.action}: answered with a {name}: {said}")
        raise AssertionError(f"{asked.action}: no answer after one turn")

    def _say(self, topic: Topic, value: bytes) -> None:
        self._log.append(topic, 0, [Message(keyed(value), value)])

    @staticmethod
    def _signed(name: str, module: Any, record: Any, signer: Signer) -> bytes:
        proof = signer.sign_batch(name, module.FINGERPRINT, [module.encode_unsigned(record)])[0]
        return bytes(module.frame(record._replace(proof=module.Proof(*proof))))


def audited(folder: Path, sample: int | None = None) -> Report:
    """Return what the auditor says of the journal that a `Stand` left in `folder`."""
    settings = Settings(data=folder, partitions=1)
    pinned = json.loads(settings.keys_file.read_text("utf-8"))
    reader = wiring.beside(settings)
    try:
        return audit(reader, pinned, Keys(settings.keys_file, settings.secrets_dir).kek(), sample=sample)
    finally:
        reader.close()


def expect(verdict: Verdict, state: State) -> None:
    """Hold that an honest executor was answered with `state`."""
    if verdict.state != state:
        said = f"{State(verdict.state).name}, {Reason(verdict.reason).name} {verdict.detail}"
        raise AssertionError(f"{verdict.action} on {verdict.resource}: expected {state.name}, was told {said}")

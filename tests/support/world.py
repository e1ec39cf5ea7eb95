"""A small world: an agent, a person, an executor, their keys, one pack, and a loop over a journal in memory."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from placet.context.tables import Tables
from placet.decision import library
from placet.decision.desk import Desk
from placet.decision.library import Library
from placet.decision.settings import DeskSettings
from placet.drivers.bureau import Bureau
from placet.drivers.loop import Loop
from placet.drivers.metrics import Watch
from placet.model import codec, strict
from placet.model.codec import (
    active_set,
    claim,
    control,
    mandate,
    outcome,
    pack,
    risk,
    withdraw,
)
from placet.model.codec import intent as intent_codec
from placet.model.codec.active_set import ActiveSet
from placet.model.codec.claim import Claim
from placet.model.codec.control import Control
from placet.model.codec.intent import Intent
from placet.model.codec.key import Key
from placet.model.codec.mandate import Mandate
from placet.model.codec.outcome import Outcome
from placet.model.codec.pack import File, Pack
from placet.model.codec.principal import Principal
from placet.model.codec.risk import Risk
from placet.model.codec.sensitivity import Sensitivity
from placet.model.codec.vote import Vote
from placet.model.codec.withdraw import Withdraw
from placet.model.digests import action_digest, intent_digest
from placet.model.keys import key_of, partition_of
from placet.model.proof import KeyRing, PinnedKey, Signer
from placet.model.reasons import State
from placet.model.topics import Topic
from placet.policy.cases import TestResult, run_tests
from placet.policy.contents import Pack as LoadedPack
from placet.policy.pack import load_pack
from placet.ports import Message
from placet.provenance.seal import SealKey
from tests.support.keyed import keyed
from tests.support.memory import CountedEntropy, HandClock, Memory, MemoryFeed

KEK = bytes(range(32))


@cache
def _loaded(files: tuple[tuple[str, str], ...]) -> LoadedPack:
    return load_pack(dict(files))


@cache
def _tested(pack: LoadedPack) -> list[TestResult]:
    return run_tests(pack)


def forget_packs() -> None:
    """Have packs loaded and tested anew: what a bug was planted in may not be what others are given."""
    _loaded.cache_clear()
    _tested.cache_clear()


# A pack is the same each time it is loaded, and loading one is most of what a small world costs.
vars(library)["load_pack"] = lambda files: _loaded(tuple(sorted(files.items())))
vars(library)["run_tests"] = _tested
TENANT, AGENT, PERSON, EXECUTOR = "acme", "agent:ada", "user:grace", "service:shop"
APPROVERS = ("user:flo", "user:fay", "user:fin", "user:sue", AGENT, PERSON, "user:boss", "user:lee", "user:nobody")
"""Who has an approver's key, whether or not anybody asks them."""
PACK = {
    "pack.yaml": """\
name: shop
version: 1.0.0
description: what the tests' shop allows
unsigned_intents: true
defer_ms_max: 20000
actions:
  shop.refund: {arguments: {amount: {type: int, min: 0, required: true}, note: {type: string, required: false}}}
  shop.look: {arguments: {page: {type: int, required: false}}}
  shop.export: {arguments: {rows: {type: int, required: false}, email: {type: string, required: false}}}
freshness:
  - {fact: resource, observed_ms: 31622400000, else: defer}
""",
    "rules.yaml": """\
rules:
  - {id: refund, because: refund, on: [shop.refund], when: "arguments.amount <= 1000", effect: permit}
  - {id: refund-limit, because: refund limit, on: [shop.refund], when: "arguments.amount > 1000 && arguments.amount <= 5000", effect: constrain,
     obligations: [{limit: {argument: amount, max: 1000}}]}
  - {id: refund-people, because: refund people, on: [shop.refund], when: "arguments.amount > 5000 && arguments.amount <= 9000", effect: step_up,
     approval: {quorum: 1, from: ["group:finance"], expires_s: 60}}
  - {id: refund-risk, because: refund risk, on: [shop.refund], when: "has(actor.risk.score) && actor.risk.score >= 70", effect: deny}
  - {id: refund-frozen, because: refund frozen, on: [shop.refund], when: "has(calendar.freeze) && calendar.freeze == 'on'", effect: deny}
  - {id: look, because: look, on: [shop.look], effect: permit, claim: granted}
  - {id: export, because: export, on: [shop.export], when: "resource.sensitivity != 'restricted'", effect: permit}
  - {id: export-restricted, because: export restricted, on: [shop.export], when: "resource.sensitivity == 'restricted'", effect: deny}
  - {id: export-after-mail, because: export after mail, on: [shop.export], when: "session.origin == 'external'", effect: deny}
""",
    "tests.yaml": """\
tests:
  - says: a small refund is permitted
    intent: {actor: agent:ada, action: shop.refund, resource: order/7, arguments: {amount: 10}}
    expect: {effect: permit, because: [refund]}
""",
}


class World:
    """Everything a desk's story needs. `step` runs one turn of the loop; `said` are the newest decisions, decoded."""

    codec: Any = codec

    def __init__(
        self, partitions: int = 1, settings: DeskSettings | None = None, pack: Mapping[str, str] = PACK
    ) -> None:
        self.clock, self.entropy = HandClock(), CountedEntropy()
        self.memory = Memory(partitions, self.clock)
        self.settings = settings or DeskSettings()
        self.seal_private = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
        self.operator = Signer("operator-1", "user:root", b"o" * 32)
        self.second = Signer("operator-2", "user:second", b"p" * 32)
        self.bound = Signer("operator-3", "user:bound", b"b" * 32)
        self.executor = Signer("shop-1", EXECUTOR, b"e" * 32)
        self.other = Signer("other-1", "service:other", b"x" * 32)
        self.directory = Signer("hr-1", "service:hr", b"h" * 32)
        self.classifier = Signer("dlp-1", "dlp", b"d" * 32)
        self.agent = Signer("ada-1", AGENT, b"a" * 32)
        self.foreign = Signer("foreign-1", EXECUTOR, b"f" * 32)
        self.approvers = {name: Signer(f"{name}-1", name, name.encode().ljust(32, b"v")) for name in APPROVERS}
        self.keys = KeyRing(
            [
                PinnedKey("seal-1", "placet", "seal", self.seal_private.public_key().public_bytes_raw()),
                self.operator.pinned("operator"),
                self.second.pinned("operator"),
                self.bound.pinned("operator")._replace(tenant=TENANT),
                self.executor.pinned("executor"),
                self.other.pinned("executor"),
                self.agent.pinned("agent"),
                self.directory.pinned("directory")._replace(sources=("*",)),
                self.classifier.pinned("feed"),
                self.foreign.pinned("executor")._replace(tenant="globex"),
                *(signer.pinned("approver") for signer in self.approvers.values()),
            ]
        )
        self.loop = self.new_loop()
        self.read = dict.fromkeys(range(partitions), 0)
        self.number = 0
        self.publish_principal(AGENT)
        self.publish_principal(PERSON, kind="user")
        self.publish_principal(EXECUTOR, kind="service")
        self.publish_mandate()
        self.push(pack)

    def new_loop(self) -> Loop:
        """Return a loop that knows nothing but what is committed."""
        keys = self.keys.apart(2_000)
        tables, library = Tables(keys), Library(keys)
        bureau = Bureau(
            tables, library, self._desk(tables, library, keys), "memory", SealKey("seal-1", self.seal_private), keys
        )
        self.memory.rewind()
        return Loop(
            self.memory,
            MemoryFeed(self.memory),
            bureau,
            self.clock,
            self.entropy,
            Watch(),
            batch_most=500,
            seal_idle_ms=1000,
            skew_ms_max=2000,
        )

    def _desk(self, tables: Tables, library: Library, keys: KeyRing) -> Callable[[int], Desk]:
        def desk_of(partition: int) -> Desk:
            return Desk(partition, self.memory.count, tables, library, keys, KEK, self.settings)

        return desk_of

    def restart(self) -> None:
        """Drop all memory and open again."""
        self.loop = self.new_loop()

    def context(self, topic: Topic, value: bytes | None, key: str | None = None) -> None:
        """Append a context record, under its own key where none is given."""
        self.memory.append(topic, 0, [Message(keyed(value) if key is None else key.encode(), value)])

    def publish_principal(self, name: str, kind: str = "agent", status: str = "active", **more: Any) -> None:
        fields = {
            "owner": None,
            "groups": (),
            "attributes": {},
            "capabilities": (),
            "source": "test",
            "observed_at": self.clock.now,
            **more,
        }
        record = Principal(tenant=TENANT, id=name, kind=kind, status=status, proof=None, **fields)
        self.context(Topic.PRINCIPALS, self.signed("principal", record, self.directory))

    def publish_mandate(self, status: str = "active", **more: Any) -> None:
        fields = {"id": "m1", "delegator": PERSON, "delegate": AGENT, "actions": ("*",), "resources": ("*",), **more}
        record = Mandate(
            tenant=TENANT,
            task="help in the shop",
            limits=fields.pop("limits", ()),
            parent=fields.pop("parent", ""),
            expires_at=fields.pop("expires_at", 0),
            status=status,
            observed_at=self.clock.now,
            proof=None,
            **fields,
        )
        self.context(Topic.MANDATES, self.signed("mandate", record, self.operator))

    def publish_risk(self, score: int, subject: str = AGENT, source: str = "siem", half_life_s: int = 0) -> None:
        record = Risk(TENANT, subject, source, score, self.clock.now, half_life_s, 0, 0)
        self.context(Topic.RISK, risk.frame(record))

    def publish_sensitivity(self, resource: str, label: str) -> None:
        record = Sensitivity(TENANT, resource, label, None, None, (), "dlp", self.clock.now, None)
        self.context(Topic.SENSITIVITY, self.signed("sensitivity", record, self.classifier))

    def set_calendar(self, name: str, value: str) -> None:
        record = Control(TENANT, "c", "calendar", name, value, "", "user:root", self.clock.now, 0, None)
        self.context(Topic.CONTROLS, self.signed("control", record, self.operator))

    def halt(self, scope: str, halt_id: str = "h1", by: Signer | None = None, **more: Any) -> None:
        """Publish a halt, signed by the first operator where `by` is none."""
        self._control("halt", scope, halt_id, by or self.operator, more)

    def resume(self, scope: str, halt_id: str = "h1", by: Signer | None = None, **more: Any) -> None:
        """Publish one operator's word that a halt may end."""
        self._control("resume", scope, halt_id, by or self.operator, more)

    def _control(self, kind: str, scope: str, halt_id: str, by: Signer, more: Mapping[str, Any]) -> None:
        fields = {"tenant": TENANT, "observed_at": self.clock.now, "expires_at": 0, **more}
        record = Control(
            id=halt_id, kind=kind, scope=scope, value="", reason="pays twice", by=by.issuer, proof=None, **fields
        )
        self.context(Topic.CONTROLS, self.signed("control", record, by))

    def put_key(self, signer: Signer, purpose: str, by: Signer | None = None, **more: Any) -> None:
        """Put a signer's public key on record, by the first operator where `by` is none."""
        window = {"not_before": 0, "not_after": 0, "compromised_at": 0, "observed_at": self.clock.now}
        fields = {"tenant": TENANT, "sources": (), "public": signer.public, "issuer": signer.issuer, **window, **more}
        record = Key(kid=signer.kid, purpose=purpose, proof=None, **fields)
        self.context(Topic.KEYS, self.signed("key", record, by or self.operator))

    def push(self, files: Mapping[str, str], revision: int = 1) -> bytes:
        """Push a pack and make it the active set."""
        digest = load_pack(dict(files)).digest
        pushed = Pack(TENANT, "shop", digest, tuple(File(*f) for f in sorted(files.items())), self.clock.now, None)
        self.context(Topic.POLICIES, self.signed("pack", pushed, self.operator))
        pointer = ActiveSet(TENANT, revision, (digest,), "", self.clock.now, None)
        self.context(Topic.POLICIES, self.signed("active_set", pointer, self.operator))
        return digest

    def intent(self, action: str = "shop.refund", arguments: Mapping[str, object] | None = None, **more: Any) -> Intent:
        self.number += 1
        fields: dict[str, Any] = {
            "id": self.number.to_bytes(16, "big"),
            "attempt": 1,
            "tenant": TENANT,
            "actor": AGENT,
            "authority": PERSON,
            "mandate": "m1",
            "resource": "order/7",
            "purpose": "the customer asked",
            "session": "s1",
            "after": (),
            "audience": EXECUTOR,
            "deadline": self.clock.now + 120_000,
            "at_least": (),
            "emergency": False,
            "proof": None,
        }
        arguments = {"amount": 10} if arguments is None and action == "shop.refund" else arguments or {}
        return Intent(action=action, arguments=strict.canonical(arguments), **{**fields, **more})

    def send(self, topic: Topic, value: bytes | None, authority: str = PERSON, partition: int | None = None) -> int:
        key = key_of(TENANT, authority)
        place = partition_of(key, self.memory.count) if partition is None else partition
        return self.memory.append(topic, place, [Message(key, value)])

    def ask(self, *intents: Intent) -> list["Decision"]:
        """Append intents, run one turn, and return what was said."""
        for each in intents:
            self.send(Topic.INTENTS, intent_codec.frame(each), each.authority)
        return self.step()

    def claim(
        self, asked: Intent, granted: bytes | None = None, nonce: bytes = b"n" * 16, by: Signer | None = None
    ) -> list["Decision"]:
        signer = by or self.executor
        record = Claim(
            TENANT,
            asked.authority,
            asked.id,
            asked.attempt,
            granted or digest_of(asked),
            signer.issuer,
            nonce,
            self.clock.now,
            None,
        )
        self.send(Topic.OUTCOMES, self.signed("claim", record, signer), asked.authority)
        return self.step()

    def report(
        self, asked: Intent, result: State = State.DONE, nonce: bytes = b"n" * 16, **more: Any
    ) -> list["Decision"]:
        signer = more.pop("by", self.executor)
        ran = more.pop("ran", digest_of(asked) if result is State.DONE else b"")
        fields = {"sensitivity": "", "origin": "", "detail": "", "executor": signer.issuer, **more}
        record = Outcome(
            tenant=TENANT,
            authority=asked.authority,
            id=asked.id,
            attempt=asked.attempt,
            nonce=nonce,
            result=result,
            ran_digest=ran,
            finished_at=self.clock.now,
            proof=None,
            **fields,
        )
        self.send(Topic.OUTCOMES, self.signed("outcome", record, signer), asked.authority)
        return self.step()

    def vote(self, asked: Intent, by: str, approve: bool = True, **more: Any) -> list["Decision"]:
        """Append a vote, run one turn, and return what was said."""
        self.send(Topic.VOTES, self.voted(asked, by, approve, **more), asked.authority)
        return self.step()

    def voted(self, asked: Intent, by: str, approve: bool = True, **more: Any) -> bytes:
        """Return a framed vote, signed with the key of `by` where no other `signer` is named."""
        signer = more.pop("signer", None) or self.approvers[by]
        arguments = more.pop("arguments", None)
        fields = {
            "tenant": TENANT,
            "authority": asked.authority,
            "id": asked.id,
            "attempt": asked.attempt,
            "intent_digest": intent_digest(intent_codec.encode_unsigned(asked), intent_codec.FINGERPRINT),
            "voter": by,
            "approve": approve,
            "reason": "",
            "arguments": None if arguments is None else strict.canonical(arguments),
            "voted_at": self.clock.now,
            "acr": "",
            "auth_time": 0,
            "proof": None,
            **more,
        }
        return self.signed("vote", Vote(**fields), signer)

    def take_back(self, asked: Intent, actor: str = AGENT) -> list["Decision"]:
        record = Withdraw(TENANT, asked.authority, asked.id, asked.attempt, actor, "not needed", None)
        self.send(Topic.INTENTS, withdraw.frame(record), asked.authority)
        return self.step()

    def signed(self, name: str, record: Any, signer: Signer) -> bytes:
        """Return a framed record with its writer's proof."""
        module: Any = codec.BY_NAME[name]
        unsigned = module.encode_unsigned(record)
        proof = signer.sign_batch(name, module.FINGERPRINT, [unsigned])[0]
        return bytes(module.frame(record._replace(proof=module.Proof(*proof))))

    def later(self, ms: int) -> list["Decision"]:
        self.clock.now += ms
        return self.step()

    def step(self) -> list["Decision"]:
        """Run one turn and return the decisions it made, Seals left out."""
        self.loop.step(0)
        found = []
        for partition, at in self.read.items():
            records = self.memory.read(Topic.DECISIONS, partition, at, 1 << 30, 0)
            self.read[partition] = at + len(records)
            for rec in records:
                name, _ = self.codec.open_frame(rec.value or b"")
                if name != "seal":
                    found.append(Decision(name, self.codec.decode_any(rec.value or b"")))
        return found


class Decision(NamedTuple):
    """A decision record, by the name of its schema."""

    name: str
    record: Any

    @property
    def state(self) -> State:
        return State(self.record.state)


MODULES: dict[str, Any] = {
    "mandate": mandate,
    "control": control,
    "pack": pack,
    "active_set": active_set,
    "claim": claim,
    "outcome": outcome,
}


def digest_of(asked: Intent, arguments: Mapping[str, object] | None = None) -> bytes:
    """Return the action digest of an intent, or of what was granted instead of its arguments."""
    return action_digest(
        asked.tenant,
        asked.authority,
        asked.actor,
        asked.audience,
        asked.action,
        asked.resource,
        asked.arguments if arguments is None else strict.canonical(arguments),
    )


def states(said: Sequence[Decision]) -> list[State]:
    """Return the states that verdicts reached, in order."""
    return [each.state for each in said if each.name == "verdict"]

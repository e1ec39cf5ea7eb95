"""The real desk on a loop over a journal in memory, made cheap enough to be built anew for every history."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from placet.decision import library
from placet.decision.settings import DeskSettings
from placet.drivers.loop import Loop
from placet.drivers.metrics import Watch
from placet.errors import Unavailable, Unsure
from placet.model import codec
from placet.model.codec import intent as intent_codec
from placet.model.codec.active_set import ActiveSet
from placet.model.codec.intent import Intent
from placet.model.codec.mandate import Limit
from placet.model.codec.pack import File, Pack
from placet.model.digests import action_digest
from placet.model.proof import KeyRing
from placet.model.reasons import Effect, Reason, State
from placet.model.topics import Topic
from placet.policy.evaluate import PolicySet
from tests.decision.reference import shop
from tests.decision.reference.scene import (
    ADA,
    ALAN,
    BOB,
    BOSS,
    EXPORT,
    FINANCE,
    FIRST,
    GIVE,
    GRACE,
    LEE,
    LOOK,
    NOWHERE,
    OTHER,
    PAY,
    SHOP,
    SUE,
    Ask,
    Back,
    Begin,
    Deed,
    Given,
    Label,
    Packs,
    Resume,
    Said,
    Score,
    Status,
    Stop,
    Told,
    Vote,
)
from tests.support.world import TENANT, Decision, World, _loaded, digest_of

KINDS = {
    **dict.fromkeys((*FINANCE, SUE, LEE, BOSS), "user"),
    GRACE: "user",
    ALAN: "user",
    ADA: "agent",
    BOB: "agent",
    SHOP: "service",
    OTHER: "service",
}
EVERYTHING, NO_GIFTS = ("*",), (PAY, LOOK, EXPORT, NOWHERE)
MANDATES: dict[str, dict[str, Any]] = {
    "m1": {
        "delegator": GRACE,
        "delegate": ADA,
        "actions": EVERYTHING,
        "limits": (Limit("amount", 6000, 0, (PAY, GIVE)),),
    },
    "m2": {
        "delegator": ADA,
        "delegate": BOB,
        "parent": "m1",
        "actions": NO_GIFTS,
        "limits": (Limit("count", 5, 120, ()),),
    },
    "m9": {"delegator": ALAN, "delegate": ADA, "actions": EVERYTHING},
}
MORE: dict[str, dict[str, Any]] = {ADA: {"owner": BOSS}, **{key: {"groups": ("finance",)} for key in FINANCE}}
SETTINGS = DeskSettings(lag_ms_max=10_000, parked_most=3, pending_most=3, held_most=8)
FAULTS = ("", "failed", "crashed before", "crashed after", "unsure")


def _nothing() -> None:
    return None


class _Sets:
    """Sets of packs, each laid out once in a process: what one says never changes, and laying it out costs most."""

    @staticmethod
    @cache
    def _laid_out(packs: tuple[Any, ...]) -> PolicySet:
        return PolicySet(packs)

    @classmethod
    def of(cls, packs: Sequence[Any]) -> PolicySet:
        return cls._laid_out(tuple(packs))


vars(library)["PolicySet"] = _Sets


class _Quiet(Watch):
    """Counts nothing: what is counted is proved elsewhere, and costs as much as deciding."""

    def batch(self, count: Any) -> None:
        return None

    def context(self, *_: Any) -> None:
        return None


WATCH = _Quiet()
RING: dict[str, KeyRing] = {}


class Stage(World):
    """Plays deeds on the real desk, and says what it said in plain values."""

    def new_loop(self) -> Loop:
        """Return a loop that shares with others what is the same in all: the ring, and so what it has proved, and a watch."""
        self.keys = RING.setdefault("shop", self.keys)
        loop = super().new_loop()
        vars(loop)["_watch"] = WATCH
        vars(loop.bureau)["settle_memory"] = _nothing
        return loop

    def __init__(self) -> None:
        self.revision = 0
        self.amounts: dict[bytes, int | None] = {}
        super().__init__(settings=SETTINGS, pack=shop.files(tight=False))
        self.clock.now += 1
        for name, kind in KINDS.items():
            self.publish_principal(name, kind=kind, **MORE.get(name, {}))
        for name in MANDATES:
            self.put(Given(name, "active", 0))
        self.loop.step(0)
        self.heard = self.memory.end(Topic.DECISIONS, 0)

    def push(self, files: Any, revision: int = 1) -> bytes:
        """Push a pack, read once in a process, and make it the active set."""
        self.revision += 1
        digest = _loaded(tuple(sorted(files.items()))).digest
        pushed = Pack(TENANT, "shop", digest, tuple(File(*f) for f in sorted(files.items())), self.clock.now, None)
        self.context(Topic.POLICIES, self.signed("pack", pushed, self.operator))
        pointer = ActiveSet(TENANT, self.revision, (digest,), "", self.clock.now, None)
        self.context(Topic.POLICIES, self.signed("active_set", pointer, self.operator))
        return digest

    def put(self, deed: Deed) -> None:
        """Append the record that a deed is; nothing is decided yet."""
        if isinstance(deed, Ask):
            intent = self._intent(deed)
            self.amounts[_digest(intent, deed.amount)] = deed.amount
            self.send(Topic.INTENTS, intent_codec.frame(intent), deed.authority)
        elif isinstance(deed, Back):
            self.take_back(self._intent(deed.ask), deed.actor)
        elif isinstance(deed, Vote):
            offered = None if deed.amount is None else {"amount": deed.amount}
            self.vote(
                self._intent(deed.ask),
                deed.voter,
                deed.yes,
                arguments=offered,
                voted_at=deed.at,
                acr=deed.acr,
                auth_time=deed.auth_at,
            )
        elif isinstance(deed, Begin):
            intent = self._intent(deed.ask)
            signer = self.executor if deed.executor == SHOP else self.other
            self.claim(intent, _digest(intent, deed.amount), bytes([deed.nonce]) * 16, signer)
        elif isinstance(deed, Told):
            intent, ran = self._intent(deed.ask), b""
            if deed.result == "DONE":
                ran = _digest(intent, deed.amount)
            signer = self.operator if deed.settles else self.executor if deed.executor == SHOP else self.other
            more = {"executor": ""} if deed.settles else {}
            nonce = bytes([deed.nonce]) * 16
            self.report(intent, State[deed.result], nonce, ran=ran, by=signer, origin=deed.origin, **more)
        else:
            self._hear(deed)

    def _hear(self, deed: Status | Given | Score | Label | Stop | Resume | Packs) -> None:
        """Append a record of the context."""
        if isinstance(deed, Stop):
            self.halt(deed.scope, deed.id)
        elif isinstance(deed, Resume):
            self.resume(deed.scope, deed.id, self.operator if deed.by == FIRST else self.second)
        elif isinstance(deed, Packs):
            self.push(shop.files(deed.tight))
        elif isinstance(deed, Status):
            more = MORE.get(deed.name, {})
            self.publish_principal(deed.name, kind=KINDS[deed.name], status=deed.status, source=deed.source, **more)
        elif isinstance(deed, Given):
            said = {"id": deed.id, "status": deed.status, "expires_at": deed.expires_at, **MANDATES[deed.id]}
            self.publish_mandate(**said)
        elif isinstance(deed, Score):
            self.publish_risk(deed.score, deed.subject, deed.source)
        else:
            self.publish_sensitivity(deed.resource, deed.label)

    def step(self) -> list[Decision]:
        """Say nothing: `turn` alone turns the loop."""
        return []

    def turn(self, fault: str) -> tuple[str, list[Said], list[Said]]:
        """Turn the loop, with a fault at its commit, where there is one.

        Return whether the desk was lost, "before" or "after" it had committed, what was said before that, and since.
        """
        commit = self.memory.commit
        if fault in ("failed", "crashed before", "unsure"):
            self._fail(fault)
        try:
            self.loop.step(0)
        except (Unavailable, Unsure):
            if fault == "failed":
                self.loop.step(0)
                return "", [], self._said()
            return self._anew("before" if fault == "crashed before" else "after")
        self.memory.commit = commit  # type: ignore[method-assign]
        return self._anew("after") if fault == "crashed after" else ("", [], self._said())

    def _anew(self, when: str) -> tuple[str, list[Said], list[Said]]:
        """Open a desk that knows only what was committed, and let it turn."""
        before = self._said()
        self.restart()
        self.loop.step(0)
        return when, before, self._said()

    def _fail(self, fault: str) -> None:
        """Make the next commit fail with nothing committed, or with all committed and the answer lost."""
        memory, commit = self.memory, self.memory.commit

        def lost(emits: Any, inputs: Any) -> None:
            memory.commit = commit  # type: ignore[method-assign]
            if fault == "unsure":
                commit(emits, inputs)
                raise Unsure("lost on purpose")
            raise Unavailable("failed on purpose")

        memory.commit = lost  # type: ignore[method-assign]

    def _intent(self, ask: Ask) -> Intent:
        return Intent(
            id=ask.id.to_bytes(16, "big"),
            attempt=ask.attempt,
            tenant=TENANT,
            actor=ask.actor,
            authority=ask.authority,
            mandate=ask.mandate,
            action=ask.action,
            resource=ask.resource,
            purpose=ask.purpose,
            session=ask.session,
            after=(),
            audience=ask.audience,
            arguments=b"{}" if ask.amount is None else b'{"amount":%d}' % ask.amount,
            deadline=ask.deadline,
            at_least=(),
            emergency=False,
            proof=None,
        )

    def _said(self) -> list[Said]:
        """Return what was committed since the last look, in plain values, Seals left out."""
        records = self.memory.read(Topic.DECISIONS, 0, self.heard, 1 << 30, 0)
        self.heard += len(records)
        framed = [rec.value or b"" for rec in records if rec.key != b"seal"]
        return [self._plain(codec.open_frame(value)[0], codec.decode_any(value)) for value in framed]

    def _plain(self, name: str, said: Any) -> Said:
        if name == "halted":
            return name, said.seq, said.id, said.scope, said.resumed
        number = int.from_bytes(said.id, "big")
        if name == "refusal":
            return name, said.seq, number, said.attempt, Reason(said.reason).name
        if name == "repeat":
            return name, said.seq, number, said.attempt, said.first_seq
        state, amount = State(said.state), None
        if state in (State.GRANTED, State.CLAIMED) and not said.stop:
            amount = self._granted(said)
        holds = tuple(tuple(hold) for hold in said.holds)
        effect, reason = Effect(said.effect).name, Reason(said.reason).name
        return name, said.seq, number, said.attempt, state.name, effect, reason, amount, said.stop, holds

    def _granted(self, said: Any) -> int | None:
        """Return the amount that a verdict grants: that of its own arguments, whose digest it must carry."""
        if said.granted_arguments is None:
            return self.amounts[said.granted_digest]
        assert said.granted_digest == action_digest(
            said.tenant, said.authority, said.actor, said.audience, said.action, said.resource, said.granted_arguments
        )
        return json.loads(said.granted_arguments).get("amount")  # type: ignore[no-any-return]


def _digest(intent: Intent, amount: int | None) -> bytes:
    return digest_of(intent, {} if amount is None else {"amount": amount})

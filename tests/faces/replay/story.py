"""A story with every kind of arrow in it, and how it is replayed."""

from collections.abc import Mapping
from typing import Any

from placet.decision.vault import PLACE
from placet.faces.replay.opened import CaseKeys
from placet.faces.replay.same import Range, Same, replay
from placet.faces.replay.settled import Settled
from placet.faces.replay.source import settled_of
from placet.model import codec
from placet.model.codec import case as case_codec
from placet.model.codec import case_body
from placet.model.codec.case_body import CaseBody
from placet.model.codec.intent import Intent
from placet.model.reasons import State
from placet.model.topics import Topic
from tests.support.world import KEK, World

ALL = Range()


class Story(World):
    """A world whose history is replayed; `named` are its intents by what became of them."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.named: dict[str, Intent] = {}

    def tell(self) -> "Story":
        """Let every kind of arrow happen: 25 verdicts of 11 intents, a repeat and a refusal."""
        self.publish_principal("user:flo", kind="user", groups=("finance",))
        self.publish_principal("user:fay", kind="user", groups=("finance",))
        self.publish_risk(50, half_life_s=60)
        self.publish_sensitivity("doc/1", "internal")
        done = self._ask("done", "shop.refund", {"amount": 10})
        self.claim(done)
        self.report(done, sensitivity="confidential", origin="external")
        self.ask(done)  # a repeat
        self.claim(done, nonce=b"z" * 16)  # a refusal
        bound = self._ask("bound", "shop.refund", {"amount": 2000})
        self.take_back(bound)
        approved = self._ask("approved", "shop.refund", {"amount": 6000})
        self.later(500)
        self.vote(approved, "user:flo")
        self.claim(approved, nonce=b"a" * 16)
        self.report(approved, State.FAILED, nonce=b"a" * 16)
        rejected = self._ask("rejected", "shop.refund", {"amount": 7000})
        self.vote(rejected, "user:fay", approve=False)
        waited = self._ask("waited", "shop.export", {"rows": 1}, resource="doc/2", session="s2")
        self.publish_sensitivity("doc/2", "internal")
        self.later(10)
        self.claim(waited, nonce=b"w" * 16)
        self._ask("silent", "shop.look", {})
        self._ask("after mail", "shop.export", {"rows": 1}, resource="doc/1")
        self._ask("lapsed", "shop.refund", {"amount": 20})
        self._ask("lapsed too", "shop.refund", {"amount": 30})
        self.later(40_000)  # what was not claimed lapses
        self._ask("revoked", "shop.refund", {"amount": 40})
        self.publish_risk(95)
        self.later(10)
        self._ask("risky", "shop.refund", {"amount": 50})
        self.later(500_000)
        return self

    def _ask(self, name: str, action: str, arguments: Mapping[str, object], **more: Any) -> Intent:
        asked = self.named[name] = self.intent(action, arguments, **more)
        self.ask(asked)
        return asked

    def name_of(self, intent: str) -> str:
        """Return what an intent is called, by the hex of its id."""
        return next(name for name, asked in self.named.items() if asked.id.hex() == intent)

    def settled(self) -> Settled:
        return settled_of(self.memory, self.keys, KEK, self.settings)

    def replay(self, asked: Range = ALL, settled: Settled | None = None) -> Same:
        """Return what comes of deciding everything again."""
        found, shared = Same(), settled or self.settled()
        for partition in range(self.memory.count):
            found.add(replay(self.memory, partition, shared, asked))
        return found

    def fields(self, found: Same) -> set[tuple[str, str, str]]:
        """Return which fields differ: the name of the intent, the state on record at that seq, and the field."""
        states = {
            (rec.partition, codec.decode_any(rec.value).seq): State(codec.decode_any(rec.value).state)
            for partition in range(self.memory.count)
            for rec in self.memory.topics[Topic.DECISIONS, partition]
            if rec.value and codec.open_frame(rec.value)[0] == "verdict"
        }
        return {
            (self.name_of(one.intent), states[one.partition, one.seq].name.lower(), one.field)
            for one in found.differences
        }

    def verdicts(self) -> list[Any]:
        return [
            codec.decode_any(rec.value)
            for partition in range(self.memory.count)
            for rec in self.memory.topics[Topic.DECISIONS, partition]
            if rec.value and codec.open_frame(rec.value)[0] == "verdict"
        ]

    def rewrite_case(self, seq: int, **fields: Any) -> None:
        """Put another case in the place of the one at `seq`, under the same key, as its owner could."""
        cases = self.memory.topics[Topic.CASES, 0]
        at = next(n for n, rec in enumerate(cases) if codec.decode_any(rec.value or b"").seq == seq)
        rec = cases[at]
        body = self.case_body(seq)
        held = codec.decode_any(rec.value or b"")
        cipher = CipherOf(self.settled().keys).cipher(held)
        told = b"placet/case/1" + PLACE.pack(held.partition, held.seq)
        sealed = cipher.encrypt(held.nonce, case_body.frame(body._replace(**fields)), told)
        cases[at] = rec._replace(value=case_codec.frame(held._replace(ciphertext=sealed)))

    def case_body(self, seq: int) -> CaseBody:
        """Return what the case at `seq` holds."""
        for rec in self.memory.topics[Topic.CASES, 0]:
            held = codec.decode_any(rec.value or b"")
            if held.seq == seq:
                body: CaseBody = codec.decode_any(self.settled().keys.open(held)[0])
                return body
        raise AssertionError(f"no case at seq {seq}")


class CipherOf:
    """The data keys of a replay, for a forger."""

    def __init__(self, keys: CaseKeys) -> None:
        self._keys = keys

    def cipher(self, held: Any) -> Any:
        return self._keys._ciphers[held.tenant, held.authority, held.data_key][0]

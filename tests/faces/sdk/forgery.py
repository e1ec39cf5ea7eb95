"""A desk played by hand: it says what a test tells it to, sealed well or badly."""

import threading
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from placet.model.codec import verdict
from placet.model.codec.verdict import Verdict
from placet.model.merkle import leaf_hash
from placet.model.proof import KeyRing, PinnedKey, Signer
from placet.model.reasons import Effect, Reason, State
from placet.model.topics import Topic
from placet.ports import Message, Rec
from placet.provenance.seal import SealChain, SealKey
from tests.support.memory import HandClock, Memory
from tests.support.world import AGENT, EXECUTOR, PERSON, TENANT

PRIVATE = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
STRANGER = Ed25519PrivateKey.from_private_bytes(b"t" * 32)
NEWER = b"\x00" + (999).to_bytes(4, "big")
"""The framing of a record in a version that came after this package."""
EXECUTOR_SIGNER = Signer("shop-1", EXECUTOR, b"e" * 32)
RING = KeyRing(
    [
        PinnedKey("seal-1", "service:desk", "seal", PRIVATE.public_key().public_bytes_raw()),
        PinnedKey("agent-1", AGENT, "agent", STRANGER.public_key().public_bytes_raw()),
        EXECUTOR_SIGNER.pinned("executor"),
    ]
)


def verdict_of(seq: int, **more: Any) -> Verdict:
    """Return a small permit, with whatever else a test wants of it."""
    fields: dict[str, Any] = dict.fromkeys(Verdict._fields, "")
    fields |= {
        "id": seq.to_bytes(16, "big"),
        "attempt": 1,
        "tenant": TENANT,
        "actor": AGENT,
        "authority": PERSON,
        "action": "shop.refund",
        "resource": "order/7",
        "partition": 0,
        "seq": seq,
        "previous_seq": -1,
        "instant": 1_000,
        "state": State.GRANTED,
        "effect": Effect.PERMIT,
        "reason": Reason.PERMITTED,
        "stop": False,
        "cause_topic": Topic.INTENTS,
        "cause_partition": 0,
        "cause_offset": seq,
        "asked_offset": seq,
        "asked_at": 1_000,
        "intent_digest": bytes(32),
        "action_digest": bytes(32),
        "granted_digest": b"",
        "granted_arguments": None,
        "audience": EXECUTOR,
        "deadline": 1 << 50,
        "expires_at": 1 << 50,
        "claim_required": True,
        "act_ms_max": 1_000,
        "retry_after_ms": 0,
        "set_digest": b"",
        "commitment": b"",
        "rules": (),
        "missing": (),
        "obligations": (),
        "approval": None,
        "holds": (),
        "bounds": (),
        "ask": (),
        "nonce": b"",
        "ran_digest": b"",
    }
    return Verdict(**{**fields, **more})


class Live(Memory):
    """A log in memory whose readers wait for what comes."""

    def __init__(self) -> None:
        super().__init__(1, HandClock())
        self._came = threading.Condition()

    def append(self, topic: int, partition: int, messages: Sequence[Message]) -> int:
        with self._came:
            first = super().append(topic, partition, messages)
            self._came.notify_all()
        return first

    def read(self, topic: int, partition: int, offset: int, most: int, wait_ms: int) -> list[Rec]:
        with self._came:
            # A short wait, so that whoever follows is soon done when a test is.
            self._came.wait_for(lambda: self.end(topic, partition) > offset, min(wait_ms, 20) / 1000)
            return super().read(topic, partition, offset, most, 0)

    def close(self) -> None:
        """A list needs no closing."""


class Scribe:
    """Writes one partition of decisions into a log in memory."""

    def __init__(self, log: Memory | None = None, cluster: str = "c", private: Ed25519PrivateKey = PRIVATE) -> None:
        self.log = log or Memory(1, HandClock())
        self.chain = SealChain(cluster, 0, SealKey("seal-1", private), None)
        self.seq = 0

    def append(self, value: bytes | None) -> None:
        self.log.append(Topic.DECISIONS, 0, [Message(b"k", value)])

    def seal(self, records: Sequence[Any] = (), *, keep: bool = True) -> bytes:
        """Return a good Seal over `records`, which follow what was sealed before."""
        said = [leaf_hash(verdict.FINGERPRINT + verdict.encode(one)) for one in records]
        self.seq += len(records)
        framed = self.chain.close(said, self.seq, (), (), (), 1_000, 0)
        if keep:
            self.chain.keep()
        return framed

    def batch(self, *records: Any) -> None:
        """Write records and the Seal that covers them."""
        for one in records:
            self.append(verdict.frame(one))
        self.append(self.seal(records))

    def newer(self, *records: Any, seal: bool = False) -> None:
        """Write records as a newer desk does, under a schema id that nobody here knows; with `seal`, their Seal as well."""
        for one in records:
            self.append(NEWER + verdict.encode(one))
        framed = self.seal(records)
        self.append(NEWER + framed[5:] if seal else framed)

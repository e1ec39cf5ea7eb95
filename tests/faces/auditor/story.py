"""A small journal, told by hand: what an honest desk would have left, batch by batch, ready to be spoilt."""

import copy
import struct
from collections.abc import Callable, Sequence
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from placet.model.topics import CONTEXT, Topic
from tests.faces.auditor.hand import (
    ACTOR,
    AUTHORITY,
    ENGINE,
    EXECUTOR,
    KEK,
    NONCE,
    PRINTS,
    T0,
    TENANT,
    Fields,
    Shelf,
    action_digest,
    blank,
    encode,
    frame,
    lease_of,
    merkle,
    row_of,
    sealed,
    sha256,
    signed,
    slot_of,
    told,
)

PACK = {
    "pack.yaml": """\
name: shop
version: 1.0.0
description: what the shop of this story allows
unsigned_intents: true
lease: {lease_ms: 30000, act_ms_max: 60000}
actions:
  shop.refund: {arguments: {amount: {type: int, min: 0}, note: {type: string, required: false}}}
  shop.look: {arguments: {}}
""",
    "rules.yaml": """\
rules:
  - {id: small, because: small, on: [shop.refund], when: "arguments.amount <= 1000", effect: permit}
  - {id: large, because: large, on: [shop.refund], when: "arguments.amount > 1000", effect: constrain,
     obligations: [{limit: {argument: amount, max: 1000}}, {redact: {arguments: [note]}}]}
  - {id: risky, because: risky, on: ["shop.*"], when: "actor.risk.score >= 70", effect: deny, else: deny}
  - {id: look, because: look, on: [shop.look], effect: permit, claim: granted}
  - {id: secret, because: secret, on: [shop.look], when: "resource.sensitivity == 'restricted'", effect: deny}
""",
}


class Story:
    """What happened, as plain records by batch. `write` seals it; whatever is changed before is sealed as changed.

    `batches` hold (name, fields) of decisions in order of seq; `instants`,
    `inputs` and `desk` run beside them. `cases` are case bodies by seq.
    """

    def __init__(self) -> None:
        self.shelf = Shelf()
        self.batches: list[list[tuple[str, Fields]]] = []
        self.instants: list[int] = []
        self.inputs: list[dict[Topic, int]] = []
        self.desk: list[Fields | None] = []
        self.cases: dict[int, Fields] = {}
        self.seq = 0
        self.instant = T0
        self.cut: list[Fields] = []
        self.facts: dict[str, Fields] = {}
        self.intents: dict[str, tuple[Fields, int]] = {}
        self.last: dict[str, Fields] = {}
        self._context()

    # What is known, and what is asked.

    def _context(self) -> None:
        for role, name in (("actor", ACTOR), ("authority", AUTHORITY), ("audience", EXECUTOR)):
            said = {
                **blank("principal"),
                "tenant": TENANT,
                "id": name,
                "kind": "agent",
                "status": "active",
                "source": "hr",
                "observed_at": T0,
            }
            self._fact(role, Topic.PRINCIPALS, "principal", said)
        said = {
            **blank("mandate"),
            "tenant": TENANT,
            "id": "m1",
            "delegator": AUTHORITY,
            "delegate": ACTOR,
            "actions": ["shop.*"],
        }
        self._fact(
            "mandate", Topic.MANDATES, "mandate", {**said, "resources": ["*"], "status": "active", "observed_at": T0}
        )
        # 84 a half life ago is 42 now: below the 70 from which the pack denies.
        risk = {**blank("risk"), "tenant": TENANT, "subject": ACTOR, "source": "siem", "score": 84, "half_life_s": 3600}
        self._fact("actor.risk", Topic.RISK, "risk", {**risk, "event_at": T0 - 3_600_000})
        label = {**blank("sensitivity"), "tenant": TENANT, "resource": "order/7", "label": "internal", "source": "dlp"}
        self._fact("resource", Topic.SENSITIVITY, "sensitivity", {**label, "observed_at": T0})
        digest = sha256(
            b"placet/pack/1",
            *(len(p).to_bytes(8, "big") + p for f in sorted(PACK.items()) for p in (f[0].encode(), f[1].encode())),
        )
        self.set_digest = sha256(b"placet/set/1", digest)
        files = [{"name": name, "text": text} for name, text in sorted(PACK.items())]
        pack = {**blank("pack"), "tenant": TENANT, "name": "shop", "digest": digest, "files": files}
        self.shelf.put(Topic.POLICIES, None, frame("pack", pack))
        pointer = {**blank("active_set"), "tenant": TENANT, "revision": 1, "digests": [digest]}
        self.shelf.put(Topic.POLICIES, None, frame("active_set", pointer))
        ends = sorted((topic, self.shelf.end(topic, 0)) for topic in CONTEXT if self.shelf.end(topic, 0))
        self.cut = [{"topic": int(topic), "partition": 0, "offset": end, "heard_at": T0} for topic, end in ends]

    def _fact(self, role: str, topic: Topic, name: str, said: Fields) -> None:
        value = told(name, said)
        offset = self.shelf.put(topic, None, value)
        self.facts[role] = {
            "role": role,
            "topic": int(topic),
            "partition": 0,
            "offset": offset,
            "at": T0,
            "value": value,
        }

    def begin(self, later_ms: int = 1_000) -> None:
        self.instant += later_ms
        self.batches.append([])
        self.instants.append(self.instant)
        self.desk.append(None)

    def end(self) -> None:
        self.inputs.append({topic: self.shelf.end(topic, 0) for topic in (Topic.INTENTS, Topic.VOTES, Topic.OUTCOMES)})

    def ask(self, name: str, action: str, arguments: Fields, attempt: int = 1) -> None:
        """Append an intent; `name` is what the story calls it, and its id."""
        fields = {
            **blank("intent"),
            "id": name[:1].encode() * 16,
            "attempt": attempt,
            "tenant": TENANT,
            "actor": ACTOR,
            "authority": AUTHORITY,
            "mandate": "m1",
            "action": action,
            "resource": "order/7",
            "purpose": "the customer asked",
            "audience": EXECUTOR,
            "arguments": rfc8785.dumps(arguments),
            "deadline": T0 + 600_000,
        }
        self.intents[name] = (fields, self.shelf.put(Topic.INTENTS, b"k", frame("intent", fields), self.instant))

    def again(self, name: str) -> int:
        fields, _ = self.intents[name]
        return self.shelf.put(Topic.INTENTS, b"k", frame("intent", fields), self.instant)

    def claim(self, name: str, **more: Any) -> int:
        fields, _ = self.intents[name]
        said = {key: fields[key] for key in ("tenant", "authority", "id", "attempt")}
        granted = self.last[name]["granted_digest"] or bytes(32)
        made = {**blank("claim"), **said, "granted_digest": granted, "executor": EXECUTOR, "nonce": NONCE, **more}
        return self.shelf.put(Topic.OUTCOMES, b"k", signed("claim", made), self.instant)

    def report(self, name: str, result: int = 6, **more: Any) -> int:
        fields, _ = self.intents[name]
        said = {key: fields[key] for key in ("tenant", "authority", "id", "attempt")}
        ran = self.last[name]["granted_digest"]
        made = {
            **blank("outcome"),
            **said,
            "executor": EXECUTOR,
            "nonce": NONCE,
            "result": result,
            "ran_digest": ran,
            **more,
        }
        return self.shelf.put(Topic.OUTCOMES, b"k", signed("outcome", made), self.instant)

    # What the desk says.

    def first(self, name: str, state: int, effect: int, reason: int, rules: Sequence[str] = (), **more: Any) -> Fields:
        fields, offset = self.intents[name]
        digest = sha256(b"placet/intent/1", PRINTS["intent"], encode("intent", fields)[:-1])
        said = {
            **blank("verdict"),
            **{key: fields[key] for key in list(blank("verdict"))[:9]},
            "previous_seq": -1,
            "state": state,
            "effect": effect,
            "reason": reason,
            "cause_topic": int(Topic.INTENTS),
            "cause_offset": offset,
            "asked_offset": offset,
            "asked_at": self.shelf.topics[Topic.INTENTS, 0][offset].at,
            "intent_digest": digest,
            "action_digest": action_digest(fields, fields["arguments"]),
            "audience": EXECUTOR,
            "deadline": fields["deadline"],
            "claim_required": True,
            "set_digest": self.set_digest,
            "engine": ENGINE,
            "rules": list(rules),
            **more,
        }
        if state in (4, 5):
            said["expires_at"] = self.instant + 30_000
            said["act_ms_max"] = 60_000
            said["granted_digest"] = said["granted_digest"] or said["action_digest"]
        return self.say("verdict", said, name)

    def move(self, name: str, state: int, reason: int, cause: tuple[Topic, int] | None, **more: Any) -> Fields:
        """Say where an attempt goes; `cause` is the record that moved it, or None: the clock."""
        before = self.last[name]
        kept = (
            *list(blank("verdict"))[:9],
            "asked_offset",
            "asked_at",
            "intent_digest",
            "action_digest",
            "audience",
            "deadline",
            "effect",
        )
        said = {
            **blank("verdict"),
            **{key: before[key] for key in kept},
            "previous_seq": before["seq"],
            "state": state,
            "reason": reason,
            "cause_topic": int(cause[0]) if cause else 0,
            "cause_offset": cause[1] if cause else 0,
            "granted_digest": before["granted_digest"],
            "claim_required": True,
            **more,
        }
        return self.say("verdict", said, name)

    def claimed(self, name: str, offset: int) -> Fields:
        """Say that a claim was taken; the answer decided again is the one that was granted."""
        before = self.last[name]
        again = {
            key: before[key]
            for key in ("set_digest", "engine", "rules", "obligations", "granted_arguments", "act_ms_max")
        }
        more = {"executor": EXECUTOR, "nonce": NONCE, "expires_at": self.instant + 60_000, **again}
        return self.move(name, 5, 720, (Topic.OUTCOMES, offset), **more)

    def refuse(self, topic: Topic, offset: int, reason: int, name: str = "") -> None:
        rec = self.shelf.topics[topic, 0][offset]
        said = {
            **blank("refusal"),
            "cause_topic": int(topic),
            "cause_offset": offset,
            "asked_at": rec.at,
            "reason": reason,
            "raw_digest": sha256(rec.value or b""),
        }
        if name:
            said |= {key: self.intents[name][0][key] for key in ("tenant", "authority", "id", "attempt")}
        self.say("refusal", said)
        if reason < 200:
            kept = {
                **blank("quarantined"),
                "topic": int(topic),
                "offset": offset,
                "at": rec.at,
                "reason": reason,
                "key": rec.key,
                "value": rec.value,
            }
            self.shelf.put(Topic.QUARANTINE, b"q", frame("quarantined", kept))

    def repeat(self, name: str, offset: int, first_seq: int) -> None:
        said = {
            **blank("repeat"),
            "cause_topic": int(Topic.INTENTS),
            "cause_offset": offset,
            "asked_at": self.instant,
            "first_seq": first_seq,
        }
        self.say(
            "repeat", {**said, **{key: self.intents[name][0][key] for key in ("tenant", "authority", "id", "attempt")}}
        )

    def say(self, kind: str, said: Fields, name: str = "") -> Fields:
        said["seq"], said["instant"] = self.seq, self.instant
        self.seq += 1
        self.batches[-1].append((kind, said))
        if said.get("set_digest"):
            roles = ["actor", "authority", "audience", "mandate", "resource", "actor.risk"]
            self.cases[said["seq"]] = {
                **blank("case_body"),
                "intent": frame("intent", self.intents[name][0]),
                "instant": self.instant,
                "set_digest": self.set_digest,
                "engine": ENGINE,
                "session_origin": "none",
                "session_seq": -1,
                "cut": copy.deepcopy(self.cut),
                "facts": [dict(self.facts[role]) for role in roles],
            }
        if name:
            self.last[name] = said
        return said

    def remember(self, settled: Sequence[str] = (), opened: Sequence[str] = (), closed: Sequence[str] = ()) -> None:
        """Say what this batch changed in the desk, by the story's names."""
        rows = b"".join(row_of(self.last[name]) for name in settled)
        change = {
            **blank("desk_change"),
            "instant": self.instant,
            "settled": rows,
            "opened": [lease_of(self.last[name]) for name in opened],
        }
        self.desk[-1] = {**change, "closed": b"".join(slot_of(self.last[name]) for name in closed), "seq_to": self.seq}

    # What becomes of it.

    def write(self, tamper: Callable[[list[tuple[str, bytes]]], None] | None = None) -> Shelf:
        """Encrypt, seal and write everything; `tamper` may change the decisions after they were sealed."""
        salt, data_key, key = b"S" * 32, AESGCM(b"d" * 32), f"{TENANT}/{AUTHORITY}"
        wrapped = b"i" * 12 + AESGCM(KEK).encrypt(b"i" * 12, b"d" * 32, b"placet/data-key/1" + key.encode())
        row = {"key": key, "key_id": b"d" * 16, "wrapped": wrapped, "salt": salt}
        self.shelf.put(
            Topic.DESK, b"k/" + key.encode(), frame("desk_change", {**blank("desk_change"), "data_keys": [row]})
        )
        log: list[tuple[str, bytes]] = []
        root, seq, ordinal = bytes(32), 0, -1
        for batch, instant, inputs, desk in zip(self.batches, self.instants, self.inputs, self.desk, strict=True):
            leaves = []
            for kind, said in batch:
                body = self.cases.get(said["seq"]) if kind == "verdict" else None
                if body is not None:
                    self._case(said, body, data_key, salt)
                log.append((kind, frame(kind, said)))
                leaves.append(PRINTS[kind] + encode(kind, said))
            if desk is not None:
                ordinal += 1
                self.shelf.put(
                    Topic.DESK, struct.pack(">Q", ordinal), frame("desk_change", {**desk, "ordinal": ordinal})
                )
            end = batch[-1][1]["seq"] + 1 if batch else seq
            seal = {
                **blank("seal"), "cluster": "story", "epoch": 1, "seq_from": seq, "seq_to": end, "previous_root": root,
                "root": merkle(leaves), "read_cut": self.cut, "swept_cut": self.cut, "instant": instant, "desk_ordinal": ordinal,
                "inputs": [{"topic": int(topic), "partition": 0, "offset": offset} for topic, offset in inputs.items()], "kid": "seal-1",
            }  # fmt: skip
            root, seq = seal["root"], end
            log.append(("seal", sealed(seal)))
        if tamper is not None:
            tamper(log)
        for kind, value in log:
            self.shelf.put(Topic.DECISIONS, kind.encode(), value)
        return self.shelf

    def _case(self, said: Fields, body: Fields, cipher: AESGCM, salt: bytes) -> None:
        data, seq = frame("case_body", body), said["seq"]
        said["commitment"] = sha256(salt, data)
        iv = seq.to_bytes(12, "big")
        hidden = cipher.encrypt(iv, data, b"placet/case/1" + struct.pack(">IQ", 0, seq))
        case = {
            "tenant": TENANT,
            "authority": AUTHORITY,
            "partition": 0,
            "seq": seq,
            "data_key": b"d" * 16,
            "nonce": iv,
        }
        self.shelf.put(Topic.CASES, b"k", frame("case", {**case, "ciphertext": hidden}))


LIMITED = [
    {"kind": "limit", "argument": "amount", "value": "1000"},
    {"kind": "redact", "argument": "note", "value": ""},
]


def tell() -> Story:
    """Return the story: six intents, of which one is refused as faulty, one runs, one is never heard of again."""
    story = Story()
    story.begin()
    story.end()

    story.begin()
    story.ask("a", "shop.refund", {"amount": 10})
    story.ask("b", "shop.refund", {"amount": 3000, "note": "hush"})
    story.ask("c", "shop.look", {})
    junk = story.shelf.put(Topic.INTENTS, b"k", b"\x00\x00\x00\x00\x01junk", story.instant)
    story.ask("e", "shop.refund", {"amount": "ten"})
    story.first("a", 4, 1, 520, ["shop/small"])
    granted = rfc8785.dumps({"amount": 1000})
    more = {
        "granted_arguments": granted,
        "granted_digest": action_digest(story.intents["b"][0], granted),
        "obligations": LIMITED,
    }
    story.first("b", 4, 2, 510, ["shop/large"], **more)
    story.first("c", 5, 1, 520, ["shop/look"], claim_required=False, executor=EXECUTOR)
    story.refuse(Topic.INTENTS, junk, 10)
    story.first("e", 1, 5, 410)
    story.remember(settled=["a", "b", "c", "e"], opened=["a", "b", "c"])
    story.end()

    story.begin()
    story.claimed("a", story.claim("a"))
    story.refuse(Topic.OUTCOMES, story.claim("e"), 630, "e")
    story.repeat("a", story.again("a"), 0)
    story.remember(opened=["a"])
    story.end()

    story.begin()
    story.move(
        "a",
        6,
        730,
        (Topic.OUTCOMES, story.report("a")),
        executor=EXECUTOR,
        nonce=NONCE,
        ran_digest=story.last["a"]["granted_digest"],
    )
    story.move("c", 7, 730, (Topic.OUTCOMES, story.report("c", 7, ran_digest=b"")), executor=EXECUTOR)
    story.claimed("b", story.claim("b"))
    story.remember(opened=["b"], closed=["a", "c"])
    story.end()

    story.begin()
    story.end()

    story.begin(61_000)
    story.move("b", 9, 690, None, expires_at=story.last["b"]["expires_at"], executor=EXECUTOR, nonce=NONCE)
    story.ask("f1", "shop.refund", {"amount": 5})
    story.first("f1", 1, 5, 310, set_digest=b"", engine="", retry_after_ms=1000)
    unknown = {**lease_of(story.last["b"]), "claim_required": True, "act_ms_max": 60_000}
    story.remember(settled=["f1"])
    story.desk[-1] = {**(story.desk[-1] or {}), "opened": [unknown]}
    story.end()

    story.begin()
    story.ask("f2", "shop.refund", {"amount": 5}, attempt=2)
    story.first("f2", 4, 1, 520, ["shop/small"])
    story.remember(settled=["f2"], opened=["f2"])
    story.end()
    return story

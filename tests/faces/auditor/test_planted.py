"""Every way of breaking a promise is named by the check that holds it: one spoilt journal a row."""

import io
import random
from collections.abc import Callable
from typing import Any

import fastavro
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from placet.faces.auditor import Report, audit
from placet.model.topics import CONTEXT, Topic
from placet.ports import Rec
from tests.faces.auditor import hand
from tests.faces.auditor.hand import KEK, KEYS, OTHER, Shelf, action_digest, blank, frame, sealed, sha256, signed, told
from tests.faces.auditor.story import LIMITED, Story, tell

BOUND = {"argument": "amount", "comparison": "<=", "value": "9", "effect": 1}
Spoil = Callable[[Story], None]
Tamper = Callable[[list[tuple[str, bytes]]], None]


def said(story: Story, batch: int, number: int) -> Any:
    return story.batches[batch][number][1]


def change(batch: int, number: int, **fields: Any) -> Spoil:
    """Return a lie: other fields in one decision, sealed as if they were true."""

    def spoil(story: Story) -> None:
        said(story, batch, number).update(fields)

    return spoil


def renumber(story: Story) -> None:
    """Give every decision the seq of its place, and follow with what points at it, so that only the lie itself is left."""
    moved: dict[int, int] = {}
    cases = {}
    seq = 0
    for batch in story.batches:
        for kind, fields in batch:
            old, fields["seq"] = fields["seq"], seq
            moved[old] = seq
            if fields.get("previous_seq", -1) >= 0:
                fields["previous_seq"] = moved.get(fields["previous_seq"], fields["previous_seq"])
            if kind == "repeat":
                fields["first_seq"] = moved[fields["first_seq"]]
            if old in story.cases and kind == "verdict":
                cases[seq] = story.cases[old]
            seq += 1
    story.cases = cases


def drop(batch: int, number: int) -> Spoil:
    def spoil(story: Story) -> None:
        del story.batches[batch][number]
        renumber(story)

    return spoil


def twice(batch: int, number: int) -> Spoil:
    """Return a lie: the same answer given again in the same batch, under a seq of its own."""

    def spoil(story: Story) -> None:
        kind, fields = story.batches[batch][number]
        story.batches[batch].append((kind, {**fields, "seq": 100, "commitment": b"", "set_digest": b""}))
        renumber(story)

    return spoil


def again(story: Story) -> None:
    """The dedupe is skipped: the intent heard again is answered as if it were new."""
    fields = said(story, 1, 0)
    offset = said(story, 2, 2)["cause_offset"]
    story.batches[2][2] = (
        "verdict",
        {
            **fields,
            "seq": 7,
            "instant": story.instants[2],
            "cause_offset": offset,
            "asked_offset": offset,
            "asked_at": story.instants[1] + 1000,
            "set_digest": b"",
            "expires_at": 0,
        },
    )


def swap(batch: int) -> Spoil:
    """Return a lie: the two first answers of a batch in the wrong order of their intents."""

    def spoil(story: Story) -> None:
        decisions = story.batches[batch]
        decisions[0], decisions[1] = decisions[1], decisions[0]
        renumber(story)

    return spoil


def position(batch: int, topic: Topic, by: int) -> Spoil:
    def spoil(story: Story) -> None:
        story.inputs[batch][topic] += by

    return spoil


def fact(held_as: str, **fields: Any) -> Spoil:
    """Return a lie: what was decided rests on another context record than the one it cites."""

    def spoil(story: Story) -> None:
        held = next(f for f in story.cases[0]["facts"] if f["role"] == held_as)
        held.update(fields)

    return spoil


def moved_cut(story: Story) -> None:
    """A restored desk decides under an older context than the desk before it."""
    for mark in story.cases[5]["cut"]:
        mark["offset"] -= 1


def unread(story: Story) -> None:
    """A fact that lies past what the batch had read."""
    at = story.shelf.put(Topic.RISK, None, story.facts["actor.risk"]["value"])
    next(f for f in story.cases[0]["facts"] if f["role"] == "actor.risk")["offset"] = at


def newer(topic: Topic, name: str, **more: Any) -> Spoil:
    """Return a lie by omission: the last answer rests on context older than what its batch had read."""

    def spoil(story: Story) -> None:
        role = {"risk": "actor.risk", "sensitivity": "resource", "principal": "actor"}[name]
        value = story.facts[role]["value"]
        fields = fastavro.schemaless_reader(io.BytesIO(value[5:]), hand.PARSED[name], None)
        assert isinstance(fields, dict)
        story.shelf.put(topic, None, told(name, {**fields, **more}), story.instant)
        for cut in (story.cut, *(case["cut"] for case in story.cases.values())):
            for mark in cut:
                mark["offset"] += mark["topic"] == topic

    return spoil


def session(**more: Any) -> Spoil:
    """Return a lie: a case that says of its session what no outcome told it."""

    def spoil(story: Story) -> None:
        story.cases[0].update(more)

    return spoil


def unheard(story: Story) -> None:
    """What came back to a session from outside is forgotten by the next answer in it."""
    for name in ("a", "f2"):
        fields, offset = story.intents[name]
        fields["session"] = "s1"
        held = story.shelf.topics[Topic.INTENTS, 0]
        held[offset] = held[offset]._replace(value=frame("intent", fields))
        digest = sha256(b"placet/intent/1", hand.PRINTS["intent"], hand.encode("intent", fields)[:-1])
        for case in story.cases.values():
            asked = fastavro.schemaless_reader(io.BytesIO(case["intent"][5:]), hand.PARSED["intent"], None)
            if isinstance(asked, dict) and (asked["id"], asked["attempt"]) == (fields["id"], fields["attempt"]):
                case["intent"] = frame("intent", fields)
        for batch in story.batches:
            for kind, verdict in batch:
                if kind == "verdict" and (verdict["id"], verdict["attempt"]) == (fields["id"], fields["attempt"]):
                    verdict["intent_digest"] = digest
    said(story, 3, 0)["result_origin"] = "external"
    # The next answer comes within the minute in which no desk forgets.
    for number in (5, 6):
        story.instants[number] = story.instants[4] + number
        for _, fields in story.batches[number]:
            fields["instant"] = story.instants[number]
    story.cases[max(story.cases)]["instant"] = story.instants[6]


def forgotten_seal(log: list[tuple[str, bytes]]) -> None:
    """The seal of the second batch was never written."""
    del log[[i for i, (kind, _) in enumerate(log) if kind == "seal"][1]]


def last_seal(log: list[tuple[str, bytes]]) -> None:
    del log[-1]


def reseal(number: int, key: Ed25519PrivateKey | None = None, **fields: Any) -> Tamper:
    """Return a change of one seal, signed again."""

    def tamper(log: list[tuple[str, bytes]]) -> None:
        at = [i for i, (kind, _) in enumerate(log) if kind == "seal"][number]
        seal = fastavro.schemaless_reader(io.BytesIO(log[at][1][5:]), hand.PARSED["seal"], None)
        assert isinstance(seal, dict)
        log[at] = ("seal", sealed({**seal, **fields}, key or hand.SEAL))

    return tamper


def rewrite(log: list[tuple[str, bytes]]) -> None:
    """A verdict of the past is replaced after it was sealed."""
    at = next(i for i, (kind, _) in enumerate(log) if kind == "verdict")
    fields = fastavro.schemaless_reader(io.BytesIO(log[at][1][5:]), hand.PARSED["verdict"], None)
    assert isinstance(fields, dict)
    log[at] = ("verdict", frame("verdict", {**fields, "detail": "nothing to see"}))


def swap_roots(log: list[tuple[str, bytes]]) -> None:
    seals = [i for i, (kind, _) in enumerate(log) if kind == "seal"]
    log[seals[2]], log[seals[3]] = log[seals[3]], log[seals[2]]


def other_claimant(story: Story) -> None:
    """Another executor's claim is taken for a grant that has an audience."""
    replace(
        story,
        Topic.OUTCOMES,
        0,
        lambda fields: {**fields, "executor": "service:other"},
        "exec-2",
        "service:other",
        OTHER,
    )
    said(story, 2, 0)["executor"] = "service:other"


def other_digest(story: Story) -> None:
    replace(story, Topic.OUTCOMES, 0, lambda fields: {**fields, "granted_digest": sha256(b"another action")})


def forged_claim(story: Story) -> None:
    """A claim signed with a key that is not its executor's is taken."""
    replace(story, Topic.OUTCOMES, 0, lambda fields: fields, "exec-2", "service:other", OTHER)


def unsigned_outcome(story: Story) -> None:
    held = story.shelf.topics[Topic.OUTCOMES, 0]
    fields = fastavro.schemaless_reader(io.BytesIO((held[2].value or b"")[5:]), hand.PARSED["outcome"], None)
    assert isinstance(fields, dict)
    held[2] = held[2]._replace(value=frame("outcome", {**fields, "proof": None}))


def ran_other(story: Story) -> None:
    """What ran is not what was granted, and the desk took it."""
    replace(story, Topic.OUTCOMES, 2, lambda fields: {**fields, "ran_digest": sha256(b"another")})
    said(story, 3, 0)["ran_digest"] = sha256(b"another")


def replace(
    story: Story,
    topic: Topic,
    offset: int,
    make: Callable[[Any], Any],
    kid: str = "exec-1",
    issuer: str = hand.EXECUTOR,
    key: Ed25519PrivateKey = hand.EXEC,
) -> None:
    held = story.shelf.topics[topic, 0]
    name = "claim" if offset in (0, 1, 4) else "outcome"
    fields = fastavro.schemaless_reader(io.BytesIO((held[offset].value or b"")[5:]), hand.PARSED[name], None)
    held[offset] = held[offset]._replace(value=signed(name, make(fields), kid, issuer, key))


def done_twice(story: Story) -> None:
    """A second outcome of an attempt that is done is taken."""
    offset = story.shelf.put(Topic.OUTCOMES, b"k", story.shelf.topics[Topic.OUTCOMES, 0][2].value, story.instants[-1])
    before = said(story, 3, 0)
    more = {"seq": 100, "previous_seq": before["seq"], "instant": story.instants[-1], "cause_offset": offset}
    story.batches[-1].append(("verdict", {**before, **more}))
    renumber(story)
    story.inputs[-1][Topic.OUTCOMES] += 1


def without_leave(story: Story) -> None:
    """An executor acted on a grant that was never committed; its outcome was refused."""
    offset = story.report("e", 6, ran_digest=sha256(b"something"))
    story.refuse(Topic.OUTCOMES, offset, 700, "e")
    story.end()
    story.inputs[-2:] = story.inputs[-1:]


def something_else(story: Story) -> None:
    """The claimant did something else; its outcome was refused, and the attempt stays unknown."""
    story.refuse(Topic.OUTCOMES, story.report("b", 6, ran_digest=sha256(b"something else")), 710, "b")
    story.end()
    story.inputs[-2:] = story.inputs[-1:]


def widened(**arguments: Any) -> Spoil:
    """Return a lie: a constrained grant of these arguments, under the digest that belongs to them."""

    def spoil(story: Story) -> None:
        granted = rfc8785.dumps(arguments)
        digest = action_digest(story.intents["b"][0], granted)
        for fields in (said(story, 1, 1), said(story, 3, 2)):
            fields["granted_arguments"] = granted
        for fields in (said(story, 1, 1), said(story, 3, 2), said(story, 5, 0)):
            fields["granted_digest"] = digest
        replace(story, Topic.OUTCOMES, 4, lambda claim: {**claim, "granted_digest": digest})
        for desk in story.desk:
            for lease in (desk or {}).get("opened", ()):
                if lease["slot"] == hand.slot_of(said(story, 1, 1)):
                    lease["granted_digest"] = digest

    return spoil


def lost_row(story: Story) -> None:
    story.desk[1] = {**(story.desk[1] or {}), "settled": (story.desk[1] or {})["settled"][76:]}


def lost_lease(story: Story) -> None:
    story.desk[-1] = {**(story.desk[-1] or {}), "opened": []}


def stale_lease(story: Story) -> None:
    story.desk[3] = {**(story.desk[3] or {}), "closed": (story.desk[3] or {})["closed"][16:]}


def other_row(story: Story) -> None:
    rows = (story.desk[1] or {})["settled"]
    story.desk[1] = {**(story.desk[1] or {}), "settled": rows[:75] + bytes([rows[75] ^ 1]) + rows[76:]}


def lost_change(shelf: Shelf) -> None:
    """The desk's changelog ends short of the last seal."""
    shelf.topics[Topic.DESK, 0].pop()


def lost_case(shelf: Shelf) -> None:
    shelf.topics[Topic.CASES, 0].pop(1)


def other_case(shelf: Shelf) -> None:
    """A case is cut short behind its seq."""
    held = shelf.topics[Topic.CASES, 0]
    held[1] = held[1]._replace(value=(held[1].value or b"")[:-9])


def stray_case(shelf: Shelf) -> None:
    """A case stands where no verdict commits to one."""
    shelf.put(Topic.CASES, b"k", frame("case", {**blank("case"), "seq": 9}))


def lost_quarantine(shelf: Shelf) -> None:
    del shelf.topics[Topic.QUARANTINE, 0]


def other_bytes(shelf: Shelf) -> None:
    kept = {**blank("quarantined"), "topic": 1, "offset": 3, "reason": 10, "value": b"something else"}
    shelf.topics[Topic.QUARANTINE, 0][0] = shelf.topics[Topic.QUARANTINE, 0][0]._replace(
        value=frame("quarantined", kept)
    )


def aborted(shelf: Shelf) -> None:
    """The intent that was answered last was never committed: the desk read past what is."""
    shelf.topics[Topic.INTENTS, 0].pop()


def other_record(shelf: Shelf) -> None:
    """The context record a case cites is another one."""
    held = shelf.topics[Topic.SENSITIVITY, 0]
    held[0] = held[0]._replace(value=frame("sensitivity", {**blank("sensitivity"), "tenant": "acme"}))


def other_intent(shelf: Shelf) -> None:
    """The intent at the cited place asks for something else."""
    held: list[Rec] = shelf.topics[Topic.INTENTS, 0]
    fields = fastavro.schemaless_reader(io.BytesIO((held[0].value or b"")[5:]), hand.PARSED["intent"], None)
    assert isinstance(fields, dict)
    held[0] = held[0]._replace(value=frame("intent", {**fields, "arguments": b'{"amount":11}'}))


SPOILS: list[tuple[str, str, Spoil]] = [
    ("an intent is never answered", "V1", drop(1, 4)),
    ("a claim is never answered", "V1", drop(2, 1)),
    ("an outcome is never answered", "V1", drop(3, 1)),
    ("an intent is answered twice", "V1", twice(1, 4)),
    ("the dedupe is skipped", "V1", again),
    ("an attempt follows one that was not transient", "V1", change(5, 1, reason=420)),
    ("a second attempt without a first", "V1", drop(5, 1)),
    ("a position past what was answered", "V1", position(1, Topic.INTENTS, 1)),
    ("another purpose than was asked", "V2", change(1, 0, purpose="none of yours")),
    ("another actor than asked", "V2", change(1, 4, actor="agent:eve")),
    ("another intent digest", "V2", change(1, 0, intent_digest=bytes(32))),
    ("another action digest", "V2", change(1, 4, action_digest=bytes(32))),
    ("a granted digest of something else", "V2", change(1, 0, granted_digest=sha256(b"else"))),
    ("another time of asking", "V2", change(1, 0, asked_at=1)),
    ("a denial with a granted digest", "V2", change(1, 4, granted_digest=bytes(32))),
    ("a repeat of what was never asked", "V2", change(2, 2, id=b"z" * 16)),
    ("a repeat that points elsewhere", "V2", change(2, 2, first_seq=2)),
    ("a refusal of other bytes", "V2", change(1, 3, raw_digest=bytes(32))),
    ("a claim refused under another name", "V2", change(2, 1, attempt=9)),
    ("a deadline before time began", "V2: no decision holds", change(1, 4, deadline=-5)),
    ("an attempt beyond its bounds", "V2: no decision holds", change(1, 4, attempt=-(2**31))),
    ("a bound that is no number", "V2: no decision holds", change(1, 1, obligations=[{**LIMITED[0], "value": "x"}])),
    ("a session graver than any", "V2: no decision holds", session(session_rank=9)),
    ("a cause of no topic", "V3", change(1, 4, cause_topic=99)),
    ("a cause past the end", "V3", change(1, 4, cause_offset=77, asked_offset=77)),
    ("a cause of another batch", "V3", change(2, 0, cause_offset=3)),
    ("a cause in another partition", "V3", change(1, 4, cause_partition=3)),
    ("context the batch had not read", "V3", change(5, 0, cause_topic=8, cause_offset=9)),
    ("a position past the end", "V3", position(6, Topic.INTENTS, 3)),
    ("first answers out of order", "V4", swap(1)),
    ("another effect than the packs give", "V5: effect is", change(1, 0, effect=3, state=3, granted_digest=b"")),
    ("another rule than decided", "V5: rules is", change(1, 0, rules=["shop/large"])),
    ("an obligation left out", "V5: obligations is", change(1, 1, obligations=LIMITED[:1])),
    ("another reason", "V5: reason is", change(1, 4, reason=420)),
    ("somebody to ask who has no say", "V5: tells to ask", change(1, 4, ask=["user:eve"])),
    ("a bound after a grant", "V5: tells what", change(2, 0, bounds=[BOUND])),
    ("a bound of no integer", "V5: bound `amount <= 9` is none of", change(1, 4, bounds=[BOUND])),
    (
        "a fact that is not the record it cites",
        "V5: is not the record",
        fact("resource", value=frame("sensitivity", blank("sensitivity"))),
    ),
    ("a grant that rests on nobody", "V10: `granted`, where there was nothing", fact("actor", role="authority")),
    ("a newer risk overlooked", "V5: overlooks", newer(Topic.RISK, "risk", score=99, event_at=hand.T0)),
    ("another source's risk overlooked", "V5: overlooks", newer(Topic.RISK, "risk", source="edr", score=1)),
    ("a newer label overlooked", "V5: overlooks", newer(Topic.SENSITIVITY, "sensitivity", observed_at=hand.T0 + 1)),
    (
        "a suspension overlooked",
        "V5: overlooks",
        newer(Topic.PRINCIPALS, "principal", source="idp", status="suspended"),
    ),
    (
        "a grant to somebody suspended",
        "V8: `granted` when principal",
        newer(Topic.PRINCIPALS, "principal", source="idp", status="suspended"),
    ),
    ("a session that nobody told anything", "V5: its session", session(session_rank=2)),
    ("a session that forgot at once", "V5: its session", unheard),
    ("a lease longer than the pack gives", "V5: end of the lease", change(6, 0, expires_at=hand.T0 + 599_000)),
    ("a case of another cut than its seal's", "V6", moved_cut),
    ("a fact past the cut", "V6", unread),
    ("positions go back", "V6", position(4, Topic.INTENTS, -1)),
    ("an arrow that is not in the table", "LIFE", change(2, 0, state=3)),
    ("a first answer that is an end", "LIFE", change(1, 4, state=6)),
    ("silence before its time", "LIFE", change(3, 2, expires_at=hand.T0 + 300_000)),
    ("a record that does not follow the newest", "LIFE", change(3, 0, previous_seq=0)),
    ("an effect that leads elsewhere", "LIFE", change(1, 4, effect=1)),
    ("claimed by another executor", "V11", other_claimant),
    ("claimed under another digest", "V11", other_digest),
    ("recorded under another nonce", "V11", change(2, 0, nonce=b"m" * 16)),
    ("claimed after its lease", "V11", change(1, 0, expires_at=hand.T0)),
    ("something else ran", "V11", ran_other),
    ("done, and the outcome said failed", "V11", change(3, 0, state=7)),
    ("an outcome that nothing claimed", "V11", drop(2, 0)),
    ("an outcome taken twice", "LIFE", done_twice),
    ("a grant claimed at once by a stranger", "V11", change(1, 2, executor="service:other")),
    ("done without leave", "V11", without_leave),
    ("something else done, and refused", "V11", something_else),
    ("more than was asked", "V12", widened(amount=3001)),
    ("above the limit", "V12", widened(amount=1001)),
    ("a redacted argument that runs", "V12", widened(amount=1000, note="hush")),
    ("an argument nobody asked for", "V12", widened(amount=1000, to="me")),
    ("a permit that changes arguments", "V12", change(1, 0, granted_arguments=b'{"amount":9}')),
    ("the desk lost a row", "V20", lost_row),
    ("the desk has another row", "V20", other_row),
    ("the desk lost a lease", "V20", lost_lease),
    ("the desk holds what is over", "V20", stale_lease),
    ("a claim signed by a stranger", "WRITERS", forged_claim),
    ("an outcome nobody signed", "WRITERS", unsigned_outcome),
]

TAMPERS: list[tuple[str, str, Tamper]] = [
    ("a seal was never written", "SEALS", forgotten_seal),
    ("decisions after the last seal", "SEALS", last_seal),
    ("a verdict rewritten after it was sealed", "SEALS", rewrite),
    ("two seals changed places", "SEALS", swap_roots),
    ("a seal of a stranger's key", "SEALS", reseal(1, OTHER)),
    ("a seal under a kid that may not seal", "SEALS", reseal(1, kid="exec-1")),
    ("another root", "SEALS", reseal(1, root=bytes(32))),
    ("another previous root", "SEALS", reseal(2, previous_root=bytes(32))),
    ("a seal over fewer records", "SEALS", reseal(1, seq_to=4)),
    ("an epoch that goes back", "SEALS", reseal(3, epoch=0)),
    ("an epoch that is not opened empty", "SEALS", reseal(2, epoch=2)),
    ("another cluster", "SEALS", reseal(2, cluster="elsewhere")),
    ("another partition", "SEALS", reseal(2, partition=4)),
    ("an instant that is not its batch's", "SEALS", reseal(1, instant=hand.T0)),
    ("an instant that goes back", "V6", reseal(4, instant=hand.T0)),
    ("a cut that goes back", "V6", reseal(4, read_cut=[{"topic": 8, "partition": 0, "offset": 0, "heard_at": 0}])),
    (
        "a swept cut that goes back",
        "V6",
        reseal(4, swept_cut=[{"topic": 8, "partition": 0, "offset": 0, "heard_at": 0}]),
    ),
]

LOSSES: list[tuple[str, str, Callable[[Shelf], None]]] = [
    ("the changelog ends early", "V20", lost_change),
    ("a case is gone", "V5", lost_case),
    ("a case is cut short", "V5", other_case),
    ("a case of no verdict", "V5", stray_case),
    ("what was refused is not kept", "QUARANTINE", lost_quarantine),
    ("other bytes are kept", "QUARANTINE", other_bytes),
    ("an answer to what was never committed", "V3", aborted),
    ("a context record was replaced", "V5", other_record),
    ("an intent was replaced", "V2", other_intent),
]


def holds(check: str, report: Report) -> None:
    """Hold that the check is violated, and where words are given after its name, that a violation says them."""
    found = named(report)
    name, _, words = check.partition(": ")
    assert any(words in text for text in found.get(name, [])), found


def named(report: Report) -> dict[str, list[str]]:
    return {
        check.name: [violation.text for violation in check.shown] for check in report.checks.values() if check.violated
    }


def flipped(topic: Topic, draw: random.Random) -> Shelf:
    """Return the honest journal with one bit of one record of a topic turned."""
    shelf = tell().write()
    held = shelf.topics[topic, 0]
    number = draw.choice([i for i, rec in enumerate(held) if rec.value])
    value = bytearray(held[number].value or b"")
    value[draw.randrange(len(value))] ^= 1 << draw.randrange(8)
    held[number] = held[number]._replace(value=bytes(value))
    return shelf


@pytest.mark.parametrize("topic", [Topic.DECISIONS, Topic.CASES, Topic.OUTCOMES, Topic.INTENTS])
def test_no_bit_can_be_turned_unseen(topic: Topic) -> None:
    draw = random.Random(topic)
    for _ in range(25):
        assert not audit(flipped(topic, draw), KEYS, KEK).clean


@pytest.mark.parametrize("topic", [Topic.DESK, Topic.QUARANTINE, *CONTEXT[:4], Topic.POLICIES])
def test_a_turned_bit_never_ends_an_audit(topic: Topic) -> None:
    draw = random.Random(topic)
    for _ in range(12):
        audit(flipped(topic, draw), KEYS, KEK)


@pytest.mark.parametrize(("check", "spoil"), [row[1:] for row in SPOILS], ids=[row[0] for row in SPOILS])
def test_a_lie_sealed_as_true_is_named(check: str, spoil: Spoil) -> None:
    story = tell()
    spoil(story)
    holds(check, audit(story.write(), KEYS, KEK))


@pytest.mark.parametrize(("check", "tamper"), [row[1:] for row in TAMPERS], ids=[row[0] for row in TAMPERS])
def test_a_change_after_the_seal_is_named(check: str, tamper: Tamper) -> None:
    holds(check, audit(tell().write(tamper), KEYS, KEK))


def test_what_is_held_under_somebody_revoked_when_all_is_swept_is_named() -> None:
    """The third seal says that every lease was decided again, and two claims and a grant were left as they are."""
    story = tell()
    value = story.facts["actor"]["value"]
    fields = fastavro.schemaless_reader(io.BytesIO(value[5:]), hand.PARSED["principal"], None)
    assert isinstance(fields, dict)
    at = story.shelf.put(Topic.PRINCIPALS, None, told("principal", {**fields, "source": "idp", "status": "revoked"}))
    cut = [{**mark, "offset": at + 1} if mark["topic"] == Topic.PRINCIPALS else mark for mark in story.cut]
    found = named(audit(story.write(reseal(2, swept_cut=cut)), KEYS, KEK))
    whom = f"principal `{hand.ACTOR}` was revoked: placet.principals/0@{at}"
    assert found["V8"] == [f"leaves seq {seq} held after {whom}" for seq in (5, 1, 2)]


@pytest.mark.parametrize(("check", "lose"), [row[1:] for row in LOSSES], ids=[row[0] for row in LOSSES])
def test_a_loss_is_named(check: str, lose: Callable[[Shelf], None]) -> None:
    shelf = tell().write()
    lose(shelf)
    holds(check, audit(shelf, KEYS, KEK))

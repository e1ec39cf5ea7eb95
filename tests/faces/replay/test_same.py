"""*Same*: every verdict decided again from its case, and what one change anywhere makes of that."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from placet.context import join
from placet.decision import votes
from placet.faces.replay import maker
from placet.faces.replay.closed import Closed, Task, batches
from placet.faces.replay.deciding import LIFE_GONE, NO_CASE
from placet.faces.replay.maker import INPUT_GONE, Made, Maker
from placet.faces.replay.same import Range, Replay, Same, replay
from placet.faces.replay.shelf import Shelf
from placet.faces.replay.source import settled_of
from placet.model.codec import decode_any, risk, verdict
from placet.model.reasons import State
from placet.model.topics import Topic
from placet.policy.evaluate import PolicySet
from placet.policy.pack import load_pack
from tests.faces.replay.story import Story
from tests.support.world import KEK, PACK, World


@pytest.fixture
def story() -> Story:
    return Story().tell()


def test_every_kind_of_arrow_comes_out_byte_for_byte(story: Story) -> None:
    states = {State(said.state) for said in story.verdicts()}
    assert set(State) - states == {State.ASKED, State.REFUSED, State.EXPIRED}
    found = story.replay()
    assert (found.verdicts, found.same, found.differing, found.faulty) == (25, 25, 0, False)
    assert found.passed_over == {"repeat": 1, "refusal": 1}


def test_no_recorded_verdict_is_opened_before_its_own_is_made(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, int]] = []
    make, open_ = Maker.make, Closed.open

    def making(self: Maker, task: Task) -> Iterator[Made]:
        for made in make(self, task):
            told.append(("made", made.seq))
            yield made

    def opening(self: Closed) -> bytes:
        value = open_(self)
        told.append(("opened", verdict.decode(value).seq))
        return value

    monkeypatch.setattr(Maker, "make", making)
    monkeypatch.setattr(Closed, "open", opening)
    assert story.replay().same == 25
    seqs = [said.seq for said in story.verdicts()]
    assert told == [(what, seq) for seq in seqs for what in ("made", "opened")]


def test_a_task_holds_nothing_of_what_was_said(story: Story) -> None:
    """What is not there cannot be read: no bytes of a recorded verdict are in what a maker is given."""
    for batch in batches(story.memory, 0):
        for one in batch.closed:
            payload = one.open()[5:]
            held = repr((batch.task._replace(inputs=None), [rec.value for rec in batch.task.inputs or ()]))
            assert repr(payload)[2:-1] not in held


def test_one_changed_fact_changes_its_own_verdict_alone(story: Story) -> None:
    """The risk of 50 at `done`'s grant was 95: a denial, of that verdict and no other."""
    (fact,) = [one for one in story.case_body(0).facts if one.role == "actor.risk"]
    graver = risk.frame(decode_any(fact.value)._replace(score=95))
    facts = tuple(one._replace(value=graver) if one is fact else one for one in story.case_body(0).facts)
    story.rewrite_case(0, facts=tuple(one._replace(value=graver) if one == fact else one for one in facts))
    found = story.replay()
    assert (found.differing, found.same) == (1, 24)
    changed = ["state", "effect", "reason", "granted_digest", "expires_at", "act_ms_max", "rules", "commitment"]
    assert story.fields(found) == {("done", "granted", name) for name in changed}


@pytest.mark.parametrize(
    ("seq", "fields", "name", "differ"),
    [
        (0, {"instant": 1_760_000_001_000}, "done", {"expires_at", "commitment"}),
        (0, {"session_origin": "external", "session_seq": 9}, "done", {"commitment"}),
        (8, {"votes": ()}, "approved", None),
        (1, {"facts": ()}, "done", None),
    ],
)
def test_one_changed_part_of_a_case_shows_in_its_verdict(
    story: Story, seq: int, fields: dict[str, Any], name: str, differ: set[str] | None
) -> None:
    story.rewrite_case(seq, **fields)
    found = story.replay()
    assert {(one.seq, story.name_of(one.intent)) for one in found.differences} == {(seq, name)}
    assert found.same == 24
    if differ is not None:
        assert {one.field for one in found.differences} == differ


def test_one_changed_reading_of_a_limit_shows_in_its_verdict() -> None:
    limits = """
limits:
  - {id: daily, because: enough, per: [authority], on: [shop.refund], measure: amount, window: {sliding_s: 86400}, max: 100}
"""
    story = Story(pack={**PACK, "pack.yaml": PACK["pack.yaml"] + limits})
    one = story._ask("one", "shop.refund", {"amount": 60})
    story.claim(one)
    story.report(one)
    two = story._ask("two", "shop.refund", {"amount": 30})
    story.claim(two)
    assert story.replay().same == 5
    (row,) = story.case_body(3).limits
    assert (row.used, row.own, row.max, row.amount) == (60, 0, 100, 30)
    story.rewrite_case(3, limits=(row._replace(used=80),))
    found = story.replay()
    assert found.same == 4
    assert {one.seq for one in found.differences} == {3}
    assert {"state", "effect", "reason", "holds"} < {one.field for one in found.differences}


def test_one_changed_rule_differs_where_it_decides_and_nowhere_else(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit of what is permitted at once falls from 1000 to 30: 40 and 50 are above it; 50 was denied before it."""
    rules = PACK["rules.yaml"].replace("arguments.amount <= 1000", "arguments.amount <= 30")
    changed = PolicySet.of([load_pack({**PACK, "rules.yaml": rules})])
    find = Shelf.find

    def other(self: Shelf, tenant: str, digest: bytes) -> PolicySet | None:
        known = find(self, tenant, digest)
        assert known is not None
        changed.digest = known.digest
        return changed

    monkeypatch.setattr(Shelf, "find", other)
    found = story.replay()
    assert {(name, state) for name, state, _ in story.fields(found)} == {("revoked", "granted")}
    assert found.differing == 1


def test_a_planted_bug_of_the_engine_differs_where_it_bites_and_nowhere_else(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A risk that never fades decides nothing otherwise here; that it is always high denies every refund that was granted."""
    monkeypatch.setattr(join, "decayed", lambda *_: 95)
    found = story.replay()
    granted = {(name, state) for name, state, _ in story.fields(found)}
    assert granted == {
        ("done", "granted"),
        ("done", "claimed"),
        ("bound", "granted"),
        ("approved", "pending"),
        ("approved", "granted"),
        ("approved", "claimed"),
        ("rejected", "pending"),
        ("rejected", "denied"),
        ("lapsed", "granted"),
        ("lapsed too", "granted"),
        ("revoked", "granted"),
    }
    assert found.differing == 11


def test_a_planted_bug_that_loses_votes_shows_where_votes_came(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(votes.Votes, "_take", lambda *_: None)
    found = story.replay()
    assert story.fields(found) == {("approved", "granted", "kind"), ("rejected", "denied", "kind")}
    assert {one.decided for one in found.differences} == {"no change"}


def test_an_engine_that_is_not_this_build_is_named(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maker, "ENGINE", "placet-cel/2 cel-expr-python/9")
    found = story.replay()
    ((why, count),) = found.unmade.items()
    assert (why.startswith("decided by the engine `placet-cel/1"), count, found.faulty) == (True, 18, True)
    assert found.same + count == found.verdicts
    assert "seq 0" in found.examples[why]


def test_packs_that_are_not_there_are_named(story: Story) -> None:
    """18 cases name them, and an unsigned withdrawal is taken by their leave."""
    settled = story.settled()._replace(shelf=Shelf(()))
    found = story.replay(settled=settled)
    ((why, count),) = found.unmade.items()
    assert (why.startswith("its packs are not there: the set `"), count, found.faulty) == (True, 19, True)
    assert (found.same, found.differing) == (6, 0)


def test_what_was_erased_is_named_and_is_no_fault(story: Story) -> None:
    settled = story.settled()
    settled.keys._ciphers.clear()
    found = story.replay(settled=settled)
    assert (found.unmade, found.same, found.faulty) == (
        Counter({"erased: the data key of its authority is gone": 18}),
        7,
        False,
    )


def test_a_case_that_was_damaged_is_named_and_is_a_fault(story: Story) -> None:
    cases = story.memory.topics[Topic.CASES, 0]
    value = cases[0].value or b""
    cases[0] = cases[0]._replace(value=value[:-1] + bytes([value[-1] ^ 1]))
    found = story.replay()
    assert (found.unmade, found.same, found.faulty) == (Counter({"its case does not open": 1}), 24, True)


def test_a_recorded_verdict_that_was_changed_differs_in_what_was_changed(story: Story) -> None:
    decisions = story.memory.topics[Topic.DECISIONS, 0]
    for place, rec in enumerate(decisions):
        if (rec.value or b"")[:5] == verdict.HEADER and verdict.decode(rec.value or b"").seq == 1:
            said = verdict.decode(rec.value or b"")
            decisions[place] = rec._replace(value=verdict.frame(said._replace(act_ms_max=1, detail="x")))
    found = story.replay()
    assert [(one.seq, one.field, one.recorded, one.decided) for one in found.differences] == [
        (1, "act_ms_max", "1", "300000"),
        (1, "detail", "x", ""),
    ]


def test_a_cause_that_no_change_of_the_context_is_differs(story: Story) -> None:
    decisions = story.memory.topics[Topic.DECISIONS, 0]
    for place, rec in enumerate(decisions):
        if (rec.value or b"")[:5] == verdict.HEADER and verdict.decode(rec.value or b"").seq == 23:
            said = verdict.decode(rec.value or b"")
            decisions[place] = rec._replace(value=verdict.frame(said._replace(cause_offset=9_999)))
    assert {(one.seq, one.field) for one in story.replay().differences} == {
        (23, "cause_topic"),
        (23, "cause_offset"),
    }


def test_inputs_that_are_gone_are_named_and_the_rest_goes_on(story: Story) -> None:
    votes_ = story.memory.topics[Topic.VOTES, 0]
    read = story.memory.read
    story.memory.read = lambda topic, *rest: [] if topic == Topic.VOTES else read(topic, *rest)  # type: ignore[method-assign]
    assert len(votes_) == 2
    found = story.replay()
    assert found.unmade == Counter({INPUT_GONE: 2})
    assert (found.same, found.differing) == (23, 0)


def test_whose_authority_nobody_knew_is_named(story: Story) -> None:
    story.ask(story.intent(authority="user:stranger"))
    found = story.replay()
    assert (found.unmade, found.faulty, found.differing) == (Counter({NO_CASE: 1}), False, 0)


def test_whatever_a_range_begins_with_the_rest_is_the_same(story: Story) -> None:
    instants = sorted({said.instant for said in story.verdicts()})
    for since in instants:
        found = story.replay(Range(since))
        assert (found.before_range + found.same, found.differing, found.unmade) == (25, 0, Counter())
    for until in instants:
        found = story.replay(Range(0, until))
        assert found.same == sum(said.instant <= until for said in story.verdicts())


def test_wherever_it_was_interrupted_it_goes_on_to_the_same_end(story: Story) -> None:
    settled, whole = story.settled(), story.replay()
    seen: list[tuple[Same, int]] = []

    def note(at: int, found: Same) -> None:
        copy = Same()
        copy.add(found)
        seen.append((copy, at))

    replay(story.memory, 0, settled, Range(), note)
    assert len(seen) > 20
    for begun in seen:
        assert replay(story.memory, 0, settled, Range(), begun=begun).to_dict() == whole.to_dict()


def test_a_life_that_begins_before_all_that_is_there_is_named(story: Story) -> None:
    """Without its first batch a journal tells of a claim, and of an outcome, of what nobody asked."""
    one = Replay(0, story.settled())
    for batch in batches(story.memory, 0):
        if batch.task.seq >= 1:
            one.batch(batch)
    assert (one.found.differing, one.found.unmade[LIFE_GONE]) == (0, 6)
    assert one.found.same == 18


def test_several_partitions_are_replayed_each_for_itself() -> None:
    story = World(partitions=3)
    for number in range(12):
        name = f"user:{number}"
        story.publish_principal(name, kind="user")
        story.publish_mandate(id=f"m-{number}", delegator=name)
    asked = [story.intent(authority=f"user:{number}", mandate=f"m-{number}") for number in range(12)]
    story.ask(*asked)
    settled = settled_of(story.memory, story.keys, KEK, story.settings)
    counts = [replay(story.memory, part, settled, Range()) for part in range(3)]
    assert [one.same for one in counts] == [one.verdicts for one in counts]
    assert sum(one.same for one in counts) == 12
    assert min(one.same for one in counts) > 0


def test_every_input_is_in_one_task(story: Story) -> None:
    """11 intents, one of them twice, and a withdrawal; 2 votes; 4 claims and 2 outcomes."""
    tasks = [batch.task for batch in batches(story.memory, 0)]
    assert sum(len(task.inputs or ()) for task in tasks) == 21

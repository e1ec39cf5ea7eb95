"""*What if*: the same questions under other packs; what changes, and what it does to limits and to people."""

from collections import Counter
from collections.abc import Mapping

import pytest

from placet.faces.replay.candidate import Candidate
from placet.faces.replay.changes import Changes, changes_of
from placet.faces.replay.deciding import NO_CASE
from placet.faces.replay.glance import glance
from placet.faces.replay.instead import instead
from placet.faces.replay.opened import ERASED
from placet.faces.replay.same import Range
from placet.model.codec import verdict
from placet.model.topics import Topic
from tests.faces.replay.story import ALL, Story
from tests.support.world import AGENT, PACK

REFUND = "shop.refund"
LIMIT = """
limits:
  - {{id: daily, because: enough, per: [authority], on: [shop.refund], measure: amount, window: {{sliding_s: 86400}}, max: {most}}}
"""


def changed(rules: Mapping[str, str] = {}, pack: str = "") -> dict[str, str]:
    """Return the shop's pack with some texts of its rules replaced, without its tests."""
    text = PACK["rules.yaml"]
    for old, new in rules.items():
        assert old in text
        text = text.replace(old, new)
    return {"pack.yaml": PACK["pack.yaml"] + pack, "rules.yaml": text}


def what_if(story: Story, *packs: Mapping[str, str], asked: Range = ALL, alone: bool = False) -> Changes:
    found = instead(story.memory, 0, story.settled(), Candidate(packs, alone=alone), asked)
    assert changes_of(found.to_dict()) == found
    return found


@pytest.fixture
def story() -> Story:
    return Story().tell()


def test_the_same_pack_changes_nothing(story: Story) -> None:
    found = what_if(story, PACK)
    assert (found.attempts, found.changed, found.samples) == (11, 0, {})
    assert found.answers == Counter(
        {
            (effect, side): number
            for effect, number in {"permit": 5, "constrain": 1, "step_up": 2, "defer": 1, "deny": 2}.items()
            for side in ("before", "after")
        }
    )
    assert found.people == Counter(
        {(what, side): n for what, n in (("asked", 2), ("let through", 1)) for side in ("before", "after")}
    )


def test_the_same_pack_leaves_limits_as_they_were() -> None:
    story = Story(pack={**PACK, "pack.yaml": PACK["pack.yaml"] + LIMIT.format(most=5000)}).tell()
    found = what_if(story, {**PACK, "pack.yaml": PACK["pack.yaml"] + LIMIT.format(most=5000)})
    assert found.changed == 0
    sums = {key: number for key, number in found.budgets.items() if key[1] == "before"}
    # done 10 is spent; 1000 of bound, 20, 30 and 40 come back; approved lies beyond the limit by people's leave.
    assert sums == {
        ("shop/daily", "before", "taken"): 1100,
        ("shop/daily", "before", "spent"): 10,
        ("shop/daily", "before", "given back"): 1090,
    }
    assert found.budgets == Counter(
        {(limit, side, what): n for (limit, _, what), n in sums.items() for side in ("before", "after")}
    )


def test_one_changed_rule_changes_what_it_decides_and_nothing_else(story: Story) -> None:
    """Up to 30 at once: of 10, 20, 30, 40 and 50 the last two are above, and 50 was denied for its risk all along."""
    found = what_if(story, changed({'arguments.amount <= 1000"': 'arguments.amount <= 30"'}))
    assert found.by_rule == Counter({("shop/refund", "permit", "deny", "otherwise"): 1})
    assert (found.attempts, found.changed, found.blocked, found.passed, found.otherwise) == (11, 1, 0, 0, 1)
    ((kind, (sample,)),) = found.samples.items()
    assert kind == "permit to deny: shop/refund"
    assert (sample["intent"], sample["before"]["rules"]) == (story.named["revoked"].id.hex(), ("shop/refund",))
    assert "shop/refund would permit, but this does not hold: arguments.amount <= 30" in sample["why"]


def test_what_would_have_been_blocked_and_what_would_have_passed(story: Story) -> None:
    found = what_if(
        story,
        changed(
            {
                "on: [shop.look], effect: permit, claim: granted": "on: [shop.look], effect: deny",
                "actor.risk.score >= 70": "actor.risk.score >= 99",
            }
        ),
    )
    assert found.by_action == Counter(
        {
            ("shop.look", "permit", "deny", "blocked"): 1,
            # `risky` was denied, and `revoked` taken back before it began.
            (REFUND, "deny", "permit", "passed"): 1,
            (REFUND, "permit", "permit", "passed"): 1,
        }
    )
    assert found.by_agent == Counter(
        {
            (AGENT, "permit", "deny", "blocked"): 1,
            (AGENT, "deny", "permit", "passed"): 1,
            (AGENT, "permit", "permit", "passed"): 1,
        }
    )


def test_limits_are_carried_along_the_history_that_follows() -> None:
    """Asked for 60, 30, 30 and 10 of at most 100 the third was denied. Without the first, all but it pass."""
    files = {**PACK, "pack.yaml": PACK["pack.yaml"] + LIMIT.format(most=100)}
    story = Story(pack=files)
    for name, amount in (("first", 60), ("second", 30), ("third", 30), ("fourth", 10)):
        asked = story._ask(name, REFUND, {"amount": amount})
        story.claim(asked)
        story.report(asked)
    without = changed({'arguments.amount <= 1000"': 'arguments.amount < 60"'}, LIMIT.format(most=100))
    found = what_if(story, without)
    assert (found.blocked, found.passed, found.changed) == (1, 1, 2)
    assert found.budgets == Counter(
        {
            ("shop/daily", "before", "taken"): 100,
            ("shop/daily", "before", "spent"): 100,
            # 30 and 10 as on record, and the 30 that would have passed, taken for done at once.
            ("shop/daily", "after", "taken"): 70,
            ("shop/daily", "after", "spent"): 70,
        }
    )


def test_a_limit_that_comes_new_counts_what_was_let_through_before_it(story: Story) -> None:
    """At most 25 a day: 10 is spent, 20 and 30 do not fit, and neither does the 1000 that a rule would leave."""
    found = what_if(story, changed(pack=LIMIT.format(most=25)))
    assert found.by_rule == Counter(
        {
            ("shop/daily", "permit", "deny", "blocked"): 2,
            ("shop/daily", "constrain", "deny", "blocked"): 1,
            ("shop/daily", "step_up", "deny", "blocked"): 1,
            ("shop/daily", "step_up", "deny", "otherwise"): 1,
            ("shop/daily", "permit", "deny", "otherwise"): 1,
        }
    )
    assert found.budgets["shop/daily", "after", "taken"] == 10


def test_people_who_are_asked_more_or_no_more(story: Story) -> None:
    two = what_if(story, changed({"quorum: 1": "quorum: 2"}))
    assert two.people == Counter({("asked", "before"): 2, ("asked", "after"): 2, ("let through", "before"): 1})
    assert two.by_action == Counter({(REFUND, "step_up", "step_up", "blocked"): 1})
    none = what_if(story, changed({'<= 5000"': '<= 9000"', "arguments.amount > 5000 &&": "arguments.amount > 9000 &&"}))
    assert none.people == Counter({("asked", "before"): 2, ("let through", "before"): 1})
    # `rejected` passes; `approved` did, by another answer.
    assert none.by_action == Counter(
        {(REFUND, "step_up", "constrain", "otherwise"): 1, (REFUND, "step_up", "constrain", "passed"): 1}
    )


def test_a_fact_that_no_case_was_asked_for_is_looked_up_in_the_context(story: Story) -> None:
    """Exports do not ask for the agent's risk. It was 50 for both, so a bound of 40 denies what was let through."""
    risk = {
        "when: \"resource.sensitivity != 'restricted'\"": "when: \"resource.sensitivity != 'restricted' && actor.risk.score < 40\""
    }
    found = what_if(story, changed(risk))
    assert found.by_action == Counter({("shop.export", "defer", "defer", "blocked"): 1})
    assert found.not_on_record == Counter()
    unknown = {
        "when: \"resource.sensitivity != 'restricted'\"": "when: \"resource.sensitivity != 'restricted' && calendar.week == 'open'\""
    }
    found = what_if(story, changed(unknown))
    assert set(found.not_on_record) == {("calendar.week",)}
    assert found.blocked == 1


def test_an_action_that_no_rule_was_about_is_asked_with_all_that_is_known(story: Story) -> None:
    story._ask("new", "shop.gift", {})
    gift = "  - {id: gift, because: gift, on: [shop.gift], effect: permit}\n"
    pack = changed()
    found = what_if(story, {**pack, "rules.yaml": pack["rules.yaml"] + gift})
    assert found.by_rule == Counter({("shop/gift", "deny", "permit", "passed"): 1})


def test_packs_join_the_set_replace_their_like_or_stand_alone(story: Story) -> None:
    freeze = {
        "pack.yaml": "name: freeze\nversion: '1'\ndescription: nothing goes\nunsigned_intents: true\n",
        "rules.yaml": "rules:\n  - {id: all, because: frozen, on: ['shop.*'], effect: deny}\n",
    }
    joined, alone = what_if(story, freeze), what_if(story, freeze, alone=True)
    assert joined.blocked == alone.blocked == 7
    assert {key[0] for key in joined.by_rule} == {"freeze/all"}
    look = {**freeze, "rules.yaml": "rules:\n  - {id: look, because: look, on: [shop.look], effect: deny}\n"}
    assert what_if(story, look).blocked == 1
    assert what_if(story, look, alone=True).blocked == 7


def test_what_is_erased_or_without_a_case_stays_as_it_was_and_is_named(story: Story) -> None:
    story.ask(story.intent(authority="user:stranger"))
    assert what_if(story, PACK).not_decided == Counter({(NO_CASE,): 1})
    settled = story.settled()
    settled.keys._ciphers.clear()
    found = instead(story.memory, 0, settled, Candidate([PACK]), ALL)
    assert (found.attempts, found.not_decided) == (0, Counter({(ERASED,): 11, (NO_CASE,): 1}))


def test_a_glance_sees_what_a_whole_reading_does(story: Story) -> None:
    for rec in story.memory.topics[Topic.DECISIONS, 0]:
        value = rec.value or b""
        if value[:5] == verdict.HEADER:
            said, seen = verdict.decode(value), glance(value)
            assert (seen.state, seen.effect, seen.reason, seen.stop) == (
                said.state,
                said.effect,
                said.reason,
                said.stop,
            )
            assert (seen.first, seen.granted) == (said.previous_seq < 0, said.granted_digest)

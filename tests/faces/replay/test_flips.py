"""*Bisect*: which change between two answers turned it, and that the changes lead from the one case to the other."""

from itertools import pairwise
from typing import Any

import pytest

from placet.faces.replay import flips
from placet.faces.replay.flips import Judged, bisect, judged, told, turned
from placet.faces.replay.opened import Unreadable
from placet.faces.replay.shelf import Shelf
from tests.faces.replay.story import Story
from tests.support.world import PACK


@pytest.fixture
def story() -> Story:
    return Story().tell()


def verdicts(story: Story, name: str) -> list[Judged]:
    return judged(story.memory, story.settled(), story.named[name].id)


def turning(story: Story, before: Judged, after: Judged) -> dict[str, Any]:
    return told(before, after, bisect(before, after, story.settled()))


def test_a_signal_that_revoked_a_grant_is_named_with_its_place(story: Story) -> None:
    pair = turned(verdicts(story, "revoked"))
    assert pair is not None
    found = turning(story, *pair)
    assert [step["what"] for step in found["steps"]] == ["actor.risk: acme/agent:ada", "the clock"]
    assert found["turned_by"]["place"] == "placet.risk/0@1"
    assert (found["before"]["effect"], found["after"]["effect"]) == ("permit", "deny")
    assert [step["alone"] for step in found["steps"]] == ["deny", "permit"]


def test_a_label_that_a_wait_was_for_is_named(story: Story) -> None:
    pair = turned(verdicts(story, "waited"))
    assert pair is not None
    assert turning(story, *pair)["turned_by"]["place"] == "placet.sensitivity/0@1"


def test_votes_that_let_an_intent_through_are_named(story: Story) -> None:
    pair = turned(verdicts(story, "approved"))
    assert pair is not None
    found = turning(story, *pair)
    assert (found["turned_by"]["what"], found["turned_by"]["effect"]) == ("the votes", "permit")


def test_what_turned_the_answer_between_two_intents(story: Story) -> None:
    found = turning(story, verdicts(story, "lapsed")[0], verdicts(story, "risky")[0])
    assert [(step["what"], step["effect"]) for step in found["steps"]] == [
        ("the intent itself", "permit"),
        ("actor.risk: acme/agent:ada", "deny"),
        ("the clock", "deny"),
    ]
    asked = turning(story, verdicts(story, "silent")[0], verdicts(story, "after mail")[0])
    assert asked["turned_by"]["what"] in {"the intent itself", "resource: acme/doc/1", "what came back to the session"}


def test_a_version_of_packs_is_named_with_its_revision(story: Story) -> None:
    before = story._ask("before", "shop.look", {})
    rules = PACK["rules.yaml"].replace(
        "on: [shop.look], effect: permit, claim: granted", "on: [shop.look], effect: deny"
    )
    story.later(1_000)
    story.push({"pack.yaml": PACK["pack.yaml"], "rules.yaml": rules}, revision=2)
    story.later(1_000)
    story._ask("after", "shop.look", {})
    found = turning(story, verdicts(story, "before")[0], verdicts(story, "after")[0])
    assert before.id.hex() == found["before"]["intent"]
    assert found["turned_by"]["what"].endswith("revision 2")
    assert found["turned_by"]["place"] == "placet.policies/0@3"


def test_every_change_made_leads_to_the_other_case(story: Story) -> None:
    """Made one after another all changes end where the other case is: nothing of it is left out."""
    every = [one for name in story.named for one in verdicts(story, name)]
    settled = story.settled()
    for before, after in pairwise(every):
        known = before.known
        for change in sorted(flips._changes(before.known, after.known, settled.shelf), key=lambda one: one.at):
            known = flips._with(known, change)
        assert sorted(known.facts) == sorted(after.known.facts)
        assert known._replace(facts=()) == after.known._replace(facts=(), salt=known.salt, engine=known.engine)
        assert bisect(before, after, settled)[-1].effect == told(before, after, [])["after"]["effect"]


def test_what_never_turned_or_does_not_come_out_is_said(story: Story) -> None:
    assert turned(verdicts(story, "lapsed")) is None
    one, other = verdicts(story, "lapsed")[0], verdicts(story, "risky")[0]
    wrong = other._replace(said=other.said._replace(effect=1))
    with pytest.raises(Unreadable, match="seq 24 is recorded as permit, decided again it is deny"):
        bisect(one, wrong, story.settled())
    with pytest.raises(Unreadable, match="its packs are not there"):
        bisect(one, other, story.settled()._replace(shelf=Shelf(())))

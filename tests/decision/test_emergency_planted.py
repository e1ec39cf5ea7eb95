"""Desks with a bug in how they break the glass: the auditor names what each of them does."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from placet.decision import ballot
from placet.decision.arrow import CLOCK
from placet.decision.book import Book
from placet.decision.reviewing import Reviewing
from placet.decision.reviews import Reviews
from placet.model.reasons import ReviewState
from placet.policy import finding as findings
from placet.policy.approval import Approval
from placet.policy.emergency import Emergency, all_provide
from placet.policy.finding import Finding
from placet.policy.plan import Plan
from tests.support.glass import EMERGENCY, LEASE_MS, REVIEW_S, Glass, pack
from tests.support.votes import faults
from tests.support.world import AGENT, PERSON, forget_packs

Patch = pytest.MonkeyPatch
WIDE = pack(EMERGENCY.replace('["group:finance"]', f'["group:finance", "{AGENT}", "{PERSON}"]'))


def forgets_the_review(patch: Patch) -> None:
    patch.setattr(Book, "review", lambda self, record, cause: None)


def asks_another(**changed: Any) -> Callable[[Patch], None]:
    """Ask for a review that says something else than it must."""

    def plant(patch: Patch) -> None:
        said = Book.review

        def review(self: Book, record: Any, cause: Any) -> None:
            said(self, record._replace(**changed) if record.seq < 0 else record, cause)

        patch.setattr(Book, "review", review)

    return plant


def never_overdue(patch: Patch) -> None:
    patch.setattr(Reviewing, "tick", lambda self, most: None)


def overdue_at_once(patch: Patch) -> None:
    def tick(self: Reviewing, most: int) -> None:
        for review in list(self._book.reviews.open.values()):
            if review.state == ReviewState.ASKED:
                self._book.review(review._replace(state=ReviewState.OVERDUE), CLOCK)

    patch.setattr(Reviewing, "tick", tick)


def bars_nobody(patch: Patch) -> None:
    patch.setattr(Reviews, "bar", lambda self, caller, most: "")


def bars_everybody(patch: Patch) -> None:
    patch.setattr(Reviews, "bar", lambda self, caller, most: "not today")


def needs_no_reason(patch: Patch) -> None:
    broken = Plan._broken

    def anyhow(self: Plan, finding: Any, case: Any) -> Any:
        case.purpose = "because"
        return broken(self, finding, case)

    patch.setattr(Plan, "_broken", anyhow)


def keeps_the_usual_lease(patch: Patch) -> None:
    at_once = findings.at_once

    def longer(finding: Finding, given: Emergency) -> Finding:
        return at_once(finding, msgspec.structs.replace(given, lease_ms=60_000))

    patch.setattr(findings, "at_once", longer)


def breaks_it_for_all(patch: Patch) -> None:
    """Take one rule that provides for an emergency for all that ask people."""
    patch.setattr(findings, "all_provide", lambda found: all_provide([one for one in found if one is not None]))


def lets_the_chain_review(patch: Patch) -> None:
    patch.setattr(ballot, "part_of", lambda voter, case: "")


def goes_on(patch: Patch) -> None:
    patch.setattr(Reviewing, "take_back", lambda self, slot, review, no: None)


def takes_any_proof(patch: Patch) -> None:
    patch.setattr(Approval, "is_proved", lambda self, acr, auth_age_ms: True)


def one_is_enough(patch: Patch) -> None:
    patch.setattr(ballot.Count, "met", property(lambda self: bool(self.voters)))


def keeps_the_answered(patch: Patch) -> None:
    """Forget to take what is answered out of the changelog."""
    said = Book.review

    def review(self: Book, record: Any, cause: Any) -> None:
        said(self, record, cause)
        self.changes.reviews = {digest: value for digest, value in self.changes.reviews.items() if value is not None}

    patch.setattr(Book, "review", review)


def twice(glass: Glass) -> None:
    glass.called()
    glass.later(LEASE_MS)
    glass.later(REVIEW_S * 1000)
    glass.call()


def reviewed(by: str, approve: bool = True, **more: Any) -> Callable[[Glass], None]:
    def story(glass: Glass) -> None:
        asked, review = glass.called()
        glass.review(asked, review, by, approve, **more)

    return story


PROVED = pack(EMERGENCY.replace("expires_s: 3600", "expires_s: 3600, acr: [phr]"))
TWO = pack(EMERGENCY.replace("quorum: 1", "quorum: 2"))
PLANTED: dict[str, tuple[Callable[[Patch], None], Callable[[Glass], Any], dict[str, str], str]] = {
    "no review": (forgets_the_review, Glass.call, pack(), "REVIEWS: an emergency without a review"),
    "another quorum": (asks_another(quorum=0), Glass.call, pack(), "REVIEWS: a review that asks nobody"),
    "others asked": (
        asks_another(eligible=("user:*",)),
        Glass.call,
        pack(),
        "REVIEWS: `eligible` is ['user:*'], by its packs and its case it is ['group:finance']",
    ),
    "more time": (asks_another(expires_at=1 << 50), Glass.call, pack(), "REVIEWS: `expires_at` is"),
    "a chain cut short": (
        asks_another(chain=(AGENT,)),
        Glass.call,
        pack(),
        f"REVIEWS: does not bar `{PERSON}`, who asks or answers for what is reviewed",
    ),
    "an owner left out": (asks_another(owner=""), Glass.call, pack(), "REVIEWS: `owner` is , by its packs"),
    "another digest": (asks_another(digest=bytes(32)), Glass.call, pack(), "REVIEWS: not the digest of the emergency"),
    "another intent": (asks_another(action="shop.look"), Glass.call, pack(), "REVIEWS: names another intent"),
    "answered as it is asked": (
        asks_another(state=ReviewState.RIGHT),
        Glass.call,
        pack(),
        "REVIEWS: a review that is answered as it is asked",
    ),
    "no alarm": (never_overdue, twice, pack(), "REVIEWS: the review of"),
    "an early alarm": (
        overdue_at_once,
        lambda glass: (glass.called(), glass.ask(glass.intent())),
        pack(),
        "REVIEWS: overdue 3600000 ms before its time",
    ),
    "no bar": (bars_nobody, twice, pack(), f"REVIEWS: an emergency of `{AGENT}`, of whom an earlier one is overdue"),
    "more than may be unanswered": (
        bars_nobody,
        lambda glass: (glass.called(), glass.call()),
        pack(EMERGENCY.replace("lease_ms", "unreviewed_max: 1, lease_ms")),
        "REVIEWS: one emergency more than the 1 that may be unanswered",
    ),
    "a bar for nothing": (bars_everybody, Glass.call, pack(), f"REVIEWS: bars `{AGENT}`"),
    "no reason": (
        needs_no_reason,
        lambda glass: glass.call(purpose=""),
        pack(),
        "REVIEWS: an emergency that was not called one, or without a reason",
    ),
    "a lease as long as any": (keeps_the_usual_lease, Glass.call, pack(), "V5: end of the lease is"),
    "where one of two rules provides for none": (
        breaks_it_for_all,
        lambda glass: glass.call(60_000),
        pack(),
        "V5: effect is 2, decided again it is 3",
    ),
    "the actor's own review": (
        lets_the_chain_review,
        reviewed(AGENT),
        WIDE,
        f"REVIEWS: counts `{AGENT}`, who had a part in it",
    ),
    "the authority's own review": (
        lets_the_chain_review,
        reviewed(PERSON),
        WIDE,
        f"REVIEWS: counts `{PERSON}`, who had a part in it",
    ),
    "a wrong one goes on": (
        goes_on,
        reviewed("user:flo", approve=False),
        pack(),
        "REVIEWS: was no emergency, and what was granted for it goes on",
    ),
    "weak proof": (
        takes_any_proof,
        reviewed("user:flo", acr="pwd"),
        PROVED,
        "REVIEWS: counts `user:flo`, who had not authenticated as is wanted",
    ),
    "too few": (one_is_enough, reviewed("user:flo"), TWO, "REVIEWS: state 2 on 1 of 2 votes"),
    "an answered one kept": (keeps_the_answered, reviewed("user:flo"), pack(), "V20: holds the review"),
}


@pytest.fixture
def anew() -> Iterator[None]:
    """Let nobody else have a pack that was read under a bug, nor this test one that was read without."""
    forget_packs()
    yield
    forget_packs()


@pytest.mark.usefixtures("anew")
@pytest.mark.parametrize("bug", PLANTED)
def test_a_desk_that_breaks_the_glass_amiss_is_found(bug: str, monkeypatch: Patch) -> None:
    plant, story, files, found = PLANTED[bug]
    plant(monkeypatch)
    glass = Glass(pack=files)
    story(glass)
    monkeypatch.undo()
    assert any(each.startswith(found) for each in faults(glass)), faults(glass)

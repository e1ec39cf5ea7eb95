"""What a step-up waits for: merged so that all are satisfied, at every time; and what it takes for arguments to be narrower."""

from typing import Any

import pytest

from placet.policy import narrowing
from placet.policy.approval import Approval, challenge, together
from placet.policy.diagnostics import PackError
from placet.policy.pack import load_pack
from placet.policy.shape import Argument
from tests.support.votes import ASKING

ONE = Approval(1, ("group:finance", "user:flo"), 60_000, ((10_000, ("group:finance", "user:flo", "user:sue")),))
OTHER = Approval(2, ("user:*",), 90_000, ((20_000, ("*",)),))


def test_requirements_together_ask_for_what_satisfies_both_at_every_time() -> None:
    both = together([ONE, None, OTHER])
    assert both is not None
    assert (both.quorum, both.eligible, both.expires_ms) == (2, ("user:flo",), 60_000)
    assert [both.at(ms) for ms in (0, 9_999, 10_000, 20_000)] == [
        ("user:flo",),
        ("user:flo",),
        ("user:flo", "user:sue"),
        ("user:flo", "user:sue"),
    ]
    assert together([OTHER, ONE]) == both
    assert together([None]) is None


PHR = Approval(1, ("user:*",), 60_000, (), ("phr", "phrh"), 300_000)


@pytest.mark.parametrize(
    ("other", "eligible", "acr", "age_ms"),
    [
        (Approval(1, ("user:*",), 60_000), ("user:*",), ("phr", "phrh"), 300_000),
        (Approval(1, ("user:*",), 60_000, (), ("phr", "pwd"), 0), ("user:*",), ("phr",), 300_000),
        (Approval(1, ("user:*",), 60_000, (), (), 60_000), ("user:*",), ("phr", "phrh"), 60_000),
        (Approval(1, ("user:*",), 60_000, ((9_000, ("*",)),), ("pwd",), 0), (), (), 300_000),
    ],
    ids=["none", "another way", "later", "nothing in common"],
)
def test_proof_together_is_what_both_take(
    other: Approval, eligible: tuple[str, ...], acr: tuple[str, ...], age_ms: int
) -> None:
    for both in (together([PHR, other]), together([other, PHR])):
        assert both is not None
        assert (both.eligible, both.acr, both.auth_age_ms_max) == (eligible, acr, age_ms)
        assert both.at(10_000) == eligible


@pytest.mark.parametrize(
    ("acr", "age_ms", "is_proved"),
    [("phr", 300_000, True), ("phrh", 0, True), ("phr", 300_001, False), ("pwd", 0, False), ("", 0, False)],
)
def test_who_is_proved(acr: str, age_ms: int, is_proved: bool) -> None:
    assert PHR.is_proved(acr, age_ms) is is_proved
    assert Approval(1, (), 0).is_proved(acr, age_ms)


def test_the_challenge_is_that_of_rfc_9470() -> None:
    head = 'error="insufficient_user_authentication", error_description="a vote on this wants stronger proof"'
    assert challenge(("phr", "phrh"), 300_000) == f'{head}, acr_values="phr phrh", max_age="300"'
    assert challenge((), 5_000) == f'{head}, max_age="5"'
    assert challenge(("phr",), 0) == f'{head}, acr_values="phr"'


@pytest.mark.parametrize(
    ("proof", "says"),
    [
        ("acr: []", "should have at least 1 item"),
        ('acr: ["p h r"]', "should match pattern"),
        ("acr: ['a\"b']", "should match pattern"),
        ("auth_age_s_max: 0", "greater than or equal to 1"),
        ("max_age: 3", "`max_age` is not known here"),
    ],
)
def test_a_proof_that_cannot_be_is_named_where_it_stands(proof: str, says: str) -> None:
    rules = ASKING["rules.yaml"].replace("from: [owner], expires_s: 60", f"from: [owner], expires_s: 60, {proof}")
    with pytest.raises(PackError, match=r"rules\.yaml:") as error:
        load_pack({**ASKING, "rules.yaml": rules})
    assert says in str(error.value)


def test_others_are_asked_next_in_order_of_time() -> None:
    assert [ONE.next_after(ms) for ms in (0, 9_999, 10_000)] == [10_000, 10_000, None]


FORMS = [
    (
        Argument("to", "list<string>", True, None, None, None, None, ()),
        Argument("note", "string", False, None, None, None, None, ()),
        Argument("amount", "int", True, 5, None, None, None, ()),
    )
]
ASKED: dict[str, Any] = {"to": ["a", "b", "a"], "note": "hello", "amount": 10}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, ""),
        ({"amount": 5}, ""),
        ({"amount": 11}, "`amount` is 11: expected at most 10"),
        ({"amount": 4}, "`amount` is 4: expected at least 5"),
        ({"amount": True}, "`amount` differs from what was asked"),
        ({"to": []}, ""),
        ({"to": ["a", "a"]}, ""),
        ({"to": ["b", "b"]}, "`to` has what was not asked, or in another order"),
        ({"to": ["b", "a", "a"]}, "`to` has what was not asked, or in another order"),
        ({"note": "hell"}, "`note` differs from what was asked"),
        ({"note": None}, "`note` differs from what was asked"),
        ({"more": 1}, "`more` was not asked"),
    ],
    ids=repr,
)
def test_what_is_narrower(change: dict[str, Any], says: str) -> None:
    assert narrowing.fault_of(ASKED, {**ASKED, **change}, FORMS) == says


@pytest.mark.parametrize(("name", "may"), [("note", True), ("to", False), ("amount", False)])
def test_only_what_every_pack_declares_as_optional_may_be_left_out(name: str, may: bool) -> None:
    offered = {key: value for key, value in ASKED.items() if key != name}
    says = "" if may else f"`{name}` may not be left out"
    assert narrowing.fault_of(ASKED, offered, FORMS) == says
    assert narrowing.fault_of(ASKED, offered, []) == f"`{name}` may not be left out"


def test_what_all_leave() -> None:
    offers = [{"to": ["a", "b"], "note": "hello", "amount": 7}, {"to": ["b", "a"], "amount": 9}]
    assert narrowing.meet(ASKED, offers) == {"to": ["a", "b"], "amount": 7}
    assert narrowing.meet(ASKED, []) == ASKED


@pytest.mark.parametrize(
    ("escalate", "says"),
    [
        ('{after_s: 60, to: ["user:sue"]}', "others are asked after 60 s, and the wait ends after 60"),
        ('{after_s: 9, to: ["user:sue"]}, {after_s: 9, to: ["user:lee"]}', "9 s is given twice"),
        ('{after_s: 9, to: ["us*er"]}', "`*` stands only at the end of a pattern"),
    ],
)
def test_an_escalation_that_cannot_be_is_named_where_it_stands(escalate: str, says: str) -> None:
    rules = ASKING["rules.yaml"].replace(
        '{after_s: 10, to: ["user:sue"]}, {after_s: 20, to: ["group:finance"]}', escalate
    )
    with pytest.raises(PackError, match=r"rules\.yaml:") as error:
        load_pack({**ASKING, "rules.yaml": rules})
    assert says in str(error.value)

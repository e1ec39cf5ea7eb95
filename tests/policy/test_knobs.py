"""Which places of a situation are turned for a rule or a declaration, and to which values: on all sides of what it asks."""

from collections.abc import Sequence
from typing import Any

import pytest

from placet.policy.knobs import ABSENT, OTHER, VALUES_MAX, Place, knobs
from placet.policy.pack import load_pack
from placet.policy.shape import INT_MAX
from tests.policy.packs import pack, rule

ACTIONS = """
  pay.refund:
    arguments:
      amount: {type: int, min: 5, max: 9}
      free: {type: int, required: false}
      rate: {type: number, min: 2}
      sure: {type: bool}
      body: {type: json}
      note: {type: string}
      code: {type: string, pattern: "[a-z]+"}
      unit: {type: string, one_of: [eur, usd]}
      tags: {type: list<string>}
      sizes: {type: "map<string, string>"}
  pay.other: {}
"""
DECLARED: dict[Place, list[Any]] = {
    ("intent", "arguments", "amount"): [4, 5, 6, 8, 9, 10],
    ("intent", "arguments", "free"): [ABSENT],
    ("intent", "arguments", "rate"): [1, 2, 3],
    ("intent", "arguments", "sure"): [True, False],
    ("intent", "arguments", "note"): [OTHER],
    ("intent", "arguments", "unit"): ["eur", "usd"],
    ("intent", "arguments", "tags"): [[], [OTHER]],
}


def turned(*rules: str, head: str = "", action: str = "pay.refund") -> dict[Place, Sequence[Any]]:
    return dict(knobs([pack("\n".join(rules), head=head, actions=ACTIONS)], action))


def read(when: str, **more: str) -> dict[Place, Sequence[Any]]:
    """Return what is turned for a condition besides what is turned for the declaration alone."""
    found = turned(rule("a", when=when, **more))
    return {place: values for place, values in found.items() if list(values) != DECLARED.get(place)}


def test_a_declaration_is_turned_at_its_bounds() -> None:
    assert turned(rule("a")) == DECLARED
    assert (OTHER, ABSENT is None) == ("other", False)
    assert list(turned(rule("a"))) == sorted(DECLARED)
    assert turned(rule("a", on="pay.other"), action="pay.other") == {}


def test_what_is_said_about_another_action_turns_nothing() -> None:
    other = rule("b", on="pay.other", when="intent.emergency", resource='["order/*"]')
    assert turned(rule("a"), other) == DECLARED


def test_a_bound_on_the_age_of_a_fact_is_met_and_missed_by_one() -> None:
    bounds = """freshness:
  - {fact: actor.risk, observed_ms: 50}
  - {fact: resource, observed_ms: 7, heard_ms: 9, else: defer}
"""
    found = turned(rule("a"), head=bounds)
    assert {place: values for place, values in found.items() if place[0] == "given"} == {
        ("given", "ages", "actor.risk"): [{"observed_ms": 50}, {"observed_ms": 51}],
        ("given", "ages", "resource"): [
            {"observed_ms": 7},
            {"observed_ms": 8},
            {"heard_ms": 9},
            {"heard_ms": 10},
        ],
    }


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"resource": '["order/*"]'}, {("intent", "resource"): ["order/1", "thing/1"]}),
        ({"resource": '["thing/*", "order/7"]'}, {("intent", "resource"): ["thing/1", "order/7"]}),
        ({"resource": '["thing/1*"]'}, {("intent", "resource"): ["thing/11"]}),
        ({"who": '{actor: ["agent:a*"]}'}, {("intent", "actor"): ["agent:a1"]}),
        ({"who": '{actor: ["group:x"]}'}, {("given", "actor", "groups"): [["x"], []]}),
        ({"who": '{authority: ["group:x", "user:b"]}'},
         {("given", "authority", "groups"): [["x"], []], ("intent", "authority"): ["user:b"]}),
        ({"who": '{any_in_chain: ["workflow:*"]}'}, {("intent", "chain"): [["user:kim", "workflow:1", "agent:ada"]]}),
    ],
)  # fmt: skip
def test_a_pattern_is_met_by_an_id_and_a_group_is_left(more: dict[str, str], expected: dict[Place, Any]) -> None:
    found = turned(rule("a", **more))
    assert {place: values for place, values in found.items() if place not in DECLARED} == expected


RISKY = [0, 6, 7, 8, 39, 40, 69, 70, 100]


@pytest.mark.parametrize(
    ("when", "place", "values"),
    [
        ("actor.risk.score > 7", ("given", "actor", "risk"), RISKY),
        ("authority.risk.score > 7", ("given", "authority", "risk"), RISKY),
        ("session.risk.score > 7", ("given", "session", "risk"), RISKY),
        ("actor.risk.score > 100", ("given", "actor", "risk"), [0, 39, 40, 69, 70, 99, 100]),
        ("actor.risk.score >= 0", ("given", "actor", "risk"), [0, 1, 39, 40, 69, 70, 100]),
        ("actor.risk.level == 'low'", ("given", "actor", "risk"), [0, 39, 40, 69, 70, 100]),
        ("resource.rank > 2", ("given", "resource", "sensitivity"), ["public", "internal", "confidential", "restricted"]),
        ("session.sensitivity == 'public'", ("given", "session", "sensitivity"),
         ["public", "internal", "confidential", "restricted"]),
        ("session.origin == 'none'", ("given", "session", "origin"), ["none", "internal", "external"]),
        ("mandate.depth > 1", ("given", "mandate", "depth"), [1, 2]),
        ("mandate.depth > 16", ("given", "mandate", "depth"), [15, 16]),
        ("mandate.depth > 15", ("given", "mandate", "depth"), [14, 15, 16]),
        ("mandate.task == 't'", ("given", "mandate", "task"), ["t", OTHER]),
        ("mandate.delegator == 't'", ("given", "mandate", "delegator"), ["t", OTHER]),
        ("mandate.delegate == 't'", ("given", "mandate", "delegate"), ["t", OTHER]),
        ("actor.kind == 'bot'", ("given", "actor", "kind"), ["bot", OTHER]),
        ("authority.kind == 'bot'", ("given", "authority", "kind"), ["bot", OTHER]),
        ("calendar.books == 'shut'", ("given", "calendar", "books"), ["shut", OTHER, ABSENT]),
        ("intent.emergency", ("intent", "emergency"), [True, False]),
        ("intent.purpose == 'why'", ("intent", "purpose"), ["why", OTHER]),
        ("intent.audience == 'who'", ("intent", "audience"), ["who", OTHER]),
        ("actor.id == 'x' || actor.id == ''", ("intent", "actor"), ["x"]),
        ("authority.id == 'x'", ("intent", "authority"), ["x"]),
        ("resource.id == 'x'", ("intent", "resource"), ["x"]),
        ("'g' in actor.groups || 'h' in actor.groups", ("given", "actor", "groups"), [["g"], ["h"], []]),
        ("'g' in authority.capabilities", ("given", "authority", "capabilities"), [["g"], []]),
        ("'g' in resource.categories", ("given", "resource", "categories"), [["g"], []]),
        ("has(actor.attributes.team) && actor.attributes.team == 'x'", ("given", "actor", "attributes", "team"),
         ["x", OTHER, ABSENT]),
        ("has(actor.owner) && actor.owner == 'x'", ("given", "actor", "owner"), ["x", "user:kim", OTHER, ABSENT]),
        ("has(resource.owner) && resource.owner == 'x'", ("given", "resource", "owner"), ["x", "user:kim", OTHER, ABSENT]),
        ("has(resource.origin) && resource.origin == 'internal'", ("given", "resource", "origin"),
         ["internal", "external"]),
        ("arguments.amount > 7", ("intent", "arguments", "amount"), [4, 5, 6, 8, 9, 10, 7]),
        ("arguments.rate > 7.0 || has(arguments.free) && arguments.free > 20", ("intent", "arguments", "rate"), [1, 2, 3, 19, 20, 21]),
        ("arguments.note == 'a'", ("intent", "arguments", "note"), [OTHER, "a", "ax"]),
        ("arguments.tags.exists(t, t == 'a')", ("intent", "arguments", "tags"), [[], [OTHER], ["a"]]),
        ("arguments.sizes.exists(k, k == 'k') || arguments.sizes.exists(k, k == 'v')", ("intent", "arguments", "sizes"),
         [{}, {"k": "k"}, {"k": "v"}, {"k": OTHER}, {"v": "k"}, {"v": "v"}, {"v": OTHER}]),
    ],
)  # fmt: skip
def test_what_a_condition_reads_is_turned_to_both_sides_of_it(when: str, place: Place, values: list[Any]) -> None:
    found = read(when)
    assert found.pop(place) == values
    assert set(found) <= {("given", "absent"), ("intent", "arguments", "free")}


@pytest.mark.parametrize("when", ["intent.attempt > 1", "intent.action == 'pay.refund'", "actor.status == 'active'"])
def test_what_nobody_may_turn_is_left(when: str) -> None:
    assert set(read(when)) <= {("given", "absent")}


def test_facts_that_are_read_or_asked_for_are_taken_away() -> None:
    found = read("has(resource.id) && actor.risk.score > 7 && actor.kind == 'bot'")
    assert sorted(found["given", "absent"]) == [["actor"], ["actor.risk"], ["resource"]]


def test_a_truth_value_is_turned_once_though_it_is_read_and_declared() -> None:
    assert list(turned(rule("a", when="arguments.sure"))["intent", "arguments", "sure"]) == [True, False]


def test_one_and_true_are_two_values() -> None:
    found = turned(rule("a", when="arguments.rate > 1.0 && arguments.amount == 1"))
    assert found["intent", "arguments", "amount"] == [4, 5, 6, 8, 9, 10, 0, 1, 2]


def test_undeclared_arguments_are_tried_as_numbers_texts_and_nothing_else() -> None:
    about = 'name: free\nversion: "1"\ndescription: for a test\n'
    rules = "rules:\n" + rule("a", when="arguments.size == 3 || arguments.word == 'a'", on="free.walk")
    found = knobs([load_pack({"pack.yaml": about, "rules.yaml": rules})], "free.walk")
    assert found["intent", "arguments", "size"] == found["intent", "arguments", "word"] == [2, 3, 4, "a", "ax"]


def test_undeclared_arguments_stay_within_what_an_argument_can_be() -> None:
    about = 'name: free\nversion: "1"\ndescription: for a test\n'
    when = f"arguments.size == {INT_MAX} || arguments.size == -{INT_MAX}"
    found = knobs(
        [load_pack({"pack.yaml": about, "rules.yaml": "rules:\n" + rule("a", when=when, on="free.walk")})], "free.walk"
    )
    assert found["intent", "arguments", "size"] == [INT_MAX - 1, INT_MAX, -INT_MAX, 1 - INT_MAX]


def test_of_many_texts_six_are_tried_as_keys_and_as_values() -> None:
    when = " || ".join(f"arguments.sizes.exists(k, k == 't{n}')" for n in range(7))
    values = turned(rule("a", when=when))["intent", "arguments", "sizes"]
    assert {key for value in values for key in value} == {f"t{n}" for n in range(6)}
    assert {held for value in values for held in value.values()} == {*(f"t{n}" for n in range(6)), OTHER}


def test_several_packs_add_up_and_a_place_has_so_many_values_at_most() -> None:
    first, second = (
        pack(rule("a", when=when), name=name, actions=ACTIONS)
        for name, when in (("one", "arguments.note == 'a'"), ("two", "arguments.note == 'b'"))
    )
    both = knobs([first, second], "pay.refund")
    assert both["intent", "arguments", "note"] == [OTHER, "a", "ax", "b", "bx"]
    many = " || ".join(f"arguments.note == 't{n:02}'" for n in range(30))
    values = turned(rule("a", when=many))["intent", "arguments", "note"]
    assert len(values) == VALUES_MAX == 40
    assert values[:2] == [OTHER, "t00"]

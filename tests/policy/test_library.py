"""What the CEL library sees of a case: every field, whether it is set, and the tree it gives of a condition."""

import pytest

from placet.model.case import Case
from placet.policy.checked import Node
from placet.policy.expressions import compile_condition
from placet.policy.shape import Argument
from tests.policy.packs import case

DECLARED = (
    Argument("amount", "int"),
    Argument("rate", "number"),
    Argument("note", "string", required=False),
    Argument("sure", "bool"),
    Argument("tags", "list<string>"),
    Argument("sizes", "list<int>"),
    Argument("flags", "list<bool>"),
    Argument("more", "map<string, string>"),
    Argument("counts", "map<string, int>"),
    Argument("body", "json", required=False),
)
ARGUMENTS = {
    "amount": 5,
    "rate": 2.5,
    "sure": True,
    "tags": ["a", "b"],
    "sizes": [3],
    "flags": [True],
    "more": {"k": "v"},
    "counts": {"n": 7},
}


def full() -> Case:
    return case(
        {
            "actor": {
                "kind": "tool",
                "status": "suspended",
                "owner": "user:o",
                "groups": ["g1", "g2"],
                "attributes": {"team": "blue"},
                "capabilities": ["z", "pay"],
                "risk": 40,
            },
            "authority": {"risk": 70, "groups": ["lead"]},
            "mandate": {"id": "m7", "delegator": "user:a", "delegate": "agent:b", "task": "t", "depth": 3,
                        "actions": ["pay.*"], "resources": ["order/*"]},
            "resource": {"sensitivity": "confidential", "owner": "user:r", "origin": "external", "categories": ["pii"]},
            "session": {"origin": "internal", "sensitivity": "internal", "risk": 39},
            "calendar": {"freeze": "on"},
        },
        actor="agent:eve", authority="user:kim", resource="order/7", purpose="why", audience="tool:erp",
        session="s-9", emergency=True, attempt=4, arguments=dict(ARGUMENTS),
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "actor.id == 'agent:eve'",
        "actor.kind == 'tool'",
        "actor.status == 'suspended'",
        "actor.owner == 'user:o'",
        "actor.groups == ['g1', 'g2']",
        "actor.attributes.team == 'blue'",
        # A set has one order for both engines.
        "actor.capabilities == ['pay', 'z']",
        "actor.risk.score == 40",
        "actor.risk.level == 'medium'",
        "authority.id == 'user:kim'",
        "authority.kind == 'user'",
        "authority.groups == ['lead']",
        "authority.risk.score == 70 && authority.risk.level == 'high'",
        "!has(authority.owner)",
        "has(actor.owner)",
        "mandate.id == 'm7'",
        "mandate.delegator == 'user:a'",
        "mandate.delegate == 'agent:b'",
        "mandate.task == 't'",
        "mandate.depth == 3",
        "mandate.actions == ['pay.*']",
        "mandate.resources == ['order/*']",
        "resource.id == 'order/7'",
        "resource.sensitivity == 'confidential'",
        "resource.rank == 2",
        "resource.owner == 'user:r'",
        "resource.origin == 'external'",
        "resource.categories == ['pii']",
        "session.id == 's-9'",
        "session.origin == 'internal'",
        "session.sensitivity == 'internal'",
        "session.rank == 1",
        "session.risk.score == 39 && session.risk.level == 'low'",
        "intent.action == 'pay.refund'",
        "intent.purpose == 'why'",
        "intent.audience == 'tool:erp'",
        "intent.emergency",
        "intent.attempt == 4",
        "calendar.freeze == 'on'",
        "arguments.amount == 5",
        "arguments.rate == 2.5",
        "!has(arguments.note)",
        "arguments.sure",
        "arguments.tags == ['a', 'b']",
        "arguments.sizes == [3]",
        "arguments.flags == [true]",
        "arguments.more['k'] == 'v'",
        "arguments.counts['n'] == 7",
        "!has(arguments.body)",
    ],
)
def test_the_library_sees_every_field_of_a_case(text: str) -> None:
    condition = compile_condition(text, DECLARED)
    assert condition.ask(full()) is True
    assert compile_condition(f"!({text})", DECLARED).ask(full()) is False


def test_json_is_there_or_not_whatever_it_is() -> None:
    condition = compile_condition("has(arguments.body)", DECLARED)
    for body in (None, 1, {"a": [1]}, "text"):
        assert condition.ask(case(arguments=ARGUMENTS | {"body": body})) is True
    assert condition.ask(case(arguments=ARGUMENTS)) is False


def test_a_record_that_is_not_there_has_nothing_set() -> None:
    absent = case({"absent": ["actor", "mandate", "resource", "actor.risk"]})
    for path in ("actor.id", "actor.owner", "actor.groups", "mandate.depth", "resource.rank", "actor.risk.score"):
        assert compile_condition(f"has({path})", DECLARED).ask(absent) is False
    assert compile_condition("has(session.id)", DECLARED).ask(absent) is True


def test_undeclared_arguments_are_seen_as_they_are() -> None:
    asked = case(arguments={"a": {"b": [1, "x", True]}})
    for text in ("arguments.a.b[0] == 1", "arguments.a.b[1] == 'x'", "arguments.a.b[2] == true", "!has(arguments.c)"):
        assert compile_condition(text, None).ask(asked) is True


def test_what_the_library_cannot_evaluate_is_none() -> None:
    assert compile_condition("arguments.tags[9] == 'x'", DECLARED).ask(full()) is None
    assert compile_condition("arguments.a == true || arguments.b", None).ask(case(arguments={"b": 5})) is None


def test_a_part_of_a_condition_has_a_value_or_errs() -> None:
    condition = compile_condition("arguments.amount > 1 && actor.risk.score < 50", DECLARED)
    assert condition.part("arguments.amount + 1", full()) == 6
    assert condition.part("actor.risk.score < 50", full()) is True
    assert condition.part("arguments.amount / 0", full()) == "error"
    assert condition.part("no such thing", full()) == "error"


def node(text: str) -> Node:
    return compile_condition(text, DECLARED).tree


def test_a_condition_is_read_as_a_tree_of_calls_with_types_and_places() -> None:
    tree = node("arguments.amount > -7")
    assert (tree.kind, tree.name, tree.type, tree.offset) == ("call", "_>_", "bool", 17)
    amount, seven = tree.parts
    assert (amount.kind, amount.name, amount.type, amount.offset) == ("select", "amount", "int", 9)
    assert (amount.parts[0].kind, amount.parts[0].name, amount.parts[0].type) == (
        "ident",
        "arguments",
        "case.Arguments",
    )
    assert (seven.kind, seven.type, seven.value, seven.parts) == ("const", "int", -7, ())


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("true", "bool", True),
        ("false", "bool", False),
        ("7", "int", 7),
        ("-9223372036854775808", "int", -(2**63)),
        ("9223372036854775807", "int", 2**63 - 1),
        ("7u", "uint", 7),
        ("300u", "uint", 300),
        ("2.5", "double", 2.5),
        ("'é'", "string", "é"),
        ("b'ab'", "bytes", b"ab"),
        ("null", "null", None),
    ],
)
def test_a_constant_is_read_with_its_type(text: str, kind: str, value: object) -> None:
    constant = node(f"[{text}].size() == 1").parts[0].parts[0].parts[0]
    assert (constant.kind, constant.type, constant.value, type(constant.value)) == ("const", kind, value, type(value))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("arguments.tags", "list<string>"),
        ("arguments.sizes", "list<int>"),
        ("arguments.more", "map<string, string>"),
        ("arguments.counts", "map<string, int>"),
    ],
)
def test_a_list_and_a_map_have_the_types_of_what_they_hold(text: str, kind: str) -> None:
    assert node(f"{text}.size() == 1").parts[0].parts[0].type == kind


def test_presence_folds_lists_and_maps_are_read_as_what_they_are() -> None:
    has = node("has(arguments.note)")
    assert (has.kind, has.name, has.type) == ("has", "note", "bool")
    fold = node("arguments.tags.exists(t, t == 'x')")
    assert (fold.kind, fold.name, fold.type) == ("fold", "t", "bool")
    assert [part.kind for part in fold.parts] == ["select", "const", "call", "call", "ident"]
    assert fold.parts[4].name == fold.second != ""
    listed = node("'x' in ['x', 'y']").parts[1]
    assert (listed.kind, [part.value for part in listed.parts]) == ("list", ["x", "y"])
    mapped = node("{'a': 1, 'b': 2}['a'] == 1").parts[0].parts[0]
    assert (mapped.kind, [part.value for part in mapped.parts]) == ("map", ["a", 1, "b", 2])
    method = node("arguments.note.startsWith('x') && has(arguments.note)").parts[0]
    assert (method.kind, method.name, [part.kind for part in method.parts]) == (
        "call",
        "startsWith",
        ["select", "const"],
    )


def test_dynamic_values_have_no_type_of_their_own() -> None:
    tree = compile_condition("arguments.a == 1", None).tree
    assert tree.parts[0].type == "dyn"

"""What a condition needs to be there, and what it asks for itself with `has()`, read from its checked tree."""

import pytest

from placet.policy.expressions import compile_condition
from placet.policy.shape import Argument

ARGUMENTS = (Argument("amount", "int"), Argument("note", "string", required=False))
OWNER = "resource.owner == 'x'"


@pytest.mark.parametrize(
    ("text", "facts", "asked", "parts"),
    [
        ("arguments.amount > 1 && intent.emergency && session.rank > 1", "", "", ""),
        ("actor.id == authority.id", "actor authority", "", ""),
        ("actor.risk.level == 'low' || session.risk.score > 1", "actor.risk session.risk", "", ""),
        ("mandate.depth > 1 && calendar.freeze == 'on'", "calendar.freeze mandate", "", ""),
        ("calendar['freeze'] == 'on'", "calendar.freeze", "", ""),
        (OWNER, "resource", "", "resource.owner"),
        (f"has(resource.owner) && {OWNER}", "resource", "", ""),
        (f"{OWNER} && has(resource.owner)", "resource", "", ""),
        (f"!has(resource.owner) || {OWNER}", "resource", "", ""),
        (f"has(resource.owner) || {OWNER}", "resource", "", "resource.owner"),
        (f"!has(resource.owner) && {OWNER}", "resource", "", "resource.owner"),
        # One of two ways to be true promises nothing; both promise what they share.
        (f"(has(resource.owner) || intent.emergency) && {OWNER}", "resource", "", "resource.owner"),
        (f"(has(resource.owner) || has(resource.origin)) && {OWNER}", "resource", "", "resource.owner"),
        (f"(has(resource.owner) && intent.emergency) && {OWNER}", "resource", "", ""),
        (f"!(!has(resource.owner) || intent.emergency) && {OWNER}", "resource", "", ""),
        (f"!(has(resource.owner) && intent.emergency) || {OWNER}", "resource", "", ""),
        (f"!(has(resource.owner) || intent.emergency) || {OWNER}", "resource", "", "resource.owner"),
        (f"has(resource.owner) ? {OWNER} : true", "resource", "", ""),
        (f"has(resource.owner) ? true : {OWNER}", "resource", "", "resource.owner"),
        ("has(resource.id) && resource.rank > 1", "", "resource", ""),
        (f"has(resource.id) && {OWNER}", "", "resource", "resource.owner"),
        ("has(resource.id) || resource.rank > 1", "resource", "", ""),
        ("has(actor.risk.score) && actor.risk.level == 'low'", "", "actor.risk", ""),
        ("has(actor.risk) && actor.risk.score > 1", "", "actor.risk", ""),
        ("has(actor.risk.score) && actor.id == 'x'", "actor", "actor.risk", ""),
        ("!has(calendar.freeze) || calendar.freeze == 'on'", "", "calendar.freeze", ""),
        ("has(calendar.freeze) && calendar.books == 'shut'", "calendar.books", "calendar.freeze", ""),
        ("actor.attributes.a == 'x'", "actor", "", "actor.attributes.a"),
        ("'a' in actor.attributes && actor.attributes.a == 'x'", "actor", "", ""),
        ("has(actor.attributes.b) && actor.attributes.a == 'x'", "actor", "", "actor.attributes.a"),
        ("actor.groups.exists(g, g == authority.id)", "actor authority", "", ""),
        ("actor.groups.exists(resource, resource == 'x')", "actor", "", ""),
        ("has(resource.owner) && actor.groups.exists(g, g == resource.owner)", "actor resource", "", ""),
        ("'x' in actor.groups", "actor", "", ""),
    ],
)
def test_facts_and_parts_come_from_the_tree(text: str, facts: str, asked: str, parts: str) -> None:
    condition = compile_condition(text, ARGUMENTS)
    assert condition.facts == set(facts.split())
    assert condition.asked == set(asked.split())
    assert {".".join(part) for part in condition.parts} == set(parts.split())


def test_undeclared_arguments_are_parts_that_may_be_unset() -> None:
    condition = compile_condition(
        "arguments.a == 1 && has(arguments.b) && arguments.b == 2 && arguments.c.d == 3", None
    )
    assert condition.parts == {("arguments", "a"), ("arguments", "c")}
    assert condition.facts == condition.asked == frozenset()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("arguments.amount == 1", "int"),
        ("arguments.note == 'a'", "string"),
        ("actor.groups == ['a']", "list<string>"),
        ("bytes(arguments.note) == b'a'", "bytes"),
        ("double(arguments.amount) == 1.5", "double"),
        ("uint(arguments.amount) == 1u", "uint"),
        ("intent.emergency == true", "bool"),
    ],
)
def test_each_side_of_a_clause_has_its_type(text: str, kind: str) -> None:
    required = (Argument("amount", "int"), Argument("note", "string"))
    assert [part.type for part in compile_condition(text, required).tree.parts] == [kind, kind]

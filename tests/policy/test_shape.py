"""The declared shape of a case: what each path needs, how it is read, how it is tested, and what names a fact."""

import pytest

from placet.policy.shape import (
    SHAPE,
    Argument,
    Path,
    Use,
    field_paths,
    guard_of,
    has_source,
    is_fact,
    read_source,
    row_local,
    use_of,
)

DECLARED = (
    Argument("amount", "int"),
    Argument("note", "string", required=False),
    Argument("tags", "list<string>", required=False),
    Argument("more", "map<string, int>", required=False),
    Argument("body", "json"),
)


def path(text: str) -> Path:
    return tuple(text.split("."))


@pytest.mark.parametrize(
    ("text", "fact", "part"),
    [
        ("calendar.freeze", "calendar.freeze", None),
        ("calendar", None, None),
        ("actor", "actor", None),
        ("actor.id", "actor", None),
        ("actor.groups", "actor", None),
        ("actor.owner", "actor", "actor.owner"),
        ("authority.owner", "authority", "authority.owner"),
        ("resource.owner", "resource", "resource.owner"),
        ("resource.origin", "resource", "resource.origin"),
        ("resource.rank", "resource", None),
        ("actor.attributes", "actor", None),
        ("actor.attributes.team", "actor", "actor.attributes.team"),
        ("actor.attributes.team.x", "actor", "actor.attributes.team"),
        ("actor.risk", "actor.risk", None),
        ("actor.risk.score", "actor.risk", None),
        ("authority.risk.level", "authority.risk", None),
        ("session.risk.score", "session.risk", None),
        ("session.rank", None, None),
        ("intent.action", None, None),
        ("mandate.depth", "mandate", None),
        ("arguments", None, None),
        ("arguments.amount", None, None),
        ("arguments.note", None, "arguments.note"),
        ("arguments.tags", None, None),
        ("arguments.more", None, None),
        ("arguments.other", None, None),
    ],
)
def test_reading_a_path_needs_a_fact_and_where_it_is_optional_the_part(
    text: str, fact: str | None, part: str | None
) -> None:
    assert use_of(path(text), DECLARED) == Use(fact, path(part) if part else None)


def test_of_undeclared_arguments_each_may_be_unset() -> None:
    assert use_of(("arguments", "a", "b"), None) == Use(None, ("arguments", "a"))
    assert use_of(("arguments",), None) == Use()


@pytest.mark.parametrize(
    ("text", "guard"),
    [
        ("actor.risk.score", "actor.risk"),
        ("session.risk", "session.risk"),
        ("actor.id", "actor"),
        ("actor.owner", "actor.owner"),
        ("actor.groups", "actor.groups"),
        ("actor.attributes.team", "actor.attributes.team"),
        ("actor.attributes.team.x", "actor.attributes.team"),
        ("mandate.depth", "mandate"),
        ("mandate.actions", "mandate.actions"),
        ("resource.origin", "resource.origin"),
        ("resource", "resource"),
        ("calendar.freeze", "calendar.freeze"),
        ("arguments.note", "arguments.note"),
        ("arguments.a.b", "arguments.a"),
    ],
)
def test_a_true_has_promises_the_record_or_its_optional_part(text: str, guard: str) -> None:
    assert guard_of(path(text)) == path(guard)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("session.id", "case.session_id"),
        ("session.origin", "case.session_origin"),
        ("session.rank", "case.session_rank"),
        ("session.sensitivity", "LABELS[case.session_rank]"),
        ("intent.action", "case.action"),
        ("intent.purpose", "case.purpose"),
        ("intent.audience", "case.audience"),
        ("intent.emergency", "case.emergency"),
        ("intent.attempt", "case.attempt"),
        ("actor.risk.score", "case.actor_risk"),
        ("authority.risk.score", "case.authority_risk"),
        ("session.risk.level", "level_of(case.session_risk)"),
        ("actor.risk", None),
        ("calendar.freeze", "calendar['freeze']"),
        ("calendar", None),
        ("actor.id", "actor.id"),
        ("actor.capabilities", "tuple(sorted(actor.capabilities))"),
        ("actor.attributes.team", "actor.attributes['team']"),
        ("actor.groups.x", None),
        ("mandate.depth", "mandate.depth"),
        ("arguments.amount", "arguments['amount']"),
        ("arguments.tags", "arguments.get('tags', ())"),
        ("arguments.more", "arguments.get('more', NOTHING)"),
        ("arguments.body", None),
        ("arguments.amount.x", None),
        ("arguments", None),
        ("session.other", None),
    ],
)
def test_a_path_is_read_by_this_python(text: str, source: str | None) -> None:
    assert read_source(path(text), DECLARED) == source


def test_undeclared_arguments_are_read_whole_or_by_name() -> None:
    assert read_source(("arguments",), None) == "arguments"
    assert read_source(("arguments", "a"), None) == "arguments['a']"


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("actor.risk", "(case.actor_risk is not None)"),
        ("session.risk.score", "(case.session_risk is not None)"),
        ("calendar.freeze", "('freeze' in calendar)"),
        ("arguments.note", "('note' in arguments)"),
        ("arguments.tags", "bool(arguments.get('tags'))"),
        ("arguments.more", "bool(arguments.get('more'))"),
        ("arguments.a.b", None),
        ("actor.attributes.team", "('team' in actor.attributes)"),
        ("actor.groups", "bool(actor.groups)"),
        ("actor.attributes", "bool(actor.attributes)"),
        ("resource.owner", "(resource.owner is not None)"),
        ("resource.id", "(resource is not None)"),
        ("session.id", "True"),
        ("intent.purpose", "True"),
        ("actor.groups.x", None),
        ("actor", None),
        ("calendar", None),
    ],
)
def test_whether_a_path_is_there_is_asked_by_this_python(text: str, source: str | None) -> None:
    assert has_source(path(text), DECLARED) == source


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        *((name, True) for name in ("actor", "authority", "mandate", "resource", "session.risk", "calendar.freeze")),
        *((name, True) for name in ("actor.risk", "authority.risk")),
        *(
            (name, False)
            for name in ("session", "intent", "calendar", "calendar.", "calendar.a-b", "calendar.é", "x.y")
        ),
        ("mandate.freeze", False),
    ],
)
def test_a_fact_is_one_of_seven_or_a_named_day_of_the_calendar(name: str, fact: bool) -> None:
    assert is_fact(name) is fact


def test_every_readable_path_is_offered_as_a_suggestion() -> None:
    paths = list(field_paths(DECLARED))
    assert len(paths) == len(set(paths)) == 8 + 8 + 7 + 6 + 5 + 5 + 3 * 2 + 1 + 5
    assert {"actor.risk.score", "session.risk.level", "calendar", "arguments.note", "mandate.resources"} <= set(paths)
    assert "arguments.note" not in list(field_paths(None))


def test_every_field_has_a_type_the_checker_knows() -> None:
    types = {type_ for fields in SHAPE.values() for type_ in fields.values()}
    assert types == {"string", "string?", "int", "bool", "risk", "list<string>", "map<string, string>"}
    assert {f"{root}.{name}" for root, fields in SHAPE.items() for name in fields if fields[name] == "string?"} == {
        "actor.owner",
        "authority.owner",
        "resource.owner",
        "resource.origin",
    }


def test_the_local_of_a_root_is_its_column_of_the_case() -> None:
    assert [row_local(root) for root in ("arguments", "calendar", "actor", "resource")] == [
        "case.arguments",
        "case.calendar",
        "case.actor",
        "case.resource",
    ]

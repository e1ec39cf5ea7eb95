"""What a refusal tells besides its reason, held against its case: bounds that are true, and the people it follows from."""

import json
from collections.abc import Callable
from typing import Any

from placet.faces.auditor.joining import BROKEN, LINKS_MAX, OUTSIDE, Joined, covers
from placet.faces.auditor.limits import EXCEEDED, granted, limits_on, weigh
from placet.faces.auditor.packs import Pack, Plain
from placet.faces.auditor.records import Fields, Schemas
from placet.faces.auditor.rules import FIRED, NO_RULE, UNFIT, put
from placet.faces.auditor.table import CONSTRAIN, DENY, PERMIT, STEP_UP

OF_RULES = (UNFIT, NO_RULE, FIRED[DENY], FIRED[STEP_UP])
"""Reasons another argument might do away with, by the rules alone."""
SIDES = {"<=": 1, ">=": -1}
"""Where the value one step before a bound lies, by its comparison."""


def bounds_fault(said: Fields, packs: list[Pack], asked: Fields, arguments: Plain, known: Joined, body: Fields) -> str:
    """Return what is not true of the bounds a verdict tells, or an empty text.

    Each is of an integer among the intent's own arguments. The rules are asked again with the value told,
    and with the one before it: only the first has the effect told. Where a limit was exceeded, limits are asked too.
    """
    for bound in said["bounds"]:
        name, side, effect = bound["argument"], SIDES.get(bound["comparison"], 0), bound["effect"]
        value, seen = _integer(bound["value"]), arguments.get(name)
        where = f"bound `{name} {bound['comparison']} {bound['value']}`"
        if said["reason"] not in (*OF_RULES, EXCEEDED):
            return f"{where} is told with reason {said['reason']}, which no argument does away with"
        if value is None or type(seen) is not int or not side or (seen - value) * side <= 0:
            return f"{where} is none of an integer that was asked"
        if effect not in (PERMIT, CONSTRAIN, STEP_UP) or effect >= said["effect"]:
            return f"{where} promises effect {effect}, where {said['effect']} was said"
        rows = body["limits"] if said["reason"] == EXCEEDED else None
        at, before = (
            _effect(packs, asked, {**arguments, name: one}, known, body["instant"], rows)
            for one in (value, value + side)
        )
        if at != effect:
            return f"{where} promises effect {effect}, the rules say {at}"
        if before <= effect:
            return f"{where} is not the nearest: one before it the rules say {before}"
    return ""


def _effect(
    packs: list[Pack], asked: Fields, arguments: Plain, known: Joined, instant: int, rows: list[Fields] | None
) -> int:
    """Return what rules say of other arguments, and limits as they stood too where `rows` are given."""
    found = put(packs, asked, arguments, known, instant)
    if found is None:
        return DENY
    if rows is None or found.effect > STEP_UP:
        return found.effect
    names = arguments.keys() | granted(arguments, found.demands).keys()
    return weigh(found, limits_on(packs, known.limits, asked, names), rows, arguments, None).effect


def ask_fault(said: Fields, reason: int, asked: Fields, body: Fields, schemas: Schemas) -> str:
    """Return whom else a verdict should name as those to ask, or an empty text; `reason` is what its case gives.

    A verdict that names nobody misleads nobody: one of a release that told less is as good.
    """
    told = tuple(said["ask"])
    if not told:
        return ""
    if said["approval"] is not None:
        should = tuple(said["approval"]["eligible"])
    elif reason == OUTSIDE:
        should = _handing_on(asked, body, schemas, lambda link: not _reaches(link, asked))
    elif reason == EXCEEDED:
        should = _handing_on(asked, body, schemas, lambda link: f"mandate/{link['id']}" in said["rules"])
    elif reason == BROKEN and asked["authority"] != asked["actor"]:
        should = (asked["authority"],)
    else:
        should = ()
    return f"tells to ask {told}, decided again it is {should}" if told != should else ""


def _reaches(link: Plain, asked: Fields) -> bool:
    return covers(link["actions"], asked["action"]) and covers(link["resources"], asked["resource"])


def _handing_on(asked: Fields, body: Fields, schemas: Schemas, is_meant: Callable[[Plain], bool]) -> tuple[str, ...]:
    """Return who handed on the links that are meant, from the actor's own upwards."""
    rows = (schemas.open(fact["value"]).fields for fact in body["facts"] if fact["role"] == "mandate")
    links: dict[str, Any] = {row["id"]: row for row in rows}
    found: list[str] = []
    name = asked["mandate"]
    for _ in range(LINKS_MAX):
        link = links.get(name)
        if link is None:
            break
        if is_meant(link):
            found.append(link["delegator"])
        name = link["parent"]
    return tuple(dict.fromkeys(found))


def _integer(text: str) -> int | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if type(value) is int else None

"""Limits of packs and mandates as the records have them: what they count of one action, and what they leave of it."""

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from placet.faces.auditor.asking import both, wanted_of
from placet.faces.auditor.hashes import sha256
from placet.faces.auditor.joining import Odd, covers
from placet.faces.auditor.packs import EFFECTS, Pack, Plain
from placet.faces.auditor.records import Fields
from placet.faces.auditor.rules import Demand, Said
from placet.faces.auditor.table import CONSTRAIN, DENY, PERMIT, STEP_UP

OVERLOADED, AMOUNT_UNFIT, EXCEEDED = 320, 415, 455
MOST = 2**53 - 1
PARTS = ("actor", "mandate", "session", "action")
ON_SIZE = 200
Links = Iterable[tuple[str, list[Plain]]]
"""Mandates of a chain by id, the one that is named first, with the limits each carries."""
Place = tuple[str, str]
"""The name of a limit, and whose count it is."""


class Limit(NamedTuple):
    """One limit on one action; `window_ms` 0 is without an end, `least` the least that may be granted.

    What does not name the measure takes nothing, unless it `needs` to.
    """

    measure: str
    window_ms: int
    max: int
    over: int
    least: int
    needs: bool
    approval: Plain | None = None


def limits_on(packs: list[Pack], links: Links, asked: Fields, names: Collection[str]) -> dict[Place, Limit]:
    """Return what counts an action that was asked, by name and scope; of two that count the same, the tighter.

    `names` are those of all arguments that were asked or would run.
    """
    found: dict[Place, Limit] = {}
    for place, limit in (*_of_packs(packs, asked), *_of_mandates(links, asked["action"], names)):
        known = found.get(place)
        if known is None or limit.max < known.max:
            found[place] = limit
    return found


def _of_packs(packs: list[Pack], asked: Fields) -> Iterator[tuple[Place, Limit]]:
    action = asked["action"]
    for pack in packs:
        for said in pack.limits:
            if not covers(said["on"], action):
                continue
            per = {"actor" if part == "agent" else part for part in said["per"]}
            scope = " ".join(f"{part}={asked[part]}" for part in PARTS if part in per) or "authority"
            measure = said.get("measure", "count")
            declared = [one for other in packs if action in other.actions for one in other.actions[action].arguments]
            least = max([1, *(one.min for one in declared if one.name == measure and one.min is not None)])
            window_ms = 1000 * (said["window"].get("sliding_s") or 0)
            over = EFFECTS[said.get("over", "deny")]
            needs = not any(one.name == measure and one.type == "int" for one in declared)
            made = Limit(measure, window_ms, min(said["max"], MOST), over, least, needs, said.get("approval"))
            yield (f"{pack.name}/{said['id']}", scope), made


def _of_mandates(links: Links, action: str, names: Collection[str]) -> Iterator[tuple[Place, Limit]]:
    for mandate, limits in links:
        for said in limits:
            on, measure = said["actions"], said["measure"]
            needs = action in on
            if (on and not covers(on, action)) or not (needs or measure == "count" or measure in names):
                continue
            text = ",".join(on)
            text = sha256(text.encode()).hex() if len(text) > ON_SIZE else text
            scope = f"{measure} {said['window_s']} {text}".rstrip()
            yield (f"mandate/{mandate}", scope), Limit(measure, 1000 * said["window_s"], said["max"], DENY, 1, needs)


def amount_of(limit: Limit, arguments: Plain) -> int | None:
    """Return what these arguments take of a limit, or None where that is no whole number from 0 on."""
    amount = 1 if limit.measure == "count" else arguments.get(limit.measure, None if limit.needs else 0)
    return None if isinstance(amount, bool) or not isinstance(amount, int) or amount < 0 else amount


def granted(arguments: Plain, demands: Iterable[Demand]) -> Plain:
    """Return the arguments that may run under these demands."""
    after, demands = dict(arguments), tuple(demands)
    for kind, name, value in demands:
        if kind == "limit" and name in after:
            after[name] = min(after[name], int(value))
    for kind, name, value in demands:
        if kind == "read_only":
            after[name] = json.loads(value)
    for kind, name, _ in demands:
        if kind == "redact":
            after.pop(name, None)
    return after


def weigh(
    found: Said, limits: dict[Place, Limit], rows: list[Fields], arguments: Plain, leave: frozenset[str] | None
) -> Said:
    """Return what the rules' finding becomes under limits that stand as a case says; raise Odd where it says it wrongly.

    `leave` are the limits that people may let it exceed; None: what would be said if nobody had been asked, whatever
    the case says was in the end.
    """
    stood = {(row["limit"], row["scope"]): row for row in rows}
    if len(stood) != len(rows) or not stood.keys() <= limits.keys():
        raise Odd("its case names limits that do not count it, or one twice")
    for place, row in stood.items():
        if row["max"] != limits[place].max:
            raise Odd(f"limit `{place[0]}` is {row['max']} in its case, {limits[place].max} on record")
    demands = _tightened(found.demands, limits, stood, arguments)
    runs = granted(arguments, demands)
    against: list[tuple[int, str]] = []
    unfit, wanted = False, found.wanted if found.effect == STEP_UP else None
    for place, limit in limits.items():
        amount = amount_of(limit, runs)
        if amount is None:
            unfit = True
            against.append((DENY, place[0]))
            continue
        if place not in stood:
            raise Odd(f"its case does not say how limit `{place[0]}` ({place[1]}) stood")
        row = stood[place]
        if row["amount"] != amount and leave is not None:
            raise Odd(f"limit `{place[0]}` measures {row['amount']} in its case, {amount} is asked")
        over = limit.max == 0 or row["used"] + amount > limit.max
        by_leave = leave is not None and over and place[0] in leave
        if leave is not None and row["approved"] != by_leave:
            raise Odd(f"limit `{place[0]}` is exceeded by people's leave, and it gives none")
        if over and not by_leave:
            against.append((DENY if limit.over == CONSTRAIN else limit.over, place[0]))
            wanted = both(wanted, wanted_of([limit.approval] if limit.approval else []))
    if not against:
        return _within(found, demands)
    gravest = max(effect for effect, _ in against)
    names = tuple(name for effect, name in against if effect == gravest)
    rules = found.rules if gravest == found.effect == STEP_UP else ()
    reason = AMOUNT_UNFIT if unfit else EXCEEDED
    kept = found.demands if gravest == STEP_UP else ()
    return found._replace(effect=gravest, reason=reason, rules=(*rules, *names), demands=kept, wanted=wanted)


def _within(found: Said, demands: tuple[Demand, ...]) -> Said:
    if found.effect not in (PERMIT, CONSTRAIN) or demands == found.demands:
        return found
    return found._replace(effect=CONSTRAIN, reason=min(found.reason, EXCEEDED), demands=demands)


def _tightened(
    demands: tuple[Demand, ...], limits: dict[Place, Limit], stood: dict[Place, Fields], arguments: Plain
) -> tuple[Demand, ...]:
    """Return demands with what limits that constrain leave, of several on one argument the least."""
    runs = granted(arguments, demands)
    bounds = {name: int(value) for kind, name, value in demands if kind == "limit"}
    added = False
    for place, limit in limits.items():
        amount, row = amount_of(limit, runs), stood.get(place)
        if limit.over != CONSTRAIN or not amount or row is None:
            continue
        left = limit.max - row["used"]
        left = min(left, row["own"]) if row["own"] else left
        if limit.least <= left < amount:
            bounds[limit.measure] = min(left, bounds.get(limit.measure, left))
            added = True
    if not added:
        return demands
    others = [demand for demand in demands if demand[0] != "limit"]
    return tuple(sorted([*others, *(("limit", name, str(bound)) for name, bound in bounds.items())]))


def arguments_of(raw: bytes) -> dict[str, Any]:
    """Return the arguments in these bytes."""
    found: dict[str, Any] = json.loads(raw)
    return found

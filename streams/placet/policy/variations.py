"""Situations around those of a pack's tests: one thing turned, then several, always the same for the same seed."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from placet.policy.contents import Pack
from placet.policy.forms import Form
from placet.policy.knobs import ABSENT, Knobs, Place, knobs
from placet.policy.samples import Draw
from placet.policy.situations import Given, IntentGiven

TURNED_MAX = 4
"""Things turned at once."""


class Situation(Form):
    """What is known and what is asked, as a test or a file of `placet decide` has it; `says` of a test, else empty."""

    says: str = ""
    given: Given = Given()
    intent: IntentGiven

    def to_data(self) -> dict[str, Any]:
        """Return what stands in the file: nothing that is as it would be anyway."""
        return self.model_dump(exclude_defaults=True)


def variations(packs: Sequence[Pack], action: str, count: int, seed: str) -> Iterator[Situation]:
    """Yield at most `count` different situations of `action`: the packs' tests, then these with one thing turned, then with several."""
    bases = [
        Situation(says=t.says, given=t.given, intent=t.intent)
        for p in packs
        for t in p.tests
        if t.intent.action == action
    ]
    own = len(bases)
    if not bases:
        bases = [Situation(intent=IntentGiven(action=action, arguments=_plain(packs, action)))]
    seen: set[str] = set()
    for number, made in enumerate(_all(bases, knobs(packs, action), Draw(f"{seed}\n{action}"), count * 4)):
        if len(seen) >= count:
            return
        key = json.dumps(made.model_dump(exclude={"says"}), sort_keys=True)
        if key not in seen:
            seen.add(key)
            yield made if number < own else made.model_copy(update={"says": ""})


def _all(bases: Sequence[Situation], turns: Knobs, draw: Draw, tries: int) -> Iterator[Situation]:
    yield from bases
    for base in bases:
        for place, values in turns.items():
            yield from (_turned(base, {place: value}) for value in values)
    places = list(turns)
    for _ in range(tries if places else 0):
        chosen = {draw.one(places) for _ in range(2 + draw.below(TURNED_MAX - 1))}
        yield _turned(draw.one(bases), {place: draw.one(turns[place]) for place in sorted(chosen)})


def _turned(base: Situation, changes: dict[Place, Any]) -> Situation:
    data = base.model_dump(by_alias=True)
    for place, value in changes.items():
        if place[:2] == ("given", "actor") and place[2:] == ("risk",):
            data["given"]["risk"] = None
        if place == ("given", "resource", "sensitivity"):
            data["given"]["sensitivity"] = None
        holder = data
        for step in place[:-1]:
            holder = holder[step]
        if value is not ABSENT:
            holder[place[-1]] = value
        elif isinstance(holder.get(place[-1]), str) and place[-1] == "owner":
            holder[place[-1]] = None
        else:
            holder.pop(place[-1], None)
    return Situation.model_validate(data)


def _plain(packs: Sequence[Pack], action: str) -> dict[str, Any]:
    """Return arguments that fit the declaration of an action without tests, as far as one can tell."""
    made: dict[str, Any] = {}
    for pack in packs:
        declared = pack.actions.get(action)
        for argument in declared.arguments if declared else ():
            if argument.required:
                made.setdefault(argument.name, _value(argument.type, argument.min, argument.one_of))
    return made


def _value(kind: str, least: int | None, one_of: Sequence[str]) -> Any:
    if kind in ("int", "number"):
        return least or 0
    if kind.startswith("list"):
        return []
    if kind == "bool":
        return False
    return {} if kind.startswith("map") else next(iter(one_of), "a")

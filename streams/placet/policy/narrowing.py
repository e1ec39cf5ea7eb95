"""Arguments made narrower by those who say yes: never more than was asked, and what all of them leave."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from placet.policy.shape import Argument, Arguments

Plain = Mapping[str, Any]


def fault_of(asked: Plain, offered: Plain, declared: Sequence[Arguments]) -> str:
    """Return why `offered` is not narrower than `asked`, or an empty text.

    An int may be less, but not below what is declared; of a list members may be
    left out; an argument may be left out that every pack declares as optional.
    All else stays as it was asked.
    """
    optional = _optional(declared)
    bounds: dict[str, list[Argument]] = {}
    for argument in (argument for shape in declared for argument in shape):
        bounds.setdefault(argument.name, []).append(argument)
    for name in offered:
        if name not in asked:
            return f"`{name}` was not asked"
    for name, value in asked.items():
        if name not in offered:
            if name not in optional:
                return f"`{name}` may not be left out"
        elif fault := _one(value, offered[name], bounds.get(name, ())):
            return f"`{name}` {fault}"
    return ""


def _optional(declared: Sequence[Arguments]) -> set[str]:
    """Return the arguments that nobody requires; none where nothing is declared."""
    found = [{one.name for one in shape if not one.required} for shape in declared]
    return set.intersection(*found) if found else set()


def _one(asked: Any, offered: Any, declared: Sequence[Argument]) -> str:
    if asked.__class__ is int and offered.__class__ is int:
        if offered > asked:
            return f"is {offered}: expected at most {asked}"
        least = max((one.min for one in declared if one.min is not None), default=offered)
        return f"is {offered}: expected at least {least}" if offered < least else ""
    if asked.__class__ is list and offered.__class__ is list:
        same = _kept(asked, offered) == [repr(one) for one in offered]
        return "" if same else "has what was not asked, or in another order"
    return "" if repr(asked) == repr(offered) else "differs from what was asked"


def meet(asked: Plain, offers: Iterable[Plain]) -> dict[str, Any]:
    """Return what of `asked` is left when each of `offers`, all of them narrower, holds."""
    left = dict(asked)
    for offer in offers:
        left = {name: _less(value, offer[name]) for name, value in left.items() if name in offer}
    return left


def _less(one: Any, other: Any) -> Any:
    if one.__class__ is int:
        return min(one, other)
    if one.__class__ is list:
        wanted = Counter(repr(member) for member in other)
        return [member for member in one if _take(wanted, repr(member))]
    return one


def _kept(asked: list[Any], offered: list[Any]) -> list[str]:
    """Return the members of `asked`, in its order, that are also in `offered`, each as often as there."""
    # Read from canonical JSON: equal values have one text, and 1 is not true.
    wanted = Counter(repr(one) for one in offered)
    return [text for text in map(repr, asked) if _take(wanted, text)]


def _take(wanted: Counter[str], text: str) -> bool:
    if not wanted[text]:
        return False
    wanted[text] -= 1
    return True

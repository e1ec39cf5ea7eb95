"""How far delegated authority reaches: patterns of actions and resources, and what of them a whole chain gives."""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from placet.model.case import MandateRow

Patterns = tuple[str, ...]


class Reach(NamedTuple):
    """The actions, and the resources, that every link of a chain gives; either may come to nothing."""

    actions: Patterns
    resources: Patterns

    def covers(self, action: str, resource: str) -> bool:
        """Return whether the action on the resource lies within."""
        names, beginnings = parts_of(self.actions)
        if action not in names and not action.startswith(beginnings):
            return False
        names, beginnings = parts_of(self.resources)
        return resource in names or resource.startswith(beginnings)


def reach_of(links: Iterable[MandateRow]) -> Reach:
    """Return what is common to all of at least one link, in whatever order they come."""
    actions, resources = zip(*((row.actions, row.resources) for row in links), strict=True)
    return Reach(_meet_all(actions), _meet_all(resources))


def covers(patterns: Patterns, text: str) -> bool:
    """Return whether a pattern is `text`, or ends in `*` and `text` begins with what is before."""
    names, beginnings = parts_of(patterns)
    return text in names or text.startswith(beginnings)


def contains(patterns: Patterns, pattern: str) -> bool:
    """Return whether one of `patterns` names all that `pattern` does."""
    if pattern in patterns:
        return True
    return pattern.removesuffix("*").startswith(tuple([wider[:-1] for wider in patterns if wider[-1:] == "*"]))


@lru_cache(maxsize=4096)
def meet(one: Patterns, two: Patterns) -> Patterns:
    """Return the patterns that name what both name: those of either within the other.

    Of two patterns that name a text one lies within the other, so nothing both
    name is lost, and nothing is won.
    """
    within = [pattern for pattern in one if contains(two, pattern)]
    if len(within) == len(one):
        return one
    within += [pattern for pattern in two if contains(one, pattern)]
    return tuple(dict.fromkeys(within))


def _meet_all(each: Iterable[Patterns]) -> Patterns:
    first, *more = dict.fromkeys(each)
    for patterns in more:
        first = meet(first, patterns)
    return first


@lru_cache(maxsize=4096)
def parts_of(patterns: Patterns) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return patterns as names, and as what names begin with."""
    return frozenset(patterns), tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*"))

"""What people are asked for by the rules of a set, and what the votes in a case come to: worked out from the packs alone."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from placet.faces.auditor.hashes import canonical
from placet.faces.auditor.joining import Joined, covers
from placet.faces.auditor.packs import Argument, Plain

ACTIVE = "active"


class Wanted(NamedTuple):
    """How many must say yes and within what time; `steps` says of whom, from so many ms after it was asked on.

    `acr` are the ways to authenticate that will do, None: any; `age_ms` how long ago that may be, None: any time.
    """

    quorum: int
    steps: tuple[tuple[int, frozenset[str]], ...]
    expires_ms: int
    acr: frozenset[str] | None = None
    age_ms: int | None = None

    @property
    def proof(self) -> tuple[list[str], int]:
        """Return what a verdict says of how people must have authenticated."""
        return sorted(self.acr or ()), self.age_ms or 0

    def takes(self, vote: Plain, asked_at: int) -> bool:
        """Return whether who cast a vote had authenticated as is wanted, by when the vote can have been cast at the earliest."""
        cast_at = max(asked_at, vote["voted_at"])
        known = self.acr is None or vote["acr"] in self.acr
        return known and (self.age_ms is None or vote["auth_time"] >= cast_at - self.age_ms)

    def of(self, waited_ms: int) -> frozenset[str]:
        """Return who is asked after a time; nobody where what proves them to one rule is nothing to another."""
        if self.acr is not None and not self.acr:
            return frozenset()
        return [names for after_ms, names in self.steps if after_ms <= max(waited_ms, 0)][-1]


class Polled(NamedTuple):
    """What votes come to: how many were wanted of whom, whose yes counts, who said no, and what is left of the arguments."""

    quorum: int
    eligible: tuple[str, ...]
    voters: tuple[str, ...]
    refused_by: str
    left: Plain
    proof: tuple[list[str], int] = ([], 0)

    @property
    def told(self) -> tuple[int, list[str], list[str], list[str], int]:
        """Return it as the `approval` of a verdict has it, without its end."""
        return self.quorum, list(self.eligible), list(self.voters), *self.proof

    @property
    def met(self) -> bool:
        return len(self.voters) >= self.quorum and not self.refused_by


def wanted_of(forms: list[Plain]) -> Wanted | None:
    """Return what all these `approval` entries want together, or None where there is none."""
    wanted: Wanted | None = None
    for form in forms:
        times = sorted({0, *(step["after_s"] * 1000 for step in form.get("escalate") or ())})
        steps = tuple((after_ms, frozenset(_names(form, after_ms))) for after_ms in times)
        acr = frozenset(form["acr"]) if form.get("acr") else None
        age_ms = form["auth_age_s_max"] * 1000 if form.get("auth_age_s_max") else None
        wanted = both(wanted, Wanted(form["quorum"], steps, form["expires_s"] * 1000, acr, age_ms))
    return wanted


def both(one: Wanted | None, other: Wanted | None) -> Wanted | None:
    """Return what two requirements want together."""
    if one is None or other is None:
        return one or other
    times = sorted({after_ms for wanted in (one, other) for after_ms, _ in wanted.steps})
    steps = tuple((after_ms, _common(one.of(after_ms), other.of(after_ms))) for after_ms in times)
    acr = other.acr if one.acr is None else one.acr if other.acr is None else one.acr & other.acr
    ages = [wanted.age_ms for wanted in (one, other) if wanted.age_ms is not None]
    least = min(one.expires_ms, other.expires_ms)
    return Wanted(max(one.quorum, other.quorum), steps, least, acr, min(ages) if ages else None)


def _names(form: Plain, after_ms: int) -> set[str]:
    names = set(form["from"])
    for step in form.get("escalate") or ():
        if step["after_s"] * 1000 <= after_ms:
            names |= set(step["to"])
    return names


def _common(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    return frozenset({name for name in one if _within(name, other)} | {name for name in other if _within(name, one)})


def _within(name: str, names: frozenset[str]) -> bool:
    """Whether all that a pattern covers is covered by others; of a group only by itself."""
    if name in names:
        return True
    return not name.startswith("group:") and any(
        wide.endswith("*") and not wide.startswith("group:") and name.startswith(wide[:-1]) for wide in names
    )


def poll(
    wanted: Wanted,
    votes: list[Plain],
    known: Joined,
    asked: Plain,
    arguments: Plain,
    declared: list[tuple[Argument, ...]],
    waited_ms: int,
    asked_at: int,
) -> Polled:
    """Return what `votes` come to, each of another voter, under what the case knows of their voters."""
    eligible = wanted.of(waited_ms)
    voters, refused_by, left = [], "", arguments
    for vote in votes:
        name = vote["voter"]
        if vote["proof"]["kid"] in known.fallen or not _counts(name, eligible, known, asked):
            continue
        if not wanted.takes(vote, asked_at):
            continue
        if not vote["approve"]:
            refused_by = refused_by or name
        elif vote["arguments"] is None:
            voters.append(name)
        elif not widened(arguments, offer := json.loads(vote["arguments"]), declared):
            voters.append(name)
            left = lesser(left, offer)
    return Polled(wanted.quorum, tuple(sorted(eligible)), tuple(voters), refused_by, left, wanted.proof)


def _counts(name: str, eligible: Iterable[str], known: Joined, asked: Plain) -> bool:
    who = known.voters.get(name)
    chained = {asked["actor"], asked["authority"], *known.chain, known.roots["actor"]["owner"]}
    if who is None or who["status"] != ACTIVE or name in chained or (who["owner"] and who["owner"] in chained):
        return False
    if any(one.startswith("group:") and one[6:] in who["groups"] for one in eligible):
        return True
    if "owner" in eligible and known.roots.get("resource", {}).get("owner") == name:
        return True
    return covers([one for one in eligible if one != "owner" and not one.startswith("group:")], name)


def widened(asked: Plain, offered: Plain, declared: list[tuple[Argument, ...]] | None = None) -> str:
    """Return the argument in which an offer is not narrower than what was asked, or an empty text.

    Where `declared` is None any may be left out, and no least value is held.
    """
    for name in sorted(asked.keys() | offered.keys()):
        if name not in asked:
            return name
        forms = [one for shape in declared or () for one in shape if one.name == name]
        if name not in offered:
            if declared is not None and (len(forms) < max(len(declared), 1) or any(one.required for one in forms)):
                return name
        elif not _narrower(asked[name], offered[name], [one.min for one in forms if one.min is not None]):
            return name
    return ""


def _narrower(asked: Any, offered: Any, least: list[int]) -> bool:
    if type(asked) is int and type(offered) is int:
        return offered <= asked and all(offered >= bound for bound in least)
    if isinstance(asked, list) and isinstance(offered, list):
        rest = iter([_text(one) for one in asked])
        return all(_text(one) in rest for one in offered)
    return _text(asked) == _text(offered)


def lesser(one: Plain, other: Plain) -> Plain:
    """Return what two sets of arguments, both narrower than what was asked, leave together."""
    left: Plain = {}
    for name in one.keys() & other.keys():
        if type(one[name]) is int:
            left[name] = min(one[name], other[name])
        elif isinstance(one[name], list):
            spare = [_text(member) for member in other[name]]
            kept = []
            for member in one[name]:
                if _text(member) in spare:
                    spare.remove(_text(member))
                    kept.append(member)
            left[name] = kept
        else:
            left[name] = one[name]
    return left


def _text(value: Any) -> bytes:
    return canonical([value])

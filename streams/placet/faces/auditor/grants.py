"""What may run under a grant: its digest recomputed, and under constraint never more than was asked."""

import json
from typing import Any

from placet.faces.auditor.asking import lesser, widened
from placet.faces.auditor.attempts import Attempt
from placet.faces.auditor.hashes import action_digest, canonical, is_canonical
from placet.faces.auditor.records import Fields
from placet.faces.auditor.table import CONSTRAIN, PERMIT

_ABSENT = object()


def digest_fault(said: Fields, asked: bytes) -> str:
    """Return why the granted digest is not that of what a grant lets run, or an empty text."""
    granted = said["granted_arguments"]
    if granted is None:
        wanted = said["action_digest"]
    elif not is_canonical(granted):
        return "the granted arguments are not canonical JSON"
    else:
        wanted = action_digest(said, granted)
        if granted == asked:
            return "grants arguments that do not differ from those asked, and says that they do"
    if said["granted_digest"] != wanted:
        return f"granted digest {said['granted_digest'].hex()[:12]}, what it grants has {wanted.hex()[:12]}"
    return ""


def narrowed(said: Fields, asked: bytes, attempt: Attempt) -> tuple[str, bytes]:
    """Return how a vote that counts goes beyond what was asked, or an empty text; and what all of them leave of it."""
    try:
        before: dict[str, Any] = json.loads(asked)
    except ValueError:
        return "arguments that are not JSON", asked
    left, fault = before, ""
    for voter in said["approval"]["voters"] if said["approval"] else ():
        _, vote = attempt.votes.get(voter, (b"", None))
        if vote is not None and vote["arguments"] is not None:
            offer = json.loads(vote["arguments"])
            if wide := widened(before, offer):
                fault = fault or f"the vote of `{voter}` widens `{wide}`"
            left = lesser(left, offer)
    return fault, canonical(left)


def widening(said: Fields, asked: bytes) -> str:
    """Return how what a verdict grants goes beyond what was asked or what it demands, or an empty text."""
    granted = said["granted_arguments"]
    if said["effect"] == PERMIT:
        return "a permit that changes arguments" if granted is not None or said["obligations"] else ""
    if said["effect"] != CONSTRAIN:
        return ""
    try:
        before: dict[str, Any] = json.loads(asked)
        after: dict[str, Any] = before if granted is None else json.loads(granted)
    except ValueError:
        return "arguments that are not JSON"
    limits = _bounds(said, "limit")
    fixed = _bounds(said, "read_only")
    redacted = {row["argument"] for row in said["obligations"] if row["kind"] == "redact"}
    for name in sorted(before.keys() | after.keys() | fixed.keys()):
        fault = _one(
            before.get(name, _ABSENT), after.get(name, _ABSENT), limits.get(name), fixed.get(name), name in redacted
        )
        if fault:
            return f"`{name}` {fault}"
    return ""


def _bounds(said: Fields, kind: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in said["obligations"]:
        if row["kind"] == kind:
            found.setdefault(row["argument"], []).append(json.loads(row["value"]))
    return found


def _one(before: Any, after: Any, limits: list[Any] | None, fixed: list[Any] | None, redacted: bool) -> str:
    if redacted:
        return "" if after is _ABSENT else "is granted though it is redacted"
    if after is _ABSENT:
        return "is missing in what is granted, and nothing redacts it"
    if fixed is not None:
        return "" if any(_same(after, value) for value in fixed) else "is not the value that makes it read-only"
    if before is _ABSENT:
        return "is granted and was not asked"
    if limits is not None:
        if isinstance(after, bool) or not isinstance(after, int | float):
            return "is limited and not a number"
        if any(after > bound for bound in limits):
            return f"is {after}, above its limit of {min(limits)}"
        return (
            ""
            if _same(before, after) or (after in limits and after < before)
            else "is more than was asked, or not its limit"
        )
    return "" if _same(before, after) else "differs from what was asked, and nothing demands that"


def _same(one: Any, other: Any) -> bool:
    return canonical(one) == canonical(other)

"""What replays found, told to a person at a terminal."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from placet.faces.cli import printing

ROWS_MOST = 15
BUDGET_HEADINGS = (
    "limit",
    "taken before",
    "taken after",
    "spent before",
    "spent after",
    "given back before",
    "given back after",
)
WORDS = {"blocked": "would be blocked", "passed": "would pass", "otherwise": "end the same by another answer"}


def tell_same(found: Mapping[str, Any]) -> None:
    """Print what came of deciding everything again."""
    if found["differences"]:
        rows = [
            (f"{one['partition']}@{one['offset']}", one["intent"], one["field"], one["recorded"], one["decided"])
            for one in found["differences"]
        ]
        headings = ("decision", "intent", "field", "recorded", "decided")
        printing.console().print(printing.table(headings, [[printing.shown(cell) for cell in row] for row in rows]))
    for why, count in sorted(found["not_decided"].items()):
        printing.say(printing.shown(f"{count} not decided again: {why}: {found['examples'].get(why, '')}"))
    passed = ", ".join(f"{count} {kind}" for kind, count in sorted(found["passed_over"].items()))
    rest = f"; passed over: {passed}" if passed else ""
    before = f"; {found['before_range']} before the range" if found["before_range"] else ""
    kept = f"{found['same']} of {found['verdicts']} verdicts"
    if found["reviews"]:
        kept += f" and {found['reviews_same']} of {found['reviews']} records of reviews"
    printing.say(f"{kept} came out the same, {found['differing']} differ{before}{rest}")


def tell_changes(found: Mapping[str, Any]) -> None:
    """Print what would have been otherwise."""
    for title, name in (("rule", "by_rule"), ("agent", "by_agent"), ("action", "by_action")):
        _table((title, "before", "after", "", "attempts"), found[name])
    people = {tuple(row[:-1]): row[-1] for row in found["people"]}
    if people:
        rows = [
            (what, people.get((what, "before"), 0), people.get((what, "after"), 0)) for what in ("asked", "let through")
        ]
        printing.console().print(printing.table(("people", "before", "after"), rows))
    amounts = budget_rows(found["budgets"])
    if amounts:
        printing.console().print(printing.table(BUDGET_HEADINGS, amounts))
    for kind, samples in found["samples"].items():
        printing.say()
        printing.say(printing.shown(kind))
        for one in samples:
            printing.say(printing.shown(f"  {one['intent']}: {one['agent']} {one['action']} {one['resource']}"))
            for sentence in one["why"]:
                printing.say(printing.shown(f"    {sentence}"))
    for name, what in (("not_decided", "not asked again"), ("not_on_record", "want a fact that nothing has")):
        for why, count in found[name]:
            printing.say(printing.shown(f"{count} {what}: {why}"))
    parts = ", ".join(f"{found[name]} {words}" for name, words in WORDS.items())
    printing.say(f"\n{found['changed']} of {found['attempts']} attempts change: {parts}")


def tell_steps(found: Mapping[str, Any]) -> None:
    """Print what turned an answer."""
    rows = [(one["what"], one["place"], one["effect"], one["reason"], one["alone"]) for one in found["steps"]]
    headings = ("change, in the order in which they came", "where", "then", "because", "alone")
    printing.console().print(printing.table(headings, [[printing.shown(cell) for cell in row] for row in rows]))
    before, after, turned = found["before"], found["after"], found["turned_by"]
    sides = f"seq {before['seq']} said {before['effect']}, seq {after['seq']} said {after['effect']}"
    if turned is None:
        printing.say(f"{sides}: no change turned it")
    else:
        printing.say(
            printing.shown(f"{sides}: turned by {turned['what']} ({turned['place'] or 'no record of the context'})")
        )


def budget_rows(budgets: Sequence[Sequence[Any]]) -> list[tuple[str, ...]]:
    """Return a row for each limit: taken, spent and given back, each before and after."""
    sums: Counter[tuple[str, str, str]] = Counter({(limit, side, what): n for limit, side, what, n in budgets})
    limits = sorted({limit for limit, _, _ in sums})
    places = [(side, what) for what in ("taken", "spent", "given back") for side in ("before", "after")]
    return [(limit, *(str(sums[limit, side, what]) for side, what in places)) for limit in limits]


def _table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    if not rows:
        return
    shown = [[printing.shown(str(cell)) for cell in row] for row in rows[:ROWS_MOST]]
    printing.console().print(printing.table(headings, shown))
    if len(rows) > ROWS_MOST:
        printing.say(f"and {len(rows) - ROWS_MOST} more; --json and --html have all")

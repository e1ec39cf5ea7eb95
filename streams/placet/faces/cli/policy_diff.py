"""`placet policy diff`: what one version of packs answers differently from another."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from placet.faces.cli import printing
from placet.faces.cli.decide import loaded
from placet.faces.cli.folders import pack_folders
from placet.faces.cli.verb import Exit, Json

if TYPE_CHECKING:
    from placet.policy.difference import Change, Difference
    from placet.policy.finding import Finding

EXAMPLE = "placet policy diff policies/payments policies/payments"
EXITS = {Exit.FINE: "nothing changes in what was looked at", Exit.FAULTY: "answers change, or a pack does not load"}

Old = Annotated[Path, typer.Argument(metavar="OLD", help="The folder of a pack, or one that holds such folders.")]
New = Annotated[Path, typer.Argument(metavar="NEW", help="What is to take its place.")]


def run(
    old: Old,
    new: New,
    cases: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many situations are looked at.")] = 5_000,
    seed: Annotated[
        str, typer.Option(help="Another seed makes other situations; the same always the same.")
    ] = "placet",
    as_json: Json = False,
) -> Exit:
    """Compare the answers of two versions of packs, the gravest loosening first.

    Looks at the tests of both and at situations made around them: on both sides of every constant
    the conditions compare with, of the bounds of declarations and of freshness. Each change is told
    by the rules that cause it, with a situation that `placet policy explain --file` takes as it is.
    Of a limit that measures something else, or over another window, it says what becomes of what was counted.
    """
    from placet.policy.difference import compare

    packs = [[loaded(folder) for folder in pack_folders([side])] for side in (old, new)]
    found = compare(*packs, cases=cases, seed=seed)
    if as_json:
        printing.emit(_data(found))
    else:
        _print(found)
    return Exit.FAULTY if found.changes else Exit.FINE


def _print(found: "Difference") -> None:
    for what, names in (("added", found.added), ("removed", found.removed), ("changed", found.changed)):
        if names:
            printing.say(f"rules {what}: {', '.join(names)}")
    for text in found.recounted:
        printing.say(text)
    for change in found.changes:
        kind = "loosened" if change.loosened > 0 else "tightened" if change.loosened else "other terms"
        effects = " to ".join(dict.fromkeys((_effect(change.old), _effect(change.new))))
        terms = f" ({', '.join(change.terms)})" if change.terms else ""
        printing.say(f"\n{kind}: {effects}{terms} in {change.count} situations: {_why(change)}")
        if change.example.says:
            printing.say(f"  {change.example.says}")
        situation = change.example.to_data()
        for part in ("given", "intent"):
            if part in situation:
                printing.say(f"  {part}: {json.dumps(situation[part], ensure_ascii=False)}")
    told = "no answer changes" if not found.changes else f"{len(found.changes)} kinds of change"
    printing.say(f"{'' if not found.changes else chr(10)}{told} in {found.cases} situations")


def _effect(finding: "Finding") -> str:
    return finding.effect.name.lower()


def _why(change: "Change") -> str:
    names = ", ".join(change.rules)
    if change.terms:
        return f"by {names or 'no rule'}"
    if not names:
        return "no rule grants it any more" if change.loosened < 0 else "no rule was about it before"
    return f"{names} {'decides no more' if change.loosened > 0 else 'decides now'}"


def _data(found: "Difference") -> dict[str, Any]:
    return {
        "situations": found.cases,
        "rules": {"added": found.added, "removed": found.removed, "changed": found.changed},
        "recounted": found.recounted,
        "changes": [
            {
                "loosened": change.loosened,
                "old": {"effect": change.old.effect, "reason": change.old.reason, "rules": change.old.rules},
                "new": {"effect": change.new.effect, "reason": change.new.reason, "rules": change.new.rules},
                "rules": change.rules,
                "terms": change.terms,
                "actions": sorted(change.actions),
                "situations": change.count,
                "example": change.example.to_data(),
            }
            for change in found.changes
        ],
    }

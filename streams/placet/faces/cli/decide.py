"""`placet decide`: what packs would answer to one intent, with nothing sent and nothing stored."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from placet.faces.cli import printing
from placet.faces.cli.folders import SHIPPED, pack_folders, shipped
from placet.faces.cli.inputs import text_of
from placet.faces.cli.policy_check import load
from placet.faces.cli.verb import Exit, Failure, Json

if TYPE_CHECKING:
    from placet.policy.contents import Pack
    from placet.policy.finding import Finding
    from placet.policy.situations import Given, IntentGiven

EXAMPLE = """
placet decide refund.yaml --pack policies/payments

with refund.yaml:
  given: {risk: 20, sensitivity: internal}
  intent: {actor: agent:ada, action: payments.refund, resource: order/7, arguments: {amount: 900, currency: EUR}}
"""
EXITS = {
    Exit.FINE: "permitted, perhaps with obligations",
    Exit.FAULTY: "the file or a pack does not load",
    Exit.REFUSED: "not permitted: step_up, defer or deny",
}


def run(
    file: Annotated[Path, typer.Argument(help="`given` and `intent`, as in a pack's tests.yaml; `-` is stdin.")],
    packs: Annotated[
        list[Path] | None,
        typer.Option(
            "--pack", metavar="DIR", help="A pack's folder; may be given often. Else those that come with placet."
        ),
    ] = None,
    as_json: Json = False,
) -> Exit:
    """Decide one intent under facts from a file, by the packs in folders.

    Everything the file does not name is known, fresh and harmless. Shows which
    rules decided, why, and what would run.
    """
    from placet.model.reasons import Effect
    from placet.policy.evaluate import NO_RULE, PolicySet
    from placet.policy.situations import case_of

    given, intent = situation(file)
    known = [loaded(folder) for folder in pack_folders(packs or [shipped(name) for name in SHIPPED])]
    plan = PolicySet.of(known).plan(intent.action)
    case = case_of(given, intent)
    finding = plan.decide(case, sample=True) if plan else NO_RULE
    fired = list(plan.fired(case)) if plan else []
    answer = _answer(finding, intent, known, fired)
    if as_json:
        printing.emit(answer)
    else:
        _print(answer)
    return Exit.FINE if finding.effect in (Effect.PERMIT, Effect.CONSTRAIN) else Exit.REFUSED


def situation(file: Path) -> "tuple[Given, IntentGiven]":
    """Return what a file says is known and asked; fault by fault where it does not load."""
    from placet.policy import documents
    from placet.policy.diagnostics import PackError
    from placet.policy.forms import Form
    from placet.policy.pack import validate
    from placet.policy.situations import Expected, Given, IntentGiven

    class Situation(Form):
        says: str = ""
        given: Given = Given()
        intent: IntentGiven
        expect: Expected | None = None

    try:
        situation, faults = validate(Situation, documents.read(str(file), text_of(file)))
    except PackError as error:
        situation, faults = None, list(error.diagnostics)
    if situation is None:
        raise Failure(Exit.FAULTY, "\n".join(str(fault) for fault in faults), "placet decide --help")
    return situation.given, situation.intent


def loaded(folder: Path) -> "Pack":
    """Return the pack of a folder; fault by fault where it does not load."""
    pack, faults = load(folder)
    if pack is None:
        raise Failure(Exit.FAULTY, "\n".join(str(fault) for fault in faults), f"placet policy check {folder}")
    return pack


def _answer(finding: "Finding", intent: "IntentGiven", packs: "list[Pack]", fired: list[str]) -> dict[str, Any]:
    from placet.model.reasons import Effect
    from placet.policy.obligations import apply

    granting = finding.effect in (Effect.PERMIT, Effect.CONSTRAIN, Effect.STEP_UP)
    because = {rule.name: rule.because for pack in packs for rule in pack.rules}
    return {
        "effect": finding.effect,
        "reason": finding.reason,
        "rules": [{"rule": name, "because": because[name]} for name in finding.rules],
        "fired": fired,
        "missing": finding.missing,
        "obligations": [
            {"kind": one.kind, "argument": one.argument, "value": one.value} for one in finding.obligations
        ],
        "granted": apply(intent.arguments, finding.obligations) if granting else None,
        "claim": "required" if finding.claim_required else "granted",
        "lease_ms": finding.lease_ms if granting else 0,
        "act_ms_max": finding.act_ms_max if granting else 0,
        "engine": _engine(),
    }


def _engine() -> str:
    from placet.policy.evaluate import ENGINE

    return ENGINE


def _print(answer: dict[str, Any]) -> None:
    out = printing.console()
    out.print(printing.styled(answer["effect"].name.lower()), f"({answer['reason'].name.lower()})")
    for row in answer["rules"]:
        printing.say(f"  {row['rule']}: {row['because']}")
    if answer["missing"]:
        printing.say(f"  missing or silent: {', '.join(answer['missing'])}")
    for one in answer["obligations"]:
        printing.say(f"  demands {one['kind']} {one['argument']} {one['value']}".rstrip())
    if answer["granted"] is not None:
        printing.say(f"  would run with {answer['granted']}")
        printing.say(
            f"  claim {answer['claim']} within {answer['lease_ms']} ms, outcome within {answer['act_ms_max']} ms"
        )
    others = [name for name in answer["fired"] if name not in {row["rule"] for row in answer["rules"]}]
    if others:
        printing.say(f"  also matched: {', '.join(others)}")

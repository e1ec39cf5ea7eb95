"""`placet policy explain`: why packs say what they say of one situation, rule by rule."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from placet.faces.cli import printing
from placet.faces.cli.decide import loaded, situation
from placet.faces.cli.folders import pack_folders
from placet.faces.cli.policy_check import Folders
from placet.faces.cli.verb import Exit, Json, usage

if TYPE_CHECKING:
    from placet.policy.contents import Pack
    from placet.policy.situations import Given, IntentGiven

EXAMPLE = """
placet policy explain policies/payments --test 'over the limit'
placet policy explain policies/payments --file refund.yaml
"""
EXITS = {Exit.FAULTY: "the file or a pack does not load"}


def run(
    folders: Folders,
    test: Annotated[
        str, typer.Option(help="One of the packs' own tests: by its sentence, else the first that contains this.")
    ] = "",
    file: Annotated[
        Path | None, typer.Option("--file", help="A situation as `placet decide` takes it; `-` is stdin.")
    ] = None,
    as_json: Json = False,
) -> Exit:
    """Explain what packs say of a situation: the facts, every rule about the action, each clause with its value.

    Where the answer is no grant it says why not, and the smallest change of amounts, scores, ranks
    or ages that would make it one: each was tried before it is printed, and none is given for what
    is in a set. The situation is one of the packs' own tests, or a file.
    """
    from placet.policy.evaluate import PolicySet
    from placet.policy.explain import explain
    from placet.policy.situations import case_of

    if bool(test) == (file is not None):
        raise usage("expected one of --test TEXT and --file FILE", "placet policy explain --help")
    packs = [loaded(folder) for folder in pack_folders(folders)]
    given, intent = situation(file) if file is not None else _tested(packs, test)
    data = explain(PolicySet.of(packs), case_of(given, intent)).to_data()
    if as_json:
        printing.emit(data)
    else:
        _print(data)
    return Exit.FINE


def _tested(packs: "list[Pack]", text: str) -> "tuple[Given, IntentGiven]":
    tests = [one for pack in packs for one in pack.tests if text in one.says]
    for one in sorted(tests, key=lambda one: one.says != text)[:1]:
        printing.note(one.says)
        return one.given, one.intent
    raise usage(f"--test: no test says `{text}`", "placet policy test DIR --json lists them")


def _print(data: dict[str, Any]) -> None:
    out = printing.console()
    finding = data["finding"]
    out.print(printing.styled(finding["effect"]), f"{data['action']} ({finding['reason'].lower()})")
    if data["facts"]:
        printing.say("\nfacts")
    for fact in data["facts"]:
        age = "" if fact["observed_ms"] is None else f", observed {fact['observed_ms']} ms ago"
        printing.say(f"  {fact['fact']}: {fact['state']}{age}")
    for rule in data["rules"]:
        printing.say(f"\n{rule['rule']}: {rule['because']}")
        said = f"says {rule['effect']}" if rule["spoke"] else "says nothing"
        printing.say(f"  {said}: {rule['why']}")
        for clause in rule["clauses"]:
            value = {True: "true", False: "false"}.get(clause["value"], clause["value"])
            printing.say(f"  {'  ' * clause['depth']}{value!s:<5}  {clause['text']}")
        for name, value in rule["reads"].items():
            printing.say(f"    {name} = {value!r}")
    if data["why_not"]:
        printing.say("\nwhy not")
    for sentence in data["why_not"]:
        printing.say(f"  {sentence}")
    if data["emergency"]:
        printing.say(f"\nemergency\n  {data['emergency']}")
    _print_bounds(data["bounds"], "any one of these would by itself make it")
    _print_bounds(data["together"], "all of these together would make it")
    if data["rules_elsewhere"]:
        printing.say(f"\n{data['rules_elsewhere']} other rules are about other actions")


def _print_bounds(bounds: list[dict[str, Any]], heading: str) -> None:
    if bounds:
        printing.say(f"\n{heading} {' or '.join(sorted({bound['effect'] for bound in bounds}))}")
    for bound in bounds:
        printing.say(f"  {bound['name']} {bound['comparison']} {bound['value']} (it is {bound['seen']})")

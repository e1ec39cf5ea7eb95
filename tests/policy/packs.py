"""Small packs and cases written in a line or two, for the tests of this folder."""

from typing import Any

from placet.model.case import Case
from placet.policy.contents import Pack
from placet.policy.pack import load_pack
from placet.policy.situations import Given, IntentGiven, case_of

ACTIONS = """
  pay.refund:
    arguments:
      amount: {type: int, min: 1, max: 1000000}
      note: {type: string, required: false, max_length: 100}
      tags: {type: list<string>, required: false}
      dry_run: {type: bool, required: false}
    read_only: {dry_run: true}
"""


def pack(rules: str, *, name: str = "small", head: str = "", actions: str = ACTIONS) -> Pack:
    """Return a pack of `rules` (YAML of a list) over `pay.refund`; `head` is put into `pack.yaml`."""
    about = f'name: {name}\nversion: "1"\ndescription: for a test\nactions:{actions}\n{head}\n'
    return load_pack({"pack.yaml": about, "rules.yaml": f"rules:\n{rules}\n"})


def rule(id_: str, effect: str = "permit", when: str | None = None, on: str = "pay.refund", **more: str) -> str:
    """Return the YAML of one rule; what each effect needs is added."""
    needs = {
        "constrain": {"obligations": "[{redact: {arguments: [note]}}]"},
        "step_up": {"approval": '{quorum: 1, from: ["group:finance"], expires_s: 60}'},
    }.get(effect, {})
    fields = {"id": id_, "on": f'["{on}"]', "effect": effect, "because": "of a test"} | needs | more
    if when is not None:
        fields["when"] = '"' + when.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "  - {" + ", ".join(f"{key}: {value}" for key, value in fields.items()) + "}"


def case(given: dict[str, Any] | None = None, **intent: Any) -> Case:
    """Return a case of `pay.refund` for 100, where not said otherwise."""
    asked = {"action": "pay.refund", "arguments": {"amount": 100}} | intent
    return case_of(Given.model_validate(given or {}), IntentGiven.model_validate(asked))

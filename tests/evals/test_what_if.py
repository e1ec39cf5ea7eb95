"""What the recorded agents would have met under other packs: a replay of their own history, asked again."""

import contextlib
import io
import json
import re
from pathlib import Path
from typing import Any

from placet.faces.cli.app import main
from tests.evals.agentdojo.drive import PACKS, drive
from tests.evals.agentdojo.runs import read_runs


def test_recorded_agents_under_a_stricter_and_a_looser_pack(recorded: Path, tmp_path: Path) -> None:
    """The banking runs of one model: money after text from outside is denied, or let through, where people were asked."""
    runs = [
        run for run in read_runs(recorded / "agentdojo") if run.suite == "banking" and run.model == "gpt-4-0125-preview"
    ]
    driven = list(drive(runs, tmp_path / "run", synced=False))
    said = [one for each in driven for one in each.said]
    asked_people = sum(one.effect.name == "STEP_UP" for one in said)
    assert asked_people > 10
    texts = {path.name: path.read_text("utf-8") for path in (PACKS / "banking").iterdir() if path.name != "tests.yaml"}
    told = {}
    for name, effect in (("same", "step_up"), ("stricter", "deny"), ("looser", "permit")):
        folder = tmp_path / name / "banking"
        folder.mkdir(parents=True)
        rules = _by(texts["rules.yaml"], effect)
        for file, text in {**texts, "rules.yaml": rules}.items():
            (folder / file).write_text(text, "utf-8")
        out = tmp_path / f"{name}.html"
        told[name] = _json(
            [
                "replay",
                "--data",
                str(tmp_path / "run"),
                "--what-if",
                str(folder),
                "--html",
                str(out),
                "--jobs",
                "1",
                "--json",
            ]
        )
        assert "<script" not in out.read_text("utf-8")
    assert [told["same"][key] for key in ("attempts", "changed")] == [len(said), 0]
    assert {tuple(row[1:4]) for row in told["stricter"]["by_action"]} == {("step_up", "deny", "otherwise")}
    assert told["stricter"]["changed"] == asked_people
    assert {tuple(row[1:4]) for row in told["looser"]["by_action"]} == {("step_up", "permit", "passed")}
    assert told["looser"]["passed"] == asked_people


def _by(rules: str, effect: str) -> str:
    """Return rules whose step_ups are of another effect; what asks people goes with them."""
    if effect == "step_up":
        return rules
    return re.sub(r"\n *approval: .*", "", rules.replace("effect: step_up", f"effect: {effect}"))


def _json(words: list[str]) -> dict[str, Any]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(words) == 0
    told: dict[str, Any] = json.loads(out.getvalue())
    return told

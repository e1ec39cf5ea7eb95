"""The examples in the help of every verb: each is right usage, and what needs no broker runs as it stands there."""

import os
import re
import shlex
import shutil
from pathlib import Path
from types import ModuleType

import pytest
import typer

from placet.drivers.settings import Settings
from placet.faces.cli import app, decide
from placet.faces.cli.app import VERBS
from placet.faces.gateway.server import Server
from tests.architecture.house import ROOT
from tests.faces.cli.said import placet

EVENT = ROOT / "tests" / "vectors" / "ssf" / "caep" / "session-revoked-1.json"
ELSEWHERE = {
    "up",
    "demo",
    "worker",
    "context",
    "bench",
    "notary",
    "ledger serve",
    "policy watch",
    "topics apply",
    "topics diff",
    "acls apply",
    "doctor",
    "schema register",
    "identity",
    "keys put",
    "prove",
    "verify",
    "witness",
}
"""Verbs that serve, measure, need a broker or files of others: tests of their own run them."""
LAST = (
    "submit",
    "withdraw",
    "settle",
    "approvals show",
    "approvals approve",
    "approvals reject",
    "show",
    "tail",
    "audit",
    "replay",
    "policy rollback",
    "halt",
    "resume",
)
"""Verbs that need what the others have said; `keys add` comes after all, for a running desk does not know that key."""
ENDS = {
    "submit": 5,
    "withdraw": 5,
    "settle": 5,
    "approvals show": 1,
    "approvals approve": 1,
    "approvals reject": 1,
    "policy rollback": 3,
    "resume": 5,
    "mandate show refunds": 5,
    "replay --bisect 01a21e1f0e3473838648ffcbafb36ce4": 1,
    "keys rotate": 2,
    "keys revoke": 2,
}
"""Exit codes other than 0: no key has the name of the help, no mandate is named, nothing is open, unknown or pending under the id of the help, no set was before,
a second operator has not spoken; the agent of the examples is suspended in one of them."""


def examples(module: ModuleType) -> list[list[str]]:
    """Return the words after `placet` of each example, as a shell reads them."""
    lines = re.sub(r"\\\n\s*", "", module.EXAMPLE).splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("placet ")]


EVERY = [(f"{group} {name}".strip(), words) for group, name, module in VERBS for words in examples(module)]


@pytest.mark.parametrize(("verb", "words"), EVERY, ids=[" ".join(words[:4]) for _, words in EVERY])
def test_an_example_is_right_usage(verb: str, words: list[str]) -> None:
    command = typer.main.get_command(app)
    for name in verb.split():
        command = command.commands[name]  # type: ignore[attr-defined]
    command.make_context(verb, words[len(verb.split()) :])


def test_the_examples_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in os.environ if name.startswith("PLACET_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    for folder in ("policies", "schemas"):
        Path(folder).symlink_to(ROOT / folder)
    _, _, file = decide.EXAMPLE.partition("refund.yaml:\n")
    Path("refund.yaml").write_text(file)
    Path("intent.yaml").write_text(file[file.index("  intent:") :].replace("  intent:", "intent:"))
    shutil.copy(EVENT, "session-revoked.json")
    story = sorted(
        (
            verb not in ("policy push", "policy activate"),
            verb == "keys add",
            LAST.index(verb) if verb in LAST else -1,
            at,
        )
        for at, (verb, words) in enumerate(EVERY)
        if verb not in ELSEWHERE and "--bootstrap" not in words
    )
    server = Server(Settings(data=Path("run"), port=0, partitions=1))
    try:
        for *_, at in story:
            verb, words = EVERY[at]
            given = [
                found
                for word in words
                for found in (sorted(map(str, Path().glob(word))) if "*" in word else []) or [word]
            ]
            if verb == "tail" and "--no-follow" not in given:
                given.append("--no-follow")
            said = placet(capsys, *given)
            assert said.code == ENDS.get(" ".join(words[:3]), ENDS.get(verb, 0)), (given, said)
    finally:
        server.stop()

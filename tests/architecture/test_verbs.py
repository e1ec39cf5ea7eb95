"""Every verb can be learned from its help: an example that starts like the verb, `--json`, and its exit codes."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any

import pytest
import typer

from placet.faces.cli import app, main
from tests.architecture.house import ROOT

EXITS = {
    "0": "fine",
    "1": "could not run",
    "2": "wrong usage",
    "3": "found faulty",
    "4": "a test failed",
    "5": "refused",
}
# The names issues, scripts and people rely on; later ones are added, none of these changes.
RELIED_ON = {
    "up",
    "worker",
    "topics apply",
    "topics diff",
    "acls show",
    "acls apply",
    "doctor",
    "context",
    "publish risk",
    "publish sensitivity",
    "publish principal",
    "publish mandate",
    "mandate grant",
    "mandate narrow",
    "mandate revoke",
    "mandate show",
    "policy push",
    "policy activate",
    "policy rollback",
    "policy check",
    "policy test",
    "policy explain",
    "withdraw",
    "settle",
    "demo",
    "submit",
    "decide",
    "tail",
    "show",
    "audit",
    "prove",
    "verify",
    "witness",
    "schema check",
    "bench",
}


def verbs() -> Iterator[tuple[str, Any]]:
    """Yield every verb that does something: its words after `placet`, and its command."""
    waiting = [("", typer.main.get_command(app))]
    while waiting:
        words, command = waiting.pop()
        inner = getattr(command, "commands", None)
        if inner is None:
            yield words, command
        else:
            waiting += [(f"{words} {name}".strip(), child) for name, child in inner.items()]


EVERY = sorted(verbs(), key=lambda verb: verb[0])


def help_of(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main([*words.split(), "--help"]) == 0
    # Boxes and colours are for a terminal; what counts is the text.
    return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)


def test_the_verbs_people_rely_on_are_there() -> None:
    assert {words for words, _ in EVERY} >= RELIED_ON


@pytest.mark.parametrize(("words", "command"), EVERY, ids=[words for words, _ in EVERY])
def test_a_verb_says_what_it_does_with_an_example_of_itself(
    words: str, command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    text = help_of(words, capsys)
    assert (command.help or "").strip(), "no first sentence"
    example = re.search(r"Example:\W*(placet\b[^\n]*)", text)
    assert example is not None, text
    assert re.match(rf"placet {words}\b", example[1]), example[1]


@pytest.mark.parametrize(("words", "command"), EVERY, ids=[words for words, _ in EVERY])
def test_a_verb_can_answer_as_json(words: str, command: Any) -> None:
    options = {option for parameter in command.params for option in parameter.opts}
    assert "--json" in options


@pytest.mark.parametrize(("words", "command"), EVERY, ids=[words for words, _ in EVERY])
def test_a_verb_documents_its_exit_codes(words: str, command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    said = help_of(words, capsys).split("Exit codes:")
    assert len(said) == 2, "no exit codes"
    codes = set(re.findall(r"^\W*([0-9])\s+\w", said[1], re.MULTILINE))
    assert {"0", "1", "2"} <= codes <= EXITS.keys()


@pytest.mark.parametrize(("words", "command"), EVERY, ids=[words for words, _ in EVERY])
def test_an_option_nobody_knows_is_wrong_usage(words: str, command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words.split(), "--no-such-option"]) == 2
    assert "--no-such-option" in capsys.readouterr().err


def test_the_command_that_is_installed_is_this_one() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert list(scripts) == ["placet"]
    assert EntryPoint("placet", scripts["placet"], "console_scripts").load().__module__ == "placet.faces.cli.app"

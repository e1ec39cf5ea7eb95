"""Every verb fails the same way: exit code, what and where on stderr, and what to do next."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from placet.errors import Corrupted, PoisonRecord, Unavailable, Unsure
from placet.faces.cli import policy_check, printing
from placet.faces.cli.configured import settings_with
from placet.faces.cli.inputs import duration_ms, pairs_of
from placet.faces.cli.place import Place, resolve
from placet.faces.cli.verb import Exit, Failure
from placet.model.reasons import Reason
from tests.faces.cli.said import placet

Caps = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("arguments", "says", "next_"),
    [
        (["polcy"], "no such command 'polcy'", "placet --help"),
        (["policy", "chekc"], "no such command 'chekc'", "placet policy --help"),
        (["policy", "check"], "missing argument", "placet policy check --help"),
        (["policy", "check", "--no"], "no such option", "placet policy check --help"),
        (["show", "xyz"], "expected 32 hex digits", "next"),
        (
            ["tail", "--data", "a", "--url", "http://b"],
            "--url and --data: one journal at a time",
            "leave all but --url away",
        ),
        (["tail", "nonsense", "--data", "a"], "`nonsense`: expected one of intents", ""),
        (["tail", "--for", "soon", "--data", "a"], "`soon` is no duration", ""),
        (["settle", "00" * 16, "maybe", "--authority", "user:a"], "expected done or failed", ""),
        (["publish", "risk", "user:a"], "expected a SUBJECT and a SCORE", ""),
        (["publish", "sensitivity", "r", "secret", "--data", "a"], "`secret`: expected one of public", ""),
        (["publish", "principal", "nobody", "--data", "a"], "`nobody`: expected one of user", ""),
        (["publish", "principal", "user:a b", "--data", "a"], "user:a b", ""),
        (
            ["mandate", "grant", "m", "--from", "user:a", "--to", "agent:b", "--data", "a"],
            "at least one --action",
            "",
        ),
        (["submit", "a.b", "--actor", "agent:x", "--data", "a"], "RESOURCE is missing", ""),
        (
            ["submit", "a.b", "r", "--actor", "agent:x", "--arguments", "[1]", "--data", "a"],
            "expected a JSON object",
            "",
        ),
        (["bench", "nothing"], "`nothing`: expected one of desk", ""),
        (["topics", "apply"], "--bootstrap is missing", ""),
        (["decide", "/nonexistent.yaml"], "/nonexistent.yaml: no such file", ""),
        (["policy", "explain", "policies/payments"], "expected one of --test TEXT and --file FILE", ""),
    ],
)
def test_wrong_usage_says_what_was_expected_and_exits_2(
    arguments: list[str], says: str, next_: str, capsys: Caps, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PLACET_URL", "PLACET_BOOTSTRAP", "PLACET_DATA"):
        monkeypatch.delenv(name, raising=False)
    said = placet(capsys, *arguments)
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert says in said.err
    assert next_ in said.err + "next"


def test_with_json_an_error_is_json_too(capsys: Caps) -> None:
    said = placet(capsys, "policy", "check", "/nonexistent", "--json")
    assert said.code == 2
    assert said.json == {
        "error": "/nonexistent: no such folder: expected a pack with pack.yaml and rules.yaml",
        "next": "placet policy check DIR",
        "exit": 2,
    }


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (Failure(Exit.REFUSED, "no", "ask again"), 5),
        (PoisonRecord("field x", Reason.MALFORMED), 2),
        (Unavailable("nobody answers"), 1),
        (Unsure("the answer was lost"), 1),
        (Corrupted("two things disagree"), 3),
    ],
)
def test_each_way_to_fail_has_its_exit_code_and_never_a_traceback(
    raised: Exception, code: int, capsys: Caps, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(folders: object) -> None:
        raise raised

    monkeypatch.setattr(policy_check, "pack_folders", fails)
    said = placet(capsys, "policy", "check", "x")
    assert said.code == code
    assert said.err.startswith(f"error: {raised}\n")
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "text", ["{'sasl.password': 's3cret'}", "s3cret", '["s3cret"]', '{"s3cret": ', '{"a": ["s3cret"]}']
)
def test_what_the_environment_says_wrongly_is_wrong_usage_and_is_not_shown(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACET_KAFKA", text)
    with pytest.raises(Failure) as failed:
        settings_with()
    assert failed.value.exit_code is Exit.USAGE
    assert str(failed.value).startswith("PLACET_KAFKA")
    assert "s3cret" not in str(failed.value) + failed.value.hint


@pytest.mark.parametrize("words", [[], ["policy"], ["publish"]])
def test_a_group_alone_shows_its_help(words: list[str], capsys: Caps) -> None:
    said = placet(capsys, *words)
    assert said.code == 0
    assert "Usage: placet" in said.out


def test_the_version_is_that_of_the_package(capsys: Caps) -> None:
    import placet as package

    assert placet(capsys, "--version").out == f"placet {package.__version__}\n"


@pytest.mark.parametrize(
    ("given", "env", "place"),
    [
        (("http://h:1/", None, None), {}, Place(url="http://h:1")),
        ((None, "h:9092", None), {"PLACET_URL": "http://x"}, Place(bootstrap="h:9092")),
        ((None, None, Path("d")), {"PLACET_BOOTSTRAP": "h:1"}, Place(data=Path("d"))),
        ((None, None, None), {"PLACET_URL": "https://x"}, Place(url="https://x")),
        ((None, None, None), {"PLACET_BOOTSTRAP": "h:1"}, Place(bootstrap="h:1")),
        ((None, None, None), {"PLACET_DATA": "e"}, Place(data=Path("e"))),
        ((None, None, None), {}, Place(data=Path("data"))),
    ],
)
def test_what_is_given_goes_before_the_environment(
    given: tuple[str | None, str | None, Path | None], env: dict[str, str], place: Place
) -> None:
    assert resolve(*given, env=env) == place


@pytest.mark.parametrize(
    ("given", "env"),
    [
        (("h:1", None, None), {}),
        ((None, "h", None), {}),
        ((None, None, None), {"PLACET_URL": "http://x", "PLACET_BOOTSTRAP": "h:1"}),
    ],
)
def test_a_journal_that_cannot_be_meant_is_wrong_usage(
    given: tuple[str | None, str | None, Path | None], env: dict[str, str]
) -> None:
    with pytest.raises(Failure) as failed:
        resolve(*given, env=env)
    assert failed.value.exit_code is Exit.USAGE


@pytest.mark.parametrize(
    ("text", "ms"), [("20s", 20_000), ("5m", 300_000), ("250ms", 250), ("2", 2_000), ("1d", 86_400_000)]
)
def test_a_duration_is_read(text: str, ms: int) -> None:
    assert duration_ms(text, "--for") == ms


@pytest.mark.parametrize("text", ["", "s", "-1s", "1.5s", "1w"])
def test_what_is_no_duration_is_wrong_usage(text: str) -> None:
    with pytest.raises(Failure):
        duration_ms(text, "--for")


def test_pairs_keep_what_follows_the_first_equals_sign() -> None:
    assert pairs_of(["a=b=c"], "--attribute") == {"a": "b=c"}
    with pytest.raises(Failure):
        pairs_of(["a"], "--attribute")


def test_records_bytes_and_enums_become_json() -> None:
    assert printing.plain({"exit": Exit.FAULTY, "raw": b"\x01", "path": Path("x"), "many": (1, None)}) == {
        "exit": "faulty",
        "raw": "01",
        "path": "x",
        "many": [1, None],
    }


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "placet.faces.cli", *arguments], capture_output=True, text=True, check=False, env=env
    )


def test_no_colour_where_nobody_wants_it() -> None:
    forced = run("policy", "check", "--help", NO_COLOR="1", FORCE_COLOR="1", TERM="xterm").stdout
    assert not re.search(r"\x1b\[[0-9;]*[349][0-7]", forced)
    assert "\x1b" not in run("--help").stdout


def test_a_reader_that_goes_away_early_is_no_error() -> None:
    command = f"{sys.executable} -m placet.faces.cli policy test policies/payments --json | head -c 1"
    ended = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "{", "")


def test_json_goes_to_stdout_alone() -> None:
    ended = run("policy", "explain", "policies/payments", "--test", "over the limit", "--json")
    assert json.loads(ended.stdout)["finding"]["effect"] == "step_up"
    assert ended.stderr == "a refund over the limit waits for two people of finance\n"

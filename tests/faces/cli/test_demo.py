"""The demo as people run it: it tells its story, audits itself, and is found clean by another process."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from placet.faces.demo import cast
from placet.faces.demo.board import Board
from placet.faces.demo.clockwork import Clockwork
from placet.faces.demo.feeds import Feeds, alive
from placet.faces.demo.view import Lines, Screen, _screen, chosen
from placet.faces.sdk.sealed import Sealed
from placet.model.codec.verdict import Verdict
from placet.model.reasons import Effect, Reason, State
from placet.model.topics import Topic
from placet.ports import Rec
from tests.faces.shop import open_shop, until


def placet(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "placet.faces.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


def test_the_demo_tells_its_story_and_its_own_audit_is_clean(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    ended = placet("demo", "--for", "5s", "--data", folder, "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    summary = json.loads(ended.stdout)
    assert summary["audit"]["clean"]
    assert summary["tally"]["revoked"] >= 1, "a risk signal revokes an open grant"
    assert summary["tally"]["resolved"] >= 1, "what waited for a fact is granted when it arrives"
    assert set(summary["tally"]["effects"]) >= {"permit", "constrain", "defer", "deny"}
    assert summary["books"]["refunds"] >= 1
    assert not (folder / "http.json").exists()
    audited = placet("audit", "--data", folder, "--json")
    assert (audited.returncode, json.loads(audited.stdout)["clean"]) == (0, True)


def test_without_a_terminal_each_thing_that_happens_is_a_line_and_a_folder_can_be_used_again(tmp_path: Path) -> None:
    first, second = (placet("demo", "--for", lasts, "--data", tmp_path / "run") for lasts in ("5s", "3s"))
    for ended in (first, second):
        assert (ended.returncode, ended.stderr) == (0, "")
        assert "intents in" in ended.stdout
        assert "clean: read" in ended.stdout
        assert "\x1b" not in ended.stdout
    signal = "identity provider: risk of agent:treasury-bot is 90 (risk-level-change: password found in a data breach)"
    revoked = "desk: revoked agent:treasury-bot payments.transfer account/payee/9"
    assert first.stdout.index(signal) < first.stdout.index(revoked)


def test_the_companys_feeds_are_alive_while_it_plays_and_nobody_waits_for_them_after(tmp_path: Path) -> None:
    with open_shop(tmp_path / "data") as shop, shop.connect() as connection:

        def marked(feed: tuple[Topic, str]) -> int:
            marks = [record for _, name, record in shop.records(feed[0]) if name == "watermark"]
            return max((mark.at for mark in marks if mark.source == feed[1]), default=-1)

        began_at = connection.clock.now_ms()
        with alive(connection):
            until("every feed is marked", lambda: all(marked(feed) >= began_at for feed in cast.FEEDS))
        ended = {feed[0]: list(shop.records(feed[0]))[-1][2] for feed in cast.FEEDS}
        assert {mark.at for mark in ended.values()} == {0}


def test_an_audit_that_finds_something_makes_the_demo_exit_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from placet.faces import demo
    from placet.faces.cli import main

    tally = Board().tally()
    books = dict.fromkeys(("refunds", "refunded", "transfers", "queries", "exports", "releases", "changes"), 0)
    report = {"clean": False, "checks": [], "read": {}, "decided_again": "all"}
    monkeypatch.setattr(demo, "perform", lambda data, for_s, view: demo.Summary(data, 1.0, tally, books, report))
    assert main(["demo", "--data", str(tmp_path)]) == 3
    assert "VIOLATED" in capsys.readouterr().out


def verdict(state: State, effect: Effect, *, seq: int, previous: int = -1, stop: bool = False) -> Sealed:
    values: dict[str, Any] = dict.fromkeys(Verdict._fields, b"")
    values |= dict.fromkeys(
        ("tenant", "actor", "authority", "mandate", "action", "resource", "purpose", "executor"), "x"
    )
    values |= dict.fromkeys(("rules", "missing", "obligations", "holds", "bounds", "ask"), ())
    record = Verdict(**values)._replace(
        id=bytes(16),
        attempt=1,
        partition=0,
        seq=seq,
        previous_seq=previous,
        instant=1,
        state=state,
        effect=effect,
        reason=Reason.PERMITTED,
        stop=stop,
        granted_arguments=None,
        expires_at=0,
    )
    return Sealed(Rec(4, 0, seq, 1, b"", b""), "verdict", record)


def test_a_board_counts_first_answers_and_keeps_what_is_open() -> None:
    board = Board()
    board.heard(0, [verdict(State.DEFERRED, Effect.DEFER, seq=0)])
    assert [one.state for one in board.open()] == [State.DEFERRED]
    board.heard(0, [verdict(State.GRANTED, Effect.PERMIT, seq=1, previous=0)])
    board.heard(0, [verdict(State.CLAIMED, Effect.PERMIT, seq=2, previous=1)])
    board.heard(0, [verdict(State.CLAIMED, Effect.PERMIT, seq=3, previous=2, stop=True)])
    tally = board.tally()
    assert (tally.intents, tally.effects, tally.resolved, tally.stopped) == (1, {"defer": 1}, 1, 1)
    assert tally.states == {"deferred": 1, "granted": 1, "claimed": 1}
    board.heard(0, [verdict(State.DONE, Effect.PERMIT, seq=4, previous=3)])
    assert board.open() == []
    assert [one.word for one in board.fresh()] == ["deferred", "granted", "claimed", "stop", "done"]
    assert board.fresh() == []


def test_the_screen_shows_decisions_risk_and_what_is_open() -> None:
    board = Board()
    board.heard(0, [verdict(State.GRANTED, Effect.PERMIT, seq=0)])
    board.note("classifier", "warehouse/survey is internal")
    board.rate("agent:treasury-bot", 90)
    console = Console(file=io.StringIO(), width=140, height=40, force_terminal=False)
    console.print(_screen(board, Clockwork(20.0), 40))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    for words in (
        "decisions as they are sealed",
        "the world changes, and so do open grants",
        "warehouse/survey is internal",
        "agent:treasury-bot",
        "90",
        "granted",
        "1 intents",
    ):
        assert words in shown


def test_the_view_fits_where_it_is_shown() -> None:
    assert isinstance(chosen(as_json=False), Lines)
    assert not isinstance(chosen(as_json=True), Lines | Screen)


def test_feeds_speak_in_the_shapes_of_caep_and_risc() -> None:
    written: list[tuple[str, object]] = []

    class Journal:
        def write(self, topic: object, key: str, codec: object, record: object, purpose: str) -> None:
            written.append((key, record))

    feeds = Feeds(Journal(), Board())  # type: ignore[arg-type]
    feeds.risk_level(cast.TREASURY, "HIGH", "breach")
    feeds.compliance(cast.RELEASES, compliant=False)
    feeds.disabled(cast.NEWCOMER)
    assert [(key, getattr(record, "score", getattr(record, "status", ""))) for key, record in written] == [
        ("acme/agent:treasury-bot", 90),
        ("acme/agent:release-bot", 70),
        ("acme/agent:refund-trainee", 100),
        ("acme/agent:refund-trainee/https:%2F%2Fidp.acme.example%2F#account", "suspended"),
    ]

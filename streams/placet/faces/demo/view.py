"""How the demo is seen: live in a terminal, as lines where there is none, or not at all."""

import sys
from collections.abc import Iterable, Mapping
from typing import Protocol

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from placet.faces.cli import printing
from placet.faces.cli.journal import now_ms
from placet.faces.cli.records import clock as time_of
from placet.faces.demo.board import Board, Happening
from placet.faces.demo.clockwork import Clockwork
from placet.model.case import LEVEL_HIGH, LEVEL_MEDIUM
from placet.model.reasons import State

FRAME_S = 0.125
BAR = "▇"
EFFECTS = ("permit", "constrain", "step_up", "defer", "deny")
SOURCES: Mapping[str, str] = {
    "identity provider": "bold magenta",
    "classifier": "bold blue",
    "operator": "bold blue",
    "service:bank": "bold yellow",
}


class View(Protocol):
    """Shows what a board hears until the clockwork is over."""

    def show(self, board: Board, clock: Clockwork) -> None:
        """Return when time is up; a person may end it before with Ctrl-C."""

    def rest(self, board: Board) -> None:
        """Show what came after the end."""


class Silent:
    """Shows nothing."""

    def show(self, board: Board, clock: Clockwork) -> None:
        """Wait until time is up."""
        while not clock.over and board.failure is None:
            clock.pause(FRAME_S)

    def rest(self, board: Board) -> None:
        """Show nothing."""


class Lines:
    """Prints one line for each thing that happens."""

    def show(self, board: Board, clock: Clockwork) -> None:
        """Print until time is up."""
        while not clock.over and board.failure is None:
            self.rest(board)
            clock.pause(FRAME_S)

    def rest(self, board: Board) -> None:
        """Print what is left."""
        for one in board.fresh():
            printing.say(f"{time_of(one.at)} {one.source}: {one.word}{' ' if one.word else ''}{one.text}")


class Screen:
    """A live screen: the stream of decisions, open leases, risk, and verdicts by effect."""

    def show(self, board: Board, clock: Clockwork) -> None:
        """Draw until time is up."""
        with Live(screen=True, refresh_per_second=8, console=printing.console(), redirect_stdout=False) as live:
            while not clock.over and board.failure is None:
                height = live.console.size.height
                live.update(_screen(board, clock, height))
                clock.pause(FRAME_S)

    def rest(self, board: Board) -> None:
        """Leave the screen as it is."""


def chosen(*, as_json: bool) -> View:
    """Return the view that fits: none for JSON, the live one on a terminal, else lines."""
    if as_json:
        return Silent()
    return Screen() if sys.stdout.isatty() and sys.stdin.isatty() else Lines()


def _screen(board: Board, clock: Clockwork, height: int) -> Layout:
    layout = Layout()
    layout.split_row(Layout(name="main", ratio=3), Layout(name="side", ratio=2))
    news = max(6, height // 3)
    layout["main"].split_column(Layout(name="stream"), Layout(name="news", size=news))
    layout["side"].split_column(Layout(name="counts", size=9), Layout(name="risk", size=9), Layout(name="open"))
    left = "" if clock.ends_s is None else f", {max(0, clock.ends_s - clock.elapsed_s):.0f} s left"
    layout["stream"].update(
        Panel(_lines(board.lines, height - news - 2), title=f"decisions as they are sealed{left} (Ctrl-C ends)")
    )
    layout["news"].update(Panel(_lines(board.news, news - 2), title="the world changes, and so do open grants"))
    layout["counts"].update(Panel(_counts(board), title="verdicts by effect"))
    layout["risk"].update(Panel(_risks(board), title="risk"))
    layout["open"].update(Panel(_open(board, height - 20), title="open: waiting, granted, claimed"))
    return layout


def _lines(told: Iterable[Happening], rows: int) -> RenderableType:
    return Group(*(_line(one) for one in list(told)[-max(1, rows) :]))


def _line(one: Happening) -> Text:
    text = Text(f"{time_of(one.at)} ", style="dim", no_wrap=True, overflow="ellipsis")
    if one.word:
        text.append(f"{one.word:<9} ", style=printing.STYLES.get(one.word, "bold red" if one.word == "stop" else ""))
        ended = one.word in {"revoked", "stop"}
        return text.append(one.text, style="bold red" if ended else "bold green" if one.loud else "default")
    return text.append(f"{one.source}: ", style=SOURCES.get(one.source, "dim")).append(one.text, style="bold")


def _counts(board: Board) -> RenderableType:
    tally = board.tally()
    grid = Table.grid(padding=(0, 1))
    most = max(tally.effects.values(), default=1)
    for effect in EFFECTS:
        count = tally.effects.get(effect, 0)
        style = printing.STYLES[effect]
        grid.add_row(Text(effect, style=style), str(count), Text(BAR * (count * 24 // most), style=style))
    done = tally.states.get("done", 0)
    grid.add_row("", "", Text(f"{tally.intents} intents, {done} done"))
    grid.add_row(
        "", "", Text(f"{tally.revoked} revoked, {tally.resolved} resolved, {tally.stopped} stopped", style="bold")
    )
    return grid


def _risks(board: Board) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    for subject, score in sorted(board.risks().items(), key=lambda item: (-item[1], item[0])):
        style = "bold red" if score >= LEVEL_HIGH else "yellow" if score >= LEVEL_MEDIUM else "green"
        grid.add_row(subject, f"{score:>3}", Text(BAR * (score * 24 // 100), style=style))
    return grid


def _open(board: Board, rows: int) -> RenderableType:
    grid, now = Table.grid(padding=(0, 1)), now_ms()
    for verdict in board.open()[: max(1, rows)]:
        word = State(verdict.state).name.lower()
        left = f"{max(0, verdict.expires_at - now) / 1000:>4.0f} s" if verdict.expires_at else ""
        what = Text(
            f"{verdict.actor.partition(':')[2]} {verdict.action} {verdict.resource}", no_wrap=True, overflow="ellipsis"
        )
        grid.add_row(printing.styled(word), left, what)
    return grid

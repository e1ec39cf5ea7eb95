"""How verbs speak: JSON for programs, lines and tables for people, colour only where a terminal shows it."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

STYLES: Mapping[str, str] = {
    "permit": "green",
    "constrain": "cyan",
    "step_up": "magenta",
    "defer": "yellow",
    "deny": "red",
    "granted": "green",
    "claimed": "green",
    "done": "bold green",
    "denied": "red",
    "revoked": "bold red",
    "failed": "red",
    "refused": "red",
    "unknown": "bold yellow",
    "lapsed": "yellow",
    "deferred": "yellow",
    "pending": "magenta",
    "expired": "yellow",
    "withdrawn": "dim",
    "passed": "green",
    "ok": "green",
}
"""How a word of the design looks wherever it stands alone in a table."""
PIPE_WIDTH = 200


def console(*, stderr: bool = False) -> Console:
    """Return a console on stdout or stderr. It follows NO_COLOR; a pipe gets plain text that is not cut at 80."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(
        file=stream, highlight=False, soft_wrap=not stream.isatty(), width=None if stream.isatty() else PIPE_WIDTH
    )


def say(line: str = "") -> None:
    """Print one plain line; nothing in it is taken as markup."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def shown(text: str) -> str:
    """Return text of others as a terminal may have it: on one line, whatever is not printed told by its escape."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def note(line: str) -> None:
    """Print one line about what is being done to stderr, where it is in nobody's way."""
    sys.stderr.write(line + "\n")


def emit(value: object, *, lines: bool = False) -> None:
    """Print one JSON value: indented when it is all there is, on one line where more follow."""
    sys.stdout.write(json.dumps(plain(value), ensure_ascii=False, indent=None if lines else 2) + "\n")
    sys.stdout.flush()


def plain(value: Any) -> Any:
    """Return `value` as JSON has it: records as objects, bytes as hex, enums as their lower-case names."""
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, bytes):
        return value.hex()
    if hasattr(value, "_asdict"):
        return {name: plain(field) for name, field in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(plain(name)): plain(field) for name, field in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def styled(word: str) -> Text:
    """Return a word in the colour it has everywhere."""
    return Text(word, style=STYLES.get(word, ""))


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> Table:
    """Return a table whose words of the design are coloured."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        made.add_column(heading, overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else styled(str(cell)) for cell in row))
    return made

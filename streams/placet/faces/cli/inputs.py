"""What a person hands to a verb in files: text, YAML with positions, JSON arguments, durations."""

import json
import re
import sys
from pathlib import Path
from typing import Any

from placet.faces.cli.verb import Exit, Failure, usage

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def text_of(file: Path) -> str:
    """Return the text of a file, or of stdin for `-`."""
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except FileNotFoundError:
        raise usage(f"{file}: no such file") from None
    except UnicodeDecodeError as error:
        raise Failure(Exit.FAULTY, f"{file}: byte {error.start} is not UTF-8") from None
    except OSError as error:
        raise Failure(Exit.NOT_RUN, f"{file}: {error.strerror}") from error


def duration_ms(text: str, option: str) -> int:
    """Return a duration as `20s`, `5m`, `250ms` in ms; a bare number is seconds."""
    match = re.fullmatch(r"(\d{1,9})(ms|s|m|h|d)?", text.strip())
    if match is None:
        raise usage(f"{option}: `{text}` is no duration: expected a number and ms, s, m, h or d, as 20s")
    return int(match[1]) * _UNITS_MS[match[2] or "s"]


def arguments_of(text: str, option: str) -> dict[str, Any]:
    """Return JSON text as the arguments of an action."""
    try:
        arguments = json.loads(text)
    except ValueError as error:
        raise usage(
            f"{option}: not JSON: {error}", "quote it for the shell, as --arguments '{\"amount\": 100}'"
        ) from None
    if not isinstance(arguments, dict):
        raise usage(f'{option}: expected a JSON object, as {{"amount": 100}}')
    return arguments


def pairs_of(texts: list[str], option: str) -> dict[str, str]:
    """Return texts of the form `name=value` as a map."""
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise usage(f"{option}: `{text}`: expected NAME=VALUE")
        pairs[name] = value
    return pairs

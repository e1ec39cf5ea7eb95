"""What every verb has: an example and exit codes in its help, `--json`, and errors that say what, where and what next."""

import functools
import json
import os
import sys
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Annotated, Any

import typer

from placet.errors import Corrupted, PlacetError, PoisonRecord, Unavailable, Unsure


class Exit(IntEnum):
    """How a verb ends, the same for all of them."""

    FINE = 0
    NOT_RUN = 1
    USAGE = 2
    FAULTY = 3
    TEST_FAILED = 4
    REFUSED = 5


MEANINGS: Mapping[Exit, str] = {
    Exit.FINE: "fine",
    Exit.NOT_RUN: "could not run",
    Exit.USAGE: "wrong usage",
    Exit.FAULTY: "found faulty",
    Exit.TEST_FAILED: "a test failed",
    Exit.REFUSED: "refused",
}

Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout: one value, or one a line where many come.")]


class Failure(PlacetError):
    """A verb cannot go on. `message` says what, where and what was expected; `hint` what to do next."""

    def __init__(self, exit_code: Exit, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.hint = hint


def usage(message: str, hint: str = "") -> Failure:
    """Return the failure of an argument that does not fit."""
    return Failure(Exit.USAGE, message, hint)


def add(
    app: typer.Typer,
    name: str,
    run: Callable[..., Exit | None],
    *,
    example: str,
    exits: Mapping[Exit, str],
) -> None:
    """Register `run` as the verb `name`. Its help ends with the example and the exit codes, 1 and 2 always among them."""
    codes = {code: MEANINGS[code] for code in (Exit.FINE, Exit.NOT_RUN, Exit.USAGE)} | dict(exits)
    lines = ["Example:", *(f"  {line}" for line in example.strip().splitlines()), "", "Exit codes:"]
    lines += [f"  {code.value}  {meaning}" for code, meaning in sorted(codes.items())]
    app.command(name, epilog="\n".join(lines), no_args_is_help=False)(_guarded(run))


def _guarded(run: Callable[..., Exit | None]) -> Callable[..., None]:
    """Return `run` with every way to fail turned into its message and its exit code."""

    @functools.wraps(run)
    def verb(**options: Any) -> None:
        as_json = bool(options.get("as_json"))
        try:
            code = run(**options) or Exit.FINE
        except Failure as failure:
            code = fail(str(failure), failure.hint, failure.exit_code, as_json=as_json)
        except PoisonRecord as error:
            code = fail(str(error), "", Exit.USAGE, as_json=as_json)
        except Unavailable as error:
            code = fail(str(error), "nothing was changed; try again when it answers", Exit.NOT_RUN, as_json=as_json)
        except Unsure as error:
            code = fail(str(error), "it may have happened: look before doing it again", Exit.NOT_RUN, as_json=as_json)
        except Corrupted as error:
            code = fail(
                str(error), "`placet audit` says more; keep the files as they are", Exit.FAULTY, as_json=as_json
            )
        except PlacetError as error:
            code = fail(str(error), "", Exit.NOT_RUN, as_json=as_json)
        except KeyboardInterrupt:
            code = Exit.FINE  # how a person ends a verb that follows
        except BrokenPipeError:
            # The reader has gone, as `| head` does; the interpreter must not complain about it once more at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = Exit.FINE
        raise typer.Exit(int(code))

    return verb


def fail(message: str, hint: str, code: Exit, *, as_json: bool) -> Exit:
    """Print an error to stderr, and with `--json` also as JSON on stdout; return the exit code."""
    sys.stderr.write(f"error: {message}\n")
    if hint:
        sys.stderr.write(f"next: {hint}\n")
    if as_json:
        sys.stdout.write(json.dumps({"error": message, "next": hint, "exit": code.value}, ensure_ascii=False) + "\n")
    return code

"""`placet watermark`: say that a feed is alive, for one that cannot say so itself."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, Url, resolve
from placet.faces.cli.verb import Exit, Json, usage

if TYPE_CHECKING:
    from placet.faces.sdk.feed import Feed

EXAMPLE = """
placet watermark principals --source hr --data run
placet watermark signals --source siem --every-s 5 --alive /run/siem.alive --bootstrap localhost:9092
placet watermark sensitivity --source dlp --every-s 5 --alive /run/dlp.alive --alive-s 30 --bootstrap localhost:9092
"""
EXITS: dict[Exit, str] = {}
TOPICS = ("signals", "risk", "sensitivity", "principals", "mandates", "controls", "policies")


def run(
    topic: Annotated[str, typer.Argument(help=f"{', '.join(TOPICS)}.")],
    source: Annotated[str, typer.Option(help="The feed, or a part of it as `dlp#0/2`: part 0 of 2.")],
    every_s: Annotated[
        float | None, typer.Option(min=0.1, help="Say it again this often until Ctrl-C or SIGTERM; else once.")
    ] = None,
    alive: Annotated[
        Path | None, typer.Option(help="A file the feed touches: it counts as alive while that is young.")
    ] = None,
    alive_s: Annotated[float, typer.Option(min=0.1, help="How old that file may be.")] = 30.0,
    retire: Annotated[
        bool, typer.Option("--retire", help="The feed has ended: what it said stands, nobody waits for it.")
    ] = False,
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Write a watermark: this feed is alive, and has said all it knew until now.

    A context topic is heard up to the oldest watermark among its feeds, and
    `heard_ms` in a pack bounds how old that may be. A feed that was ever marked
    must go on being marked, or be retired. Mandates, controls and policies are
    kept whole for ever: a mark a minute is enough there. A feed of risk signals marks
    `signals`: risk is then heard up to the oldest of these. Run it beside a feed that cannot
    write its own; of one that is not alive nothing is written.
    """
    from placet.errors import PoisonRecord
    from placet.faces.cli.journal import one_of, opened
    from placet.faces.cli.up import wait_for_end
    from placet.faces.sdk.feed import Feed
    from placet.model.topics import Topic

    place = resolve(url, bootstrap, data)
    kind = Topic[one_of(topic, "TOPIC", TOPICS).upper()]
    if retire and every_s is not None:
        raise usage("--retire and --every-s: a feed that has ended is marked once")
    with opened(place) as journal:
        try:
            feed = Feed(journal.connection, kind, source)
        except PoisonRecord as error:
            raise usage(f"--source: {error}") from None
        if retire:
            feed.retire()
            _tell(kind.title, source, None, f"{source} has ended, nobody waits for it", as_json)
        elif every_s is None:
            _mark(feed, kind.title, alive, alive_s, as_json)
        else:
            wait_for_end(_Turns(feed, kind.title, every_s, alive, alive_s, as_json))
    return Exit.FINE


class _Turns:
    """Marks when it is time, however often it is called; a cluster may be away for a while."""

    def __init__(
        self, feed: "Feed", title: str, every_s: float, alive: Path | None, alive_s: float, as_json: bool
    ) -> None:
        self._feed, self._title, self._every_s = feed, title, every_s
        self._alive, self._alive_s, self._as_json = alive, alive_s, as_json
        self._due = time.monotonic()

    def __call__(self, seconds: float) -> bool:
        from placet.errors import Unavailable, Unsure

        time.sleep(min(seconds, max(0.0, self._due - time.monotonic())))
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + self._every_s
            try:
                _mark(self._feed, self._title, self._alive, self._alive_s, self._as_json)
            except (Unavailable, Unsure) as error:
                _tell(self._title, self._feed.source, None, f"not written: {error}", self._as_json)
        return False


def _mark(feed: "Feed", title: str, alive: Path | None, alive_s: float, as_json: bool) -> None:
    at = feed.quiet() if _young(alive, alive_s) else None
    says = f"{feed.source} is alive" if at else f"{feed.source} is silent: nothing written"
    _tell(title, feed.source, at, says, as_json)


def _young(alive: Path | None, alive_s: float) -> bool:
    try:
        return alive is None or time.time() - alive.stat().st_mtime <= alive_s
    except OSError:
        return False


def _tell(title: str, source: str, at: int | None, says: str, as_json: bool) -> None:
    if as_json:
        printing.emit({"topic": title, "source": source, "at": at, "says": says}, lines=True)
    else:
        printing.say(f"{title}: {says}")

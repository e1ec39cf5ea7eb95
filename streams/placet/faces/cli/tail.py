"""`placet tail`: what a journal says, as it says it."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from placet.faces.cli import printing
from placet.faces.cli.inputs import duration_ms
from placet.faces.cli.place import Bootstrap, Data, Url, resolve
from placet.faces.cli.verb import Exit, Json, usage

if TYPE_CHECKING:
    from placet.model.topics import Topic
    from placet.ports import Log, Rec

EXAMPLE = """
placet tail --data run
placet tail decisions --effect deny --last 50 --no-follow --json --data run
"""
EXITS: dict[Exit, str] = {}
READ_MOST = 1_000
Wanted = Callable[[str, Any], bool]
"""Whether a record of this name is to be printed."""
POLL_MS = 200


def run(
    topics: Annotated[
        list[str] | None, typer.Argument(metavar="TOPIC...", help="As `decisions` or `placet.signals`. Else decisions.")
    ] = None,
    last: Annotated[
        int, typer.Option(min=0, help="Begin this many printed records before the end of each partition.")
    ] = 10,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Go on with what comes, until Ctrl-C.")] = True,
    for_: Annotated[str, typer.Option("--for", help="End after this long, as 20s.")] = "",
    effect: Annotated[str, typer.Option(help="Only verdicts with this effect.")] = "",
    actor: Annotated[str, typer.Option(help="Only records of this actor.")] = "",
    action: Annotated[
        str, typer.Option(help="Only records of this action; `payments.*` takes all that begin so.")
    ] = "",
    seals: Annotated[bool, typer.Option("--seals", help="Seals too.")] = False,
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Print committed records of a journal, newest last, and follow it.

    With `--json` one record a line, in a form that stays: `topic`, `partition`,
    `offset`, `at`, `name`, `record`.
    """
    from placet.faces.cli.reading import reading
    from placet.model.topics import Topic

    place = resolve(url, bootstrap, data)
    chosen = [_topic(text) for text in topics or ["decisions"]]
    until = time.monotonic() + duration_ms(for_, "--for") / 1000 if for_ else None
    with reading(place) as log:
        wanted = _wanted(effect, actor, action, seals=seals or Topic.DECISIONS not in chosen)
        starts = {
            (topic, partition): _start(log, topic, partition, last, wanted)
            for topic in chosen
            for partition in range(log.partitions(topic))
        }

        def tell(rec: "Rec") -> None:
            _tell(rec, wanted, as_json=as_json)

        _print(log, starts, tell)
        if follow:
            _follow(log, starts, tell, until)
    return Exit.FINE


def _topic(text: str) -> "Topic":
    from placet.model.topics import Topic

    name = text.removeprefix("placet.").upper()
    if name not in Topic.__members__:
        raise usage(f"TOPIC: `{text}`: expected one of {', '.join(topic.name.lower() for topic in Topic)}")
    return Topic[name]


def _wanted(effect: str, actor: str, action: str, *, seals: bool) -> Wanted:
    from placet.model.reasons import Effect

    if effect and effect.upper() not in Effect.__members__:
        raise usage(f"--effect: `{effect}`: expected one of {', '.join(one.name.lower() for one in Effect)}")
    number = Effect[effect.upper()] if effect else 0

    def wanted(name: str, record: Any) -> bool:
        if name == "seal" and (not seals or effect or actor or action):
            return False
        said = getattr(record, "action", "")
        covered = said.startswith(action[:-1]) if action.endswith("*") else said == action
        return (
            (not number or getattr(record, "effect", 0) == number)
            and (not actor or getattr(record, "actor", "") == actor)
            and (not action or covered)
        )

    return wanted


def _start(log: "Log", topic: "Topic", partition: int, last: int, wanted: Wanted) -> int:
    """Return the offset of the record before which all but the `last` wanted ones lie; looked for from the end."""
    from placet.faces.cli.journal import read_all

    end, back = log.end(topic, partition), last
    while last and end:
        start = max(0, end - back)
        found = [
            rec.offset for rec in read_all(log, topic, partition, start) if rec.offset < end and _shown(rec, wanted)
        ]
        if len(found) >= last or start == 0:
            return found[-last:][0] if found else end
        back *= 4
    return end


def _shown(rec: "Rec", wanted: Wanted) -> bool:
    from placet.faces.cli import records

    known = records.opened(rec)
    return known is None or wanted(*known)


def _print(log: "Log", at: "dict[tuple[Topic, int], int]", tell: "Callable[[Rec], None]") -> None:
    """Print what is there, from each offset to the end as it is now, and move the offsets behind it."""
    from placet.faces.cli.journal import read_all

    found: list[Rec] = []
    for place, offset in at.items():
        recs = list(read_all(log, *place, offset))
        found += recs
        at[place] = recs[-1].offset + 1 if recs else offset
    for rec in sorted(found, key=lambda rec: (rec.at, rec.topic, rec.partition, rec.offset)):
        tell(rec)


def _follow(log: "Log", at: "dict[tuple[Topic, int], int]", tell: "Callable[[Rec], None]", until: float | None) -> None:
    while until is None or time.monotonic() < until:
        found: list[Rec] = []
        for place, offset in at.items():
            recs = log.read(*place, offset, READ_MOST, 0)
            found += recs
            at[place] = recs[-1].offset + 1 if recs else offset
        for rec in sorted(found, key=lambda rec: (rec.at, rec.topic, rec.partition, rec.offset)):
            tell(rec)
        if not found:
            # Nothing anywhere: wait at one place, and look at all of them again soon.
            place = next(iter(at))
            log.read(*place, at[place], 1, POLL_MS)


def _tell(rec: "Rec", wanted: Wanted, *, as_json: bool) -> None:
    from placet.faces.cli import records
    from placet.model.topics import Topic

    known = records.opened(rec)
    name, record = known or ("tombstone" if rec.value is None else "unreadable", None)
    if record is not None and not wanted(name, record):
        return
    if as_json:
        head = {"topic": Topic(rec.topic).title, "partition": rec.partition, "offset": rec.offset, "at": rec.at}
        printing.emit({**head, "name": name, "record": None if record is None else records.told(record)}, lines=True)
    elif record is None:
        size = len(rec.value or b"")
        printing.say(
            f"{records.clock(rec.at)} {Topic(rec.topic).title}/{rec.partition}@{rec.offset} {name} of {size} bytes"
        )
    else:
        printing.say(records.line(rec, name, record))

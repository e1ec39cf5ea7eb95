"""`placet show`: the whole life of one intent, from its asking to its end."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.verb import Exit, Failure, Json
from placet.faces.cli.withdraw import Intent, id_of

if TYPE_CHECKING:
    from placet.ports import Log, Rec

EXAMPLE = "placet show 0190f3c2a4b87c3e9d1f5a6b7c8d9e0f --data run"
EXITS = {Exit.NOT_RUN: "could not run, or no such intent"}
DOT, BAR = "●", "│"
PHASES = {1: "holds", 2: "spends", 3: "releases", 4: "by leave beyond it"}


def run(
    intent: Intent,
    authority: Annotated[str, typer.Option(help="Who answers for it: then only one partition is read.")] = "",
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Show everything a journal says of one intent: what was asked, each answer, what caused it, how long it took.

    Without `--authority` all partitions are searched.
    """
    from placet.faces.cli.reading import reading
    from placet.model.keys import key_of, partition_of
    from placet.model.topics import Topic

    place, wanted = resolve(url, bootstrap, data), id_of(intent)
    with reading(place) as log:
        count = log.partitions(Topic.DECISIONS)
        partitions = [partition_of(key_of(tenant, authority), count)] if authority else list(range(count))
        life = [entry for partition in partitions for entry in _life(log, partition, wanted)]
        if not life:
            raise Failure(Exit.NOT_RUN, f"{place}: nothing is said of intent {wanted.hex()}", "`placet tail` shows ids")
        story = [_entry(log, rec, name, record) for rec, name, record in life]
    if as_json:
        printing.emit({"id": wanted, "entries": story})
    else:
        _draw(wanted, story)
    return Exit.FINE


def _life(log: "Log", partition: int, wanted: bytes) -> "Iterator[tuple[Rec, str, Any]]":
    """Yield the decision records about an intent, in order."""
    from placet.faces.cli import records
    from placet.faces.cli.journal import read_all
    from placet.model.topics import Topic

    for rec in read_all(log, Topic.DECISIONS, partition):
        # A record that does not hold these 16 bytes says nothing of the intent; most are not decoded.
        if wanted in (rec.value or b""):
            known = records.opened(rec)
            if known is not None and getattr(known[1], "id", None) == wanted:
                yield rec, *known


def _entry(log: "Log", rec: "Rec", name: str, record: Any) -> dict[str, Any]:
    from placet.faces.cli import records
    from placet.model.topics import Topic

    cause_partition = getattr(record, "cause_partition", record.partition)
    cause = None
    if record.cause_topic:
        cause = _cause(log, Topic(record.cause_topic), cause_partition, record.cause_offset)
    return {
        "topic": Topic(rec.topic).title,
        "partition": rec.partition,
        "offset": rec.offset,
        "at": rec.at,
        "instant": record.instant,
        "name": name,
        "record": records.told(record),
        "cause": cause,
    }


def _cause(log: "Log", topic: Any, partition: int, offset: int) -> dict[str, Any]:
    """Return the record that caused a decision, as far as it is still kept and can be read."""
    from placet.faces.cli import records
    from placet.faces.cli.journal import FETCH_MS

    where = {"topic": topic.title, "partition": partition, "offset": offset}
    recs = log.read(topic, partition, offset, 1, FETCH_MS) if offset < log.end(topic, partition) else []
    if not recs or recs[0].offset != offset:
        return where
    known = records.opened(recs[0])
    return {
        **where,
        "at": recs[0].at,
        "name": known[0] if known else "unreadable",
        "record": records.told(known[1]) if known else None,
    }


def _draw(wanted: bytes, story: list[dict[str, Any]]) -> None:
    from placet.faces.cli import records

    out = printing.console()
    asked = next((entry["cause"] for entry in story if (entry["cause"] or {}).get("name") == "intent"), None)
    head: dict[str, Any] = next((entry["record"] for entry in story if entry["name"] == "verdict"), {})
    begin = asked["at"] if asked else story[0]["instant"]
    out.print(Text(f"intent {wanted.hex()}", style="bold"), Text(records.day(begin), style="dim"))
    if head:
        whom = f" for {head['authority']}" if head["authority"] != head["actor"] else ""
        out.print(Text(f"  {head['actor']}{whom}: {head['action']} {head['resource']}"))
        out.print(Text(f"  {head['purpose']}")) if head["purpose"] else None
    if asked and asked.get("record"):
        out.print(Text(f"  arguments {asked['record']['arguments']}"))
        _point(
            out,
            begin,
            0,
            "asked",
            f"attempt {asked['record']['attempt']}, {asked['topic']}/{asked['partition']}@{asked['offset']}",
        )
    before = begin
    for entry in story:
        record = entry["record"]
        if entry["name"] == "verdict" and record["attempt"] > 1 and record["previous_seq"] < 0:
            _point(out, record["asked_at"], record["asked_at"] - before, "asked", f"attempt {record['attempt']}")
            before = record["asked_at"]
        _point(out, entry["instant"], entry["instant"] - before, *_said(entry))
        before = entry["instant"]


def _point(out: Any, at: int, since: int, word: str, text: str) -> None:
    """Draw one point of the line, and before it how long nothing happened."""
    from placet.faces.cli import records

    if since > 0:
        out.print(Text(f"  {'':12} {BAR} {_lasted(since)}", style="dim"))
    out.print(
        Text(f"  {records.clock(at)} "),
        Text(f"{DOT} ", style=printing.STYLES.get(word, "")),
        printing.styled(f"{word:<9}"),
        Text(text),
        sep="",
    )


def _lasted(ms: int) -> str:
    return f"{ms} ms" if ms < 1_000 else f"{ms / 1_000:.1f} s" if ms < 120_000 else f"{ms / 60_000:.1f} min"


def _said(entry: dict[str, Any]) -> tuple[str, str]:
    """Return the word of a record and what it adds, for its point on the line."""
    from placet.faces.cli import records

    record, cause = entry["record"], entry["cause"]
    by = (
        "by the clock"
        if cause is None
        else f"by {cause.get('name') or cause['topic']} at {cause['topic']}/{cause['partition']}@{cause['offset']}"
    )
    if entry["name"] != "verdict":
        return entry["name"], _besides(entry["name"], record, by)
    parts = [f"{record['effect']} ({record['reason']})" if record["effect"] else record["reason"]]
    if record["stop"]:
        parts.append("STOP: cancel it if you can")
    if record["rules"]:
        parts.append(f"rules {', '.join(record['rules'])}")
    if record["missing"]:
        parts.append(f"missing {', '.join(record['missing'])}")
    if record["granted_arguments"] is not None:
        parts.append(f"may run with {record['granted_arguments']}")
    parts += [f"{PHASES[one['phase']]} {one['amount']} of {one['limit']} ({one['scope']})" for one in record["holds"]]
    parts += _guidance(record)
    if record["executor"]:
        parts.append(f"executor {record['executor']}")
    if record["result_sensitivity"] or record["result_origin"]:
        parts.append(f"came back: {record['result_sensitivity']} {record['result_origin']}".rstrip())
    if record["expires_at"]:
        parts.append(f"until {records.clock(record['expires_at'])}")
    if record["detail"]:
        parts.append(record["detail"])
    if record["previous_seq"] >= 0:
        parts.append(by)
    return record["state"], "; ".join(parts)


def _besides(name: str, record: dict[str, Any], by: str) -> str:
    """Return what a record adds that is no verdict; of the review of an emergency who answered it, or until when."""
    from placet.faces.cli import records

    if name == "repeat":
        return f"asked again; the answer at seq {record['first_seq']} stands"
    if name == "refusal":
        return f"{record['reason']}: {record['detail']} ({by})"
    found = f"{len(record['voters'])} of {record['quorum']} of {', '.join(record['eligible'])} found it right"
    said = f"{record['by']}: {record['detail']}" if record["by"] else f"until {records.clock(record['expires_at'])}"
    return f"{record['state']}: {found}; {said}; {by}"


def _guidance(record: dict[str, Any]) -> Iterator[str]:
    """Yield what a refusal says of what would be allowed, and of whom to ask."""
    from placet.faces.cli.records import enum_name
    from placet.model.reasons import Effect

    for bound in record["bounds"]:
        at = f"{bound['argument']} {bound['comparison']} {bound['value']}"
        yield f"with {at} {enum_name(Effect, bound['effect'])}"
    if record["ask"]:
        yield f"ask {', '.join(record['ask'])}"

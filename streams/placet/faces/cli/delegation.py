"""What the `mandate` verbs share: mandates as every desk takes them, one changed and signed, and who stands below it."""

import re
from collections.abc import Iterator
from typing import Any

from placet.context.facts import value_of
from placet.context.limits import limits_of
from placet.context.tables import MANDATE, Tables
from placet.errors import PoisonRecord
from placet.faces.cli.journal import Journal, Written, now_ms
from placet.faces.cli.verb import Exit, Failure, usage
from placet.faces.heard import heard
from placet.model.case import MandateRow
from placet.model.codec import decode_known
from placet.model.codec import mandate as codec
from placet.model.codec.mandate import Limit, Mandate
from placet.model.proof import KeyRing
from placet.model.topics import Topic
from placet.ports import Log


def read_tables(log: Log, ring: KeyRing) -> Tables:
    """Return what is known of mandates, principals and halts: what no desk takes is not in it."""
    return heard(log, ring, (Topic.PRINCIPALS, Topic.MANDATES, Topic.CONTROLS))


def row_of(tables: Tables, tenant: str, name: str) -> MandateRow:
    """Return a mandate; raise Failure where nobody granted one of this name."""
    row = tables.mandates.get(f"{MANDATE}{tenant}/{name}")
    if row is None:
        hint = "placet mandate show --of PRINCIPAL lists them"
        raise Failure(Exit.NOT_RUN, f"{name}: no such mandate of tenant `{tenant}`", hint)
    return row


def record_of(row: MandateRow) -> Mandate:
    """Return the record a row was made of."""
    record: Mandate = decode_known(value_of(row.fact))
    return record


def below(tables: Tables, tenant: str, name: str) -> list[str]:
    """Return the names of the mandates handed on from one, and from those: none twice, nearest first."""
    begins = f"{MANDATE}{tenant}/"
    children: dict[str, list[str]] = {}
    for key, row in tables.mandates.items():
        if key.startswith(begins) and row.parent:
            children.setdefault(row.parent, []).append(row.id)
    found = [name]
    for each in found:
        found += [child for child in sorted(children.get(each, ())) if child not in found]
    return found[1:]


def write(journal: Journal, record: Mandate, known: Mandate | None) -> Written:
    """Sign and append a mandate, newer than the one that is `known`, whatever this machine's clock says."""
    at = now_ms() if known is None else max(now_ms(), known.observed_at + 1)
    said = record._replace(observed_at=at, proof=None)
    return journal.write(Topic.MANDATES, f"{said.tenant}/{said.id}", codec, said, "operator")


def limits_from(texts: list[str] | None, option: str = "--limit") -> tuple[Limit, ...]:
    """Return limits written as MEASURE=MAX/WINDOW_S, or MEASURE=MAX/WINDOW_S@ACTION,ACTION; fail as wrong usage else."""
    found = []
    for text in texts or ():
        match = re.fullmatch(r"([^=/@]+)=(\d{1,17})/(\d{1,9})(?:@(.+))?", text)
        if match is None:
            raise usage(f"{option}: `{text}`: expected MEASURE=MAX/WINDOW_S, as amount=50000/3600")
        actions = tuple(match[4].split(",")) if match[4] else ()
        found.append(Limit(match[1], int(match[2]), int(match[3]), actions))
    try:
        limits_of(tuple(found))
    except PoisonRecord as error:
        raise usage(f"{option}: {error}") from None
    return tuple(found)


def told(written: Written, **more: Any) -> dict[str, Any]:
    """Return what was written as JSON has it, and what follows from it."""
    return {**written._asdict(), **more}


def stops(names: list[str]) -> Iterator[str]:
    """Yield a line that says what stops with a mandate, where anything does."""
    if names:
        yield f"with it stop {len(names)} below it: {', '.join(names)}"

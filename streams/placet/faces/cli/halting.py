"""What `halt` and `resume` share: the control record, the desks' answer to it, and which halts stand."""

import time
from typing import Any, NamedTuple

from placet.context.halts import halt_of
from placet.errors import PoisonRecord
from placet.faces.cli.journal import Journal, now_ms
from placet.faces.cli.verb import usage
from placet.faces.heard import heard
from placet.faces.sdk.sealed import SealedReader
from placet.model.codec import control
from placet.model.codec.control import Control
from placet.model.context_keys import control_key
from placet.model.topics import Topic

READ_MOST, READ_MS = 500, 100


class Published(NamedTuple):
    """A control that was written: who signed it, where it lies, and the decisions as they stood before it."""

    tenant: str
    id: str
    by: str
    partitions: int
    ends: tuple[int, ...]
    at_s: float
    where: dict[str, Any]


def publish(
    journal: Journal,
    kind: str,
    tenant: str,
    halt_id: str,
    scope: str,
    reason: str,
    expires_at: int,
    operator: str | None,
) -> Published:
    """Write a halt, or one operator's word that it may end."""
    log, by, at = journal.log, journal.issuer("operator", operator), now_ms()
    record = Control(tenant, halt_id, kind, scope, "", reason, by, at, expires_at, None)
    try:
        halt_of(record, by, (0, 0), at, b"")
    except PoisonRecord as error:
        raise usage(str(error)) from None
    partitions = log.partitions(Topic.DECISIONS)
    ends = tuple(log.end(Topic.DECISIONS, partition) for partition in range(partitions))
    started = time.monotonic()
    written = journal.write(Topic.CONTROLS, control_key(record).decode(), control, record, "operator", operator)
    where = {
        "topic": written.topic,
        "partition": written.partition,
        "offset": written.offset,
        "token": written.token,
        "by": by,
    }
    return Published(tenant, halt_id, by, partitions, ends, started, where)


def told_by(journal: Journal, said: Published, wait_ms: int, *, resumed: bool) -> tuple[int, int]:
    """Wait for every desk's sealed word; return how many have said it, and after how many ms the last of them did."""
    connection, told, took_ms = journal.connection, 0, 0
    until = said.at_s + wait_ms / 1000
    for partition, start in enumerate(said.ends):
        reader, offset = SealedReader(partition, connection.ring, genesis=start == 0), start
        found = False
        while not found:
            recs = connection.log.read(Topic.DECISIONS, partition, offset, READ_MOST, READ_MS)
            offset = recs[-1].offset + 1 if recs else offset
            found = any(
                one.name == "halted"
                and (one.record.tenant, one.record.id, one.record.resumed) == (said.tenant, said.id, resumed)
                for one in reader.feed(recs)
            )
            if time.monotonic() >= until:
                break
        if found:
            told, took_ms = told + 1, round((time.monotonic() - said.at_s) * 1000)
    return told, took_ms


def standing(journal: Journal, tenant: str, halt_id: str, scope: str) -> int | None:
    """Return how many operators must still take a halt back, or None where it does not stand."""
    tables = heard(journal.log, journal.connection.ring, (Topic.CONTROLS,))
    return tables.halts.missing((tenant, halt_id, scope), now_ms())

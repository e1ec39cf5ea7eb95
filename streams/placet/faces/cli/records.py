"""Records of a journal as people and programs read them: named, dated, and on one line."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from placet.errors import PoisonRecord
from placet.faces.cli import printing
from placet.model.codec import decode_any, open_frame
from placet.model.codec.review import Review
from placet.model.reasons import Effect, Reason, ReviewState, State
from placet.model.topics import Topic
from placet.ports import Rec

_ENUMS: Mapping[str, type[State] | type[Effect] | type[Reason] | type[ReviewState]] = {
    "state": State,
    "effect": Effect,
    "reason": Reason,
    "result": State,
}
_INSTANTS = frozenset(
    {"instant", "at", "deadline", "expires_at", "asked_at", "observed_at", "event_at", "published_at"}
)
_JSON = frozenset({"arguments", "granted_arguments"})


def opened(rec: Rec) -> tuple[str, Any] | None:
    """Return the name and the record of a value, or None for a tombstone and for what cannot be read."""
    try:
        name, _ = open_frame(rec.value or b"")
        return name, decode_any(rec.value or b"")
    except PoisonRecord:
        return None


def told(record: Any) -> dict[str, Any]:
    """Return a record as JSON has it: enums by name, arguments as objects, everything else as it is."""
    out = {}
    enums = {**_ENUMS, "state": ReviewState} if isinstance(record, Review) else _ENUMS
    for name, value in record._asdict().items():
        if name in enums and isinstance(value, int):
            out[name] = enum_name(enums[name], value)
        elif name in _JSON and value is not None:
            out[name] = arguments_of(value)
        else:
            out[name] = printing.plain(value)
    return out


def arguments_of(raw: bytes) -> Any:
    """Return arguments as JSON has them, or as hex where they are not JSON."""
    try:
        return json.loads(raw)
    except ValueError:
        return raw.hex()


def enum_name(kind: type[State] | type[Effect] | type[Reason] | type[ReviewState], value: int) -> str:
    """Return the lower-case name of a value, or `unknown-7` for one this version does not know."""
    try:
        return kind(value).name.lower()
    except ValueError:
        return f"unknown-{value}" if value else ""


def clock(at_ms: int) -> str:
    """Return the time of day of an instant, UTC, to the ms."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]


def day(at_ms: int) -> str:
    """Return the day of an instant, UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")


def line(rec: Rec, name: str, record: Any) -> str:
    """Return a record on one line: when, where, what."""
    where = f"{Topic(rec.topic).title}/{rec.partition}@{rec.offset}"
    return f"{clock(rec.at)} {where} {name} {_LINES.get(name, _fields)(record)}"


def _verdict(record: Any) -> str:
    state, effect = enum_name(State, record.state), enum_name(Effect, record.effect)
    parts = [state + ("/stop" if record.stop else ""), effect, enum_name(Reason, record.reason)]
    parts += [record.actor, record.action, record.resource, f"id={record.id.hex()}"]
    if record.rules:
        parts.append(f"rules={','.join(record.rules)}")
    if record.missing:
        parts.append(f"missing={','.join(record.missing)}")
    return " ".join(part for part in parts if part)


def _refusal(record: Any) -> str:
    whose = f" id={record.id.hex()}" if record.id else ""
    return f"{enum_name(Reason, record.reason)}{whose} of {Topic(record.cause_topic).title}/{record.cause_partition}@{record.cause_offset}: {record.detail}"


def _repeat(record: Any) -> str:
    return f"id={record.id.hex()} first answered at seq {record.first_seq}"


def _seal(record: Any) -> str:
    return f"seq {record.seq_from} to {record.seq_to} epoch {record.epoch} root {record.root.hex()[:16]}"


def _fields(record: Any) -> str:
    parts = []
    for name, value in told(record).items():
        if value in (None, "", [], {}, False) or name == "proof":
            continue
        if name in _INSTANTS and isinstance(value, int):
            value = clock(value)
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        parts.append(f"{name}={text if len(text) <= 120 else text[:117] + '...'}")
    return " ".join(parts)


def _halted(record: Any) -> str:
    told_ = "stands no more" if record.resumed else f"stands: {record.reason}"
    return f"{record.id} of {record.scope} {told_} (by {record.by})"


def reviewed(record: Any) -> str:
    """Return where the review of an emergency is, in words."""
    state = enum_name(ReviewState, record.state)
    by = f" by {record.by}: {record.detail}" if record.by else ""
    return f"review {state}, {len(record.voters)} of {record.quorum} found it right{by}"


def _review(record: Any) -> str:
    return f"{record.actor} {record.action} {record.resource} id={record.id.hex()} {reviewed(record)}"


_LINES = {
    "halted": _halted,
    "review": _review,
    "verdict": _verdict,
    "refusal": _refusal,
    "repeat": _repeat,
    "seal": _seal,
}

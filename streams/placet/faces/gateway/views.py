"""Decision records as JSON: enums by name, bytes as hex, arguments as the values they are."""

from enum import IntEnum
from typing import Any

import orjson

from placet.faces.sdk.models import Answer
from placet.model.codec.review import Review
from placet.model.reasons import Effect, Reason, ReviewState, State
from placet.model.topics import Topic

_ENUMS: dict[str, type[IntEnum]] = {"state": State, "effect": Effect, "reason": Reason, "cause_topic": Topic}
_ARGUMENTS = frozenset({"arguments", "granted_arguments"})


def view_of(record: Any) -> dict[str, Any]:
    """Return a record as JSON has it; `record` names what it is."""
    fields: dict[str, Any] = {"record": type(record).__name__.lower()}
    for name, value in zip(record._fields, record, strict=True):
        fields[name] = _plain(name, value)
    if isinstance(record, Review):
        fields["state"] = ReviewState(record.state).name.lower()
    return fields


def state_of(record: Any) -> dict[str, Any]:
    """Return where an intent stands, as `view_of`; one that is not granted says what to do about it under `refused`."""
    answer = Answer.of(record)
    return {**view_of(record), "refused": answer.to_dict() if answer.refused else None}


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and name in _ENUMS:
        known = {one.value: one.name.lower() for one in _ENUMS[name]}
        return known.get(value, value or None)
    if isinstance(value, bytes):
        return orjson.loads(value) if name in _ARGUMENTS and value else value.hex()
    if isinstance(value, tuple):
        if hasattr(value, "_fields"):
            return {field: _plain(field, item) for field, item in zip(value._fields, value, strict=True)}
        return [_plain("", item) for item in value]
    return value

"""The trace that travels beside a record, as the header that OpenTelemetry gives it (W3C Trace Context §3.2)."""

from confluent_kafka import Message

NAME = "traceparent"
LENGTH_MAX = 512
"""Longer ones are none (§3.2.2.5 allows more than this version's 55 characters, and nobody has so many)."""


def headers_of(trace: bytes | None) -> dict[str, str | bytes | None] | None:
    """Return the headers of a record that belongs to `trace`."""
    return None if trace is None else {NAME: trace}


def trace_of(message: Message) -> bytes | None:
    """Return the `traceparent` of a record, the first if there are several; None for one without, or too long."""
    found = message.headers()
    if not found:
        return None
    for name, value in found.items() if isinstance(found, dict) else found:
        if name == NAME and isinstance(value, bytes):
            return value if len(value) <= LENGTH_MAX else None
    return None

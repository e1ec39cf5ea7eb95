"""What an agent or an executor sends belongs to the span that is active where it is made, as OpenTelemetry has it."""

import sys
from typing import Any

import pytest
from opentelemetry import propagate, trace

from placet.faces.sdk import tracing
from placet.faces.sdk.outbox import Letter

TRACE_ID, SPAN_ID = 0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7
TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def letter() -> Letter:
    codec: Any = None
    return Letter(1, 0, b"k", codec, None)


def test_a_letter_belongs_to_the_active_span() -> None:
    span = trace.NonRecordingSpan(
        trace.SpanContext(TRACE_ID, SPAN_ID, is_remote=False, trace_flags=trace.TraceFlags(1))
    )
    with trace.use_span(span):
        assert letter().trace == TRACE
    assert letter().trace is None


def test_a_program_without_opentelemetry_sends_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    assert propagate.__name__ == tracing.MODULE
    monkeypatch.delitem(sys.modules, tracing.MODULE)
    assert letter().trace is None

"""The trace a program is in, where it uses OpenTelemetry: what is asked, claimed and reported belongs to it."""

import sys
from typing import Any

MODULE = "opentelemetry.propagate"


def active_trace() -> bytes | None:
    """Return the `traceparent` of the active span (W3C Trace Context), None without one.

    A program that uses OpenTelemetry has its API loaded; placet never loads it by itself.
    """
    propagate: Any = sys.modules.get(MODULE)
    if propagate is None:
        return None
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    found = carrier.get("traceparent")
    return found.encode() if found else None

"""Log lines of a process that serves: one JSON object a line, or text for a person, and never a secret."""

import logging
import re
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Literal, TextIO

import orjson
import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.stdlib import BoundLogger, ExtraAdder, ProcessorFormatter, filter_by_level, render_to_log_kwargs

Format = Literal["auto", "json", "text"]
Level = Literal["debug", "info", "warning", "error"]
Event = MutableMapping[str, Any]
WITHHELD = "(withheld)"
ROOT = "placet"

# Whatever is called so is somebody's secret, whoever logs it.
_NAMES = re.compile(r"token|secret|password|passwd|private|credential|authorization|jaas|\bkek\b", re.IGNORECASE)
# The same within a sentence: `password=abc`, `"sasl.password": "abc"`, `Bearer abc`.
_SAID = re.compile(
    r"(?i)((?:[\w.]*(?:token|secret|password|passwd)['\"]?\s*[=:]\s*['\"]?)|(?:bearer\s+))([^\s'\",;}]+)"
)
# W3C Trace Context §3.2.2: version, trace id, parent id, flags; ids of zeros are none.
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
# Another handler's formatter leaves these on a record it has seen.
_LEFT_BY_OTHERS = ("message", "asctime")


class _Handler(logging.Handler):
    """Writes each line whole, to what stderr is at that moment when no stream is named."""

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        try:
            out = self._stream or sys.stderr
            out.write(self.format(record) + "\n")
            out.flush()
        except Exception:  # noqa: BLE001  a line that cannot be written ends nothing
            self.handleError(record)


def log_to(stream: TextIO | None = None, *, form: Format = "auto", level: Level = "info", **fields: str) -> None:
    """Send what this process logs to `stream` (stderr), with `fields` in every line; a second call replaces the first.

    `auto` is text where a person looks on, else JSON. Other libraries are heard
    from `warning` on, placet from `level` on.
    """
    out = stream or sys.stderr
    text = form == "text" or (form == "auto" and out.isatty())
    chain: list[structlog.typing.Processor] = [
        merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with(fields),
        structlog.processors.format_exc_info,
        _withhold,
    ]
    last = _line if text else structlog.processors.JSONRenderer(serializer=_json)
    handler = _Handler(stream)
    handler.setFormatter(
        ProcessorFormatter(foreign_pre_chain=chain, processors=[ProcessorFormatter.remove_processors_meta, last])
    )
    root = logging.getLogger()
    for one in [one for one in root.handlers if isinstance(one, _Handler)]:
        root.removeHandler(one)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger(ROOT).setLevel(level.upper())


def logger(name: str) -> BoundLogger:
    """Return a logger under `placet` that takes fields: `logger("worker").info("settled batch", records=500)`.

    Without `log_to` it is heard as any logger of the standard library is.
    """
    made: BoundLogger = structlog.wrap_logger(
        logging.getLogger(f"{ROOT}.{name}"),
        processors=[filter_by_level, render_to_log_kwargs],
        wrapper_class=BoundLogger,
    )
    return made


@contextmanager
def traced(traceparent: str | bytes | None) -> Iterator[None]:
    """Have every line that is logged within carry the trace id of a W3C `traceparent`; without a valid one nothing."""
    ids = trace_of(traceparent)
    if ids is None:
        yield
    else:
        with bound_contextvars(trace_id=ids[0], span_id=ids[1]):
            yield


def trace_of(traceparent: str | bytes | None) -> tuple[str, str] | None:
    """Return the trace id and the parent's id of a `traceparent`, or None when it is none (W3C Trace Context §3.2.2)."""
    text = traceparent.decode("ascii", "replace") if isinstance(traceparent, bytes) else traceparent
    found = _TRACEPARENT.fullmatch(text or "")
    if found is None:
        return None
    version, trace, parent, _, rest = found.groups()
    if version == "ff" or (version == "00" and rest) or not int(trace, 16) or not int(parent, 16):
        return None
    return trace, parent


def _with(fields: dict[str, str]) -> structlog.typing.Processor:
    def add(_logger: Any, _method: str, event: Event) -> Event:
        for left in _LEFT_BY_OTHERS:
            event.pop(left, None)
        for name, value in fields.items():
            event.setdefault(name, value)
        return event

    return add


def _withhold(_logger: Any, _method: str, event: Event) -> Event:
    for name, value in event.items():
        if _NAMES.search(name):
            event[name] = WITHHELD
        elif isinstance(value, str):
            event[name] = _SAID.sub(rf"\1{WITHHELD}", value)
        elif not isinstance(value, int | float | bool | None):
            event[name] = _plain(value)
    return event


def _plain(value: Any) -> Any:
    """Return what a value nested in a field may show: bytes are never shown, they may be a key."""
    if isinstance(value, bytes | bytearray):
        return f"({len(value)} bytes)"
    if isinstance(value, dict):
        return {str(name): WITHHELD if _NAMES.search(str(name)) else _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, int | float | bool | None) else _SAID.sub(rf"\1{WITHHELD}", str(value))


def _json(event: Event, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()


def _line(_logger: Any, _method: str, event: Event) -> str:
    """Return `12:00:00 info settled batch records=500`."""
    at, level, says = event.pop("timestamp", ""), event.pop("level", ""), event.pop("event", "")
    event.pop("logger", None)
    trouble = event.pop("exception", None)
    fields = "".join(f" {name}={value}" for name, value in event.items())
    return f"{at[11:19]} {level} {says}{fields}" + (f"\n{trouble}" if trouble else "")

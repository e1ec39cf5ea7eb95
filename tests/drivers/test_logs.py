"""Log lines are JSON objects with the trace they belong to, and no secret is in any of them."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from placet.decision.sums import Near
from placet.drivers.logs import log_to, logger, trace_of, traced
from placet.drivers.telling import Telling, limits_reached
from placet.model.codec import quarantined
from placet.model.codec.quarantined import Quarantined
from placet.model.reasons import Reason
from placet.model.topics import Topic
from placet.ports import Emits, Message
from tests.support.world import World

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"  # the example of W3C Trace Context §3.2.2


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    log_to(stream, form="json", slot="worker-0")
    yield stream
    for handler in root.handlers:
        if handler not in before:
            root.removeHandler(handler)
    root.setLevel(level)
    logging.getLogger("placet").setLevel(logging.NOTSET)


def lines(stream: io.StringIO) -> list[Any]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_an_object_with_its_fields(out: io.StringIO) -> None:
    logger("worker").info("settled batch", records=500, verdicts=481)
    [line] = lines(out)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "settled batch",
        "records": 500,
        "verdicts": 481,
        "level": "info",
        "logger": "placet.worker",
        "slot": "worker-0",
    }


def test_other_libraries_are_heard_in_the_same_way_from_warning_on(out: io.StringIO) -> None:
    logging.getLogger("faust.app").info("hello")
    logging.getLogger("faust.app").warning("lost %d", 3)
    logger("worker").debug("too small")
    assert [(line["event"], line["logger"]) for line in lines(out)] == [("lost 3", "faust.app")]


def test_a_trace_is_in_every_line_within_and_in_none_after(out: io.StringIO) -> None:
    with traced(PARENT.encode()):
        logger("worker").info("inside")
        logging.getLogger("placet.kafka").warning("inside too")
    with traced("nonsense"):
        logger("worker").info("no trace")
    logger("worker").info("outside")
    told = [(line["event"], line.get("trace_id"), line.get("span_id")) for line in lines(out)]
    assert told == [
        ("inside", TRACE, SPAN),
        ("inside too", TRACE, SPAN),
        ("no trace", None, None),
        ("outside", None, None),
    ]


@pytest.mark.parametrize(
    ("header", "ids"),
    [
        (PARENT, (TRACE, SPAN)),
        (PARENT.encode(), (TRACE, SPAN)),
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like", (TRACE, SPAN)),
        (f"00-{TRACE}-{SPAN}-01-extra", None),
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (PARENT.upper(), None),
        (f"00-{TRACE[:31]}-{SPAN}-01", None),
        ("", None),
        (None, None),
        (b"\xff", None),
    ],
)
def test_a_traceparent_is_read_as_published(header: str | bytes | None, ids: tuple[str, str] | None) -> None:
    assert trace_of(header) == ids


SECRET = "hunter2-hunter2"


def test_no_secret_is_in_any_line(out: io.StringIO) -> None:
    speak = logger("worker")
    speak.warning("signed in", token=SECRET, sasl_password=SECRET, Authorization=f"Bearer {SECRET}")
    speak.warning("options", options={"sasl.password": SECRET, "sasl.username": "ada", "inner": [{"secret": SECRET}]})
    speak.warning(f"could not sign in with sasl.password={SECRET}; header Bearer {SECRET}")
    speak.warning("as JSON", text=f'{{"sasl.password": "{SECRET}"}}')
    speak.warning("a key", kek=SECRET, material=SECRET.encode(), error=ValueError(f"password={SECRET}"))
    logging.getLogger("faust").warning("connecting with password=%s", SECRET)
    try:
        raise RuntimeError(f"token={SECRET}")
    except RuntimeError:
        speak.exception("failed")
    assert len(lines(out)) == 7
    assert SECRET not in out.getvalue()
    assert lines(out)[1]["options"]["sasl.username"] == "ada"


def test_text_is_for_a_person(out: io.StringIO) -> None:
    log_to(out, form="text")
    logger("worker").info("settled batch", records=500)
    assert out.getvalue()[8:] == " info settled batch records=500\n"


def test_a_second_call_replaces_the_first(out: io.StringIO) -> None:
    other = io.StringIO()
    log_to(other, form="json", level="debug")
    logger("worker").debug("only there")
    assert out.getvalue() == ""
    assert [line["event"] for line in lines(other)] == ["only there"]


def test_what_a_worker_sets_aside_is_named_in_the_trace_it_came_in(out: io.StringIO) -> None:
    world = World()
    world.step()
    world.memory.append(Topic.INTENTS, 0, [Message(b"k", b"junk", PARENT.encode()), Message(b"k", b"other")])
    world.loop.step(0)
    traced_, plain = (line for line in lines(out) if line["event"] == "set aside")
    assert (traced_["record"], traced_["reason"]) == ("placet.intents/0@0", "schema_unknown")
    assert (traced_["trace_id"], traced_["span_id"]) == (TRACE, SPAN)
    assert plain["record"] == "placet.intents/0@1"
    assert "trace_id" not in plain


def test_limits_that_are_nearly_reached_are_named_in_a_bounded_number_of_lines(out: io.StringIO) -> None:
    near = [Near("acme/user:ada", "payments/refunds-a-day", "authority", 80, 100)] * 2
    mandates = [Near("acme/user:ada", f"mandate/m{number}", "count 0", 8, 10) for number in range(20)]
    assert limits_reached([*near, *mandates]) == {"payments/refunds-a-day": 2, "mandate": 20}
    first, *_, last = said = lines(out)
    assert len(said) == 21
    assert (first["event"], first["limit"], first["key"]) == (
        "limit reached",
        "payments/refunds-a-day",
        "acme/user:ada",
    )
    assert (first["scope"], first["used"], first["max"]) == ("authority", 80, 100)
    assert (last["event"], last["more"]) == ("limit reached", 2)


def test_a_flood_of_what_is_set_aside_is_a_bounded_number_of_lines(out: io.StringIO) -> None:
    now = 100.0
    telling = Telling(lambda: now)
    aside = Message(b"place", quarantined.frame(Quarantined(1, 0, 7, 0, int(Reason.UNDECODABLE), "junk", None, b"raw")))
    for _ in range(3):
        telling.batch([Emits(quarantine=[aside] * 30)], 30, 0.0)
    assert [line.get("more") for line in lines(out)] == [None] * 20
    now += 10.0
    telling.batch([Emits()], 1, 0.0)
    # Of ninety twenty were named.
    assert [line["more"] for line in lines(out)[20:]] == [70]
    telling.batch([Emits(quarantine=[aside])], 1, 0.0)
    assert lines(out)[-1]["record"] == "placet.intents/0@7"

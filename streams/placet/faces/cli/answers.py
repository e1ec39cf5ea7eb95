"""What a desk said to a record that a verb has just written, and how a verb tells it."""

import time
from typing import TYPE_CHECKING, Any

from placet.faces.cli import printing
from placet.faces.cli.verb import Exit, Failure

if TYPE_CHECKING:
    from placet.drivers.keyfile import Purpose
    from placet.faces.cli.journal import Journal
    from placet.faces.sdk.models import Answer
    from placet.faces.sdk.sealed import Sealed
    from placet.model.topics import Topic

WAIT_MS = 15_000
READ_MOST = 500


def answered(
    journal: "Journal", topic: "Topic", codec: Any, record: Any, purpose: "Purpose", issuer: str | None = None
) -> "Answer":
    """Write `record`, signed with the key of `purpose` (of `issuer`), and return its answer. Raise Failure when none comes in time."""
    from placet.faces.sdk.models import Answer

    return Answer.of(sealed_answer(journal, topic, codec, record, purpose, issuer).record)


def sealed_answer(
    journal: "Journal", topic: "Topic", codec: Any, record: Any, purpose: "Purpose", issuer: str | None = None
) -> "Sealed":
    """Write `record` as `answered` does, and return the sealed decision that names it as its cause, whatever kind it is."""
    from placet.faces.sdk.sealed import SealedReader
    from placet.model.topics import Topic

    connection = journal.connection
    partition = connection.partition(record.tenant, record.authority)
    offset = connection.log.end(Topic.DECISIONS, partition)
    reader = SealedReader(partition, connection.ring, genesis=offset == 0)
    written = journal.write(topic, f"{record.tenant}/{record.authority}", codec, record, purpose, issuer)
    until = time.monotonic() + WAIT_MS / 1000
    while (left := until - time.monotonic()) > 0:
        recs = connection.log.read(Topic.DECISIONS, partition, offset, READ_MOST, int(left * 1000))
        for one in reader.feed(recs):
            cause = (one.record.cause_topic, one.record.cause_offset)
            if cause == (topic, written.offset) and one.name != "repeat":
                return one
        offset = recs[-1].offset + 1 if recs else offset
    where = f"{written.topic}/{written.partition}@{written.offset}"
    raise Failure(
        Exit.NOT_RUN,
        f"{where}: written, and not answered within {WAIT_MS} ms",
        "is a desk running? it will answer when it is",
    )


def tell(answer: "Answer", *, as_json: bool) -> Exit:
    """Print an answer; return REFUSED where the record was refused."""
    if as_json:
        printing.emit(answer_of(answer))
    elif answer.refusal:
        printing.say(f"refused: {answer.reason.name.lower()}, {answer.detail}")
    else:
        advise(answer)
    return Exit.REFUSED if answer.refusal else Exit.FINE


def advise(answer: "Answer") -> None:
    """Print an answer on one line, and below it what to do about one that grants nothing."""
    printing.say(answer.says())
    if answer.refused:
        printing.say(answer.advice())


def answer_of(answer: "Answer") -> dict[str, Any]:
    """Return an answer as JSON has it."""
    from placet.faces.cli.records import arguments_of

    said: dict[str, Any] = {name: getattr(answer, name) for name in type(answer).model_fields}
    said["obligations"] = [one.model_dump() for one in answer.obligations]
    said["arguments"] = None if answer.arguments is None else arguments_of(answer.arguments)
    said["bounds"] = [{**one.model_dump(), "effect": one.effect.name.lower()} for one in answer.bounds]
    said["granted"] = answer.granted
    said["refused"] = answer.to_dict() if answer.refused else None
    return said

"""What an error of librdkafka means for the one who called: one reading for all drivers here."""

from typing import Final, NoReturn

from confluent_kafka import KafkaError, KafkaException

from placet.errors import Corrupted, PlacetError, Unavailable, Unsure

# Codes that librdkafka itself raises begin with an underscore; they are as public as the others.
END: Final = KafkaError._PARTITION_EOF  # noqa: SLF001
TIMED_OUT: Final = KafkaError._TIMED_OUT  # noqa: SLF001
EVICTED: Final = KafkaError._MAX_POLL_EXCEEDED  # noqa: SLF001
_FATAL: Final = KafkaError._FATAL  # noqa: SLF001
TOO_LARGE: Final = KafkaError.MSG_SIZE_TOO_LARGE
_GONE: Final = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE})  # noqa: SLF001
_FENCED: Final = frozenset(
    {
        KafkaError._FENCED,  # noqa: SLF001
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
    }
)
_PASSING: Final = frozenset(
    {
        TIMED_OUT,
        KafkaError._TRANSPORT,  # noqa: SLF001
        KafkaError._WAIT_COORD,  # noqa: SLF001
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.REQUEST_TIMED_OUT,
    }
)
"""A leader that moves, or a broker that starts: the same question has an answer a moment later."""
_UNHEARD_OF: Final = frozenset(
    {
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
)


def cause_of(error: KafkaException) -> KafkaError:
    """Return the error that an exception of librdkafka carries."""
    cause = error.args[0]
    assert isinstance(cause, KafkaError)
    return cause


def is_fenced(cause: KafkaError) -> bool:
    """Return whether another process has taken this one's place under the same slot."""
    # An error that ended a consumer comes as `_FATAL`, and only its text says which it was.
    return cause.code() in _FENCED or (cause.code() == _FATAL and "fenced" in cause.str())


def is_gone(cause: KafkaError) -> bool:
    """Return whether a position lies outside what the broker keeps."""
    return cause.code() in _GONE


def is_passing(cause: KafkaError) -> bool:
    """Return whether it is worth asking again at once."""
    return cause.code() in _PASSING


def is_unheard_of(cause: KafkaError) -> bool:
    """Return whether the client knows of no such partition, be there one or not."""
    return cause.code() in _UNHEARD_OF


def reading(cause: KafkaError, where: str) -> PlacetError:
    """Return what a reader raises for `cause`, which met it at `where`."""
    if is_fenced(cause):
        return Unsure(f"{where}: fenced: another process runs under this slot ({cause.str()})")
    if cause.fatal() or cause.code() == _FATAL:
        return Unsure(f"{where}: the client cannot go on ({cause.str()})")
    if is_gone(cause):
        return Corrupted(f"{where}: the position to read from is not among what the broker keeps ({cause.str()})")
    return Unavailable(f"{where}: {cause.str()}")


def raise_reading(error: KafkaException, where: str) -> NoReturn:
    """Raise what a reader raises for the exception `error`."""
    raise reading(cause_of(error), where) from error

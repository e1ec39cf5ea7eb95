"""A journal as verbs see it: a log to append to and read from, the pinned keys, and signed writing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from placet.drivers.clock import SystemClock
from placet.drivers.keyfile import Purpose
from placet.errors import PoisonRecord, Unavailable
from placet.faces.cli.configured import settings_with
from placet.faces.cli.place import Place
from placet.faces.cli.verb import Exit, Failure, usage
from placet.faces.sdk.connection import Connection, connect
from placet.faces.sdk.tokens import token_of
from placet.model import strict
from placet.model.keys import partition_of
from placet.model.proof import Signer
from placet.model.topics import Topic
from placet.ports import Log, Message, Rec

READ_MOST = 2_000
NAMED = (Topic.SIGNALS, Topic.SENSITIVITY, Topic.PRINCIPALS)
"""Topics whose records name a source: only a key that speaks as it proves them."""
FETCH_MS = 5_000
"""How long a record that is known to be there may take to arrive."""


class Written(NamedTuple):
    """Where a record went, and what it said. `token` is its place in one word, as `--at-least` takes it."""

    topic: str
    partition: int
    offset: int
    record: Any
    token: str

    def line(self, what: str) -> str:
        """Return one line for a person: what it was, and where it lies."""
        return f"{what}: {self.token}"


class Journal:
    """An open journal: records are signed with the keys of the settings' secrets folder."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.log = connection.log

    def issuer(self, purpose: Purpose, issuer: str | None = None) -> str:
        """Return the principal whose key of `purpose` lies here; `issuer` if it is to be of that one."""
        return self.signer(purpose, issuer).issuer

    def write(
        self, topic: Topic, key: str, codec: Any, record: Any, purpose: Purpose, issuer: str | None = None
    ) -> Written:
        """Sign `record` with the key of `purpose` (of `issuer`), append it in its partition, and return where it lies.

        The key gives the partition; raises `Unavailable` or `Unsure` as the log does.
        """
        name = codec.__name__.rpartition(".")[2]
        source = record.source if topic in NAMED else None
        (proof,) = self.signer(purpose, issuer, source).sign_batch(
            name, codec.FINGERPRINT, [codec.encode_unsigned(record)]
        )
        return self.append(topic, key, codec, record._replace(proof=proof))

    def append(self, topic: Topic, key: str, codec: Any, record: Any) -> Written:
        """Append `record` as it is in the partition of `key`."""
        raw = key.encode()
        partition = partition_of(raw, self.log.partitions(topic))
        offset = self.log.append(topic, partition, [Message(raw, codec.frame(record))])
        return Written(topic.title, partition, offset, record, token_of(topic, partition, offset))

    def signer(self, purpose: Purpose, issuer: str | None = None, source: str | None = None) -> Signer:
        """Return a signer whose private key lies here; fail where none does."""
        try:
            return self.connection.signer(purpose, issuer, source)
        except Unavailable as error:
            hint = "PLACET_DATA or PLACET_SECRETS name the folder of the private keys"
            raise Failure(Exit.NOT_RUN, str(error), hint) from error


def read_all(log: Log, topic: Topic, partition: int, offset: int = 0) -> Iterator[Rec]:
    """Yield the committed records of a partition up to its end as it is now."""
    end = log.end(topic, partition)
    while offset < end:
        recs = log.read(topic, partition, offset, min(READ_MOST, end - offset), FETCH_MS)
        if not recs:
            return
        yield from recs
        offset = recs[-1].offset + 1


@contextmanager
def opened(place: Place) -> Iterator[Journal]:
    """Open the journal at `place` to write: through a folder's running owner, else with a desk in this process."""
    with connect(url=place.url, bootstrap=place.bootstrap, data=place.data, settings=settings_with()) as connection:
        yield Journal(connection)


def now_ms() -> int:
    """Return this machine's clock, ms since 1970."""
    return SystemClock().now_ms()


def named(text: str, option: str) -> str:
    """Return `text` if it may stand in a key (ASCII, at most 256 characters), else fail as wrong usage."""
    check = strict.tenant if option == "--tenant" else strict.identifier
    try:
        return check(text, option)
    except PoisonRecord as error:
        raise usage(str(error)) from None


def one_of(text: str, option: str, known: tuple[str, ...]) -> str:
    """Return `text` if it is one of `known`, else fail as wrong usage."""
    if text not in known:
        raise usage(f"{option}: `{text}`: expected one of {', '.join(known)}")
    return text

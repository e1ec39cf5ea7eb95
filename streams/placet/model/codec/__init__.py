"""Every record that travels, by schema id: open a frame, find what reads it, decode it.

The modules beside this one are generated from `schemas/*.avsc` (`make codecs`);
`_wire` is what they share. A record is written by its codec. It is read in every
version that was released, and is in its present form then, with the defaults of
what its writer did not know. What was signed or hashed are the writer's bytes,
under the writer's `FINGERPRINT`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeVar

from placet.errors import PoisonRecord
from placet.model.codec.table import CODECS, OLDER
from placet.model.reasons import Reason

R = TypeVar("R")


class Reader(Protocol):
    """What each generated module offers, whichever record it is of, and in whichever version."""

    __name__: str
    SCHEMA_ID: int
    HEADER: bytes
    FINGERPRINT: bytes

    def decode(self, data: bytes, start: int = 5) -> Any:
        """Return the record in `data` from `start` to its end; raise PoisonRecord where it is not one."""


class Signed(Reader, Protocol):
    """What the versions of a record that proves its writer offer besides."""

    def decode_signed(self, data: bytes, start: int = 5) -> tuple[Any, int]:
        """Return the record in `data` from `start` to its end, and where its proof begins."""


class Codec(Reader, Protocol):
    """What the present version of a record offers besides: it is written as well."""

    def encode(self, record: Any) -> bytes:
        """Return the payload, without framing."""

    def frame(self, record: Any) -> bytes:
        """Return the payload in Confluent framing."""


BY_ID: dict[int, Codec] = {codec.SCHEMA_ID: codec for codec in CODECS}
"""The codec of each schema id."""
BY_NAME: dict[str, Codec] = {codec.__name__.rpartition(".")[2]: codec for codec in CODECS}
"""The codec of each record, by the name of its schema file."""
READERS: dict[str, tuple[Any, ...]] = {name: (codec, *OLDER.get(name, ())) for name, codec in BY_NAME.items()}
"""What reads each record, by the name of its schema file: its codec, then the `Reader` of each older version."""
HEADERS: dict[str, frozenset[bytes]] = {
    name: frozenset(reader.HEADER for reader in readers) for name, readers in READERS.items()
}
"""The framings that each record may have, by the name of its schema file."""
BY_HEADER: dict[bytes, Any] = {reader.HEADER: reader for readers in READERS.values() for reader in readers}
"""What reads a value, by the framing it begins with."""
_NAMES = {reader.SCHEMA_ID: name for name, readers in READERS.items() for reader in readers}


def open_frame(value: bytes) -> tuple[str, int]:
    """Return the record's name and schema id in a framed value (0x00, four bytes of id, payload).

    Raise PoisonRecord: UNDECODABLE without a frame, SCHEMA_UNKNOWN for an id that nothing here reads.
    """
    if len(value) < 5 or value[0]:
        raise PoisonRecord(
            f"a value of {len(value)} bytes without a schema frame, expected 0x00 and an id", Reason.UNDECODABLE
        )
    number = int.from_bytes(value[1:5], "big")
    name = _NAMES.get(number)
    if name is None:
        raise PoisonRecord(
            f"no schema with id {number}; this build knows {min(_NAMES)} to {max(_NAMES)}", Reason.SCHEMA_UNKNOWN
        )
    return name, number


def decode_any(value: bytes) -> Any:
    """Return the record in a framed value, of whichever schema it is; raise PoisonRecord as `open_frame` and `decode` do."""
    open_frame(value)
    return decode_known(value)


def decode_known(value: bytes) -> Any:
    """Return the record in a framed value that was read before."""
    return BY_HEADER[value[:5]].decode(value)


def decode_as(name: str, value: bytes | None) -> Any | None:
    """Return the record in a framed value, or None where it is not a `name`; raise PoisonRecord as `decode` does."""
    return decode_known(value) if value is not None and value[:5] in HEADERS[name] else None


def hearers_of(name: str, hear: Callable[..., R]) -> dict[bytes, Callable[..., R]]:
    """Return who hears each version of a record, by its framing: the present one `hear`, an older one with its `reader`."""
    present, *older = READERS[name]
    return {present.HEADER: hear, **{reader.HEADER: partial(hear, reader=reader) for reader in older}}

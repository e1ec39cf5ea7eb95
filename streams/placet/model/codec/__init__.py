"""Every record that travels, by schema id: open a frame, find its codec, decode it.

The modules beside this one are generated from `schemas/*.avsc` (`make codecs`);
`_wire` is what they share.
"""

from typing import Any, Protocol

from placet.errors import PoisonRecord
from placet.model.codec.table import CODECS
from placet.model.reasons import Reason


class Codec(Protocol):
    """What each generated module offers, whichever record it is of."""

    __name__: str
    SCHEMA_ID: int
    HEADER: bytes
    FINGERPRINT: bytes

    def decode(self, data: bytes, start: int = 5) -> Any:
        """Return the record in `data` from `start` to its end; raise PoisonRecord where it is not one."""

    def encode(self, record: Any) -> bytes:
        """Return the payload, without framing."""

    def frame(self, record: Any) -> bytes:
        """Return the payload in Confluent framing."""


BY_ID: dict[int, Codec] = {codec.SCHEMA_ID: codec for codec in CODECS}
"""The codec of each schema id."""
BY_NAME: dict[str, Codec] = {codec.__name__.rpartition(".")[2]: codec for codec in CODECS}
"""The codec of each record, by the name of its schema file."""
_NAMES = {codec.SCHEMA_ID: name for name, codec in BY_NAME.items()}


def open_frame(value: bytes) -> tuple[str, int]:
    """Return the record's name and schema id in a framed value (0x00, four bytes of id, payload).

    Raise PoisonRecord: UNDECODABLE without a frame, SCHEMA_UNKNOWN for an id that is not in `BY_ID`.
    """
    if len(value) < 5 or value[0]:
        raise PoisonRecord(
            f"a value of {len(value)} bytes without a schema frame, expected 0x00 and an id", Reason.UNDECODABLE
        )
    number = int.from_bytes(value[1:5], "big")
    name = _NAMES.get(number)
    if name is None:
        raise PoisonRecord(
            f"no schema with id {number}; this build knows {min(BY_ID)} to {max(BY_ID)}", Reason.SCHEMA_UNKNOWN
        )
    return name, number


def decode_any(value: bytes) -> Any:
    """Return the record in a framed value, of whichever schema it is; raise PoisonRecord as `open_frame` and `decode` do."""
    return BY_ID[open_frame(value)[1]].decode(value)

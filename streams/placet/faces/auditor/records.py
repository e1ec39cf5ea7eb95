"""Records as `schemas/*.avsc` describe them, decoded by fastavro and by nothing of the product.

What was written in an older version is read as the present schema has it; the
bytes, and the fingerprint that digests and proofs are over, are its writer's.
"""

import io
import json
from pathlib import Path
from typing import Any, NamedTuple

from fastavro import parse_schema, schemaless_reader
from fastavro.schema import fingerprint, to_parsing_canonical_form

from placet.faces.auditor.defaults import with_defaults

Fields = dict[str, Any]
HEADER_SIZE = 5
_FAULTS = (EOFError, ValueError, IndexError, KeyError, TypeError, OverflowError, MemoryError)


class Unreadable(ValueError):
    """These bytes are not a record of any known schema."""


class Record(NamedTuple):
    """One decoded record. `payload` is without framing; `unsigned` is its part before the proof, where it has one.

    `fingerprint` is of the schema it was written in.
    """

    name: str
    fields: Fields
    payload: bytes
    unsigned: bytes
    fingerprint: bytes


class Schema(NamedTuple):
    """One version of a schema, and for a record that may be signed the two parts it is read in."""

    name: str
    whole: Any
    body: Any
    proof: Any
    fingerprint: bytes


def schemas_folder() -> Path:
    """Return where the schemas lie: beside the installed package, or at the top of the repository."""
    package = Path(__file__).parents[2]
    for folder in (package / "_schemas", package.parents[1] / "schemas"):
        if (folder / "ids.json").is_file():
            return folder
    raise FileNotFoundError(f"no `ids.json` in {package / '_schemas'} or {package.parents[1] / 'schemas'}")


class Schemas:
    """All schemas by id. `open` reads a framed value, whole, or raises Unreadable."""

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or schemas_folder()
        ids = json.loads((folder / "ids.json").read_text())
        self._by_id = {int(number): _load(folder, entry["name"], number) for number, entry in ids.items()}
        # The newest version of a record is the one with the greatest id.
        self._by_name = {schema.name: schema for _, schema in sorted(self._by_id.items())}
        case = json.loads((folder / "case.avsc").read_text())
        upto = [field["name"] for field in case["fields"]].index("seq") + 1
        self._case_head = parse_schema({**case, "fields": case["fields"][:upto]})
        number = max(number for number, schema in self._by_id.items() if schema.name == "case")
        self._case_header = b"\x00" + number.to_bytes(4, "big")

    def open(self, value: bytes | None) -> Record:
        """Return the record in a framed value (0x00, four bytes of schema id, Avro)."""
        if value is None:
            raise Unreadable("no value")
        if len(value) < HEADER_SIZE or value[0]:
            raise Unreadable("no frame of 0x00 and a schema id")
        schema = self._by_id.get(int.from_bytes(value[1:HEADER_SIZE], "big"))
        if schema is None:
            raise Unreadable(f"no schema has the id {int.from_bytes(value[1:HEADER_SIZE], 'big')}")
        return self._read(schema, value[HEADER_SIZE:])

    def name_of(self, value: bytes) -> str:
        """Return the record's name by the framing of a value alone, an empty text where no schema is known by it."""
        schema = self._framed(value)
        return schema.name if schema else ""

    def fingerprint_of(self, value: bytes) -> bytes:
        """Return the fingerprint of the schema a value is framed with, nothing where none is known by it."""
        schema = self._framed(value)
        return schema.fingerprint if schema else b""

    def _framed(self, value: bytes) -> Schema | None:
        framed = len(value) >= HEADER_SIZE and not value[0]
        return self._by_id.get(int.from_bytes(value[1:HEADER_SIZE], "big")) if framed else None

    def seq_of_case(self, value: bytes | None) -> int:
        """Return the seq of a framed case, read no further than that."""
        if value is None or value[:HEADER_SIZE] != self._case_header:
            return int(self.open(value).fields["seq"])
        try:
            fields: Any = schemaless_reader(io.BytesIO(value[HEADER_SIZE:]), self._case_head, None)
        except _FAULTS as error:
            raise Unreadable(f"not a `case`: {type(error).__name__}: {error}") from None
        return int(fields["seq"])

    def _read(self, schema: Schema, payload: bytes) -> Record:
        name, newest = schema.name, self._by_name[schema.name]
        # fastavro resolves whatever it is given two schemas for, also where they are the same.
        into = newest if newest is not schema else _AS_WRITTEN
        source = io.BytesIO(payload)
        unsigned = payload
        try:
            if schema.proof is None:
                fields: Any = schemaless_reader(source, schema.whole, into.whole)
            else:
                fields = schemaless_reader(source, schema.body, into.body)
                unsigned = payload[: source.tell()]
                fields["proof"] = schemaless_reader(source, schema.proof, into.proof)
        except _FAULTS as error:
            raise Unreadable(f"not a `{name}`: {type(error).__name__}: {error}") from None
        if source.tell() != len(payload):
            raise Unreadable(f"`{name}` ends at byte {source.tell()} of {len(payload)}")
        return Record(name, fields, payload, unsigned, schema.fingerprint)


_AS_WRITTEN = Schema("", None, None, None, b"")


def _load(folder: Path, name: str, number: str) -> Schema:
    raw = json.loads((folder / "history" / name / f"{number}.avsc").read_text())
    digest = bytes.fromhex(fingerprint(to_parsing_canonical_form(raw), "SHA-256"))
    whole = with_defaults(parse_schema(raw))
    last = raw["fields"][-1]
    if last["name"] != "proof":
        return Schema(name, whole, None, None, digest)
    body = with_defaults(parse_schema({**raw, "fields": raw["fields"][:-1]}))
    return Schema(name, whole, body, with_defaults(parse_schema(last["type"])), digest)

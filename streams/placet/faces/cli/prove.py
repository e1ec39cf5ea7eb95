"""`placet prove`: a file that proves to anybody, offline, that a record of an intent's life stands in the provenance log."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, Place, Tenant, resolve
from placet.faces.cli.show import life_of
from placet.faces.cli.verb import Exit, Failure, Json
from placet.faces.cli.withdraw import Intent, id_of

if TYPE_CHECKING:
    from placet.drivers.ledger.folder import FolderReader
    from placet.ports import Rec
    from placet.provenance.prooffile import ProofFile

EXAMPLE = "placet prove 0190f3c2a4b87c3e9d1f5a6b7c8d9e0f --data run"
EXITS = {
    Exit.NOT_RUN: "could not run, no such intent, or its record is not in the log yet",
    Exit.FAULTY: "the log holds another record, or does not agree with itself",
}


def run(
    intent: Intent,
    offset: Annotated[
        int | None, typer.Option(min=0, help="Which of its records, by its offset in `placet show`. Else the newest.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="A file for each record of its life.")] = False,
    out: Annotated[
        Path | None, typer.Option(file_okay=False, help="The folder to write to. Else the one you are in.")
    ] = None,
    authority: Annotated[str, typer.Option(help="Who answers for it: then only one partition is read.")] = "",
    tenant: Tenant = "default",
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Write a tlog-proof of the newest record of an intent, or of another one of its life.

    The file holds the record, the path from it to the root of the log, and the signed checkpoint with that root:
    `placet verify`, or the verifier in `ops/verify`, needs nothing else but the log's key. A record too long for one
    line of a proof lies beside it. The log is the one below `--data`; PLACET_LEDGER names another.
    """
    from placet.drivers.ledger.folder import FolderReader
    from placet.faces.cli.reading import reading, settings_of

    place, wanted = resolve(None, bootstrap, data), id_of(intent)
    reader = FolderReader(settings_of(place).ledger_dir)
    with reading(place) as log:
        recs = [rec for rec, _, _ in life_of(log, wanted, tenant, authority)]
    folder = out or Path()
    folder.mkdir(parents=True, exist_ok=True)
    written = [_write(folder, wanted, rec, _proof(reader, rec)) for rec in _chosen(recs, place, wanted, offset, every)]
    if as_json:
        printing.emit(written if every else written[0])
    else:
        for one in written:
            printing.say(" ".join(f"{name}={value}" for name, value in one.items() if value is not None))
    return Exit.FINE


def _chosen(recs: "list[Rec]", place: Place, wanted: bytes, offset: int | None, every: bool) -> "list[Rec]":
    if not recs:
        raise Failure(Exit.NOT_RUN, f"{place}: nothing is said of intent {wanted.hex()}", "`placet tail` shows ids")
    chosen = [rec for rec in recs if offset in (None, rec.offset)]
    if not chosen:
        there = ", ".join(str(rec.offset) for rec in recs)
        raise Failure(Exit.NOT_RUN, f"intent {wanted.hex()} has no record at offset {offset}: expected one of {there}")
    return chosen if every else chosen[-1:]


def _proof(reader: "FolderReader", rec: "Rec") -> "ProofFile":
    """Return the proof of a record, held against the root of the checkpoint it is made for."""
    from placet.model.merkle import leaf_hash
    from placet.model.topics import Topic
    from placet.provenance.checkpoint import read_checkpoint
    from placet.provenance.finding import Finder
    from placet.provenance.leaf import encode_record
    from placet.provenance.notes import split
    from placet.provenance.prooffile import ProofFile
    from placet.provenance.proofs import TileTree, included
    from placet.provenance.tiles import CHECKPOINT
    from placet.provenance.tree import reader_over

    note = reader.get(CHECKPOINT)
    if note is None:
        raise Failure(Exit.NOT_RUN, f"{reader.folder}: nothing published yet", "try again in a second")
    where = f"{Topic(rec.topic).title}/{rec.partition}@{rec.offset}"
    try:
        head = read_checkpoint(split(note)[0])
        read = reader_over(reader.get)
        found = Finder(head.size, read).find(rec.topic, rec.partition, rec.offset)
        path = () if found is None else tuple(TileTree(head.size, read).inclusion(found.at))
    except ValueError as fault:
        raise Failure(Exit.FAULTY, f"{reader.folder}: {fault}", "`placet ledger fsck` says more") from None
    if found is None:
        raise Failure(
            Exit.NOT_RUN,
            f"{where} is not among the {head.size} leaves that are published",
            "try again in a second; if it stays so, `placet ledger complete` says more",
        )
    if found.leaf != encode_record(rec):
        raise Failure(Exit.FAULTY, f"{where}: leaf {found.at} is not this record", "`placet audit` says more")
    if not included(leaf_hash(found.leaf), found.at, head.size, path, head.root):
        raise Failure(Exit.FAULTY, f"leaf {found.at} is not under the signed root", "`placet ledger fsck` says more")
    return ProofFile(found.at, path, note, found.leaf)


def _write(folder: Path, wanted: bytes, rec: "Rec", proof: "ProofFile") -> dict[str, object]:
    from placet.provenance.prooffile import fits_a_line

    file = folder / f"{wanted.hex()}-{rec.offset}.tlog-proof"
    beside = None
    leaf = proof.extra or b""
    if not fits_a_line(leaf):
        beside = file.with_suffix(".record")
        beside.write_bytes(leaf)
        proof = proof._replace(extra=None)
    file.write_bytes(proof.text)
    return {
        "file": str(file),
        "record": None if beside is None else str(beside),
        "leaf": proof.leaf,
        "offset": rec.offset,
    }

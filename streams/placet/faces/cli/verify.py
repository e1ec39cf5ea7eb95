"""`placet verify`: whether a proof holds, offline, for whoever has the log's key."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from placet.faces.cli import printing
from placet.faces.cli.verb import Exit, Failure, Json, usage

if TYPE_CHECKING:
    from placet.provenance.prooffile import ProofFile
    from placet.provenance.trust import TrustPolicy

EXAMPLE = "placet verify 0190f3c2a4b87c3e9d1f5a6b7c8d9e0f-812.tlog-proof --vkey placet.local/log+1f2e3d4c+AbCd...="
EXITS = {Exit.FAULTY: "the proof does not hold"}


def run(
    file: Annotated[Path, typer.Argument(help="A tlog-proof, as `placet prove` writes it.")],
    vkey: Annotated[
        list[str] | None, typer.Option(help="The log's verifier key; again for a key that follows it at a rotation.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A tlog-policy file: logs, witnesses and a quorum.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The leaf, where the proof does not carry it.")
    ] = None,
    as_json: Json = False,
) -> Exit:
    """Check that the record in a proof stands in a log that the key signed for, and say what the record is.

    Nothing is asked of anybody. The key must have come by another way than the proof.
    """
    from placet.model.merkle import leaf_hash
    from placet.provenance.prooffile import read_proof
    from placet.provenance.proofs import included

    trusted = _trusted(vkey or [], policy)
    try:
        written = file.read_bytes()
    except OSError as fault:
        raise usage(f"{file}: cannot be read: {fault.strerror}") from None
    try:
        proof = read_proof(written)
        head, note = trusted.open(proof.checkpoint)
    except ValueError as fault:
        raise Failure(Exit.FAULTY, f"{file}: {fault}") from None
    leaf = _leaf(proof, file, record)
    if not included(leaf_hash(leaf), proof.leaf, head.size, proof.path, head.root):
        raise Failure(
            Exit.FAULTY,
            f"{file}: its path does not lead from its record, leaf {proof.leaf}, to the root of {head.size} leaves",
        )
    said = _said(leaf)
    signers = [f"{line.name}+{line.key_id.hex()}" for line in note.signatures]
    if as_json:
        found = {"holds": True, "origin": head.origin, "leaf": proof.leaf, "size": head.size, "root": head.root.hex()}
        printing.emit({**found, "signers": signers, "record": said})
    else:
        printing.say(f"holds: leaf {proof.leaf} of {head.size} in {head.origin}, signed by {', '.join(signers)}")
        for name, value in said.items():
            printing.say(f"  {name}: {printing.shown(str(value))}")
    return Exit.FINE


def _trusted(vkeys: list[str], policy: Path | None) -> "TrustPolicy":
    from placet.faces.cli.trusting import policy_in
    from placet.provenance.notes import Ed25519Verifier
    from placet.provenance.trust import NONE, TrustPolicy

    trusted = TrustPolicy(quorum=NONE) if policy is None else policy_in(policy)
    try:
        # A key that is given counts, and no other.
        trusted.logs = [Ed25519Verifier.read(vkey) for vkey in dict.fromkeys(vkeys)] or trusted.logs
    except ValueError as fault:
        raise usage(f"--vkey: {fault}", "`placet ledger checkpoint --vkey` prints the key of a log") from None
    if not trusted.logs:
        raise usage("no log to believe: expected --vkey KEY, or a policy with a `log` line")
    return trusted


def _leaf(proof: "ProofFile", file: Path, record: Path | None) -> bytes:
    given = record.read_bytes() if record is not None else None
    if given is None and proof.extra is None:
        raise usage(f"{file} carries no record: expected --record FILE")
    if given is not None and proof.extra is not None and given != proof.extra:
        raise Failure(Exit.FAULTY, f"{file}: the record it carries is not the one in {record}")
    return given if given is not None else proof.extra or b""


def _said(leaf: bytes) -> dict[str, Any]:
    """Return what a leaf says, as far as this version can read it."""
    from placet.errors import PoisonRecord
    from placet.faces.cli import records
    from placet.model.codec import BY_HEADER
    from placet.model.topics import Topic
    from placet.provenance.leaf import Cut, read_leaf

    try:
        read = read_leaf(leaf)
    except ValueError as fault:
        return {"unread": str(fault)}
    if isinstance(read, Cut):
        return {"cut": read.number, "instant": read.instant, "leaves": read.leaves}
    said: dict[str, Any] = {"place": f"{Topic(read.topic).title}/{read.partition}@{read.offset}"}
    if read.digest is not None:
        return {**said, "stands for": f"a record too long for a leaf, SHA-256 {read.digest.hex()}"}
    for header, reader in BY_HEADER.items():
        if read.fingerprint == reader.FINGERPRINT:
            try:
                record = reader.decode(header + read.body)
            except PoisonRecord as fault:
                return {**said, "unread": str(fault)}
            return {**said, "kind": type(record).__name__.lower(), **records.told(record)}
    return {**said, "unread": f"no schema {read.fingerprint.hex()} is known here"}

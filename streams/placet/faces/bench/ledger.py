"""What the provenance log costs: leaves a second with a checkpoint each second, merge delay, proofs of a large tree, disk."""

import os
import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from placet.drivers.clock import SystemClock
from placet.drivers.entropy import SystemEntropy
from placet.drivers.ledger.folder import FolderReader, FolderStore
from placet.drivers.ledger.keys import ensure_ledger_keys
from placet.drivers.ledger.ledger import Ledger
from placet.drivers.ledger.notary import Notary
from placet.drivers.metrics import Watch
from placet.faces.auditor.fsck import check
from placet.faces.bench.machine import percentiles
from placet.faces.bench.options import Asked
from placet.faces.bench.report import Result, tell
from placet.model.codec import BY_NAME
from placet.model.merkle import root_of
from placet.model.topics import Topic
from placet.ports import Rec
from placet.provenance.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from placet.provenance.leaf import encode_record
from placet.provenance.notes import Ed25519Verifier
from placet.provenance.prooffile import ProofFile, read_proof
from placet.provenance.proofs import TileTree, included
from placet.provenance.tiles import CHECKPOINT, HEIGHT, WIDTH, Tile, pack_hashes
from placet.provenance.tree import reader_over

ORIGIN = "placet.local/bench"
LEAVES = 300_000
A_SECOND = 10_000
"""Records of one cut: those of a second at the rate aimed at."""
OPEN_A_SECOND = 5_000
OPEN_S = 8.0
TREE = 10_000_000
PROOFS = 300
BODY = 640
"""Bytes of a record: a verdict of the demo, its key apart, has about as many."""
PARTITIONS = 4


class Feed:
    """Records as a cluster hands them out; with a rate, no sooner than they are due, and stamped with that time."""

    def __init__(self, total: int, rate: int = 0) -> None:
        self._total = total
        self._rate = rate
        self._given = 0
        self._started = time.time()
        self._next = dict.fromkeys(range(PARTITIONS), 0)
        self._draw = random.Random(7)  # noqa: S311  bytes to hash, no secret
        self._header = BY_NAME["verdict"].HEADER

    @property
    def left(self) -> int:
        return self._total - self._given

    def take(self, most: int, wait_ms: int) -> list[Rec]:
        """Return what is due; where nothing is, wait a moment first."""
        due = self._total
        if self._rate:
            time.sleep(min(wait_ms / 1000, 0.02))
            due = min(due, int((time.time() - self._started) * self._rate))
        return [self._made() for _ in range(min(most, due - self._given))]

    def _made(self) -> Rec:
        partition = self._given % PARTITIONS
        at = (self._started + self._given / self._rate if self._rate else self._started) * 1000
        offset = self._next[partition]
        self._next[partition] = offset + 1
        self._given += 1
        return Rec(
            Topic.DECISIONS, partition, offset, int(at), b"acme/user:ada", self._header + self._draw.randbytes(BODY)
        )

    def logged(self, places: Mapping[tuple[int, int], int]) -> None:
        """Keep nothing."""

    def close(self) -> None:
        """Hold nothing."""


class Merging(Watch):
    """Keeps how long each sampled record waited for its checkpoint, ms."""

    def __init__(self) -> None:
        super().__init__()
        self.delays: list[float] = []

    def logged(self, size: int, at_ms: int, delays_ms: Any) -> None:
        super().logged(size, at_ms, ())
        self.delays += delays_ms


@contextmanager
def _log(folder: Path) -> Iterator[Ledger]:
    store = FolderStore(folder / "ledger")
    keys = ensure_ledger_keys(folder / "secrets", store, ORIGIN, SystemEntropy())
    ledger = Ledger(store, ORIGIN, keys.signers, keys.known, "bench")
    try:
        yield ledger
    finally:
        ledger.close()


def _sustained(folder: Path, leaves: int, result: Result) -> None:
    """Commit `leaves` in cuts of a second's worth, each durable with its checkpoint before the next begins."""
    feed, cpu, wall, worst = Feed(leaves), 0.0, 0.0, 0.0
    raw = 0
    with _log(folder) as ledger:
        notary = Notary(feed, ledger, SystemClock(), Merging(), checkpoint_ms=10)
        while feed.left:
            # Making the records is what a broker does: it is not counted.
            recs = feed.take(A_SECOND, 0)
            raw += sum(len(encode_record(rec) or b"") for rec in recs)
            notary.held += recs
            started, spent = time.perf_counter(), time.process_time()
            notary.commit()
            took = time.perf_counter() - started
            cpu, wall, worst = cpu + time.process_time() - spent, wall + took, max(worst, took)
    reader = FolderReader(folder / "ledger")
    disk = sum((folder / "ledger" / path).stat().st_size for path in reader.list("tile/"))
    result.figures |= {
        "leaves": leaves,
        "leaves_per_core_s": round(leaves / cpu),
        "leaves_per_s": round(leaves / wall),
        "cut_of_a_second_s_most": round(worst, 3),
        "disk_over_raw": round(disk / raw, 4),
    }
    vkeys = (folder / "ledger" / ".placet" / "vkeys").read_text().split()
    report = check(reader.get, vkeys)
    assert report is not None
    flaws = [f"{flaw.path}: {flaw.text}" for flaw in report.flaws]
    cuts = -(-leaves // A_SECOND)
    if report.size != leaves + cuts:
        flaws.append(f"expected {leaves} leaves and {cuts} cuts, read {report.size}")
    result.audits["ledger"] = {"clean": not flaws, "violations": flaws, "read": {"leaf": report.size}}


def _merge_delay(folder: Path, seconds: float, result: Result) -> None:
    feed, watch = Feed(int(OPEN_A_SECOND * seconds), OPEN_A_SECOND), Merging()
    with _log(folder) as ledger:
        notary = Notary(feed, ledger, SystemClock(), watch, checkpoint_ms=1_000)
        while feed.left:
            notary.turn()
        notary.finish()
    told = percentiles(watch.delays)
    result.figures |= {f"merge_delay_{name}_ms": told[name] for name in ("p50", "p99", "max")}


def _tree(folder: Path, size: int) -> Checkpoint:
    """Write the hash tiles of a tree of `size` leaves, the leaf of each its number in eight bytes, and return its head."""
    row: list[bytes] = []
    for at in range(0, size, WIDTH):
        numbers = range(at, min(at + WIDTH, size))
        hashes = [sha256(b"\x00" + number.to_bytes(8, "big")).digest() for number in numbers]
        _write(folder, Tile(0, at >> HEIGHT, len(hashes)), hashes)
        row.append(root_of(hashes))
    level, ragged = 1, bool(size % WIDTH)
    while True:
        # A last node over fewer leaves than its level has is no hash of a tile, only of the root.
        full = len(row) - ragged
        for at in range(0, full, WIDTH):
            hashes = row[at : min(at + WIDTH, full)]
            _write(folder, Tile(level, at >> HEIGHT, len(hashes)), hashes)
        if len(row) == 1:
            return Checkpoint(ORIGIN, size, row[0])
        ragged = bool(full % WIDTH) or ragged
        row = [root_of(row[at : at + WIDTH]) for at in range(0, len(row), WIDTH)]
        level += 1


def _write(folder: Path, tile: Tile, hashes: Sequence[bytes]) -> None:
    path = folder / tile.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pack_hashes(hashes))


def _proofs(folder: Path, size: int, result: Result) -> None:
    tell(f"ledger: a tree of {size} leaves, built as tiles")
    (folder / "secrets").mkdir(mode=0o700)
    store = FolderStore(folder / "ledger")
    signers = ensure_ledger_keys(folder / "secrets", store, ORIGIN, SystemEntropy()).signers
    head = _tree(folder / "ledger", size)
    store.swap(CHECKPOINT, None, sign_checkpoint(head, signers))
    store.close()
    known = [Ed25519Verifier.read(signers[0].vkey)]
    draw = random.Random(11)  # noqa: S311
    timed: dict[str, list[float]] = {"prove": [], "prove_cpu": [], "verify": [], "verify_cpu": []}
    for _ in range(PROOFS):
        index = draw.randrange(size)
        started, spent = time.perf_counter(), time.thread_time()
        note = store.get(CHECKPOINT) or b""
        newest, _note = open_checkpoint(note, ORIGIN, known)
        path = TileTree(newest.size, reader_over(store.get)).inclusion(index)
        text = ProofFile(index, tuple(path), note).text
        timed["prove"].append((time.perf_counter() - started) * 1000)
        timed["prove_cpu"].append((time.thread_time() - spent) * 1000)
        started, spent = time.perf_counter(), time.thread_time()
        proof = read_proof(text)
        said, _note = open_checkpoint(proof.checkpoint, ORIGIN, known)
        leaf = sha256(b"\x00" + index.to_bytes(8, "big")).digest()
        good = included(leaf, proof.leaf, said.size, proof.path, said.root)
        timed["verify"].append((time.perf_counter() - started) * 1000)
        timed["verify_cpu"].append((time.thread_time() - spent) * 1000)
        if not good:
            result.audits["proofs"] = {"clean": False, "violations": [f"the proof of leaf {index} does not hold"]}
            return
    result.audits["proofs"] = {"clean": True, "violations": [], "read": {"proof": PROOFS}}
    result.figures |= {"tree": size}
    for kind, values in timed.items():
        told = percentiles(values)
        result.figures |= {f"{kind}_{name}_ms": told[name] for name in ("p50", "p99")}


def run(asked: Asked) -> Result:
    """Return what the log costs, with at most `asked.intents` leaves written, and a tree twenty times as large, 10M at most."""
    result = Result("ledger")
    leaves = min(asked.intents, LEAVES)
    with tempfile.TemporaryDirectory(prefix="placet-bench-") as name:
        tell(f"ledger: {leaves} leaves in cuts of {A_SECOND}")
        _sustained(Path(name) / "sustained", leaves, result)
        tell(f"ledger: {OPEN_A_SECOND} leaves a second for {OPEN_S:.0f} s")
        _merge_delay(Path(name) / "open", OPEN_S, result)
        (Path(name) / "tree").mkdir()
        _proofs(Path(name) / "tree", min(TREE, asked.intents * 20), result)
        os.sync()
    return result

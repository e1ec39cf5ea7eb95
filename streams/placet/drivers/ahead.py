"""Signatures verified in processes beside the desk, before it reads the records they are on.

A process that died, or that does not answer, costs time and nothing else: what
was not verified here the desk verifies itself, and so does it with whatever
was said not to hold. The ring is told only of what holds.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context
from time import monotonic
from typing import NamedTuple

from placet.drivers.logs import logger
from placet.drivers.verifying import Claimed, verified
from placet.errors import PoisonRecord
from placet.model.codec import READERS, Signed
from placet.model.merkle import leaf_hash, root_from_path
from placet.model.proof import KeyRing, batch_message
from placet.ports import Rec

LOGGER = logger("worker")
SIGNED: dict[bytes, tuple[bytes, Signed]] = {
    reader.HEADER: (name.encode(), reader)
    for name in ("intent", "withdraw", "vote", "claim", "outcome")
    for reader in READERS[name]
}
"""What a desk reads, by its framing."""
CHUNK = 32
"""Signatures handed over at once: some 5 ms of work."""
MOST = 2_048
"""Signatures of one batch verified ahead: of more, the rest is verified where it is read. The ring remembers twice as many."""
FEW = 4
"""With fewer it costs more to hand them over than to verify them."""
ANSWER_S = 5.0
AGAIN_S = 30.0
"""How long a pool may take for a chunk, and when another is made after one has died."""


class Wanted(NamedTuple):
    """One signature to verify, and what the ring is told where it holds."""

    public: bytes
    size: int
    signature: bytes
    root: bytes

    @property
    def claimed(self) -> Claimed:
        return self.public, self.signature, batch_message(self.size, self.root)


class Ahead:
    """Verifies what a batch's records are signed with in `workers` processes; with none it does nothing.

    One thread uses it. The processes are made when they are first needed, and nobody waits for them to begin.
    """

    def __init__(self, ring: KeyRing, workers: int, bytes_max: int) -> None:
        self._ring = ring
        self._workers = workers
        self._bytes_max = bytes_max
        self._pool: Executor | None = None
        self._begun: Future[list[bool]] | None = None
        self._not_before = 0.0
        self.verified = 0

    def look(self, records: Iterable[Rec]) -> None:
        """Let the ring know of the signatures on `records` that hold. It never raises what a record or a process does."""
        if not self._workers:
            return
        wanted = list(self._wanted(records).values())
        if len(wanted) < FEW or monotonic() < self._not_before:
            return
        try:
            if self._start().done():
                self._verify(wanted)
        except (BrokenProcessPool, TimeoutError, OSError, RuntimeError) as error:
            LOGGER.warning("verifying without the pool", why=f"{type(error).__name__}: {error}")
            self.close()
            self._not_before = monotonic() + AGAIN_S

    def warm(self, within_s: float) -> None:
        """Make the processes, and wait for the first of them; raise what kept it from beginning."""
        self._start().result(within_s)

    def close(self) -> None:
        """End the processes, whatever they are at."""
        pool, self._pool, self._begun = self._pool, None, None
        if pool is None:
            return
        # It is ended and not asked to end: one that hangs would be waited for.
        for process in list((getattr(pool, "_processes", None) or {}).values()):
            with suppress(OSError, ValueError):
                process.terminate()
        pool.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> "Future[list[bool]]":
        if self._pool is None or self._begun is None:
            self._pool = ProcessPoolExecutor(self._workers, mp_context=get_context("spawn"))
            self._begun = self._pool.submit(verified, [])
        return self._begun

    def _verify(self, wanted: Sequence[Wanted]) -> None:
        self.warm(0)
        pool = self._pool
        assert pool is not None
        chunks = [wanted[at : at + CHUNK] for at in range(0, len(wanted), CHUNK)]
        asked: list[Future[list[bool]]] = [pool.submit(verified, [one.claimed for one in chunk]) for chunk in chunks]
        for chunk, answer in zip(chunks, asked, strict=True):
            for one, holds in zip(chunk, answer.result(ANSWER_S * len(chunks)), strict=True):
                if holds:
                    self._ring.remember(*one)
                    self.verified += 1

    def _wanted(self, records: Iterable[Rec]) -> dict[tuple[bytes, int, bytes], Wanted]:
        """Return the signatures that nobody verified yet, one for each writer's batch, by keys that are known."""
        found: dict[tuple[bytes, int, bytes], Wanted] = {}
        for rec in records:
            if len(found) >= MOST:
                break
            value = rec.value
            if value is None or len(value) > self._bytes_max:
                continue
            signed = SIGNED.get(value[:5])
            if signed is not None:
                with suppress(PoisonRecord, ValueError):
                    self._want(found, value, *signed)
        return found

    def _want(self, found: dict[tuple[bytes, int, bytes], Wanted], value: bytes, name: bytes, reader: Signed) -> None:
        said, end = reader.decode_signed(value)
        proof = said.proof
        known = None if proof is None else self._ring.find(proof.kid, said.tenant)
        if proof is None or known is None:
            return
        public = known.key.public
        batch = (public, proof.size, proof.signature)
        if batch in found or self._ring.remembers(*batch):
            return
        leaf = leaf_hash(b"placet/%b/1%b%b" % (name, reader.FINGERPRINT, value[5:end]))
        found[batch] = Wanted(*batch, root_from_path(leaf, proof.index, proof.size, proof.path))

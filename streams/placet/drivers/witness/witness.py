"""A witness: it cosigns a head only after it has kept it, and keeps what contradicts a head it has cosigned."""

import threading
from collections.abc import Mapping, Sequence
from typing import Final

from placet.drivers.logs import logger
from placet.drivers.metrics import Watch
from placet.errors import Corrupted, PlacetError
from placet.ports import Clock, TileStore
from placet.provenance.checkpoint import Checkpoint, read_checkpoint
from placet.provenance.cosignature import CosignatureVerifier, Cosigner
from placet.provenance.notes import Verifier, split, verify
from placet.provenance.tiles import CHECKPOINT
from placet.provenance.witnessing import Judged, judge, place_of

LOGGER: Final = logger("witness")
AGAINST_MOST: Final = 64
"""Heads that contradict a log, kept of each log: more prove nothing more."""


class Witness:
    """What was seen of each log, in a store of its own; `answer` is for any thread.

    After a write that failed, or may have failed, it answers nothing more: `failure`
    says why, and starting anew decides from what is in the store.
    """

    def __init__(
        self,
        store: TileStore,
        cosigner: Cosigner,
        logs: Mapping[str, Sequence[Verifier]],
        clock: Clock,
        watch: Watch,
    ) -> None:
        """Go on from what lies in `store`; `logs` are the keys of each log by its origin.

        Raise `Corrupted` where what was kept of a log is not what this witness cosigned.
        """
        self._store = store
        self._cosigner = cosigner
        self._own = CosignatureVerifier.read(cosigner.vkey)
        self._logs = logs
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, bytes] = {}
        self._latest: dict[str, Checkpoint] = {}
        self._watch = watch
        self._contradictions = 0
        self.failure: PlacetError | None = None
        for origin in logs:
            self._load(origin)
        watch.contradicted(self._contradictions)

    def _load(self, origin: str) -> None:
        path = f"{place_of(origin)}/{CHECKPOINT}"
        note = self._store.get(path)
        if note is None:
            return
        try:
            text = verify(note, [self._own]).text
            head = read_checkpoint(text)
        except ValueError as fault:
            raise Corrupted(f"{path}: not a checkpoint that `{self._cosigner.name}` cosigned: {fault}") from None
        if head.origin != origin:
            raise Corrupted(f"{path}: a checkpoint of `{head.origin}`, expected one of `{origin}`")
        self._kept[origin], self._latest[origin] = note, head
        self._contradictions += len(self._store.list(f"{place_of(origin)}/against/"))

    def latest(self, origin: str) -> Checkpoint | None:
        """Return the head of a log that was cosigned last."""
        return self._latest.get(origin)

    def kept(self, place: str) -> bytes | None:
        """Return the checkpoint cosigned last of the log whose origin has the SHA-256 `place`, in hex."""
        return next((note for origin, note in self._kept.items() if place_of(origin) == place), None)

    def against(self, place: str) -> list[bytes]:
        """Return what is kept against a log: how it contradicts itself, and the two checkpoints that show it."""
        if self.kept(place) is None:
            return []
        return [found for path in self._store.list(f"{place}/against/") if (found := self._store.get(path)) is not None]

    def answer(self, data: bytes) -> Judged:
        """Return the answer to a call of add-checkpoint; what is cosigned in it is durable.

        Raise the failure where it can answer nothing more.
        """
        # Judging and keeping are one step: of two calls that go on from one head, the second hears of the first.
        with self._lock:
            if self.failure is not None:
                raise self.failure
            try:
                judged = judge(data, self._logs, self._latest.get)
                if judged.against:
                    self._keep_against(judged, data)
                if judged.head is not None:
                    judged = judged._replace(said=self._cosign(judged.head, data))
            except PlacetError as failure:
                self.failure = failure
                raise
            self._watch.answered(judged.status)
            return judged

    def _cosign(self, head: Checkpoint, data: bytes) -> str:
        checkpoint = data.partition(b"\n\n")[2]
        text, lines = split(checkpoint)
        line = self._cosigner.cosign(text, self._clock.now_ms() // 1000).line
        keys = {(key.name, key.key_id) for key in self._logs[head.origin]}
        # What others may have signed as well is not checked here, and not shown again.
        signed = "".join(one.line for one in lines if one[:2] in keys)
        note = f"{text}\n{signed}{line}".encode()
        # Crash here: nothing is kept and nobody was answered. Crash behind it: kept and not answered; who asks again
        # hears the size, and gets a cosignature for the same head.
        if not self._store.swap(f"{place_of(head.origin)}/{CHECKPOINT}", self._kept.get(head.origin), note):
            raise Corrupted(f"another process keeps the heads of `{head.origin}` here: refusing to cosign")
        self._kept[head.origin], self._latest[head.origin] = note, head
        return line

    def _keep_against(self, judged: Judged, data: bytes) -> None:
        """Keep the two checkpoints, both signed by the log, that anybody can hold against it."""
        folder = f"{place_of(judged.origin)}/against/"
        checkpoint = data.partition(b"\n\n")[2]
        head = read_checkpoint(split(checkpoint)[0])
        path = f"{folder}{head.size}-{head.root.hex()[:16]}"
        there = self._store.list(folder)
        if path in there or len(there) >= AGAINST_MOST:
            return
        said = f"{judged.against}\n\n".encode()
        self._store.put([(path, said + self._kept.get(judged.origin, b"") + b"\n" + checkpoint)])
        self._contradictions += 1
        self._watch.contradicted(self._contradictions)
        LOGGER.error("a log contradicts what was cosigned of it", origin=judged.origin, how=judged.against, kept=path)

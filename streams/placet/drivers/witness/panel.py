"""The witnesses of one log: all are asked at once, and a checkpoint is published once enough of them have cosigned it."""

from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import suppress
from typing import Final

from placet.drivers.logs import logger
from placet.drivers.metrics import Watch
from placet.drivers.witness.client import Result, Said, WitnessClient
from placet.ports import TileStore
from placet.provenance.checkpoint import Checkpoint, read_checkpoint
from placet.provenance.notes import NoteSignature, split
from placet.provenance.tiles import CHECKPOINT
from placet.provenance.tree import reader_over
from placet.provenance.trust import NONE, TrustPolicy

LOGGER: Final = logger("witnesses")


class Panel:
    """What `Ledger` has its checkpoints cosigned by. One thread uses it.

    Without the quorum of its policy a checkpoint is not published: readers go on with
    the one before, the log grows behind it, and the next is asked for a second later.
    """

    def __init__(self, policy: TrustPolicy, store: TileStore, watch: Watch, wait_s: float) -> None:
        """Ask the witnesses of `policy` that have a URL, each for `wait_s` at most.

        Raise ValueError where those with a URL could never make the quorum.
        """
        self._policy = policy
        self._store = store
        self._watch = watch
        self._wait_s = wait_s
        self._clients = {
            name: WitnessClient(witness.verifier, witness.url, wait_s)
            for name, witness in policy.witnesses.items()
            if witness.url
        }
        if not policy.reached(self._clients):
            raise ValueError(f"the witnesses with a URL cannot make the quorum `{policy.quorum}`")
        self._pool = ThreadPoolExecutor(max(len(self._clients), 1), "placet-witness")

    def __call__(self, note: bytes) -> bytes:
        """Return the checkpoint as it is to be published: cosigned, or, where the quorum is missing, the one before."""
        head = read_checkpoint(split(note)[0])
        lines = self._ask(note, head)
        reached = self._policy.reached(lines)
        self._watch.quorum(reached)
        if reached:
            return note + "".join(line.line for _, line in sorted(lines.items())).encode()
        LOGGER.error(
            "a checkpoint is not published: too few witnesses cosigned",
            leaves=head.size,
            quorum=self._policy.quorum,
            cosigned=sorted(lines),
        )
        before = self._store.get(CHECKPOINT)
        # Before the first commit nothing is published yet: the head of no leaves says no more than that there is a log.
        return note if before is None else before

    def _ask(self, note: bytes, head: Checkpoint) -> dict[str, NoteSignature]:
        """Return what was signed, by the names of the policy, as soon as it makes the quorum; who is slow is left behind."""
        asked: dict[Future[Said], str] = {
            self._pool.submit(client.ask, note, head, reader_over(self._store.get)): name
            for name, client in self._clients.items()
        }
        lines: dict[str, NoteSignature] = {}
        with suppress(TimeoutError):
            for answered in as_completed(asked, timeout=self._wait_s):
                self._hear(asked.pop(answered), answered.result(), lines)
                if self._policy.quorum != NONE and self._policy.reached(lines):
                    break
        for late, name in asked.items():
            if late.done():
                self._hear(name, late.result(), lines)
            else:
                self._watch.witnessed(Result.SILENT)
        return lines

    def _hear(self, name: str, said: Said, lines: dict[str, NoteSignature]) -> None:
        if said.line is not None:
            lines[name] = said.line
        self._watch.witnessed(said.result)
        if said.result in (Result.AHEAD, Result.FORK):
            LOGGER.error("a witness has seen another log under this name", witness=name, why=said.why)
        elif said.result is not Result.COSIGNED:
            LOGGER.warning("a witness did not cosign", witness=name, result=said.result.value, why=said.why)

    def close(self) -> None:
        """Ask nobody any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for client in self._clients.values():
            client.close()

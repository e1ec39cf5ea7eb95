"""The witnesses of one log: all are asked at once, and a checkpoint is published once enough of them have cosigned it."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from typing import Final

from placet.drivers.ledger.anchor import Anchor
from placet.drivers.ledger.ledger import Ledger
from placet.drivers.logs import logger
from placet.drivers.metrics import Watch
from placet.drivers.witness.client import Result, Said, WitnessClient
from placet.errors import Unavailable
from placet.ports import TileStore
from placet.provenance.checkpoint import Checkpoint, read_checkpoint
from placet.provenance.notes import Ed25519Signer, NoteSignature, Verifier, split
from placet.provenance.tiles import CHECKPOINT
from placet.provenance.tree import reader_over
from placet.provenance.trust import NONE, TrustPolicy, read_policy

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
        """Ask nobody any more, once who is being asked has answered or been waited for."""
        self._pool.shutdown(cancel_futures=True)
        for client in self._clients.values():
            client.close()


class WitnessedLedger(Ledger):
    """A log whose checkpoints are published with the word of its witnesses."""

    def __init__(
        self,
        store: TileStore,
        origin: str,
        signers: Sequence[Ed25519Signer],
        known: Sequence[Verifier],
        holder: str,
        panel: Panel,
        anchor: Anchor | None = None,
    ) -> None:
        """Open the log as `Ledger` does; `panel` is closed with it."""
        self._panel = panel
        try:
            super().__init__(store, origin, signers, known, holder, panel, anchor)
        except BaseException:
            panel.close()
            raise

    def close(self) -> None:
        super().close()
        self._panel.close()


def panel_of(file: Path, store: TileStore, watch: Watch, wait_ms: int) -> Panel:
    """Return the panel that a tlog-policy file names; raise `Unavailable` where it names none that can be asked."""
    try:
        policy = read_policy(file.read_bytes().decode("utf-8", "surrogateescape"))
        return Panel(policy, store, watch, wait_ms / 1000)
    except OSError as error:
        raise Unavailable(f"{file}: cannot be read: {error.strerror or error}") from None
    except ValueError as fault:
        raise Unavailable(f"{file}: {fault}") from None

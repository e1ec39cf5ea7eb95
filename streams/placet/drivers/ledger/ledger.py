"""The one writer of a provenance log: it goes on only where what it finds agrees, and signs only what is durable."""

from collections.abc import Callable, Sequence

from placet.drivers.ledger.anchor import Anchor
from placet.drivers.ledger.opening import expect_anchored, expect_head, expect_state
from placet.errors import Corrupted, Unsure
from placet.ports import TileStore
from placet.provenance.checkpoint import Checkpoint, sign_checkpoint
from placet.provenance.leaf import Move, encode_cut
from placet.provenance.ledger import STATE, State
from placet.provenance.notes import Ed25519Signer, Verifier
from placet.provenance.tiles import CHECKPOINT, filled_between
from placet.provenance.tree import Edge


class Ledger:
    """A log held for writing. After any failure of `commit` it refuses work: to be opened again, which decides.

    `holder` is new with every opening. Who finds another's in the state stops: one log has one writer.
    """

    def __init__(
        self,
        store: TileStore,
        origin: str,
        signers: Sequence[Ed25519Signer],
        known: Sequence[Verifier],
        holder: str,
        cosign: Callable[[bytes], bytes] = bytes,
        anchor: Anchor | None = None,
    ) -> None:
        """Go on with the log in `store`, or begin one where there is nothing.

        `known` are the keys by which its last checkpoint may be signed. Raise `Corrupted`
        where tiles, state and checkpoint do not agree: nothing is signed over it. `cosign` is given
        each checkpoint once its tree is durable, and returns it as it is to be published: with
        the signatures of witnesses after the log's own. `anchor` keeps the newest checkpoint
        apart from the log, which must extend it.
        """
        self._store = store
        self._signers = signers
        self._cosign = cosign
        self._broken = ""
        found = store.get(STATE)
        published = store.get(CHECKPOINT)
        state = expect_state(store, found, published, origin, known)
        if state is None:
            self._edge = Edge()
            head = Checkpoint(origin, 0, self._edge.root())
            state = State(origin, 0, head.root, 0, 0, {}, 0, sign_checkpoint(head, signers), holder)
        else:
            self._edge = expect_head(store, state, published, known)
        expect_anchored(store, state, None if anchor is None else anchor.note(), known)
        self._anchor = anchor
        # A key that is new signs the head as it stands; one that was retired signs it no more.
        self.state = state._replace(holder=holder, checkpoint=sign_checkpoint(_head(state), signers))
        self._parts = {tile.path for tile, _ in self._edge.partial()}
        # Whether the last state's folder was flushed is not known: it is written anew before anything builds on it.
        self._swap_state(found)
        self._published = published
        if published is None or not published.startswith(self.state.checkpoint):
            self._publish(cosign(self.state.checkpoint))
        self._sweep()

    @property
    def head(self) -> Checkpoint:
        """Return the head of the log."""
        return _head(self.state)

    def commit(self, leaves: Sequence[bytes], moves: Sequence[Move], instant: int) -> State:
        """Take a cut and its leaves in, and publish a checkpoint over them; return the state after it.

        `moves` are by topic and partition and go on where the log is. Raise `Unavailable` when
        nothing was written, `Unsure` when that cannot be known, `Corrupted` where another writes
        the log or a move leaves offsets out. A clock that went back does not show: the instant of a cut is
        never before that of the one before.
        """
        if self._broken:
            raise Unsure(f"refusing to sign since {self._broken}; open the log again")
        state = self.state
        try:
            places = state.moved(moves)
        except ValueError as fault:
            raise Corrupted(str(fault)) from None
        self._store.expect_room(4 * sum(map(len, leaves)))
        self._broken = "a commit did not come to its end"
        instant = max(instant, state.instant)
        entries = [encode_cut(state.cuts, state.size, instant, moves), *leaves]
        full, parts = self._edge.grow(entries), self._edge.partial()
        fresh = [(tile.path, data) for tile, data in (*full, *parts) if tile.path not in self._parts]
        # INVARIANT: all that a checkpoint commits to is durable before it is signed. Crash here: what was written
        # lies past the head, nobody was shown it, and the next commit writes over it.
        self._put(sorted(fresh, key=lambda file: not file[0].startswith("tile/entries/")))
        head = Checkpoint(state.origin, self._edge.size, self._edge.root())
        note = sign_checkpoint(head, self._signers)
        found = state.data
        self.state = State(
            state.origin, head.size, head.root, state.cuts + 1, state.size, places, instant, note, state.holder
        )
        self._swap_state(found)
        # Crash here: the log is longer than anybody was told. Opening publishes this very note.
        self._publish(self._cosign(note))
        self._parts = {tile.path for tile, _ in parts}
        self._sweep()
        self._broken = ""
        return self.state

    def _put(self, files: Sequence[tuple[str, bytes]]) -> None:
        others = self._store.put(files)
        if not others:
            return
        # Past the head only a commit that came to no end has written. Its writer may still live elsewhere, and then the
        # state is not ours any more.
        if self._store.get(STATE) != self.state.data:
            raise Corrupted("another notary writes this log: its state is not the one written last here")
        wanted = dict(files)
        for path in others:
            there = self._store.get(path)
            if not self._store.swap(path, there, wanted[path]):
                raise Corrupted(f"{path}: another notary writes this log")

    def _swap_state(self, found: bytes | None) -> None:
        if not self._store.swap(STATE, found, self.state.data):
            raise Corrupted(f"another notary writes this log: {STATE} is not the one read before")

    def _publish(self, note: bytes) -> None:
        if not self._store.swap(CHECKPOINT, self._published, note):
            raise Corrupted(f"another notary writes this log: {CHECKPOINT} is not the one published last here")
        self._published = note
        if self._anchor is not None:
            self._anchor.keep(note)

    def _sweep(self) -> None:
        """Take the parts away whose full tile is published."""
        gone: list[str] = []
        for tile in filled_between(self.state.before, self.state.size):
            gone += self._store.list(f"{tile.path}.p/")
        if gone:
            self._store.remove(gone)

    def close(self) -> None:
        """Give the store back."""
        self._store.close()


def _head(state: State) -> Checkpoint:
    return Checkpoint(state.origin, state.size, state.root)

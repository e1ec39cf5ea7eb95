"""Whether what lies in a store is one log: its state, its checkpoint and its right edge, compared before anything is signed."""

from collections.abc import Sequence

from placet.errors import Corrupted
from placet.ports import TileStore
from placet.provenance.checkpoint import Checkpoint, open_checkpoint
from placet.provenance.ledger import STATE, State, read_state
from placet.provenance.notes import Verifier
from placet.provenance.proofs import TileTree
from placet.provenance.tiles import CHECKPOINT
from placet.provenance.tree import Edge, reader_over


def expect_state(
    store: TileStore, found: bytes | None, published: bytes | None, origin: str, known: Sequence[Verifier]
) -> State | None:
    """Return the state a log is in, None where there is no log; raise `Corrupted` where its parts do not belong together."""
    if found is None:
        if published is not None or store.list("tile/"):
            raise Corrupted(f"{STATE} is missing beside a log: refusing to begin another over it")
        return None
    try:
        state = read_state(found)
        head, _ = open_checkpoint(state.checkpoint, origin, known)
    except ValueError as fault:
        raise Corrupted(f"{STATE}: {fault}") from None
    if (head.size, head.root) != (state.size, state.root):
        raise Corrupted(
            f"{STATE}: its checkpoint says {head.size} leaves, it says {state.size} itself, or another root"
        )
    return state


def expect_head(store: TileStore, state: State, published: bytes | None, known: Sequence[Verifier]) -> Edge:
    """Return the right edge of the log; raise `Corrupted` unless it has the state's root and extends what was published."""
    read = reader_over(store.get)
    try:
        edge = Edge.read(state.size, read)
        if edge.root() != state.root:
            raise Corrupted(
                f"the tiles of {state.size} leaves do not have the root in {STATE}: refusing to sign over them"
            )
        if published is not None:
            head = _read(published, CHECKPOINT, state.origin, known)
            _expect_extended(head, CHECKPOINT, state, TileTree(state.size, read))
    except ValueError as fault:
        raise Corrupted(str(fault)) from None
    return edge


def expect_anchored(store: TileStore, state: State, anchor: bytes | None, known: Sequence[Verifier]) -> None:
    """Raise `Corrupted` unless the log extends the checkpoint that was kept apart from it."""
    if anchor is None:
        return
    where = "the checkpoint kept apart from it"
    head = _read(anchor, where, state.origin, known)
    try:
        _expect_extended(head, where, state, TileTree(state.size, reader_over(store.get)))
    except ValueError as fault:
        raise Corrupted(str(fault)) from None


def _read(note: bytes, where: str, origin: str, known: Sequence[Verifier]) -> Checkpoint:
    try:
        return open_checkpoint(note, origin, known)[0]
    except ValueError as fault:
        raise Corrupted(f"{where}: {fault}") from None


def _expect_extended(head: Checkpoint, where: str, state: State, tree: TileTree) -> None:
    if head.size > state.size:
        raise Corrupted(f"ledger head is {state.size} leaves, {where} says {head.size}: refusing to sign a shorter log")
    if tree.root(head.size) != head.root:
        raise Corrupted(f"the first {head.size} leaves do not have the root in {where}: refusing to sign another log")

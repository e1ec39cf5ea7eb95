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
            _expect_extended(_published(published, state, known), state, TileTree(state.size, read))
    except ValueError as fault:
        raise Corrupted(str(fault)) from None
    return edge


def _published(note: bytes, state: State, known: Sequence[Verifier]) -> Checkpoint:
    try:
        return open_checkpoint(note, state.origin, known)[0]
    except ValueError as fault:
        raise Corrupted(f"{CHECKPOINT}: {fault}") from None


def _expect_extended(head: Checkpoint, state: State, tree: TileTree) -> None:
    if head.size > state.size:
        raise Corrupted(
            f"ledger head is {state.size} leaves, {CHECKPOINT} says {head.size}: refusing to sign a shorter log"
        )
    if tree.root(head.size) != head.root:
        raise Corrupted(
            f"the first {head.size} leaves do not have the root in {CHECKPOINT}: refusing to sign another log"
        )

"""What a journal restores, read to its end and held, so that a test may look at it more than once."""

from dataclasses import dataclass

from placet.ports import Journal, Rec, Restored


@dataclass(slots=True)
class Whole(Restored):
    """As `Restored`, with all changes in memory."""

    changes: list[Rec]


def whole(journal: Journal, partition: int) -> Whole:
    """Return all that `journal` restores of `partition`."""
    found = journal.restore(partition)
    return Whole(list(found.changes), found.tail, found.inputs)

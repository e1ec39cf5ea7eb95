"""What loads and is still a mistake: rules that never decide, never fire or contradict, and approvals nobody can give."""

from placet.policy.contents import Pack
from placet.policy.lint import approvals, conditions, pairs, reached
from placet.policy.lint.codes import CODES, Lint, Note

__all__ = ["CODES", "Lint", "lint"]


def lint(pack: Pack) -> list[Lint]:
    """Return everything found in a pack that loads, in the order of its files.

    What is called never true, shadowed or impossible is so for certain; what is not found may still be there.
    """
    notes = (note for part in (reached, conditions, pairs, approvals) for note in part.notes(pack))
    return sorted({_placed(pack, note) for note in notes})


def _placed(pack: Pack, note: Note) -> Lint:
    document = pack.documents[note.file]
    line, column = document.place(note.path) if note.at is None else document.inside(note.path, *note.at)
    return Lint(document.file, line, column, note.code, note.message)

"""The life of an intent attempt: one table. Every arrow is one decision record that names its cause.

Two rules. All arrows live here: nothing else in placet knows which state may
follow which. This file does not know why an arrow is taken, nor what it costs.

An attempt is `asked` when its record is read, and that state is never written:
the first answer leads out of it. `granted` is a lease that waits for a claim;
`claimed` an action that may be under way. `unknown` is silence after a claim:
it counts as spent, and a late outcome by the claimant, or a person, settles it.
"""

from placet.errors import Corrupted
from placet.model.reasons import State

ARROWS: dict[State, tuple[State, ...]] = {
    State.ASKED: (State.DENIED, State.DEFERRED, State.PENDING, State.GRANTED, State.CLAIMED),
    State.DEFERRED: (State.DENIED, State.PENDING, State.GRANTED, State.CLAIMED, State.WITHDRAWN),
    State.PENDING: (
        State.DENIED,
        State.DEFERRED,
        State.GRANTED,
        State.CLAIMED,
        State.EXPIRED,
        State.WITHDRAWN,
    ),
    State.GRANTED: (State.CLAIMED, State.REVOKED, State.LAPSED, State.WITHDRAWN),
    State.CLAIMED: (State.DONE, State.FAILED, State.REFUSED, State.UNKNOWN),
    State.UNKNOWN: (State.DONE, State.FAILED),
    State.DENIED: (),
    State.DONE: (),
    State.FAILED: (),
    State.REFUSED: (),
    State.REVOKED: (),
    State.LAPSED: (),
    State.EXPIRED: (),
    State.WITHDRAWN: (),
}

ASKED, DENIED, DEFERRED, PENDING, GRANTED, CLAIMED, UNKNOWN = (
    State.ASKED,
    State.DENIED,
    State.DEFERRED,
    State.PENDING,
    State.GRANTED,
    State.CLAIMED,
    State.UNKNOWN,
)
"""States that are met with every record: looking one up through its class costs more than comparing it."""
OPEN: frozenset[State] = frozenset(state for state, after in ARROWS.items() if after and state is not State.ASKED)
"""States that something can still happen to; a desk remembers these whole."""
WAITING: frozenset[State] = frozenset({State.DEFERRED, State.PENDING})
"""States in which the answer is still to come."""
_AFTER: dict[int, frozenset[State]] = {before: frozenset(after) for before, after in ARROWS.items()}


def step(before: int, after: State) -> State:
    """Return `after` where the table has that arrow; an arrow it does not have is a fault in placet, not in a record."""
    if after not in _AFTER[before]:
        raise Corrupted(f"no arrow leads from `{State(before).name.lower()}` to `{after.name.lower()}`")
    return after


def diagram() -> str:
    """Return the table as a Mermaid state diagram, for the documentation."""
    lines = ["stateDiagram-v2", "    [*] --> asked"]
    for before, followers in ARROWS.items():
        lines += [f"    {before.name.lower()} --> {after.name.lower()}" for after in followers]
        if not followers:
            lines.append(f"    {before.name.lower()} --> [*]")
    return "\n".join(lines) + "\n"

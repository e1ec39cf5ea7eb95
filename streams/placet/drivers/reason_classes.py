"""What reasons are counted under: few enough classes for a label, and those that closed a door because something failed."""

from placet.model.reasons import Reason

_REASON_CLASSES: tuple[tuple[int, str], ...] = (
    (100, "faulty"),
    (200, "misplaced"),
    (300, "identity"),
    (400, "transient"),
    (600, "policy"),
    (1 << 31, "life"),
)
FAIL_CLOSED: dict[int, str] = {
    reason: reason.name.lower()
    for reason in (
        Reason.PACK_MISSING,
        Reason.LAGGING,
        Reason.OVERLOADED,
        Reason.CONTEXT_SILENT,
        Reason.NO_RULE,
        Reason.RULE_ERRED,
        Reason.EVALUATION_DISAGREES,
        Reason.FACT_MISSING,
        Reason.FACT_SILENT,
    )
}


def reason_class(reason: int) -> str:
    """Return the class of a reason: few enough to be a label."""
    return next(name for bound, name in _REASON_CLASSES if reason < bound)

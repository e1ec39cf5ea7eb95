"""What is known once one more record has been heard: folds that may hear records late, twice and in any order."""

from placet.model.codec.principal import Principal
from placet.model.codec.risk import Risk
from placet.model.codec.risk_signal import RiskSignal
from placet.model.codec.sensitivity import Sensitivity

STATUS_RANKS: dict[str, int] = {"active": 0, "suspended": 1, "revoked": 2}


def _risk_order(risk: Risk) -> tuple[int, int, int, int, int]:
    """Order two facts of one source: newer, then graver, then slower to fade, then the later in its topic."""
    lasts = risk.half_life_s or 1 << 31
    return (risk.event_at, risk.score, lasts, risk.signal_partition, risk.signal_offset)


def merge_risk(known: Risk | None, other: Risk) -> Risk:
    """Return the fact that stands of two about one subject by one source.

    The newest event wins; of two in the same millisecond, the graver. So a
    feed that wakes up late, or writes twice, cannot lower a risk.
    """
    return other if known is None or _risk_order(other) > _risk_order(known) else known


def fold_risk(known: Risk | None, signal: RiskSignal, partition: int, offset: int) -> Risk:
    """Return what one source says of a subject once its `signal`, read at `partition` and `offset`, has been heard."""
    return merge_risk(
        known,
        Risk(
            tenant=signal.tenant,
            subject=signal.subject,
            source=signal.source,
            score=signal.score,
            event_at=signal.event_at,
            half_life_s=signal.half_life_s,
            signal_partition=partition,
            signal_offset=offset,
        ),
    )


def fold_sensitivity(known: Sensitivity | None, heard: Sensitivity, ranks: dict[str, int]) -> Sensitivity:
    """Return what one source says of a resource: its newest word; of two in the same ms the graver label."""
    if known is None:
        return heard
    return max(known, heard, key=lambda s: (s.observed_at, ranks[s.label], _text(s)))


def fold_principal(known: Principal | None, heard: Principal) -> Principal:
    """Return what one source says of a principal: its newest word; of two in the same ms the graver status."""
    if known is None:
        return heard
    return max(known, heard, key=lambda p: (p.observed_at, STATUS_RANKS[p.status], _text(p)))


def _text(record: tuple[object, ...]) -> str:
    """Return a total order for two records that differ in nothing that matters more."""
    return repr(record[:-1])

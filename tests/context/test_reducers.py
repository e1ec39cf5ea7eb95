"""Laws of the folds: what is heard late, twice or in another order ends at the same fact."""

from hypothesis import given
from hypothesis import strategies as st

from placet.context.decay import FACTORS, decayed
from placet.context.reducers import fold_principal, fold_risk, fold_sensitivity, merge_risk
from placet.model.case import RANKS
from placet.model.codec.principal import Principal
from placet.model.codec.risk import Risk
from placet.model.codec.risk_signal import RiskSignal
from placet.model.codec.sensitivity import Sensitivity

TIMES = st.integers(min_value=0, max_value=3)
SIGNALS = st.builds(
    RiskSignal,
    tenant=st.just("acme"),
    subject=st.just("agent:ada"),
    source=st.just("siem"),
    event_id=st.just(""),
    score=st.sampled_from((0, 50, 100)),
    event_at=TIMES,
    half_life_s=st.sampled_from((0, 60, 600)),
    reason=st.just(""),
    proof=st.none(),
)
FACTS = st.builds(fold_risk, st.none(), SIGNALS, st.just(0), st.integers(min_value=0, max_value=5))
LABELS = st.builds(
    Sensitivity,
    tenant=st.just("acme"),
    resource=st.just("order/7"),
    label=st.sampled_from(tuple(RANKS)),
    owner=st.none(),
    origin=st.none(),
    categories=st.just(()),
    source=st.just("dlp"),
    observed_at=TIMES,
    proof=st.none(),
)
PEOPLE = st.builds(
    Principal,
    tenant=st.just("acme"),
    id=st.just("agent:ada"),
    kind=st.just("agent"),
    status=st.sampled_from(("active", "suspended", "revoked")),
    owner=st.sampled_from((None, "user:grace")),
    groups=st.just(()),
    attributes=st.just({}),
    capabilities=st.just(()),
    source=st.just("hr"),
    observed_at=TIMES,
    proof=st.none(),
)


def folded(facts: list[Risk]) -> Risk | None:
    known: Risk | None = None
    for fact in facts:
        known = merge_risk(known, fact)
    return known


@given(st.lists(FACTS, min_size=1), st.randoms(use_true_random=False))
def test_risk_ends_the_same_in_any_order_and_heard_twice(facts: list[Risk], random: object) -> None:
    shuffled = facts + facts
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert folded(shuffled) == folded(facts)


@given(st.lists(FACTS, min_size=1), FACTS)
def test_a_late_signal_cannot_lower_risk(facts: list[Risk], late: Risk) -> None:
    known = folded(facts)
    assert known is not None
    after = merge_risk(known, late)
    assert (after.event_at, after.score) >= (known.event_at, known.score)
    assert after == known or (late.event_at, late.score) >= (known.event_at, known.score)


@given(LABELS, LABELS, LABELS)
def test_labels_fold_the_same_in_any_order(a: Sensitivity, b: Sensitivity, c: Sensitivity) -> None:
    left = fold_sensitivity(fold_sensitivity(fold_sensitivity(None, a, RANKS), b, RANKS), c, RANKS)
    right = fold_sensitivity(fold_sensitivity(fold_sensitivity(None, c, RANKS), b, RANKS), a, RANKS)
    assert left == right
    assert fold_sensitivity(left, b, RANKS) == left


@given(PEOPLE, PEOPLE, PEOPLE)
def test_principals_fold_the_same_in_any_order(a: Principal, b: Principal, c: Principal) -> None:
    left = fold_principal(fold_principal(fold_principal(None, a), b), c)
    right = fold_principal(fold_principal(fold_principal(None, c), b), a)
    assert left == right
    assert fold_principal(left, b) == left


def test_of_two_labels_in_one_millisecond_the_graver_stands() -> None:
    low = Sensitivity("acme", "order/7", "public", None, None, (), "dlp", 5, None)
    high = low._replace(label="restricted")
    assert fold_sensitivity(high, low, RANKS) is high
    assert fold_sensitivity(low, high, RANKS) is high


def test_of_two_statuses_in_one_millisecond_the_graver_stands() -> None:
    active = Principal("acme", "agent:ada", "agent", "active", None, (), {}, (), "hr", 5, None)
    assert fold_principal(active._replace(status="revoked"), active).status == "revoked"


def test_the_table_of_decay_is_powers_of_a_half() -> None:
    assert [abs(f - 65536 * 2 ** (-i / 64)) <= 0.5 for i, f in enumerate(FACTORS)] == [True] * 64


def test_risk_halves_each_half_life() -> None:
    assert [decayed(80, 0, 60, at) for at in (0, 60_000, 120_000, 180_000)] == [80, 40, 20, 10]
    assert decayed(100, 0, 60, 30_000) == 70  # 100 / sqrt(2) = 70.7
    assert decayed(80, 0, 0, 10**12) == 80
    assert decayed(80, 0, 1, 10**9) == 0


@given(
    st.integers(min_value=0, max_value=100),
    st.integers(min_value=0, max_value=10_000),
    st.integers(min_value=0, max_value=10**8),
    st.integers(min_value=0, max_value=10**8),
)
def test_risk_never_rises_with_time(score: int, half_life_s: int, early: int, more: int) -> None:
    before, after = decayed(score, 0, half_life_s, early), decayed(score, 0, half_life_s, early + more)
    assert score >= before >= after >= 0


@given(st.integers(min_value=-(10**6), max_value=0))
def test_a_signal_from_ahead_counts_whole(ahead: int) -> None:
    assert decayed(90, 0, 60, ahead) == 90

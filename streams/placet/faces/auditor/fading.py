"""How risk fades, from the rule: by parts of a half life, in integers, never up."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

PARTS = 64
UNIT = 65_536


def _factors() -> tuple[int, ...]:
    """Return 2 ** (-i / 64) in units of 1/65536, rounded half to even, worked out with 50 digits."""
    with localcontext() as context:
        context.prec = 50
        step = Decimal(2) ** (Decimal(-1) / PARTS)
        made = (step**i * UNIT for i in range(PARTS))
        return tuple(int(factor.quantize(Decimal(1), rounding=ROUND_HALF_EVEN)) for factor in made)


FACTORS = _factors()


def faded(score: int, event_at: int, half_life_s: int, instant: int) -> int:
    """Return a score at `instant` (ms): it halves each `half_life_s`, in 64 steps; 0 means that it does not fade."""
    elapsed = max(instant - event_at, 0)
    if not half_life_s or not elapsed:
        return score
    steps = elapsed * PARTS // (half_life_s * 1000)
    return (score * FACTORS[steps % PARTS] // UNIT) >> (steps // PARTS)

"""How risk fades: half lives in integer arithmetic, the same on every machine."""

STEPS = 64
"""Parts into which a half life is divided; risk is constant within a part."""

FACTORS: tuple[int, ...] = (
    65536,
    64830,
    64132,
    63441,
    62757,
    62081,
    61413,
    60751,
    60097,
    59449,
    58809,
    58176,
    57549,
    56929,
    56316,
    55709,
    55109,
    54515,
    53928,
    53347,
    52773,
    52204,
    51642,
    51085,
    50535,
    49991,
    49452,
    48920,
    48393,
    47871,
    47356,
    46846,
    46341,
    45842,
    45348,
    44859,
    44376,
    43898,
    43425,
    42958,
    42495,
    42037,
    41584,
    41136,
    40693,
    40255,
    39821,
    39392,
    38968,
    38548,
    38133,
    37722,
    37316,
    36914,
    36516,
    36123,
    35734,
    35349,
    34968,
    34591,
    34219,
    33850,
    33486,
    33125,
)
"""Entry i is 2 ** (-i / 64) in units of 1/65536, rounded half to even."""


def decayed(score: int, event_at: int, half_life_s: int, instant: int) -> int:
    """Return a score (0 to 100) as it is at `instant`, in ms; a half life of 0 means that it does not fade.

    The rule, for whoever checks it elsewhere: elapsed = instant - event_at,
    never below 0; parts = elapsed * 64 // (half_life_s * 1000); the score is
    (score * FACTORS[parts % 64]) >> 16, halved parts // 64 times more by a
    right shift of the sum. It never rises with time.
    """
    elapsed = instant - event_at
    if half_life_s == 0 or elapsed <= 0:
        return score
    halvings, part = divmod(elapsed * STEPS // (half_life_s * 1000), STEPS)
    return (score * FACTORS[part]) >> (16 + halvings) if halvings < 16 else 0

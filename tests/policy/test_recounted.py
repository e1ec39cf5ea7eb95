"""What is told of limits that a new version of a pack counts differently under the same id."""

import pytest

from placet.policy.limits import Limit, recounted
from placet.policy.pack import load_pack
from tests.decision.test_limits import SUM, pack


def limits(*said: str) -> tuple[Limit, ...]:
    return load_pack(pack(*said)).limits


COUNT = SUM.replace("measure: amount, ", "")
LIFE = SUM.replace("per: [authority]", "per: [mandate]").replace("{sliding_s: 3600}", "{mandate: true}")


MEASURES = (
    "limit `shop/sum` measures `count` instead of `amount`: it begins at 0, grants held in the old measure are "
    "taken back, and what is under way is spent in it"
)
LIVES = (
    "limit `shop/sum` counts over 3600 s instead of the mandate's life: what was granted before goes on counting "
    "over the mandate's life"
)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (SUM, SUM.replace("max: 100", "max: 7").replace("enough", "other words"), []),
        ("", SUM, []),
        (SUM, "", []),
        (
            SUM,
            COUNT,
            [MEASURES],
        ),
        (
            SUM,
            SUM.replace("3600", "60"),
            [
                "limit `shop/sum` counts over 60 s instead of 3600 s: what was granted before goes on counting over 3600 s"
            ],
        ),
        (
            LIFE,
            SUM,
            [LIVES],
        ),
    ],
    ids=["same", "new", "gone", "measure", "window", "life"],
)
def test_another_measure_or_window_is_told_and_what_becomes_of_the_count(
    before: str, after: str, told: list[str]
) -> None:
    assert list(recounted(*(limits(*([said] if said else [])) for said in (before, after)))) == told

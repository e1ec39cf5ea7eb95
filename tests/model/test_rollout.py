"""Which records may change in one release: whoever reads can be upgraded before whoever writes."""

import pytest

from placet.model.rollout import ANSWERS, KEPT, mixed
from tests.model.records import NAMES


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ((), ""),
        (("intent", "claim", "outcome", "principal"), ""),
        (("verdict", "seal"), ""),
        (("intent", "case", "desk_change"), ""),
        (("verdict", "case", "desk_change"), ""),
        (
            ("seal", "vote", "intent"),
            "intent, vote are written to workers, seal are said by them: expected a release for each",
        ),
    ],
)
def test_what_workers_read_and_what_they_say_do_not_change_together(changed: tuple[str, ...], says: str) -> None:
    assert mixed(changed) == says


def test_every_record_has_its_side() -> None:
    written = {"intent", "withdraw", "vote", "claim", "outcome"}
    known = {
        "principal",
        "mandate",
        "risk_signal",
        "risk",
        "sensitivity",
        "control",
        "pack",
        "active_set",
        "key",
        "watermark",
    }
    assert set(NAMES) - ANSWERS - KEPT == written | known

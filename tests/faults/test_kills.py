"""A real worker on a folder, killed (SIGKILL) at every call into its ports: begun again, nothing is missing or there twice."""

from dataclasses import replace
from pathlib import Path

import pytest

from placet import wiring
from placet.faces.auditor import audit
from tests.faults import tally, town
from tests.faults.processes import Victim, dying
from tests.faults.script import APPEND, POINTS, Way
from tests.faults.tally import Ending
from tests.faults.victim import Spec

CALLS = {"assigned": 9, "restore": 2, "catch_up": 1, "rewind": 1, "commit": 5, "entropy": 4, "append": 6}
"""At which call of a point the process is killed: in the middle of its work, where it gets that far."""
CALL = 12
COUNT = 8


def checked(spec: Spec, *, drained: bool = False) -> Ending:
    """Audit the folder, which nobody has open."""
    ending = Ending(0)
    reader = wiring.beside(spec.settings())
    try:
        ending.hold(audit(reader, town.KEY_FILE, town.KEK, drained=drained))
    finally:
        reader.close()
    return ending


@pytest.mark.slow
@pytest.mark.parametrize("way", [Way.BEFORE, Way.AFTER])
def test_killed_at_every_call_and_begun_again_nothing_is_lost_or_done_twice(tmp_path: Path, way: Way) -> None:
    data = tmp_path / "data"
    town.lay_keys(data)
    spec = Spec(str(data), count=COUNT)
    for number, point in enumerate((*POINTS, APPEND)):
        spec = replace(spec, first=1 + number * COUNT)
        with Victim(dying(spec, point, way.name, CALLS.get(point, CALL)), tmp_path / "said") as victim:
            victim.wait(-9)
        ending = checked(spec)
        assert ending.violations == [], f"killed {way.name} {point}"
    with Victim(replace(spec, first=1_000), tmp_path / "said") as victim:
        victim.wait(0)
    ending = checked(spec, drained=True)
    ending.faults.update({(point, way): 1 for point in (*POINTS, APPEND)})
    tally.add(ending)
    assert ending.violations == []

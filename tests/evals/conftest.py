"""Where the recorded data lies: beside the checkout. It is evaluated, never committed."""

import os
from pathlib import Path

import pytest

IN_CI = os.environ.get("CI") == "true"
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
LEFT_OUT = pytest.StashKey[int]()


@pytest.fixture(scope="session")
def recorded() -> Path:
    """Return the folder of recorded runs; in CI its absence is a failure."""
    if not DATA.is_dir():
        pytest.fail(f"{DATA.parent.name}/{DATA.name} is not beside the checkout: the recorded runs are not evaluated")
    return DATA


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that need the data, with one line that says so, where it is absent and this is not CI."""
    if IN_CI or DATA.is_dir():
        return
    left_out = [item for item in items if "recorded" in getattr(item, "fixturenames", ())]
    if left_out:
        config.stash[LEFT_OUT] = len(left_out)
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say in one line how many tests were left out for want of the data."""
    if LEFT_OUT in config.stash:
        count = config.stash[LEFT_OUT]
        terminalreporter.write_line(
            f"left out: {count} tests that need the recorded runs in {DATA.parent.name}/{DATA.name} beside the checkout",
            yellow=True,
        )

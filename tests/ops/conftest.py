"""Where Prometheus' own tool is missing its tests are left out with one line that says so; in CI they fail."""

import os
import shutil
from pathlib import Path

import pytest

IN_CI = os.environ.get("CI") == "true"
LEFT_OUT = pytest.StashKey[int]()


@pytest.fixture(scope="session")
def promtool() -> Path:
    """Return `promtool`, which Debian and others have in their package `prometheus`."""
    found = shutil.which("promtool")
    assert found is not None, "promtool is not installed: it comes with the package `prometheus`"
    return Path(found)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs `promtool`, where there is none and nobody insists."""
    if shutil.which("promtool") or IN_CI:
        return
    left_out = [item for item in items if "promtool" in getattr(item, "fixturenames", ())]
    if left_out:
        config.stash[LEFT_OUT] = len(left_out)
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say in one line how many tests were left out for want of `promtool`."""
    if LEFT_OUT in config.stash:
        count = config.stash[LEFT_OUT]
        terminalreporter.write_line(f"left out: {count} tests that need promtool, of the package `prometheus`")

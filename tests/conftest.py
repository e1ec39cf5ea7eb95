"""What every test may ask for: a real broker, and Hypothesis settings that repeat in CI."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import jars
from broker import Broker

IN_CI = os.environ.get("CI") == "true"
OPS_BROKER = Path(__file__).parent.parent / "ops" / "broker"
LEFT_OUT = pytest.StashKey[list[str]]()

# CI draws the same examples each time: a red run can be had again. At a desk each run looks elsewhere.
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=200, print_blob=True)
settings.register_profile(
    "desk", deadline=None, max_examples=100, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci" if IN_CI else "desk")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Yield a running one-node Kafka on a free port, its data in a folder of its own, stopped at the end.

    Tests share it and its clock, never a topic. One that kills or stops a broker
    makes its own: `Broker(folder).start()`.
    """
    node = Broker(tmp_path_factory.mktemp("broker"))
    node.start()
    try:
        yield node
    finally:
        node.stop()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests that need a broker, and leave them out, with one line that says so, where none can run.

    In CI a missing broker is not left out: the fixture fails with what is missing.
    """
    for item in items:
        if "broker" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.broker)
    why = jars.missing(OPS_BROKER)
    if why is None or IN_CI:
        return
    left_out = [item for item in items if item.get_closest_marker("broker")]
    if left_out:
        config.stash[LEFT_OUT] = [why, str(len(left_out))]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say in one line how many tests were left out for want of a broker, and why."""
    if LEFT_OUT in config.stash:
        why, count = config.stash[LEFT_OUT]
        terminalreporter.write_line(f"left out: {count} tests that need a Kafka broker: {why}", yellow=True)

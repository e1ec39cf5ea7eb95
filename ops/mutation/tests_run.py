"""The pure-room tests under pytest in this process: some of them, in a given order, at a settled cost."""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Generator, Sequence
from functools import _lru_cache_wrapper, lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("tests/decision", "tests/policy", "tests/context")
# A law is asked so many examples, the same each time: it has to find one, and not the smallest.
EXAMPLES_MOST = 30
QUIET = ("--import-mode=importlib", "-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:faulthandler")


class Capped:
    """Makes each law cheap and repeatable: few examples, drawn the same each time, none kept, none shrunk."""

    def pytest_addoption(self, parser: pytest.Parser) -> None:
        # The project sets a bound of a plugin that is left out here; the runner has its own.
        parser.addini("timeout", "seconds a test may take; the CPU bound of a mutant stands for it")

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "timeout: as the setting of this name")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            law: Any = getattr(item, "obj", None)
            law = getattr(law, "__func__", law)
            if getattr(law, "is_hypothesis_test", False):
                law._hypothesis_internal_use_settings = capped(law._hypothesis_internal_use_settings)  # noqa: SLF001


def capped(asked: settings | None) -> settings:
    """Return the settings of a law with the bounds of this runner."""
    asked = asked or settings.get_profile(settings.get_current_profile_name())
    return settings(
        asked,
        max_examples=min(asked.max_examples, EXAMPLES_MOST),
        derandomize=True,
        database=None,
        deadline=None,
        # By the clock: on a busy machine a law would fail for it, and seem to have found a mutant.
        suppress_health_check={*asked.suppress_health_check, HealthCheck.too_slow},
        phases=(Phase.explicit, Phase.generate),
    )


class Chosen:
    """Runs only what is in the plan, in its order, and says which test failed first."""

    def __init__(self, plan: Sequence[str]) -> None:
        self.rank = {test: rank for rank, test in enumerate(plan)}
        self.failed = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((i for i in items if i.nodeid in self.rank), key=lambda item: self.rank[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid or "collection"


class Watched:
    """Tells of each test when it begins and what it cost; what was remembered by an earlier one is forgotten.

    A test that costs more than `cpu_s_most` is broken off there: no mutant could be shown to it. The
    same function with other arguments is then not even begun.
    """

    def __init__(self, begins: Callable[[str], object], cpu_s_most: float) -> None:
        self.begins, self.cpu_s_most = begins, cpu_s_most
        self.cpu: dict[str, float] = {}
        self.dear: set[str] = set()
        self.failed: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        forget()
        self.begins(item.nodeid)
        before = time.process_time()
        done = yield
        self.cpu[item.nodeid] = time.process_time() - before
        return done

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        function = item.nodeid.partition("[")[0]

        def broken_off(*_: object) -> None:
            self.dear.add(item.nodeid)
            raise pytest.skip.Exception("costs more than a mutant may")

        if any(test.partition("[")[0] == function for test in self.dear):
            broken_off()
        signal.signal(signal.SIGPROF, broken_off)
        # And again: where the first is raised in a finalizer nobody hears of it.
        signal.setitimer(signal.ITIMER_PROF, self.cpu_s_most, self.cpu_s_most)
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed.append(str(report.longrepr))


def forget() -> None:
    """Empty every cache of a function of ours, so that each test is seen to reach what it rests on."""
    for one in _caches(len(sys.modules)):
        one.cache_clear()


@lru_cache(maxsize=1)
def _caches(_modules: int) -> list[_lru_cache_wrapper[Any]]:
    """Return the caches there are; looked for again only when another module is there."""
    held = (one for one in gc.get_objects() if isinstance(one, _lru_cache_wrapper))
    return [one for one in held if str(getattr(one, "__module__", "")).startswith(("placet", "tests"))]


def run(paths: Sequence[str], plugins: Sequence[object], scratch: Path, *options: str) -> int:
    """Run the tests of some paths and return pytest's exit code; what they print goes nowhere."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    arguments = [*QUIET, "-o", "addopts=", f"--rootdir={ROOT}", f"--basetemp={scratch}", *options, *paths]
    return int(pytest.main(arguments, plugins=[*plugins, Capped()]))

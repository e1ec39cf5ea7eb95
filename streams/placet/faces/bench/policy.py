"""Packs by themselves: what loading, deciding and explaining cost, how large a pack may be, and what is refused."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from placet.faces.bench.report import Result, tell
from placet.faces.cli.folders import SHIPPED, read_pack, shipped
from placet.model.case import Case
from placet.policy.cases import run_tests
from placet.policy.diagnostics import PackError
from placet.policy.evaluate import Plan, PolicySet
from placet.policy.explain import explain
from placet.policy.lint import lint
from placet.policy.nearest import nearest
from placet.policy.pack import BYTES_MAX, load_pack
from placet.policy.situations import case_of

MANY_RULES = 10_000
ROUNDS, DECISIONS = 5, 2_000
_T = TypeVar("_T")

_HEAD = """\
name: large
version: "1"
description: what is measured
actions:
  large.act:
    arguments:
      n: {type: int, min: 0, max: 1000}
      all: {type: list<int>, max_length: 1000}
"""
EXPENSIVE: dict[str, str] = {
    "folds inside each other": "arguments.all.all(a, arguments.all.all(b, arguments.all.all(c, a + b + c > 0)))",
    "nested deep": f"{'(1 + ' * 40}arguments.n{')' * 40} > 0",
    "a long text": f"arguments.n in [{', '.join(map(str, range(2000)))}]",
}
"""Conditions that would cost too much, by what is too much about them; none of them loads."""


def run() -> Result:
    """Return what the packs that come with placet cost, and packs as large as they may be; CPU time, the least of rounds."""
    result = Result("policy")
    measured = {}
    for name in SHIPPED:
        tell(f"policy: {name}")
        measured[name] = measure(read_pack(shipped(name)))
    actions = [action for pack in measured.values() for action in pack["actions"].values()]
    tell(f"policy: {MANY_RULES} rules, {BYTES_MAX} bytes, and what is refused")
    refused = {
        "a pack over the bound": _refused(bytes_of(BYTES_MAX + 1)),
        **{n: _refused(pack_with(t)) for n, t in EXPENSIVE.items()},
    }
    result.figures = {
        "load_ms_most": max(pack["load_ms"] for pack in measured.values()),
        "decide_us_most": max(action["decide_us"] for action in actions),
        "explain_ms_most": max(action["explain_ms"] for action in actions),
        "nearest_us_most": max(action["nearest_us"] for action in actions),
        **_large(),
        "refused": sum(bool(said) for said in refused.values()),
    }
    failed = [f"{name}: {failed} tests failed" for name, pack in measured.items() if (failed := pack["failed"])]
    failed += [f"{name}: loads, and should be refused" for name, said in refused.items() if not said]
    result.audits["packs"] = {"clean": not failed, "refused": refused, "measured": measured, "violations": failed}
    return result


def measure(files: Mapping[str, str]) -> dict[str, Any]:
    """Return what one pack costs: ms to load it, and by action µs to decide, ms to explain and µs for the nearest bounds.

    Of each action the tests of the pack are the cases; deciding is told as their mean, the others as the most.
    """
    load_ms, pack = timed(lambda: load_pack(files), 1)
    policies = PolicySet.of([pack])
    by_action: dict[str, list[Case]] = {}
    for test in pack.tests:
        by_action.setdefault(test.intent.action, []).append(case_of(test.given, test.intent))
    actions = {}
    for action, cases in sorted(by_action.items()):
        plan = policies.plan(action)
        if plan is not None:
            actions[action] = _action(policies, plan, cases)
    return {
        "rules": len(pack.rules),
        "bytes": sum(len(text.encode()) for text in files.values()),
        "load_ms": round(load_ms * 1e3, 2),
        "tests": len(pack.tests),
        "failed": sum(not result.passed for result in run_tests(pack)),
        "actions": actions,
    }


def _action(policies: PolicySet, plan: Plan, cases: list[Case]) -> dict[str, Any]:
    rounds = max(1, DECISIONS // len(cases))

    def decide() -> None:
        for _ in range(rounds):
            for case in cases:
                plan.decide(case)

    decided, _ = timed(decide, ROUNDS)
    explained = max(timed(lambda case=case: explain(policies, case), ROUNDS)[0] for case in cases)  # type: ignore[misc]
    near = max(timed(lambda case=case: nearest(plan, case), ROUNDS)[0] for case in cases)  # type: ignore[misc]
    return {
        "rules": len(plan.rules),
        "cases": len(cases),
        "decide_us": round(decided / rounds / len(cases) * 1e6, 2),
        "explain_ms": round(explained * 1e3, 2),
        "nearest_us": round(near * 1e6, 1),
    }


def _large() -> dict[str, float]:
    """Return what a pack of many rules costs, and one of as many bytes as are taken."""
    load_s, pack = timed(lambda: load_pack(rules_of(MANY_RULES)), 1)
    plan_s, plan = timed(lambda: PolicySet.of([pack]).plan("large.act"), 1)
    assert plan is not None
    case = Case()
    case.arguments, case.instant, case.emergency = {"n": 1, "all": []}, 0, False
    decided, _ = timed(lambda: [plan.decide(case) for _ in range(DECISIONS)], ROUNDS)
    lint_s, _ = timed(lambda: lint(pack), 1)
    full_s, _ = timed(lambda: load_pack(_large_bytes()), 1)
    return {
        "rules_10000_load_s": round(load_s, 2),
        "rules_10000_activate_ms": round(plan_s * 1e3, 2),
        "rules_10000_decide_us": round(decided / DECISIONS * 1e6, 2),
        "rules_10000_lint_s": round(lint_s, 2),
        "mib_load_s": round(full_s, 2),
    }


def _large_bytes() -> dict[str, str]:
    return bytes_of(BYTES_MAX)


def rules_of(count: int) -> dict[str, str]:
    """Return a pack of `count` rules, one about `large.act`, the others about one action each."""
    rules = "".join(
        f"  - {{id: r{n}, on: [other.a{n}], when: arguments.n < {n}, effect: permit, because: b}}\n"
        for n in range(1, count)
    )
    return {
        "pack.yaml": _HEAD,
        "rules.yaml": f"rules:\n  - {{id: r0, on: [large.act], when: arguments.n < 7, effect: permit, because: b}}\n{rules}",
    }


def bytes_of(size: int) -> dict[str, str]:
    """Return a pack of exactly `size` bytes: rules with as long a reason as is taken, and a comment for the rest."""
    rules = "rules:\n"
    count = 0
    while len(_HEAD) + len(rules) + 700 < size:
        rules += (
            f"  - {{id: r{count}, on: [large.act], when: arguments.n < {count}, effect: deny, because: {'b' * 500}}}\n"
        )
        count += 1
    return {"pack.yaml": _HEAD, "rules.yaml": rules + "#" * (size - len(_HEAD) - len(rules) - 1) + "\n"}


def pack_with(condition: str) -> dict[str, str]:
    """Return a pack of one rule on `large.act` under `condition`."""
    rule = f"  - {{id: dear, on: [large.act], effect: permit, because: b, when: '{condition}'}}\n"
    return {"pack.yaml": _HEAD, "rules.yaml": f"rules:\n{rule}"}


def _refused(files: Mapping[str, str]) -> str:
    """Return what is said of a pack that does not load, or an empty text when it does."""
    try:
        load_pack(files)
    except PackError as error:
        return str(error)
    return ""


def timed(work: Callable[[], _T], rounds: int) -> tuple[float, _T]:
    """Return the least CPU seconds of some rounds, and what the last one returned."""
    least = float("inf")
    while True:
        started = time.thread_time()
        made = work()
        least = min(least, time.thread_time() - started)
        rounds -= 1
        if rounds <= 0:
            return least, made

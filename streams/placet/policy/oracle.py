"""Generated conditions against the library, before they decide, on cases made from each condition's own constants."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from placet.model.case import Case
from placet.policy import samples
from placet.policy.contents import Pack
from placet.policy.diagnostics import Diagnostic
from placet.policy.expressions import Expression
from placet.policy.fused import single
from placet.policy.rules import Rule
from placet.policy.situations import case_of

CASES = 48
"""Generated cases each condition is run on."""


def compare(pack: Pack) -> Iterator[Diagnostic]:
    """Run every condition of `pack` through both engines; one that differs stays with the library, and is reported."""
    document = pack.documents["rules.yaml"]
    for number, rule in enumerate(pack.rules):
        for action in pack.shapes(rule):
            if not judge(pack, rule, action):
                message = f"on `{action}` generated code and library differ: the library alone runs this condition"
                yield document.diagnose(("rules", number, "when"), message)


def judge(pack: Pack, rule: Rule, action: str) -> bool:
    """Run one condition through both engines, on samples and on the pack's tests of `action`; return whether they agree.

    A condition that differs is left to the library from then on.
    """
    condition = pack.condition(rule, action)
    if condition is None or condition.source is None:
        return True
    own = [case_of(test.given, test.intent) for test in pack.tests if test.intent.action == action]
    if _agrees_on_samples(condition) and agrees(condition, own, fitting=True):
        return True
    condition.leave("generated code and library differ")
    return False


@lru_cache(maxsize=4096)
def _agrees_on_samples(condition: Expression) -> bool:
    """Whether a condition agrees on its own samples; the same condition is judged once."""
    return agrees(condition, samples.generate(condition, CASES))


def agrees(condition: Expression, cases: Sequence[Case], *, fitting: bool = False) -> bool:
    """Whether generated code gives the library's value, or raises, on every case whose facts are there.

    With `fitting` cases whose arguments are not as declared are passed over: no condition ever sees them.
    """
    run = single(condition, fitting=fitting)
    for case in cases:
        try:
            value = run(case)
        except Exception:  # noqa: BLE001, S112  any raise means that the library decides
            continue
        if value in (0, 1) and bool(value) is not condition.ask(case):
            return False
    return True

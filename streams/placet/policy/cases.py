"""A pack's own tests: run them, say what differed, and count which rules they exercised."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from placet.policy.contents import Pack
from placet.policy.evaluate import NO_RULE, Finding, PolicySet
from placet.policy.obligations import Obligation, apply, merge
from placet.policy.rules import demands, reaches
from placet.policy.situations import Expected, TestForm, case_of


class TestResult(msgspec.Struct, frozen=True):
    """What came of one test. `differences` are sentences, none when it passed; `fired` the rules whose condition held."""

    __test__ = False

    says: str
    file: str
    line: int
    column: int
    differences: tuple[str, ...]
    finding: Finding
    fired: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether everything the test expects came out."""
        return not self.differences


def run_tests(pack: Pack, *, matching: str = "") -> list[TestResult]:
    """Return the result of each test whose sentence contains `matching`, in file order.

    The pack is evaluated by itself, by generated code and by the library; where
    they differ the finding is a deny for EVALUATION_DISAGREES.
    """
    policies = PolicySet.of([pack])
    results = []
    for number, test in enumerate(pack.tests):
        if matching not in test.says:
            continue
        case = case_of(test.given, test.intent)
        plan = policies.plan(test.intent.action)
        finding = plan.decide(case, sample=True) if plan else NO_RULE
        document = pack.documents["tests.yaml"]
        line, column = document.place(("tests", number, "says"))
        differences = tuple(_differences(pack, test, finding))
        fired = plan.fired(case) if plan else ()
        results.append(TestResult(test.says, document.file, line, column, differences, finding, fired))
    return results


def coverage(pack: Pack, results: Iterable[TestResult]) -> dict[str, int]:
    """Return for each rule in how many tests it fired or decided; 0 means that no test exercises it."""
    counts = {rule.name: 0 for rule in pack.rules}
    for result in results:
        for name in {*result.fired, *result.finding.rules}:
            counts[name] += 1
    return counts


def _differences(pack: Pack, test: TestForm, finding: Finding) -> Iterable[str]:
    expected = test.expect
    effect = finding.effect.name.lower()
    if effect != expected.effect:
        yield f"effect is {effect} ({finding.reason.name}), expected {expected.effect}"
    short = [name.partition("/")[2] for name in finding.rules]
    if expected.because is not None and sorted(short) != sorted(expected.because):
        yield f"decided by {_listed(short)}, expected {_listed(expected.because)}"
    if expected.reason is not None and finding.reason.name != expected.reason:
        yield f"reason is {finding.reason.name}, expected {expected.reason}"
    if expected.missing is not None and list(finding.missing) != sorted(expected.missing):
        yield f"missing are {_listed(finding.missing)}, expected {_listed(expected.missing)}"
    if expected.claim is not None and finding.claim_required != (expected.claim == "required"):
        yield f"claim is {'required' if finding.claim_required else 'granted'}, expected {expected.claim}"
    if expected.obligations is not None:
        wanted = _obligations(pack, test.intent.action, expected)
        if finding.obligations != wanted:
            yield f"obligations are {_told(finding.obligations)}, expected {_told(wanted)}"
    if expected.granted is not None:
        granted: dict[str, Any] = apply(test.intent.arguments, finding.obligations)
        if granted != expected.granted:
            yield f"granted arguments are {granted}, expected {expected.granted}"


def _obligations(pack: Pack, action: str, expected: Expected) -> tuple[Obligation, ...]:
    """Return the expected obligations as one merged set; ones no rule could demand on this action are left as they read."""
    rule = next((rule for rule in pack.rules if reaches(rule, action)), None)
    if rule is None:
        return ()
    forms = tuple(expected.obligations or ())
    try:
        return merge(demands(msgspec.structs.replace(rule, obligations=forms), pack.actions.get(action)))
    except ValueError:
        return ()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def _told(obligations: Sequence[Obligation]) -> str:
    return "; ".join(f"{o.kind} {o.argument} {o.value}".strip() for o in obligations) or "none"

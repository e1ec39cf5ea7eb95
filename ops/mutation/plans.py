"""Which tests a mutant is shown to, in which order, and which modules can be warm before it is there."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ops.mutation.covering import AT_IMPORT, PLAN_CPU_S_MOST
from ops.mutation.mutants import Mutant


class Seen(NamedTuple):
    """What the run without a mutant showed: each test's cost, each line's tests, and what was imported.

    `named` tells of each test file which modules it imports from: a constant is looked at where no line is reached.
    """

    cpu: tuple[tuple[str, float], ...]
    lines: Mapping[str, Mapping[int, frozenset[int]]]
    modules: tuple[str, ...]
    named: Mapping[str, frozenset[str]] = {}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Seen:
        lines = {
            file: {int(line): frozenset(tests) for line, tests in by_line.items()}
            for file, by_line in data["lines"].items()
        }
        return cls(tuple((test, cpu) for test, cpu in data["tests"]), lines, tuple(data["modules"]))

    @classmethod
    def together(cls, seen: Sequence[Seen]) -> Seen:
        """Return what several runs showed as one."""
        cpu: list[tuple[str, float]] = []
        lines: dict[str, dict[int, frozenset[int]]] = {}
        for one in seen:
            for file, by_line in one.lines.items():
                into = lines.setdefault(file, {})
                for line, tests in by_line.items():
                    moved = {at if at == AT_IMPORT else at + len(cpu) for at in tests}
                    into[line] = into.get(line, frozenset()) | moved
            cpu += one.cpu
        return cls(tuple(cpu), lines, tuple(sorted({name for one in seen for name in one.modules})))

    def reaching(self, mutant: Mutant) -> frozenset[int]:
        """Return the tests that reach what was changed; where importing it does, all that reach or import the file."""
        by_line = self.lines.get(mutant.file, {})
        first, last = mutant.lines
        # Of a statement on several lines not every line is seen: what is reached is the nearest above that was.
        while first > 1 and not any(line in by_line for line in range(first, last + 1)):
            first -= 1
        found = frozenset[int]().union(*(by_line.get(line, ()) for line in range(first, last + 1)))
        if AT_IMPORT in found:
            module = module_of(mutant.file)
            named = {at for at, (test, _) in enumerate(self.cpu) if module in self.named.get(test.split("::")[0], ())}
            found = frozenset[int]().union(*by_line.values(), named)
        return found - {AT_IMPORT}

    def plan(self, mutant: Mutant) -> list[str]:
        """Return the tests a mutant is shown to, the cheapest first, as many as its time allows."""
        plan: list[str] = []
        left = PLAN_CPU_S_MOST
        for at in sorted(self.reaching(mutant), key=lambda at: (self.cpu[at][1], at)):
            name, cpu = self.cpu[at]
            left -= cpu
            if left < 0 and plan:
                break
            plan.append(name)
        return plan

    def ordered(self, plan: Collection[str], kills: Mapping[str, int]) -> list[str]:
        """Return a plan with what is likeliest to kill for its cost first, by what it killed in this file so far."""
        cost = dict(self.cpu)
        return sorted(plan, key=lambda test: (cost[test] + 0.002) / (1 + 4 * kills.get(test, 0)))


def module_of(file: str) -> str:
    """Return the dotted name of a file below `streams`."""
    return file.removeprefix("streams/").removesuffix(".py").replace("/", ".")


def imports(name: str, path: Path, known: Collection[str]) -> frozenset[str]:
    """Return the modules of a set that one of them imports, anywhere in its text; packages above them too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    above = {name.rsplit(".", at)[0] for at in range(1, name.count(".") + 1)}
    return frozenset(found | above) & frozenset(known) - {name}


def warm(mutated: str, graph: Mapping[str, frozenset[str]]) -> list[str]:
    """Return the package's modules that do not rest on the mutated one, and so can be there before it.

    Those of the tests are pytest's to import: it rewrites their assertions.
    """
    resting, grew = {mutated}, True
    while grew:
        more = {name for name, wants in graph.items() if wants & resting} - resting
        resting |= more
        grew = bool(more)
    return [name for name in graph if name.startswith("placet") and name not in resting]

"""One generated function per action: arguments, presence and every rule in one pass, answered as a bit mask."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from placet.model.case import LABELS, Case, level_of
from placet.policy import patterns, runtime
from placet.policy.expressions import Expression
from placet.policy.presence import NEVER, Unit, fact_source, part_source, silence_source
from placet.policy.rules import Rule
from placet.policy.shape import INT_MAX, MEMBERS_MAX, Argument, Arguments, row_local

UNFIT = -1
"""The mask of an intent whose arguments do not fit the action's declaration."""


class Bound(msgspec.Struct):
    """A rule tied to one action: its condition there, what must be known, and its three bits.

    `fired`, `unmet` (something it needs is absent) and `erred` are masks; at most one of them is set.
    `roles` holds the bits of the records in which its groups are looked up.
    """

    rule: Rule
    condition: Expression | None
    needs: int
    fired: int
    unmet: int
    erred: int
    roles: dict[str, int]


Ask = Callable[[int, Case], int]


def source_of(
    bounds: Sequence[Bound],
    units: Sequence[tuple[Unit, int, int]],
    declared: Sequence[Arguments],
    *,
    generated: bool = True,
) -> str:
    """Return the text of `decide(case) -> int`.

    `units` are (unit, bit when missing, bit when silent). Their bits stay in the
    mask only when a rule went unmet, so that equal outcomes have equal masks. With `generated` false every condition is asked of the library.
    """
    lines: list[str] = []
    for arguments in declared:
        lines += fit_source(arguments)
    lines.append("absent = mask = 0")
    for unit, missing, silent in units:
        if unit.part:
            lines.append(f"if {part_source(unit.part)}: absent |= {missing}")
            continue
        late = silence_source(unit)
        if unit.required:
            lines.append(f"if {fact_source(unit.name)}: absent |= {missing}")
            lines += [f"elif {late}: absent |= {silent}"] if late else []
        elif late:
            lines.append(f"if not ({fact_source(unit.name)}) and ({late}): absent |= {silent}")
    unmet = sum(bound.unmet for bound in bounds)
    for number, bound in enumerate(bounds):
        lines += _rule_source(number, bound, generated)
    lines.append(f"return mask | absent if mask & {unmet} else mask" if unmet else "return mask")
    return _function(lines)


def _rule_source(number: int, bound: Bound, generated: bool) -> list[str]:
    rule, condition = bound.rule, bound.condition
    asked = []
    if rule.resource is not None:
        asked.append(patterns.source(rule.resource, "case.resource_id"))
    for role, wanted in (("actor", rule.actor), ("authority", rule.authority)):
        if wanted is not None:
            asked.append(who_source(role, wanted, bound.roles.get(role, 0)))
    if rule.any_in_chain is not None:
        asked.append(f"any({patterns.source(rule.any_in_chain, 'link')} for link in case.chain)")
    asked = [text for text in asked if text != "True"]
    lines = [f"# {rule.name}"]
    indent = ""
    if asked:
        lines.append(f"if {' and '.join(asked)}:")
        indent = "    "
    branch = "if"
    if bound.needs:
        lines.append(f"{indent}if absent & {bound.needs}: mask |= {bound.unmet}")
        branch = "elif"
    if condition is None:
        lines.append(f"{indent}else: mask |= {bound.fired}" if bound.needs else f"{indent}mask |= {bound.fired}")
    elif condition.source is None or not generated:
        lines.append(
            f"{indent}else: mask |= ask({number}, case)" if bound.needs else f"{indent}mask |= ask({number}, case)"
        )
    else:
        lines += [
            f"{indent}{'else' if branch == 'elif' else 'if True'}:",
            f"{indent}    try:",
            f"{indent}        if {condition.source}: mask |= {bound.fired}",
            f"{indent}    except Exception: mask |= ask({number}, case)",
        ]
    return lines


def who_source(role: str, wanted: Sequence[str], absent: int) -> str:
    """Return Python that says whether a rule is about this principal.

    A group can be looked up only in a record that is there and fresh (`absent` are the bits that say
    it is not); else the rule counts as being about the principal, and is unmet for want of that record.
    """
    ids = [pattern for pattern in wanted if not pattern.startswith("group:")]
    groups = tuple(pattern[6:] for pattern in wanted if pattern.startswith("group:"))
    said = [patterns.source(ids, f"case.{role}_id")] if ids else []
    if "True" in said:
        return "True"
    if groups:
        said.append(f"absent & {absent}")
        said += (f"{group!r} in {role}.groups" for group in groups)
    return f"({' or '.join(said)})"


def fit_source(arguments: Arguments) -> list[str]:
    """Return lines that leave with UNFIT when the arguments are not as declared."""
    if not arguments:
        return [f"if arguments: return {UNFIT}"]
    lines = []
    optional = not all(argument.required for argument in arguments)
    if optional:
        lines.append("unset = 0")
    for argument in arguments:
        checks = " or ".join(_unfit(argument))
        lines.append(f"v = arguments.get({argument.name!r}, ABSENT)")
        lines.append(f"if v is ABSENT: {f'return {UNFIT}' if argument.required else 'unset += 1'}")
        if checks:
            lines.append(f"elif {checks}: return {UNFIT}")
    # All declared names were counted, so any further member is one the action does not declare.
    lines.append(f"if len(arguments){' + unset' if optional else ''} != {len(arguments)}: return {UNFIT}")
    return lines


def _unfit(argument: Argument) -> list[str]:
    """Return tests of `v`, any of which says that it does not fit; a bool is no integer."""
    kind, said = argument.type, []
    if kind in ("int", "number"):
        low = -INT_MAX if argument.min is None else argument.min
        high = INT_MAX if argument.max is None else argument.max
        said.append(
            "v.__class__ is not int" if kind == "int" else "v.__class__ is not int and v.__class__ is not float"
        )
        said.append(f"not {low} <= v <= {high}")
    elif kind == "string":
        said.append("v.__class__ is not str")
        if argument.max_length is not None:
            said.append(f"len(v) > {argument.max_length}")
        if argument.one_of:
            said.append(f"v not in {argument.one_of!r}")
        if argument.pattern is not None:
            said.append(f"not matcher({rf'^(?:{argument.pattern})$'!r})(v)")
    elif kind == "bool":
        said.append("v is not True and v is not False")
    elif kind.startswith("list"):
        said.append("v.__class__ is not list")
        said.append(f"len(v) > {_most(argument)}")
        said.append(_members(kind[5:-1], "v"))
    elif kind.startswith("map"):
        said.append("v.__class__ is not dict")
        said.append(f"len(v) > {_most(argument)}")
        said.append(_members(kind[12:-1], "v.values()"))
    return said


def _most(argument: Argument) -> int:
    return MEMBERS_MAX if argument.max_length is None else argument.max_length


def _members(kind: str, source: str) -> str:
    wanted = {"string": "str", "int": "int", "bool": "bool"}[kind]
    bounds = f" or not {-INT_MAX} <= m <= {INT_MAX}" if kind == "int" else ""
    return f"any(m.__class__ is not {wanted}{bounds} for m in {source})"


UNREADY = 2


def single(condition: Expression, *, fitting: bool = False) -> Callable[[Case], int]:
    """Return one generated condition as a function: 0, 1, or UNREADY where something it reads is absent.

    With `fitting` it answers UNFIT for arguments that are not as declared.

    Raises what the condition raises; ValueError when the condition has no generated form.
    """
    if condition.source is None:
        raise ValueError(condition.unknown)
    lacking = [fact_source(fact) for fact in sorted(condition.facts)]
    lacking += [part_source(part) for part in sorted(condition.parts)]
    lines = fit_source(condition.arguments) if fitting and condition.arguments is not None else []
    lines += [f"if {text}: return {UNREADY}" for text in lacking]
    lines.append(f"return 1 if {condition.source} else 0")
    return build(_function(lines), _no_library)


def _no_library(number: int, case: Case) -> int:
    raise AssertionError(f"condition {number} of `{case.action}` has no library beside it")


def _function(lines: Sequence[str]) -> str:
    """Return `decide(case)` around `lines`, with the locals they use."""
    text = "\n".join(lines)
    roots = ("arguments", "actor", "authority", "mandate", "resource", "calendar")
    first = [f"{root} = {row_local(root)}" for root in roots if root in text]
    if "now -" in text:
        first.append("now = case.instant")
    return "def decide(case):\n" + "".join(f"    {line}\n" for line in [*first, *lines])


def build(text: str, ask: Ask) -> Callable[[Case], int]:
    """Return the function in `text`, with nothing in its reach but what conditions may call."""
    names: dict[str, Any] = {
        "__builtins__": {"any": any, "all": all, "bool": bool, "len": len, "sum": sum}
        | {
            "sorted": sorted,
            "str": str,
            "int": int,
            "float": float,
            "dict": dict,
            "list": list,
            "Exception": Exception,
        },
        **runtime.NAMES,
        "ABSENT": object(),
        "LABELS": LABELS,
        "NEVER": NEVER,
        "ask": ask,
        "level_of": level_of,
        "matcher": runtime.patterns,
    }
    exec(compile(text, "<policy>", "exec"), names)  # noqa: S102  the text is our own; of input it holds only what `repr` quoted
    made: Callable[[Case], int] = names["decide"]
    return made

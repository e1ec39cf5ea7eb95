"""Mutation testing: which mistakes are made, what comes of each, what is kept, and that a slice holds the bar."""

import ast
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ops.mutation.__main__ import JUSTIFIED, asked, sampled
from ops.mutation.mutants import Mutant, mutants_of
from ops.mutation.plans import Seen, warm
from ops.mutation.report import Justified, Report, read_justified
from ops.mutation.state import State
from ops.mutation.trial import KILLED, SURVIVED, TIMED_OUT, UNREACHED, UNSETTLED, Verdict, ended, slower

ROOT = Path(__file__).parent.parent.parent
FILE = "streams/placet/decision/sum.py"
COUNTDOWN = '''\
"""Counting."""


def countdown(n: int) -> int:
    while n > 0:
        n -= 1
    return n


def unused() -> int:
    return 1
'''


def changed(source: str) -> list[str]:
    return [one.after for one in mutants_of(source, FILE)]


@pytest.mark.parametrize(
    ("line", "mistakes"),
    [
        ("x = a < b", {"x = a <= b", "x = None"}),
        ("x = a and not b", {"x = a or not b", "x = a and b", "x = None"}),
        ("total += 1", {"total = 1", "total -= 1", "total += 2"}),
        ("held.drop(key, 7)", {"pass", "held.drop(None, 7)", "held.drop(key, None)", "held.drop(key, 8)"}),
        ("x = 'word'", {"x = 'XXwordXX'", "x = None"}),
        ("if found: pass", {"if not (found): pass"}),
        ("if a == b: pass", {"if a != b: pass"}),
        # Of what an error says the words are nobody's promise; what it carries besides is.
        ("raise Poison(reason, 'no such key')", {"raise Poison(None, 'no such key')"}),
        ("raise Poison(f'no {key[:64]}')", set()),
        ("def no(what) -> NoReturn: ...\n\nno(f'no {key}')", {"pass"}),
        ("def no(what) -> str: ...\n\nno(f'no {key}')", {"pass", "no(None)"}),
        ("x = 1e300", {"x = None"}),
        ("'said to readers'", set()),
        ("x: Literal['a', 'b']", set()),
        ("from a import b", set()),
        (
            "go(zip(a, b, strict=True))",
            {"go(None)", "go(zip(None, b, strict=True))", "go(zip(a, None, strict=True))", "pass"},
        ),
        ("size = len(rows)", {"size = None"}),
        ("__all__ = ['one']", set()),
        ("Range = tuple[int, int]", set()),
        ("_Known = int | None", set()),
        ("Grave: TypeAlias = Literal['a', 'b']", set()),
        ("KNOWN = low | high", {"KNOWN = low & high", "KNOWN = None"}),
        (
            "Score = Annotated[int, le(9)]",
            {"Score = Annotated[int, le(10)]", "Score = Annotated[int, le(None)]", "Score = None"},
        ),
        (
            "class Said(Row, frozen=True, gc=False, order=True): pass",
            {"class Said(Row, frozen=True, gc=False, order=False): pass"},
        ),
    ],
)
def test_a_line_is_mistaken_in_these_ways(line: str, mistakes: set[str]) -> None:
    assert set(changed(line + "\n")) == mistakes


def test_a_mutant_keeps_its_name_when_something_else_is_edited() -> None:
    before = {one.key for one in mutants_of(COUNTDOWN, FILE)}
    after = {one.key for one in mutants_of(f"LATER = 5\n\n{COUNTDOWN}", FILE)}
    assert len(before) == 6
    assert before < after


@pytest.mark.parametrize("file", ["context/chain", "decision/life"])
def test_every_mutant_of_a_real_file_is_another_program(file: str) -> None:
    file = f"streams/placet/{file}.py"
    source = (ROOT / file).read_text()
    mutants = mutants_of(source, file)
    trees = {ast.dump(ast.parse(one.applied(source))) for one in mutants}
    assert len(trees) > 20
    assert len({one.applied(source) for one in mutants}) == len(mutants)
    assert ast.dump(ast.parse(source)) not in trees


def test_the_same_seed_takes_the_same_mutants_though_others_come_and_go() -> None:
    every = mutants_of(COUNTDOWN, FILE)
    drawn = sampled(every, 3, "1")
    assert len(drawn) == 3
    assert sampled([one for one in every if one in drawn], 3, "1") == drawn
    assert {tuple(sampled(every, 3, str(seed))) for seed in range(20)} > {tuple(drawn)}


TRIAL = """\
import json, os, sys
from pathlib import Path
from ops.mutation import tests_run, trial
from ops.mutation.mutants import mutants_of

root = Path(sys.argv[1])
os.chdir(root)
sys.path.insert(0, str(root / "streams"))
tests_run.ROOT, trial.CPU_S_MOST = root, 1
file = "streams/counting.py"
mutants = mutants_of((root / file).read_text(), file)
shown = [(m, [] if m.scope == "unused" else ["tests/test_counting.py::test_down"]) for m in mutants]
verdicts = trial.try_all(root, shown, [], root / "scratch")
print(json.dumps({m.after: v[:2] for m, v in zip(mutants, verdicts, strict=True)}))
"""


def test_a_mutant_is_killed_survives_or_runs_out_of_time(tmp_path: Path) -> None:
    (tmp_path / "streams").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "streams" / "counting.py").write_text(COUNTDOWN)
    (tmp_path / "tests" / "test_counting.py").write_text(
        "from counting import countdown\n\n\ndef test_down():\n    assert countdown(4) == 0\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", TRIAL, str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    killer = "tests/test_counting.py::test_down"
    assert json.loads(said.stdout) == {
        "while n >= 0:": [KILLED, killer],
        "while n > 1:": [KILLED, killer],
        "n -= 2": [SURVIVED, ""],
        "n += 1": [TIMED_OUT, ""],
        "n = 1": [TIMED_OUT, ""],
        "return 2": [UNREACHED, ""],
    }


@pytest.mark.parametrize(
    ("said", "by_signal", "cpu_s", "verdict"),
    [
        ("", 0, 1.0, (SURVIVED, "")),
        ("tests/t.py::test", 0, 1.0, (KILLED, "tests/t.py::test")),
        ("", signal.SIGXCPU, 4.0, (TIMED_OUT, "")),
        ("", signal.SIGKILL, 5.0, (TIMED_OUT, "")),
        ("", signal.SIGSEGV, 1.0, (KILLED, "signal 11")),
        # The clock ran out, or somebody else ended it: a busy machine kills no mutant.
        ("", signal.SIGALRM, 3.9, (UNSETTLED, "signal 14")),
        ("", signal.SIGKILL, 1.0, (UNSETTLED, "signal 9")),
    ],
)
def test_only_time_of_the_processor_makes_a_mutant_late(
    said: str, by_signal: int, cpu_s: float, verdict: tuple[str, str]
) -> None:
    assert ended(said, by_signal, cpu_s)[:2] == verdict


def test_a_mutant_is_late_only_beside_a_program_that_is_not() -> None:
    late = Verdict(TIMED_OUT, "", 4.0)
    assert slower(late, Verdict(SURVIVED, "", 2.0)) == late
    assert slower(late, Verdict(SURVIVED, "", 2.1)) == (UNSETTLED, "without it survived after 2.1 s", 4.0)
    assert slower(late, Verdict(TIMED_OUT, "", 1.0)) == (UNSETTLED, "without it timed out after 1.0 s", 4.0)


SEEN = Seen.of(
    {
        "tests": [["dear", 3.9], ["cheap", 0.1], ["other", 0.3]],
        "lines": {FILE: {"4": [-1], "5": [0, 1], "6": [0, 1], "7": [0], "11": [2]}},
        "modules": [],
    }
)


def at(line: int) -> Mutant:
    return next(one for one in mutants_of(COUNTDOWN, FILE) if one.lines[0] == line)


def test_a_mutant_is_shown_to_the_tests_that_reach_it_cheapest_first_within_its_time() -> None:
    assert SEEN.plan(at(6)) == ["cheap", "dear"]
    assert SEEN.plan(at(11)) == ["other"]
    # Of a statement on several lines the first is seen.
    assert SEEN.plan(at(11)._replace(lines=(9, 9))) == ["dear"]
    # What is reached by an import alone is everybody's; 0.1 + 0.3 + 3.9 s is more than the 4 s there are.
    assert SEEN.plan(at(5)._replace(lines=(4, 4))) == ["cheap", "other"]


def test_every_function_shows_a_case_before_any_shows_another() -> None:
    cpu = (("t::a[1]", 0.1), ("t::a[2]", 0.2), ("t::a[3]", 3.0), ("t::b", 0.9))
    seen = SEEN._replace(cpu=cpu, lines={FILE: {6: frozenset(range(4))}})
    # 0.1 + 0.9 + 0.2 s; another 3 s are more than there are.
    assert seen.plan(at(6)) == ["t::a[1]", "t::b", "t::a[2]"]


def test_a_constant_is_shown_to_who_imports_from_its_file_too() -> None:
    cpu = (*SEEN.cpu, ("tests/test_t.py::test_table", 0.2))
    seen = SEEN._replace(cpu=cpu, named={"tests/test_t.py": frozenset({"placet.decision.sum"})})
    assert seen.plan(at(5)._replace(lines=(4, 4))) == ["cheap", "tests/test_t.py::test_table", "other"]
    assert seen.plan(at(6)) == ["cheap", "dear"]


def test_what_killed_in_a_file_is_shown_the_next_one_first() -> None:
    assert SEEN.ordered(["cheap", "other"], {}) == ["cheap", "other"]
    assert SEEN.ordered(["cheap", "other"], {"other": 5}) == ["other", "cheap"]


def test_only_what_does_not_rest_on_the_mutated_module_is_there_before_it() -> None:
    graph = {
        "placet.a": frozenset[str](),
        "placet.b": frozenset({"placet.a"}),
        "placet.c": frozenset({"placet.b"}),
        "placet.d": frozenset({"placet.a"}),
        "tests.t": frozenset[str](),
    }
    assert warm("placet.b", graph) == ["placet.a", "placet.d"]


def reported(*said: str, bar: float = 0.85, justified: int = 0) -> Report:
    mutants = mutants_of(COUNTDOWN, FILE)[: len(said)]
    verdicts = {one.key: Verdict(each, "", 1.0) for one, each in zip(mutants, said, strict=True)}
    excused = [Justified(m.file, m.scope, m.before, m.after, "the same") for m in mutants[:justified]]
    return Report(mutants, verdicts, excused, bar)


def test_the_share_is_what_was_killed_or_ran_out_of_time_of_all_that_is_not_justified() -> None:
    report = reported(SURVIVED, KILLED, KILLED, TIMED_OUT, UNREACHED, justified=1)
    assert report.rows == [("decision/sum.py", 2, 1, 1, 1)]
    assert report.whole.share == 0.75
    assert report.below(rooms=False) == [report.whole]
    assert reported(KILLED, KILLED, KILLED, SURVIVED, bar=0.75).below(rooms=True) == []


def test_a_justified_mutant_that_was_killed_is_said() -> None:
    assert len(reported(KILLED, KILLED, justified=1).false) == 1
    assert reported(SURVIVED, KILLED, justified=1).false == []


def house(folder: Path) -> Path:
    (folder / "streams/placet/decision").mkdir(parents=True)
    (folder / "ops/mutation").mkdir(parents=True)
    (folder / "tests/decision").mkdir(parents=True)
    (folder / "ops/mutation/mutants.py").write_text("")
    (folder / FILE).write_text(COUNTDOWN)
    (folder / "tests/decision/test_sum.py").write_text("")
    return folder


def test_a_run_goes_on_where_it_stopped_until_something_it_rests_on_changes(tmp_path: Path) -> None:
    root, build = house(tmp_path), tmp_path / "build"
    first = State(root, build)
    killed, survived, third = first.mutants()[:3]
    first.keep(killed, Verdict(KILLED, "t", 0.5))
    first.keep(survived, Verdict(SURVIVED, "", 0.5))
    with (build / "results.jsonl").open("a") as cut_short:
        cut_short.write('\n["' + third.key)
    first.keep(third, Verdict(TIMED_OUT, "", 4.0))
    again = State(root, build)
    assert set(again.known(again.mutants(), killed_stay=False)) == {killed.key, survived.key, third.key}
    # What came out neither way is as if it had never been tried.
    again.keep(survived, Verdict(UNSETTLED, "signal 14", 0.1))
    assert set(State(root, build).known(again.mutants(), killed_stay=False)) == {killed.key, third.key}
    (root / "tests/decision/test_sum.py").write_text("# one more test\n")
    later = State(root, build)
    assert later.known(later.mutants(), killed_stay=False) == {}
    assert later.known(later.mutants(), killed_stay=True) == {
        killed.key: Verdict(KILLED, "t", 0.5),
        third.key: Verdict(TIMED_OUT, "", 4.0),
    }
    (root / FILE).write_text(COUNTDOWN + "\n\nMORE = 1\n")
    edited = State(root, build)
    assert edited.known(edited.mutants(), killed_stay=True) == {}


def test_what_a_test_killed_stays_so_until_what_that_test_rests_on_changes(tmp_path: Path) -> None:
    root, build = house(tmp_path), tmp_path / "build"
    (root / "tests/decision/test_more.py").write_text("from tests.decision.test_sum import asked\n")
    (root / "tests/decision/helping.py").write_text("")
    first = State(root, build)
    by_sum, by_more, survived, late = first.mutants()[:4]
    first.keep(by_sum, Verdict(KILLED, "tests/decision/test_sum.py::test_a", 0.5))
    first.keep(by_more, Verdict(KILLED, "tests/decision/test_more.py::test_b", 0.5))
    first.keep(survived, Verdict(SURVIVED, "", 0.5))
    first.keep(late, Verdict(TIMED_OUT, "", 4.0))

    def known() -> set[str]:
        state = State(root, build)
        return set(state.known(state.mutants(), killed_stay=False))

    (root / "tests/decision/test_more.py").write_text("from tests.decision.test_sum import answered\n")
    assert known() == {by_sum.key}
    (root / "tests/decision/test_more.py").write_text("from tests.decision.test_sum import asked\n")
    assert known() == {by_sum.key, by_more.key, survived.key, late.key}
    (root / "tests/decision/test_sum.py").write_text("# one more test\n")
    assert known() == set()
    (root / "tests/decision/test_sum.py").write_text("")
    (root / "tests/decision/helping.py").write_text("# of all\n")
    assert known() == set()


def test_what_several_runs_showed_is_told_as_one() -> None:
    other = Seen.of(
        {"tests": [["late", 0.2]], "lines": {FILE: {"6": [0], "8": [-1]}, "b.py": {"1": [0]}}, "modules": ["b"]}
    )
    both = Seen.together([SEEN, other])
    assert both.cpu == (*SEEN.cpu, ("late", 0.2))
    assert both.lines[FILE] == {**SEEN.lines[FILE], 6: {0, 1, 3}, 8: {-1}}
    assert both.lines["b.py"] == {1: {3}}
    assert both.modules == ("b",)
    assert both.plan(at(6)) == ["cheap", "late"]


COVERING = """\
import os, sys
from pathlib import Path
from ops.mutation import covering, tests_run

root = Path(sys.argv[1])
os.chdir(root)
covering.ROOT = tests_run.ROOT = root
covering.ROOMS, covering.PLAN_CPU_S_MOST = ("streams",), 0.2
sys.path.insert(0, str(root / "streams"))
sys.exit(covering.measure({"tests/test_counting.py": str(root / "out.json")}))
"""


def test_each_line_is_told_who_reaches_it_and_a_dear_test_is_broken_off(tmp_path: Path) -> None:
    for folder in ("streams", "tests"):
        (tmp_path / folder).mkdir()
    (tmp_path / "streams" / "counting.py").write_text(COUNTDOWN)
    (tmp_path / "tests" / "test_counting.py").write_text(
        "from counting import countdown, unused\n\n\ndef test_down():\n    assert countdown(4) == 0\n\n\n"
        "import pytest\n\n\n@pytest.mark.parametrize('n', range(9))\n"
        "def test_for_ever(n):\n    while n < 8:\n        unused()\n"
    )
    subprocess.run(
        [sys.executable, "-c", COVERING, str(tmp_path)], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    seen = Seen.of(json.loads((tmp_path / "out.json").read_text()))
    assert [test for test, _ in seen.cpu] == ["tests/test_counting.py::test_down"]
    imported, down = frozenset({-1}), frozenset({0})
    assert seen.lines["streams/counting.py"] == {
        1: imported, 4: imported, 5: down, 6: down, 7: down, 10: imported, 11: frozenset()
    }  # fmt: skip


def test_every_justified_mutant_is_still_one_and_says_why() -> None:
    listed = read_justified(JUSTIFIED)
    made = {file: mutants_of((ROOT / file).read_text(), file) for file in {each.file for each in listed}}
    assert [each for each in listed if not any(each.means(one) for one in made[each.file])] == []
    assert [each for each in listed if len(each.because.split()) < 4] == []


def test_what_make_is_told_reaches_the_runner() -> None:
    told = subprocess.run(
        ["make", "--dry-run", "mutation", "SAMPLE=40", "SEED=7", "ARGS=--json"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "-m ops.mutation --sample 40 --seed 7 --json" in told
    assert (asked(["--sample", "40"]).sample, asked([]).bar, asked([]).minutes, asked([]).jobs) == (40, 0.85, 100, 2)

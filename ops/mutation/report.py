"""What a run says at its end: a table by file, the survivors, and whether the bar was held."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from ops.mutation.mutants import Mutant
from ops.mutation.trial import KILLED, TIMED_OUT, Verdict

DETECTED = (KILLED, TIMED_OUT)


class Row(NamedTuple):
    """One file's count. `share` is what was killed or timed out, of all that is not justified."""

    file: str
    killed: int
    survived: int
    timed_out: int
    justified: int

    @property
    def share(self) -> float:
        counted = self.killed + self.survived + self.timed_out
        return 1.0 if not counted else (self.killed + self.timed_out) / counted

    @classmethod
    def together(cls, name: str, rows: Sequence[Row]) -> Row:
        return cls(name, *(sum(row[column] for row in rows) for column in range(1, 5)))  # type: ignore[misc]


class Justified(NamedTuple):
    """A mutant that is the same program to all who use it, and why."""

    file: str
    scope: str
    before: str
    after: str
    because: str

    def means(self, mutant: Mutant) -> bool:
        return self[:4] == (mutant.file, mutant.scope, mutant.before, mutant.after)


def read_justified(path: Path) -> list[Justified]:
    """Return the checked-in list: by file, each with `in`, `from`, `to` and `because`."""
    data = YAML(typ="safe").load(path.read_text()) or {}
    return [
        Justified(f"streams/placet/{file}", each.get("in", ""), each["from"], each["to"], each["because"])
        for file, entries in data.items()
        for each in entries
    ]


class Report:
    """All verdicts of a run. `bar` is the least share, of the whole and, where nothing was left out, of each room."""

    def __init__(
        self, mutants: Sequence[Mutant], verdicts: Mapping[str, Verdict], justified: Sequence[Justified], bar: float
    ) -> None:
        self.tried = [(one, verdicts[one.key]) for one in mutants if one.key in verdicts]
        self.untried = len(mutants) - len(self.tried)
        self.bar = bar
        excused = {one.key for one in mutants if any(each.means(one) for each in justified)}
        self.survivors = [(m, v) for m, v in self.tried if v.said not in DETECTED and m.key not in excused]
        self.false = [(m, v) for m, v in self.tried if v.said in DETECTED and m.key in excused]
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for mutant, verdict in self.tried:
            said = verdict.said if verdict.said in DETECTED else "survived"
            counts[mutant.file]["justified" if mutant.key in excused else said] += 1
        self.rows = [
            Row(file.removeprefix("streams/placet/"), c[KILLED], c["survived"], c[TIMED_OUT], c["justified"])
            for file, c in sorted(counts.items())
        ]
        self.rooms = [
            Row.together(room, [row for row in self.rows if row.file.startswith(f"{room}/")])
            for room in ("decision", "policy", "context")
        ]
        self.whole = Row.together("all", self.rows)

    def below(self, *, rooms: bool) -> list[Row]:
        """Return what lies below the bar: of the whole, and of each room when asked."""
        return [row for row in (*(self.rooms if rooms else ()), self.whole) if row.share < self.bar]

    def table(self) -> str:
        head = f"{'file':<28} {'killed':>7} {'survived':>9} {'timed out':>10} {'justified':>10} {'share':>8}"
        lines = [head, *(_line(row) for row in self.rows), "", *(_line(row) for row in (*self.rooms, self.whole))]
        return "\n".join(lines)

    def survived(self) -> str:
        return "".join(
            f"{m.file.removeprefix('streams/placet/')}:{m.lines[0]} {m.scope or '(module)'} [{m.operator}] {v.said}\n"
            f"  - {m.before}\n  + {m.after}\n"
            for m, v in self.survivors
        )

    def as_json(self, *, rooms: bool) -> dict[str, Any]:
        return {
            "bar": self.bar,
            "tried": len(self.tried),
            "untried": self.untried,
            "held": not self.below(rooms=rooms),
            "all": _fields(self.whole),
            "rooms": [_fields(row) for row in self.rooms],
            "files": [_fields(row) for row in self.rows],
            "cpu_s": round(sum(verdict.cpu_s for _, verdict in self.tried), 1),
            "cpu_s_most": max((verdict.cpu_s for _, verdict in self.tried), default=0.0),
            "survivors": [
                {
                    "file": m.file,
                    "line": m.lines[0],
                    "in": m.scope,
                    "operator": m.operator,
                    "from": m.before,
                    "to": m.after,
                }
                for m, _ in self.survivors
            ],
        }


def _fields(row: Row) -> dict[str, Any]:
    return {**row._asdict(), "share": round(row.share, 4)}


def _line(row: Row) -> str:
    return f"{row.file:<28} {row.killed:>7} {row.survived:>9} {row.timed_out:>10} {row.justified:>10} {row.share:>8.1%}"

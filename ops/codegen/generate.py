"""Make `streams/placet/model/codec/*.py` and `schemas/ids.json` from `schemas/*.avsc`: `make codecs`.

Without a flag every record keeps its id and its version, also where its schema
has changed: fingerprint, history copy and codec follow the schema. That is
right as long as nobody holds records of the version in the id file.

`--release` is for the day after: what `ids.json` says has been released and is
never rewritten. A record whose schema has changed since gets the next free id
and the next version, its new schema is added as
`schemas/history/<record>/<id>.avsc`, and all older ones stay beside it for the
evolution check. A record that has not changed keeps its id. Of each older
version a reader is made, `<record>_<id>.py`: it takes the bytes as strictly as
the present codec, and gives the record in its present form. What workers read
and what they say do not change in one release (`placet.model.rollout`).

`--check` writes nothing and exits 1 naming each file that is not what the
schemas give.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from ops.codegen.reading import decoder  # noqa: E402
from ops.codegen.resolving import resolved  # noqa: E402
from ops.codegen.schema import Type, fingerprint, read  # noqa: E402
from ops.codegen.typing_ import named_tuple, nested  # noqa: E402
from ops.codegen.writing import encoder  # noqa: E402
from placet.model.rollout import mixed  # noqa: E402

SCHEMAS = ROOT / "schemas"
CODEC = ROOT / "streams" / "placet" / "model" / "codec"
# Ids are wire contract, in this order from 1; a record made later stands at the end.
FIRST = (
    "intent",
    "withdraw",
    "vote",
    "claim",
    "outcome",
    "verdict",
    "repeat",
    "refusal",
    "seal",
    "case",
    "case_body",
    "desk_change",
    "quarantined",
    "principal",
    "mandate",
    "risk_signal",
    "risk",
    "sensitivity",
    "control",
    "pack",
    "active_set",
    "watermark",
)
MEASURED = {"intent": 9}  # how many first fields `decode_parts` measures
SPLICED = {"verdict": 9}  # how many first fields `splice` takes as one slice of another record
WIRE = (
    "INT",
    "LONG",
    "SMALL",
    "SPAN",
    "TEXT",
    "Misread",
    "count",
    "int_at",
    "learn",
    "left_over",
    "long_at",
    "span",
    "undecodable",
    "unfit",
    "unwritable",
)
Ids = dict[str, dict[str, object]]


def numbered(release: bool) -> tuple[Ids, dict[str, int]]:
    """Return the id file as it is to be, and the newest id of each record."""
    path = SCHEMAS / "ids.json"
    changed: list[str] = []
    ids: Ids = json.loads(path.read_text("utf-8")) if path.exists() else {}
    newest = {str(row["name"]): int(number) for number, row in sorted(ids.items(), key=lambda pair: int(pair[0]))}
    found = sorted(path.stem for path in SCHEMAS.glob("*.avsc"))
    for name in newest.keys() - found:
        raise SystemExit(f"schemas/ids.json: id {newest[name]} is of `{name}`, and there is no schemas/{name}.avsc")
    for name in [*(each for each in FIRST if each in found), *(each for each in found if each not in FIRST)]:
        mark = fingerprint(SCHEMAS / f"{name}.avsc").hex()
        if name not in newest:
            newest[name], version = max(map(int, ids), default=0) + 1, 1
        elif release and ids[str(newest[name])]["fingerprint"] != mark:
            version = int(str(ids[str(newest[name])]["version"])) + 1
            newest[name] = max(map(int, ids)) + 1
            changed.append(name)
        else:
            version = int(str(ids[str(newest[name])]["version"]))
        ids[str(newest[name])] = {"name": name, "version": version, "fingerprint": mark}
    if fault := mixed(changed):
        raise SystemExit(f"schemas/ids.json: {fault}")
    return ids, newest


def module(name: str, number: int) -> str:
    """Return the text of one record's codec, before formatting."""
    path = SCHEMAS / f"{name}.avsc"
    record = read(path)
    body = [
        *_classes(record),
        *encoder(record, name, SPLICED.get(name, 0)),
        *decoder(record, name, MEASURED.get(name, 0)),
    ]
    text = "\n".join(body)
    return "\n".join(
        [
            f'"""{record.doc} Generated from schemas/{name}.avsc by `make codecs`; edit the schema, not this file."""',
            "# ruff: noqa",
            "",
            "from typing import NamedTuple",
            "",
            *_frame(number, path, text),
        ]
    )


def older(name: str, number: int) -> str:
    """Return the text of what reads an older version of a record as the present one has it, before formatting."""
    path = _released(name, number)
    present = read(SCHEMAS / f"{name}.avsc")
    record = resolved(read(path), present, name)
    text = "\n".join(decoder(record, name, MEASURED.get(name, 0)))
    classes = [each.name for each in (*nested(present), present) if re.search(rf"\b{each.name}\b", text)]
    return "\n".join(
        [
            f'"""Reads schema id {number} as {name}.{present.name} of now. Generated from {path.relative_to(ROOT)} by `make codecs`."""',
            "# ruff: noqa",
            "",
            f"from placet.model.codec.{name} import {', '.join(classes)}",
            *_frame(number, path, text),
        ]
    )


def _released(name: str, number: int) -> Path:
    return SCHEMAS / "history" / name / f"{number}.avsc"


def _frame(number: int, path: Path, text: str) -> list[str]:
    """Return the part that every reader of a schema has: what it shares with the others, its id, and its text."""
    used = [each for each in WIRE if f"{each}[" in text or f"{each}(" in text or f" {each})" in text]
    return [
        f"from placet.model.codec._wire import {', '.join(used)}",
        "",
        f"SCHEMA_ID = {number}",
        f'HEADER = bytes.fromhex("00{number:08x}")',
        f'FINGERPRINT = bytes.fromhex("{fingerprint(path).hex()}")',
        "",
        "",
        text,
    ]


def _classes(record: Type) -> list[str]:
    return [line for each in (*nested(record), record) for line in named_tuple(each, record.name)]


def table(newest: dict[str, int], before: dict[str, list[int]]) -> str:
    """Return the text of the module that lists all codecs by id, and the readers of all older versions by record."""
    names = sorted(newest, key=newest.__getitem__)
    readers = {name: [f"{name}_{number}" for number in before[name]] for name in names if before[name]}
    modules = sorted([*names, *(each for row in readers.values() for each in row)])
    rows = ", ".join(f'"{name}": ({", ".join(row)},)' for name, row in readers.items())
    return "\n".join(
        [
            '"""All codecs by schema id, and what reads their older versions. Generated from schemas/ids.json by `make codecs`."""',
            "# ruff: noqa",
            "",
            "from typing import Any",
            "",
            f"from placet.model.codec import {', '.join(modules)}",
            "",
            f"CODECS = ({', '.join(names)},)",
            f"OLDER: dict[str, tuple[Any, ...]] = {{{rows}}}",
        ]
    )


def produced(release: bool) -> dict[Path, str]:
    """Return every file this script owns, with its text."""
    ids, newest = numbered(release)
    before = {
        name: [int(n) for n, row in ids.items() if row["name"] == name and int(n) != newest[name]] for name in newest
    }
    files = {f"{name}.py": module(name, number) for name, number in newest.items()}
    files |= {f"{name}_{number}.py": older(name, number) for name, numbers in before.items() for number in numbers}
    files["table.py"] = table(newest, before)
    out = {CODEC / name: text for name, text in _formatted(files).items()}
    out[SCHEMAS / "ids.json"] = (
        "{\n" + ",\n".join(f'  "{key}": {json.dumps(row)}' for key, row in ids.items()) + "\n}\n"
    )
    for name, number in newest.items():
        out[SCHEMAS / "history" / name / f"{number}.avsc"] = (SCHEMAS / f"{name}.avsc").read_text("utf-8")
    return out


def _formatted(files: dict[str, str]) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            Path(folder, name).write_text(text, "utf-8")
        style = ["--isolated", "--no-cache", "--quiet", "--line-length", "120", "--target-version", "py311"]
        subprocess.run([sys.executable, "-m", "ruff", "format", *style, folder], check=True)
        return {name: Path(folder, name).read_text("utf-8") for name in files}


def main() -> int:
    """Write what changed, or with `--check` say what would."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--release", action="store_true", help="changed schemas get a new id; ids in the file stay as they are"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 when a file is not what the schemas give"
    )
    asked = parser.parse_args()
    files = produced(asked.release)
    stale = [path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]
    extra = [path for path in CODEC.glob("[a-z]*.py") if path not in files]
    for path in (*stale, *extra):
        print(path.relative_to(ROOT))
    if asked.check:
        return 1 if stale or extra else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], "utf-8")
    for path in extra:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How the house is built, as tables: who may import whom, what a pure room may use, and where each library belongs."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
SOURCE = ROOT / "streams"

PURE = frozenset({"model", "context", "policy", "decision", "provenance"})
# Failures and seams: every room may name them.
_ALL = frozenset({"errors", "ports"})
# room → the rooms it may import besides itself. Arrows point inward; `policy` and `context` meet only in a Case.
ARROWS: dict[str, frozenset[str]] = {
    "placet": frozenset(),
    "errors": frozenset(),
    "model": frozenset({"errors"}),
    "ports": frozenset({"errors", "model"}),
    "context": _ALL | {"model"},
    "policy": _ALL | {"model"},
    "provenance": _ALL | {"model"},
    "decision": _ALL | {"model", "context", "policy"},
    "drivers": _ALL | PURE,
    "wiring": _ALL | PURE | {"drivers"},
    "faces": _ALL | PURE | {"drivers", "wiring", "placet"},
}

# Who checks the desk shares only the words with it: no codec, no digest, no evaluator, no fold of ours.
AUDITOR = "placet.faces.auditor"
AUDITOR_SHARES = frozenset({"placet.errors", "placet.ports", "placet.model.topics", "placet.model.reasons"})

# Of the standard library a pure room may import these and nothing else: none tells the time, draws, waits or reads.
PURE_STDLIB = frozenset(
    [
        "__future__",
        "abc",
        "array",
        "ast",
        "base64",
        "binascii",
        "bisect",
        "codecs",
        "collections",
        "contextlib",
        "copy",
        "dataclasses",
        "decimal",
        "difflib",
        "enum",
        "fnmatch",
        "fractions",
        "functools",
        "graphlib",
        "hashlib",
        "heapq",
        "hmac",
        "itertools",
        "json",
        "keyword",
        "math",
        "numbers",
        "operator",
        "re",
        "string",
        "struct",
        "sys",
        "textwrap",
        "types",
        "typing",
        "unicodedata",
        "weakref",
    ]
)
# Of a package that also fetches, only the part that takes a text to pieces.
PURE_PARTS = frozenset({"urllib.parse"})
# `sys` is there for `intern` and `maxsize`; these would reach the world, whatever object they are called on.
IMPURE_CALLS = frozenset({"open", "input", "print", "breakpoint", "__import__"})
IMPURE_ATTRIBUTES = frozenset(
    [
        "now",
        "utcnow",
        "today",
        "urandom",
        "token_bytes",
        "generate_key",
        "getenv",
        "environ",
        "argv",
        "stdin",
        "stdout",
        "stderr",
        "read_text",
        "write_text",
        "read_bytes",
        "write_bytes",
    ]
)


class Library(NamedTuple):
    """A third-party library: what it is good at here, the modules it belongs to, and those it must be found in."""

    good_at: str
    where: frozenset[str]
    must: frozenset[str] = frozenset()


def _in(*prefixes: str) -> frozenset[str]:
    return frozenset(f"placet.{prefix}" for prefix in prefixes)


# Import name → where it may stand. A prefix covers the modules below it.
LIBRARIES: dict[str, Library] = {
    "confluent_kafka": Library(
        "transactions, the batch loop, readers and topics: all that touches a cluster",
        _in("drivers.kafka"),
        _in("drivers.kafka"),
    ),
    "faust": Library(
        "noisy signals to compact facts, at least once, owned by partition",
        _in("drivers.context_app"),
        _in("drivers.context_app"),
    ),
    "fastavro": Library(
        "reading schemas, evolution, and records by schema alone, without our generated codecs",
        _in("faces.auditor", "faces.cli", "drivers.schemas"),
        _in("faces.auditor"),
    ),
    "rocksdict": Library(
        "the embedded journal, and the warm state of a desk on Kafka",
        _in("drivers.embedded", "drivers.kafka.warm", "drivers.kafka.outside"),
        _in("drivers.embedded"),
    ),
    "pydantic": Library(
        "validation at the edges: packs, settings, key files, HTTP bodies, the SDK's public types",
        _in("policy", "drivers.settings", "drivers.keyfile", "drivers.identityfile", "faces"),
        _in("policy", "drivers.settings", "faces.sdk"),
    ),
    "prometheus_client": Library(
        "the core metrics and their exposition", _in("drivers.metrics", "drivers.http"), _in("drivers.metrics")
    ),
    "pydantic_settings": Library("settings from the environment", _in("drivers.settings")),
    "cel_expr_python": Library("conditions: checked at load, evaluated as oracle", _in("policy", "faces.auditor")),
    "google": Library("the values that expressions are checked with (protobuf)", _in("policy", "faces.auditor")),
    "ruamel": Library("YAML with positions", _in("policy", "faces")),
    "re2": Library("patterns that end in time linear to the text", _in("policy", "faces.auditor")),
    "cryptography": Library("Ed25519 and AES-GCM", _in("model", "decision", "provenance", "drivers", "faces")),
    "orjson": Library("fast JSON", _in("model", "decision", "drivers", "faces")),
    "rfc8785": Library("canonical JSON, and the oracle of the fast road", _in("model", "faces.auditor")),
    "msgspec": Library("records of a hot path", _in("model", "context", "policy", "decision", "drivers")),
    "starlette": Library("the HTTP face", _in("faces.gateway")),
    "uvicorn": Library("serving it", _in("faces")),
    "httpx2": Library("speaking to it", _in("faces")),
    "typer": Library("the command line", _in("faces.cli")),
    "rich": Library("its tables and the live view", _in("faces")),
    "structlog": Library("log lines", _in("drivers", "faces", "wiring")),
}
CORE = ("confluent_kafka", "faust", "fastavro", "rocksdict", "pydantic", "prometheus_client")


class Import(NamedTuple):
    """One import: the line and the full dotted name of the module, or of the thing in it."""

    line: int
    name: str


def modules() -> Iterator[tuple[str, Path]]:
    """Yield the dotted name and the path of every module of the package."""
    for path in sorted((SOURCE / "placet").rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def generated(path: Path) -> bool:
    """Tell whether a file is a generated codec; those are compared with their schema instead of being read."""
    return path.parent == SOURCE / "placet" / "model" / "codec" and not path.name.startswith("_")


def room_of(module: str) -> str:
    """Return the room of a dotted name within `placet`; the package itself is the room `placet`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def imports_of(source: str) -> list[Import]:
    """Return every import of a module, also those in functions and behind conditions."""
    found: list[Import] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [Import(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            # A relative import has no name a table could hold; ruff forbids it, and here it belongs to no room.
            base = "." * node.level + (node.module or "")
            if base == "placet":
                names = [alias.name for alias in node.names]
                found += [Import(node.lineno, base if n.startswith("_") else f"{base}.{n}") for n in names]
            else:
                found.append(Import(node.lineno, base))
    return found


def within(module: str, prefixes: frozenset[str]) -> bool:
    """Tell whether a dotted name is one of the prefixes or lies below one."""
    return any(module == prefix or module.startswith(f"{prefix}.") for prefix in prefixes)


def wrong_arrows(module: str, source: str) -> list[str]:
    """Return what a module imports of this package against the table, as `module:line: why`."""
    room = room_of(module)
    wrong = []
    for line, name in imports_of(source):
        if name.startswith("."):
            wrong.append(f"{module}:{line}: a relative import hides its room")
        if name.split(".")[0] != "placet":
            continue
        if room_of(name) not in ARROWS[room] | {room}:
            wrong.append(f"{module}:{line}: `{room}` must not import `{name}`")
        if within(module, frozenset({AUDITOR})) and not within(name, AUDITOR_SHARES | {AUDITOR}):
            wrong.append(f"{module}:{line}: the auditor must not share `{name}` with what it audits")
    return wrong


def impurities(module: str, source: str) -> list[str]:
    """Return what a module of a pure room does that reaches the world; of another room nothing."""
    if room_of(module) not in PURE:
        return []
    wrong = [
        f"{module}:{line}: a pure room must not import `{name}`"
        for line, name in imports_of(source)
        if name.split(".")[0] in sys.stdlib_module_names - PURE_STDLIB and name not in PURE_PARTS
    ]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and node.id in IMPURE_CALLS:
            wrong.append(f"{module}:{node.lineno}: a pure room must not use `{node.id}`")
        if isinstance(node, ast.Attribute) and node.attr in IMPURE_ATTRIBUTES:
            wrong.append(f"{module}:{node.lineno}: a pure room must not use `.{node.attr}`")
    return wrong


def strangers(module: str, source: str) -> list[str]:
    """Return the third-party imports of a module that stand where their library does not belong."""
    wrong = []
    for line, name in imports_of(source):
        top = name.split(".")[0]
        if top in {"placet", ""} or top in sys.stdlib_module_names:
            continue
        if top not in LIBRARIES:
            wrong.append(f"{module}:{line}: `{top}` is in no table; say what it is good at, and where")
        elif not within(module, LIBRARIES[top].where):
            places = ", ".join(sorted(LIBRARIES[top].where))
            wrong.append(f"{module}:{line}: `{top}` belongs to {places}")
    return wrong

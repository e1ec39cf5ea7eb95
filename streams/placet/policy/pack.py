"""A policy pack: loaded whole or refused with every fault at its line and column."""

import hashlib
import json
import re
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from placet.policy import checks, documents, oracle
from placet.policy.contents import Pack
from placet.policy.diagnostics import Diagnostic, PackError, did_you_mean
from placet.policy.documents import Document, Path
from placet.policy.forms import PackForm, RulesForm
from placet.policy.rules import rule_of
from placet.policy.situations import TestsForm

__all__ = ["Pack", "load_pack"]

FILES = ("pack.yaml", "rules.yaml", "tests.yaml")
BYTES_MAX = 1 << 20
_Model = TypeVar("_Model", bound=BaseModel)


def load_pack(files: Mapping[str, str], where: str = "", *, judged: bool = False) -> Pack:
    """Return the pack in `files` (name to text: `pack.yaml`, `rules.yaml`, and `tests.yaml` if there is one).

    Raises PackError with all diagnostics found. `where` is put before file
    names in messages, as `policies/payments/`. A condition is run through both engines before it first decides;
    with `judged` all of them are now, and those that differ are among the warnings.
    """
    digest = _digest(files, where)
    found: list[Diagnostic] = []
    read: dict[str, Document] = {}
    for name in FILES:
        if name in files:
            try:
                read[name] = documents.read(where + name, files[name])
            except PackError as error:
                found += error.diagnostics
    if found:
        raise PackError(found)
    form = _validate(PackForm, read["pack.yaml"], found)
    rules_form = _validate(RulesForm, read["rules.yaml"], found)
    tests_form = _validate(TestsForm, read["tests.yaml"], found) if "tests.yaml" in read else None
    if form is None or rules_form is None or found:
        raise PackError(sorted(found))
    rules = tuple(rule_of(form.name, rule) for rule in rules_form.rules)
    tests = tuple(tests_form.tests) if tests_form else ()
    pack = Pack(form, rules, tests, digest, read)
    found += checks.faults(pack, rules_form)
    if found:
        raise PackError(sorted(set(found)))
    pack.warnings += checks.warnings(pack)
    if judged:
        pack.warnings += oracle.compare(pack)
    return pack


def _digest(files: Mapping[str, str], where: str) -> bytes:
    """Return SHA-256 over "placet/pack/1" and, by name, each file's name and bytes with their lengths (8 bytes, big-endian)."""
    for name in files:
        if name not in FILES:
            raise PackError([Diagnostic(where + name, 1, 1, f"a pack holds {', '.join(FILES)} and nothing else")])
    for name in FILES[:2]:
        if name not in files:
            raise PackError([Diagnostic(where + name, 1, 1, "the file is missing")])
    try:
        parts = [(name.encode(), text.encode()) for name, text in sorted(files.items())]
    except UnicodeEncodeError:
        raise PackError([Diagnostic(where + "pack.yaml", 1, 1, "the text is not Unicode")]) from None
    size = sum(len(text) for _, text in parts)
    if size > BYTES_MAX:
        raise PackError([Diagnostic(where + "pack.yaml", 1, 1, f"the pack has {size} bytes, at most {BYTES_MAX}")])
    digest = hashlib.sha256(b"placet/pack/1")
    for part in (part for pair in parts for part in pair):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def _validate(model: type[_Model], document: Document, found: list[Diagnostic]) -> _Model | None:
    made, diagnostics = validate(model, document)
    found += diagnostics
    return made


def validate(model: type[_Model], document: Document) -> tuple[_Model | None, list[Diagnostic]]:
    """Return the document as `model`, or None and a diagnostic at each place that does not fit."""
    try:
        # Through JSON text: pydantic's strict mode then takes a list where a tuple or an enum is declared.
        return model.model_validate_json(json.dumps(document.data), strict=True), []
    except ValidationError as error:
        return None, [_diagnose(model, document, dict(fault)) for fault in error.errors(include_url=False)]


def _diagnose(model: type[BaseModel], document: Document, fault: dict[str, Any]) -> Diagnostic:
    path = tuple(fault["loc"])
    at_key = bool(path) and path[-1] == "[key]"
    path = path[:-1] if at_key else path
    name = str(path[-1]) if path else document.file
    if fault["type"] == "extra_forbidden":
        return document.diagnose(
            path, f"`{name}` is not known here{did_you_mean(name, _names(model, path[:-1]))}", key=True
        )
    if fault["type"] == "missing":
        return document.diagnose(path[:-1], f"`{name}` is missing")
    said = str(fault["msg"]).removeprefix("Value error, ")
    said = re.sub(r"^(Input|String|List|Dictionary) ", "", said)
    return document.diagnose(path, f"`{name}` {said[:1].lower()}{said[1:]}", key=at_key)


def _names(model: type[BaseModel], path: Path) -> list[str]:
    """Return the names a form knows at `path`, for suggestions."""
    at: Any = model
    for step in path:
        at = _inner(at)
        if isinstance(at, type) and issubclass(at, BaseModel):
            fields = {field.alias or name: field.annotation for name, field in at.model_fields.items()}
            at = fields.get(str(step))
        else:
            at = get_args(at)[-1] if get_args(at) else None
    at = _inner(at)
    known = isinstance(at, type) and issubclass(at, BaseModel)
    return [field.alias or name for name, field in at.model_fields.items()] if known else []


def _inner(annotation: Any) -> Any:
    """Return what stands inside `Annotated` and `X | None`."""
    while get_origin(annotation) in (Annotated, Union, UnionType):
        annotation = get_args(annotation)[0]
    return annotation

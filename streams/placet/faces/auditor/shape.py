"""What a condition may read: the fields of a case as the CEL library sees them, and the fact each comes from."""

from typing import Any

from cel_expr_python import cel  # type: ignore[import-untyped]
from google.protobuf import (  # type: ignore[import-untyped]
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)

from placet.faces.auditor.packs import Action

_F = descriptor_pb2.FieldDescriptorProto
_KINDS = {"int": _F.TYPE_INT64, "number": _F.TYPE_DOUBLE, "string": _F.TYPE_STRING, "bool": _F.TYPE_BOOL}

_WHO = "id:string kind:string status:string owner:string? groups:[string] attributes:{string} capabilities:[string] risk:Risk"
FIELDS: dict[str, dict[str, str]] = {
    name: dict(field.split(":") for field in said.split())
    for name, said in {
        "actor": _WHO,
        "authority": _WHO,
        "mandate": "id:string delegator:string delegate:string task:string depth:int actions:[string] resources:[string]",
        "resource": "id:string sensitivity:string rank:int owner:string? origin:string? categories:[string]",
        "session": "id:string origin:string sensitivity:string rank:int risk:Risk",
        "intent": "action:string purpose:string audience:string emergency:bool attempt:int",
    }.items()
}
"""By root, its fields: `?` may be unset in a record that is there, `[...]` a list, `{...}` a map from text."""
_RISK = {"score": "int", "level": "string"}
_ARGUMENTS = {
    "list<string>": "[string]",
    "list<int>": "[int]",
    "list<bool>": "[bool]",
    "map<string, string>": "{string}",
    "map<string, int>": "{int}",
    "json": "Json",
}
RECORDS = ("actor", "authority", "mandate", "resource")
"""Roots that are one fact each."""


class Shape:
    """The library's environment for one declaration of arguments, and the messages it reads."""

    def __init__(self, declared: Action | None) -> None:
        file = descriptor_pb2.FileDescriptorProto(name="audit.proto", package="audit", syntax="proto3")
        _message(file, "Risk", _RISK)
        _message(file, "Json", {})
        for root, fields in FIELDS.items():
            _message(file, root.title(), fields)
        variables: dict[str, Any] = {root: cel.Type(f"audit.{root.title()}") for root in FIELDS}
        variables["calendar"] = cel.Type.Map(cel.Type.STRING, cel.Type.STRING)
        variables["arguments"] = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
        roots = list(FIELDS)
        self._json: frozenset[str] = frozenset()
        self.declared = declared
        if declared is not None:
            _message(file, "Arguments", {one.name: _ARGUMENTS.get(one.type, one.type) for one in declared.arguments})
            variables["arguments"] = cel.Type("audit.Arguments")
            roots.append("arguments")
            self._json = frozenset(one.name for one in declared.arguments if one.type == "json")
        pool = descriptor_pool.DescriptorPool()
        pool.Add(file)
        self._classes: dict[str, Any] = {
            root: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"audit.{root.title()}")) for root in roots
        }
        self.env = cel.NewEnv(descriptor_pool=pool, variables=variables)

    def value(self, root: str, fields: dict[str, Any]) -> Any:
        """Return one variable's value; `fields` that are None are left unset."""
        make = self._classes.get(root)
        if make is None:
            return fields
        message = make()
        for name, value in fields.items():
            if value is None and name not in self._json:
                continue
            field: Any = getattr(message, name)
            if name in self._json and root == "arguments":
                field.SetInParent()
            elif isinstance(value, dict) and name == "risk":
                field.score, field.level = value["score"], value["level"]
            elif isinstance(value, dict):
                field.update(value)
            elif isinstance(value, list | tuple):
                field.extend(value)
            else:
                setattr(message, name, value)
        return message


def _message(file: descriptor_pb2.FileDescriptorProto, name: str, fields: dict[str, str]) -> None:
    """Add one message; each scalar has presence, so that `has()` says whether it was set."""
    message = file.message_type.add(name=name)
    for number, (title, said) in enumerate(fields.items(), 1):
        field = message.field.add(name=title, number=number, json_name=title, label=_F.LABEL_OPTIONAL)
        kind = said.strip("?[]{}")
        if said.startswith("{"):
            entry = message.nested_type.add(name=f"{_camel(title)}Entry")
            entry.options.map_entry = True
            entry.field.add(name="key", number=1, label=_F.LABEL_OPTIONAL, type=_F.TYPE_STRING)
            entry.field.add(name="value", number=2, label=_F.LABEL_OPTIONAL, type=_KINDS[kind])
            field.type, field.label, field.type_name = _F.TYPE_MESSAGE, _F.LABEL_REPEATED, f".audit.{name}.{entry.name}"
        elif said.startswith("["):
            field.type, field.label = _KINDS[kind], _F.LABEL_REPEATED
        elif kind in _KINDS:
            field.type, field.proto3_optional, field.oneof_index = _KINDS[kind], True, len(message.oneof_decl)
            message.oneof_decl.add(name=f"_has_{number}")
        else:
            field.type, field.type_name = _F.TYPE_MESSAGE, f".audit.{kind}"


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))

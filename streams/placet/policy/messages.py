"""A Case as run-time protobuf messages: what the CEL library checks against and reads."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from cel_expr_python import cel  # type: ignore[import-untyped]
from google.protobuf import (  # type: ignore[import-untyped]
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)

from placet.model.case import LABELS, Case, level_of
from placet.policy.shape import PRINCIPAL, RISK, SHAPE, Arguments

_F = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "int": _F.TYPE_INT64,
    "number": _F.TYPE_DOUBLE,
    "string": _F.TYPE_STRING,
    "bool": _F.TYPE_BOOL,
}
_PACKAGE = "case"


def _add(file: descriptor_pb2.FileDescriptorProto, name: str, fields: Iterable[tuple[str, str]]) -> None:
    """Add a message whose scalars say whether they are set, so that `has()` means present."""
    message = file.message_type.add(name=name)
    for number, (field_name, declared) in enumerate(fields, 1):
        type_ = declared.rstrip("?")
        # The JSON name is given, else `a_b` and `aB` could not stand side by side.
        field = message.field.add(name=field_name, number=number, json_name=field_name, label=_F.LABEL_OPTIONAL)
        if type_ in _SCALARS:
            field.type = _SCALARS[type_]
            field.proto3_optional = True
            field.oneof_index = len(message.oneof_decl)
            message.oneof_decl.add(name=f"_set_{number}")
        elif type_.startswith("list<"):
            field.type, field.label = _SCALARS[type_[5:-1]], _F.LABEL_REPEATED
        elif type_.startswith("map<string, "):
            entry_name = "".join(part.capitalize() for part in field_name.split("_")) + "Entry"
            entry = message.nested_type.add(name=entry_name)
            entry.options.map_entry = True
            entry.field.add(name="key", number=1, label=_F.LABEL_OPTIONAL, type=_F.TYPE_STRING)
            entry.field.add(name="value", number=2, label=_F.LABEL_OPTIONAL, type=_SCALARS[type_[12:-1]])
            field.type, field.label = _F.TYPE_MESSAGE, _F.LABEL_REPEATED
            field.type_name = f".{_PACKAGE}.{name}.{entry_name}"
        else:
            field.type = _F.TYPE_MESSAGE
            field.type_name = f".{_PACKAGE}.{type_.capitalize()}"


class Messages:
    """The environment one arguments declaration is checked in; None: the action is undeclared, arguments are dynamic."""

    def __init__(self, arguments: Arguments | None) -> None:
        file = descriptor_pb2.FileDescriptorProto(name="case.proto", package=_PACKAGE, syntax="proto3")
        _add(file, "Risk", RISK.items())
        _add(file, "Json", ())
        _add(file, "Principal", PRINCIPAL.items())
        variables = {"calendar": cel.Type.Map(cel.Type.STRING, cel.Type.STRING)}
        names = {"actor": "Principal", "authority": "Principal"}
        for root, fields in SHAPE.items():
            if root not in names:
                names[root] = root.capitalize()
                _add(file, names[root], fields.items())
        if arguments is not None:
            names["arguments"] = "Arguments"
            _add(file, "Arguments", ((argument.name, argument.type) for argument in arguments))
        else:
            variables["arguments"] = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
        pool = descriptor_pool.DescriptorPool()
        pool.Add(file)
        self._classes = {
            root: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
            for root, name in names.items()
        }
        self._json = frozenset(argument.name for argument in arguments or () if argument.type == "json")
        variables |= {root: cel.Type(f"{_PACKAGE}.{name}") for root, name in names.items()}
        self.env = cel.NewEnv(descriptor_pool=pool, variables=variables)

    def activation(self, case: Case, roots: Iterable[str]) -> Any:
        """Return the library's view of `case`, with the variables in `roots`; a record that is not there is empty."""
        return self.env.Activation({root: self._value(case, root) for root in roots})

    def _value(self, case: Case, root: str) -> Any:
        if root == "calendar":
            return dict(case.calendar)
        if root == "arguments":
            return self._arguments(case.arguments)
        make = self._classes[root]
        if root == "intent":
            return make(
                action=case.action,
                purpose=case.purpose,
                audience=case.audience,
                emergency=case.emergency,
                attempt=case.attempt,
            )
        if root == "session":
            rank = case.session_rank
            message = make(id=case.session_id, origin=case.session_origin, rank=rank, sensitivity=LABELS[rank])
        else:
            row = getattr(case, root)
            named = (name for name, type_ in SHAPE[root].items() if type_ != "risk")
            message = make() if row is None else make(**{name: _plain(getattr(row, name)) for name in named})
        score = getattr(case, f"{root}_risk", None)
        if score is not None:
            message.risk.score, message.risk.level = score, level_of(score)
        return message

    def _arguments(self, arguments: dict[str, Any]) -> Any:
        make = self._classes.get("arguments")
        if make is None:
            return arguments
        message = make(**{name: value for name, value in arguments.items() if name not in self._json})
        for name in self._json & arguments.keys():
            getattr(message, name).SetInParent()
        return message


def _plain(value: Any) -> Any:
    """Return `value`, a set in sorted order: the library and generated code must see one order."""
    return sorted(value) if isinstance(value, frozenset) else value


@lru_cache(maxsize=512)
def messages_for(arguments: Arguments | None) -> Messages:
    """Return the environment for one declaration; equal declarations share it."""
    return Messages(arguments)

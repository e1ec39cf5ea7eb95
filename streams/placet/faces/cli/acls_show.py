"""`placet acls show`: what each role needs on a Kafka cluster."""

from typing import TYPE_CHECKING, Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.verb import Exit, Json, usage

if TYPE_CHECKING:
    from placet.drivers.kafka.acls import Right

EXAMPLE = "placet acls show --role worker --role agent"
EXITS: dict[Exit, str] = {}
Roles = Annotated[list[str] | None, typer.Option("--role", help="Of this role, repeatable. Else of all.")]
Named = Annotated[str, typer.Option("--as", help="The principal of a role; `{role}` is put in.", metavar="TYPE:NAME")]
NAMED = "User:placet-{role}"


def run(role: Roles = None, named: Named = NAMED, as_json: Json = False) -> Exit:
    """Print the rights of each role, made from the one table of topics. No cluster is asked.

    PLACET_PREFIX is put before every name, as everywhere.
    """
    from placet.drivers.kafka import Connection
    from placet.drivers.kafka.acls import rights_of
    from placet.faces.cli.configured import settings_with

    connection = Connection("", prefix=settings_with().prefix)
    rows = [(who, right) for one, who in principals(role, named).items() for right in rights_of(one, connection)]
    if as_json:
        printing.emit([row_of(who, right) for who, right in rows])
    else:
        printing.console().print(table_of(rows))
    return Exit.FINE


def principals(role: list[str] | None, named: str) -> dict[str, str]:
    """Return the principal of each role that is meant; a role nobody knows is wrong usage."""
    from placet.drivers.kafka.acls import roles

    known = roles()
    for one in role or ():
        if one not in known:
            raise usage(f"--role: `{one}` is none: expected one of {', '.join(known)}")
    kind, colon, name = named.partition(":")
    if not (kind and colon and name):
        raise usage(f"--as: `{named}` is no principal: expected TYPE:NAME, as User:placet-{{role}}")
    wanted = role or list(known)
    found = {one: named.replace("{role}", one) for one in wanted}
    if len(set(found.values())) < len(found):
        raise usage(f"--as: `{named}` gives one principal several roles", "put `{role}` in it, or name one --role")
    return found


def row_of(who: str, right: "Right") -> dict[str, str]:
    """Return one right as JSON has it."""
    pattern = "prefixed" if right.prefixed else "literal"
    return {
        "principal": who,
        "kind": right.kind,
        "name": right.name,
        "pattern": pattern,
        "operation": right.operation,
    }


def table_of(rows: "list[tuple[str, Right]]") -> object:
    """Return rights as a table for people."""
    return printing.table(
        ("principal", "kind", "name", "pattern", "operation"), [tuple(row_of(*row).values()) for row in rows]
    )

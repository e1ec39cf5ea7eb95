"""`placet acls show`: what each role needs on a Kafka cluster."""

from typing import TYPE_CHECKING, Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.verb import Exit, Json, usage

if TYPE_CHECKING:
    from placet.drivers.kafka.acls import Right

EXAMPLE = """
placet acls show --role worker --role agent
placet acls show --tenant acme --role agent
"""
EXITS: dict[Exit, str] = {}
Roles = Annotated[list[str] | None, typer.Option("--role", help="Of this role, repeatable. Else of all.")]
Named = Annotated[
    str | None,
    typer.Option(
        "--as",
        help="The principal of a role; `{role}` and `{tenant}` are put in. Else User:placet-{role}, "
        "or User:placet-{tenant}-{role}.",
        metavar="TYPE:NAME",
    ),
]
OfTenant = Annotated[
    str | None,
    typer.Option("--tenant", help="For one tenant: the roles that are held for one, by principals of its own."),
]
NAMED = "User:placet-{role}"
NAMED_OF_TENANT = "User:placet-{tenant}-{role}"


def run(role: Roles = None, named: Named = None, tenant: OfTenant = None, as_json: Json = False) -> Exit:
    """Print the rights of each role, made from the one table of topics. No cluster is asked.

    PLACET_PREFIX is put before every name, as everywhere. With --tenant it is
    said as well what rights on a cluster cannot hold apart between tenants.
    """
    from placet.drivers.kafka import Connection
    from placet.drivers.kafka.acls import CANNOT, rights_of
    from placet.faces.cli.configured import settings_with

    connection = Connection("", prefix=settings_with().prefix)
    rows = [
        (who, right) for one, who in principals(role, named, tenant).items() for right in rights_of(one, connection)
    ]
    listed = [row_of(who, right) for who, right in rows]
    if as_json:
        printing.emit(listed if tenant is None else {"rights": listed, "cannot": list(CANNOT)})
    else:
        printing.console().print(table_of(rows))
        say_cannot(tenant)
    return Exit.FINE


def say_cannot(tenant: str | None) -> None:
    """Say for people what rights cannot do, where they are a tenant's."""
    from placet.drivers.kafka.acls import CANNOT

    if tenant is not None:
        printing.say("what these rights cannot do:")
        for one in CANNOT:
            printing.say(f"- {one}")


def principals(role: list[str] | None, named: str | None, tenant: str | None = None) -> dict[str, str]:
    """Return the principal of each role that is meant; a role nobody knows, or no tenant's, is wrong usage."""
    from placet.drivers.kafka.acls import OF_TENANTS, roles
    from placet.faces.cli.journal import named as word

    known = roles() if tenant is None else OF_TENANTS
    if tenant is not None:
        word(tenant, "--tenant")
    named = named or (NAMED if tenant is None else NAMED_OF_TENANT)
    if (tenant is None) == ("{tenant}" in named):
        raise usage(f"--as: `{named}`: expected `{{tenant}}` in it with --tenant, and only then")
    for one in role or ():
        if one not in known:
            what = "none" if tenant is None else "none that is held for one tenant"
            raise usage(f"--role: `{one}` is {what}: expected one of {', '.join(known)}")
    kind, colon, name = named.partition(":")
    if not (kind and colon and name):
        raise usage(f"--as: `{named}` is no principal: expected TYPE:NAME, as User:placet-{{role}}")
    wanted = role or list(known)
    found = {one: named.replace("{role}", one).replace("{tenant}", tenant or "") for one in wanted}
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

"""`placet publish principal`: say who somebody is, and whether they are active."""

from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.verb import Exit, Json

EXAMPLE = """
placet publish principal agent:billing-bot --owner user:ada --group finance --tenant acme --data run
placet publish principal agent:billing-bot --status suspended --tenant acme --data run
"""
EXITS: dict[Exit, str] = {}
KINDS = ("user", "agent", "service", "connector", "workflow", "tool")
STATUSES = ("active", "suspended", "revoked")


def run(
    principal: Annotated[str, typer.Argument(metavar="ID", help="As `agent:billing-bot`, or a SPIFFE id.")],
    kind: Annotated[
        str | None, typer.Option(help=f"{', '.join(KINDS)}. Else what stands before the colon of ID.")
    ] = None,
    status: Annotated[str, typer.Option(help="active, suspended or revoked.")] = "active",
    owner: Annotated[str | None, typer.Option(help="The principal that answers for it.")] = None,
    group: Annotated[list[str] | None, typer.Option(help="A group it is in. May be given often.")] = None,
    attribute: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="May be given often.")] = None,
    capability: Annotated[
        list[str] | None, typer.Option(help="Of an executor: an obligation it can carry out. May be given often.")
    ] = None,
    source: Annotated[
        str, typer.Option(help="The source that says so. The gravest status of all sources stands.")
    ] = "cli",
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Publish a principal whole: kind, status, owner, groups, attributes and capabilities.

    What is left away is said to be empty. Suspending or revoking somebody ends
    their open grants; a status is lifted by the source that gave it.
    """
    from placet.faces.cli.inputs import pairs_of
    from placet.faces.cli.journal import named, now_ms, one_of, opened
    from placet.model.codec import principal as codec
    from placet.model.context_keys import principal_key
    from placet.model.topics import Topic

    place = resolve(url, bootstrap, data)
    named(tenant, "--tenant"), named(principal, "ID"), named(source, "--source")
    one_of(status, "--status", STATUSES)
    is_a = one_of(kind or principal.partition(":")[0], "--kind", KINDS)
    record = codec.Principal(
        tenant,
        principal,
        is_a,
        status,
        owner,
        tuple(group or ()),
        pairs_of(attribute or [], "--attribute"),
        tuple(capability or ()),
        source,
        now_ms(),
        None,
    )
    with opened(place) as journal:
        written = journal.write(Topic.PRINCIPALS, principal_key(record).decode(), codec, record, "directory")
    if as_json:
        printing.emit(written)
    else:
        printing.say(written.line(f"{principal} is {status}"))
    return Exit.FINE

"""`placet mandate show`: a chain of delegation, drawn from its root."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text
from rich.tree import Tree

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.verb import Exit, Failure, Json, usage

if TYPE_CHECKING:
    from placet.context.tables import Tables
    from placet.faces.cli.place import Place

EXAMPLE = """
placet mandate show refunds --tenant acme --data run
placet mandate show --of agent:billing-bot --tenant acme --data run
placet mandate show refunds --as-act --tenant acme --data run
"""
EXITS = {Exit.NOT_RUN: "could not run, or no such mandate", Exit.REFUSED: "its chain is broken: it grants nothing"}
Shown = dict[str, Any]


def run(
    mandate: Annotated[str | None, typer.Argument(metavar="ID", help="The mandate.")] = None,
    of: Annotated[str, typer.Option("--of", metavar="PRINCIPAL", help="List what this one gave and was given.")] = "",
    as_act: Annotated[
        bool,
        typer.Option("--as-act", help="Print the chain as the `sub` and `act` claims of a token (RFC 8693), JSON."),
    ] = False,
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Show a mandate's chain as a tree from its root: the status of each link, what it grants, and what breaks it.

    What a link claims beyond its parent is marked: it grants only what both
    do. The desks' own rules say whether the chain holds.
    """
    from placet.faces.cli import chains
    from placet.faces.cli.journal import named, now_ms

    place = resolve(url, bootstrap, data)
    named(tenant, "--tenant")
    if (mandate is None) == (not of) or (of and as_act):
        raise usage("expected one of ID, perhaps with --as-act, and --of PRINCIPAL", "placet mandate show --help")
    tables, now = _read(place), now_ms()
    if of:
        _list(chains.listed(tables, tenant, named(of, "--of"), now), as_json=as_json)
        return Exit.FINE
    view = chains.view_of(tables, tenant, named(mandate or "", "ID"), now)
    if as_act:
        return _as_act(view)
    if as_json:
        printing.emit(view)
    else:
        printing.console().print(_tree(view))
        printing.say(_summary(view))
    return Exit.FINE if view["holds"] else Exit.REFUSED


def _read(place: "Place") -> "Tables":
    from placet.drivers.keyfile import read_keys
    from placet.faces.cli.delegation import read_tables
    from placet.faces.cli.reading import reading, settings_of

    ring = read_keys(settings_of(place).keys_file).ring()
    with reading(place) as log:
        return read_tables(log, ring)


def _as_act(view: Shown) -> Exit:
    from placet.context.act import claims_of

    if not view["holds"]:
        raise Failure(Exit.REFUSED, f"{view['id']}: {view['breaks']}: expected a chain that holds")
    printing.emit(claims_of((view["authority"], *(link["delegate"] for link in view["links"]))))
    return Exit.FINE


def _list(rows: list[Shown], *, as_json: bool) -> None:
    if as_json:
        printing.emit(rows)
        return
    headings = ("mandate", "from", "to", "parent", "status", "ends", "")
    columns = ("id", "delegator", "delegate", "parent", "status")
    cells = [(*(row[name] for name in columns), _ends(row["expires_at"]), row["breaks"] or "holds") for row in rows]
    printing.console().print(printing.table(headings, cells))


def _tree(view: Shown) -> Tree:
    tree = at = Tree(Text(view["authority"], style="bold"))
    for link in view["links"]:
        at = at.add(_link(link))
    for name in view["below"]:
        at.add(Text(f"{name} (below)", style="dim"))
    return tree


def _link(link: Shown) -> Text:
    grants = link["grants"]
    text = Text(f"{link['id']} to {link['delegate']} ")
    text.append(link["status"], style="green" if link["status"] == "active" else "red")
    if link["task"]:
        text.append(f"  {link['task']}", style="dim")
    where = f"{', '.join(grants['actions']) or 'nothing'} on {', '.join(grants['resources']) or 'nothing'}"
    text.append(f"\ngrants {where}, ends {_ends(grants['expires_at'])}")
    if link["claims"]["limits"]:
        text.append(f"\nlimits {', '.join(link['claims']['limits'])}")
    for line in link["ineffective"]:
        text.append(f"\nineffective: {line}", style="yellow")
    for line in link["breaks"]:
        text.append(f"\nbreaks: {line}", style="red")
    return text


def _summary(view: Shown) -> str:
    if view["holds"]:
        return f"{view['actor']} may act for {view['authority']}"
    return f"grants nothing: {view['breaks']}"


def _ends(at_ms: int) -> str:
    from placet.faces.cli.records import clock, day

    return f"{day(at_ms)} {clock(at_ms)[:8]}" if at_ms else "never"

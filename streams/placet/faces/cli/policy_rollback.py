"""`placet policy rollback`: go back to the packs that decided before."""

from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.policy_activate import activate, read_shelf, recounted_by, tell
from placet.faces.cli.verb import Exit, Failure, Json

EXAMPLE = "placet policy rollback --reason 'refunds were refused' --tenant acme --data run"
EXITS = {Exit.FAULTY: "there is no such earlier set"}


def run(
    to: Annotated[
        int | None,
        typer.Option("--to", metavar="REVISION", help="The revision to go back to. Else the last other set."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, in words.")] = "",
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Make an earlier set of packs the active one again, under a new revision.

    Without `--to` it is the newest set that differs from the one now active.
    """
    from placet.faces.cli.journal import named, opened

    place = resolve(url, bootstrap, data)
    named(tenant, "--tenant")
    with opened(place) as journal:
        shelf = read_shelf(journal.log, tenant)
        earlier = [
            known
            for known in shelf.sets[:-1]
            if (known.revision == to if to is not None else set(known.digests) != set(shelf.sets[-1].digests))
        ]
        if not earlier:
            wanted = f"revision {to}" if to is not None else "a set that differs from the active one"
            raise Failure(
                Exit.FAULTY, f"tenant `{tenant}`: no earlier set: expected {wanted} among {len(shelf.sets)} revisions"
            )
        notes = recounted_by(journal.log, tenant, shelf.sets[-1].digests, earlier[-1].digests)
        written = activate(
            journal, tenant, shelf, earlier[-1].digests, reason or f"back to revision {earlier[-1].revision}"
        )
    if not as_json:
        printing.say(f"back to revision {earlier[-1].revision}")
    tell(written, shelf, as_json=as_json, notes=notes)
    return Exit.FINE

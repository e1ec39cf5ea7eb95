"""`placet publish sensitivity`: say what is known of a resource."""

from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.verb import Exit, Json

EXAMPLE = "placet publish sensitivity table/customers confidential --category personal --tenant acme --data run"
EXITS: dict[Exit, str] = {}
LABELS = ("public", "internal", "confidential", "restricted")
ORIGINS = ("internal", "external")


def run(
    resource: Annotated[str, typer.Argument(help="The resource, as `table/customers`.")],
    label: Annotated[str, typer.Argument(help="public, internal, confidential or restricted.")],
    owner: Annotated[str | None, typer.Option(help="The principal that owns it.")] = None,
    origin: Annotated[str | None, typer.Option(help="internal or external.")] = None,
    category: Annotated[
        list[str] | None, typer.Option(help="What it holds, as `personal`. May be given often.")
    ] = None,
    source: Annotated[str, typer.Option(help="The classifier that says so.")] = "cli",
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Publish the label of a resource, its owner, origin and categories.

    The gravest label of all sources stands. Intents that wait for it are
    decided as soon as it arrives, and open grants that rest on it again.
    """
    from placet.faces.cli.journal import named, now_ms, one_of, opened
    from placet.model.codec import sensitivity
    from placet.model.context_keys import sensitivity_key
    from placet.model.topics import Topic

    place = resolve(url, bootstrap, data)
    named(tenant, "--tenant"), named(resource, "RESOURCE"), named(source, "--source")
    one_of(label, "LABEL", LABELS)
    if origin is not None:
        one_of(origin, "--origin", ORIGINS)
    record = sensitivity.Sensitivity(
        tenant, resource, label, owner, origin, tuple(category or ()), source, now_ms(), None
    )
    with opened(place) as journal:
        written = journal.write(Topic.SENSITIVITY, sensitivity_key(record).decode(), sensitivity, record, "feed")
    if as_json:
        printing.emit(written)
    else:
        printing.say(written.line(f"{resource} is {label}"))
    return Exit.FINE

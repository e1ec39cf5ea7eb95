"""`placet keys add`: make a key pair and pin its public half."""

from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.configured import settings_with
from placet.faces.cli.place import Data
from placet.faces.cli.verb import Exit, Json, usage

EXAMPLE = "placet keys add agent agent:billing-bot --tenant acme --data run"
EXITS = {Exit.FAULTY: "the key file contradicts itself"}
PURPOSES = ("seal", "operator", "executor", "agent", "approver", "feed", "directory")


def run(
    purpose: Annotated[str, typer.Argument(help=f"The one thing it may sign for: {', '.join(PURPOSES)}.")],
    issuer: Annotated[str, typer.Argument(help="The principal that holds it.")],
    tenant: Annotated[str, typer.Option(help="The one tenant whose records it may sign; else of every tenant.")] = "",
    source: Annotated[
        list[str] | None,
        typer.Option(
            help="A source a feed or a directory may name besides itself; a last `*` is any rest. May be repeated."
        ),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Make an Ed25519 key pair for a principal: the private half in DATA/secrets, the public one in DATA/keys.json.

    Processes that are running know it after their next start.
    """
    from placet.drivers.entropy import SystemEntropy
    from placet.drivers.keyfile import add_key
    from placet.faces.cli.journal import named, one_of

    one_of(purpose, "PURPOSE", PURPOSES)
    named(issuer, "ISSUER")
    if tenant:
        named(tenant, "--tenant")
    sources = tuple(source or ())
    if sources and purpose not in ("feed", "directory"):
        raise usage("--source: only a feed or a directory names sources")
    for name in sources:
        named(name.removesuffix("*") or "any", "--source")
    settings = settings_with(data=data)
    entry = add_key(
        settings.keys_file,
        settings.secrets_dir,
        purpose,  # type: ignore[arg-type]
        issuer,
        SystemEntropy(),
        tenant,
        sources,
    )
    if as_json:
        printing.emit({**entry.model_dump(), "pinned": settings.keys_file})
    else:
        printing.say(f"{entry.kid}: {entry.purpose} key of {entry.issuer}, pinned in {settings.keys_file}")
    return Exit.FINE

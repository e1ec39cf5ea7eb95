"""`placet schema register`: tell a schema registry the ids that records carry."""

from pathlib import Path
from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.configured import settings_with
from placet.faces.cli.schema_check import own, parsed
from placet.faces.cli.verb import Exit, Failure, Json, usage

EXAMPLE = "placet schema register --registry http://localhost:8081"
EXITS = {Exit.FAULTY: "the registry has another schema under an id, or holds one that does not fit"}


def run(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Schemas, with `ids.json` in it. Else those of placet.")
    ] = None,
    registry_url: Annotated[
        str | None,
        typer.Option(
            "--registry", help="http(s)://HOST:PORT. Else PLACET_SCHEMA_REGISTRY_URL, where NAME:PASSWORD@ may stand."
        ),
    ] = None,
    as_json: Json = False,
) -> Exit:
    """Register every released schema with a registry of Confluent's API, under its checked-in id.

    The subject is the record's full name, its compatibility what `schema check`
    holds it to. Others read the topics by these ids; placet itself asks no
    registry. A second run registers nothing.
    """
    settings = settings_with(schema_registry_url=registry_url)
    url = settings.schema_registry_url.get_secret_value()
    if not url.startswith(("http://", "https://")):
        raise usage("--registry, or PLACET_SCHEMA_REGISTRY_URL: expected http://HOST:PORT of a schema registry")
    from placet.drivers.registry import Registry, Released
    from placet.errors import Corrupted

    place = folder or own()
    rows = parsed(place / "ids.json")
    registry = Registry(url)
    made: list[str] = []
    kept: list[str] = []
    for number, row in sorted(rows.items(), key=lambda item: int(item[0])):
        schema = parsed(place / "history" / row["name"] / f"{number}.avsc")
        one = Released(row["name"], int(number), int(row["version"]), schema)
        try:
            news = registry.register(one)
        except Corrupted as error:
            raise Failure(
                Exit.FAULTY, str(error), "use a registry, or a context of it, that placet has alone"
            ) from None
        (made if news else kept).append(one.subject)
    if as_json:
        printing.emit({"registered": made, "there": kept})
    else:
        printing.say(f"{len(made)} registered, {len(kept)} were there")
    return Exit.FINE

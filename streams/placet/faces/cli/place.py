"""Where a journal is: one set of options for every verb that talks to one, and one way to resolve them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from placet.faces.cli.verb import usage

PANEL = "Where the journal is"
Url = Annotated[
    str | None,
    typer.Option("--url", help="A running `placet up`, over HTTP. Else PLACET_URL.", rich_help_panel=PANEL),
]
Bootstrap = Annotated[
    str | None,
    typer.Option("--bootstrap", help="HOST:PORT of a Kafka cluster. Else PLACET_BOOTSTRAP.", rich_help_panel=PANEL),
]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="The folder of an embedded journal; its running owner is found by it. Else PLACET_DATA, else ./data.",
        rich_help_panel=PANEL,
    ),
]
Tenant = Annotated[str, typer.Option("--tenant", help="The tenant spoken for.", envvar="PLACET_TENANT")]


@dataclass(frozen=True, slots=True)
class Place:
    """A journal a person pointed at: exactly one of the three is set.

    The token for `url` comes from PLACET_TOKEN or a folder's `http.json`, never from a command line others can read.
    """

    url: str | None = None
    bootstrap: str | None = None
    data: Path | None = None

    def __str__(self) -> str:
        return str(self.url or self.bootstrap or self.data)


def resolve(url: str | None, bootstrap: str | None, data: Path | None, env: Mapping[str, str] | None = None) -> Place:
    """Return the journal that is meant: what is given, else the environment, else the folder `./data`."""
    known = os.environ if env is None else env
    given = [name for name, value in (("--url", url), ("--bootstrap", bootstrap), ("--data", data)) if value]
    if len(given) > 1:
        raise usage(f"{' and '.join(given)}: one journal at a time", f"leave all but {given[0]} away")
    if not given:
        url, bootstrap = known.get("PLACET_URL"), known.get("PLACET_BOOTSTRAP")
        data = Path(known.get("PLACET_DATA") or "data")
        if url and bootstrap:
            raise usage("PLACET_URL and PLACET_BOOTSTRAP are both set: one journal at a time", "unset one of them")
    if url:
        if not url.startswith(("http://", "https://")):
            raise usage(f"--url: `{url}` is no URL: expected http://HOST:PORT", "`placet up` prints its own at start")
        return Place(url=url.rstrip("/"))
    if bootstrap:
        if ":" not in bootstrap:
            raise usage(f"--bootstrap: `{bootstrap}` names no port: expected HOST:PORT")
        return Place(bootstrap=bootstrap)
    return Place(data=data)


def cluster_named(bootstrap: str | None) -> Place:
    """Return the Kafka cluster that is meant; without one the usage is wrong."""
    place = resolve(None, bootstrap, None)
    if not place.bootstrap:
        raise usage("--bootstrap is missing: expected HOST:PORT of a Kafka cluster")
    return place

"""`placet context`: fold risk signals into facts on a Kafka cluster."""

from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.configured import settings_with
from placet.faces.cli.place import Bootstrap, Data, resolve
from placet.faces.cli.verb import Exit, Json, usage

EXAMPLE = "placet context --bootstrap localhost:9092 --slot context-0 --data /var/lib/placet"
EXITS: dict[Exit, str] = {}


def run(
    bootstrap: Bootstrap = None,
    data: Data = None,
    slot: Annotated[str, typer.Option(help="This process's own, stable name.")] = "context-0",
    as_json: Json = False,
) -> Exit:
    """Run the context plane, a Faust app, until Ctrl-C or SIGTERM.

    It reads `placet.signals` and writes `placet.risk`, at least once. Keys come
    from `--data`. Suspensions and calendars do not pass through it.
    """
    place = resolve(None, bootstrap, None)
    if not place.bootstrap:
        raise usage("--bootstrap is missing: expected HOST:PORT of a Kafka cluster")
    from placet import wiring
    from placet.drivers.context_app import run_context
    from placet.drivers.keyfile import read_keys

    settings = settings_with(bootstrap=place.bootstrap, data=data, slot=slot)
    ring = read_keys(settings.keys_file).ring()
    if as_json:
        printing.emit({"slot": settings.slot, "bootstrap": settings.bootstrap}, lines=True)
    else:
        printing.say(f"context slot={settings.slot} bootstrap={settings.bootstrap}")
    run_context(
        wiring.cluster(settings),
        settings.slot,
        settings.data / f"context-{settings.slot}",
        ring,
        skew_ms_max=settings.skew_ms_max,
        watermark_ms=settings.watermark_ms,
    )
    return Exit.FINE

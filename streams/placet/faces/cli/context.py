"""`placet context`: fold risk signals into facts on a Kafka cluster."""

from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.configured import settings_with
from placet.faces.cli.place import Bootstrap, Data, cluster_named
from placet.faces.cli.verb import Exit, Json

EXAMPLE = "placet context --bootstrap localhost:9092 --slot context-0 --data /var/lib/placet"
EXITS: dict[Exit, str] = {}


def run(
    bootstrap: Bootstrap = None,
    data: Data = None,
    slot: Annotated[str, typer.Option(help="This process's own, stable name.")] = "context-0",
    metrics_port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Of /metrics, /livez and /readyz. Else PLACET_METRICS_PORT, else 7421."),
    ] = None,
    as_json: Json = False,
) -> Exit:
    """Run the context plane, a Faust app, until Ctrl-C or SIGTERM; any number share the signals.

    It reads `placet.signals` and writes `placet.risk`, at least once, and marks
    up to when each partition of signals is folded, and no further than the
    feeds themselves marked it (`placet watermark signals`). Keys are those pinned in `--data`, and those on record.
    Suspensions, halts and calendars do not pass through it. A partition that
    stands still while there are signals in it ends the process with exit 1.
    """
    place = cluster_named(bootstrap)
    from placet import wiring
    from placet.drivers.context_app import ContextApp, run_context
    from placet.drivers.keyfile import read_keys
    from placet.drivers.keywatch import KeyWatch
    from placet.drivers.logs import log_to, logger
    from placet.faces.cli.probes import Probes

    settings = settings_with(bootstrap=place.bootstrap, data=data, slot=slot, metrics_port=metrics_port)
    log_to(form=settings.log_format, level=settings.log_level, slot=settings.slot)
    speak = logger("context")
    keys = KeyWatch(wiring.log(settings), read_keys(settings.keys_file).ring().apart(settings.skew_ms_max))
    keys.hear()
    keys.follow()
    probes: list[Probes] = []

    def begun(app: ContextApp) -> None:
        probes.append(Probes(app, settings.host, settings.metrics_port))
        url = probes[0].url
        speak.info("context up", bootstrap=settings.bootstrap, url=url)
        if as_json:
            printing.emit({"slot": settings.slot, "bootstrap": settings.bootstrap, "url": url}, lines=True)
        else:
            printing.say(f"context slot={settings.slot} bootstrap={settings.bootstrap} url={url}")

    try:
        run_context(
            wiring.cluster(settings),
            settings.slot,
            settings.data / f"context-{settings.slot}",
            keys.ring,
            skew_ms_max=settings.skew_ms_max,
            watermark_ms=settings.watermark_ms,
            begun=begun,
        )
    finally:
        keys.stop()
        for one in probes:
            one.stop()
        speak.info("context down")
    return Exit.FINE

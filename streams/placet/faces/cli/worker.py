"""`placet worker`: decide on a Kafka cluster."""

import os
import sys
from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.configured import settings_with
from placet.faces.cli.place import Bootstrap, Data, cluster_named
from placet.faces.cli.up import wait_for_end
from placet.faces.cli.verb import Exit, Json

EXAMPLE = "placet worker --bootstrap localhost:9092 --slot worker-0 --data /var/lib/placet"
EXITS = {
    Exit.NOT_RUN: "could not run, or did not end within 25 s of being asked to",
    Exit.FAULTY: "the journal contradicts itself",
}
DRAIN_S = 25.0
"""Below the 30 s after which supervisors kill."""


def run(
    bootstrap: Bootstrap = None,
    data: Data = None,
    slot: Annotated[
        str | None, typer.Option(help="This worker's own, stable name. Else PLACET_SLOT, else worker-0.")
    ] = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Of /metrics, /livez and /readyz. Else PLACET_METRICS_PORT, else 7421."),
    ] = None,
    as_json: Json = False,
) -> Exit:
    """Run one deciding worker until Ctrl-C or SIGTERM; any number share the partitions.

    Asked to end, it commits the batch under way and gives its partitions back.

    `--data` is the folder of its warm state, the pinned keys and its private
    keys. The topics are made by `placet topics apply`, and risk signals are
    folded by `placet context`.
    """
    place = cluster_named(bootstrap)
    from placet import wiring
    from placet.drivers.logs import log_to, logger
    from placet.drivers.metrics import Watch
    from placet.faces.cli.probes import Probes

    settings = settings_with(bootstrap=place.bootstrap, data=data, slot=slot, metrics_port=metrics_port)
    log_to(form=settings.log_format, level=settings.log_level, slot=settings.slot)
    speak = logger("worker")
    running = wiring.work(settings, Watch())
    try:
        probes = Probes(running, settings.host, settings.metrics_port)
        try:
            if as_json:
                printing.emit({"slot": settings.slot, "bootstrap": settings.bootstrap, "url": probes.url}, lines=True)
            else:
                printing.say(f"worker slot={settings.slot} bootstrap={settings.bootstrap} url={probes.url}")
            speak.info("worker up", bootstrap=settings.bootstrap, url=probes.url)
            wait_for_end(running.ended.wait)
            speak.info("draining: the batch under way is the last")
        finally:
            probes.stop()
    finally:
        if not running.stop(DRAIN_S):
            speak.error(
                "its clients did not end in time; what was committed stands, what was not is decided by its successor"
            )
            sys.stdout.flush()
            # A client that waits in C holds up the interpreter's own end as well.
            os._exit(Exit.NOT_RUN)
        speak.info("worker down")
    if running.failure is not None:
        raise running.failure
    if not as_json:
        printing.say("down")
    return Exit.FINE

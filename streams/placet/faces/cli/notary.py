"""`placet notary`: keep the provenance log of a Kafka cluster."""

from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.configured import settings_with
from placet.faces.cli.place import Bootstrap, Data, cluster_named
from placet.faces.cli.up import wait_for_end
from placet.faces.cli.verb import Exit, Json

EXAMPLE = "placet notary --bootstrap localhost:9092 --data /var/lib/placet"
EXITS = {Exit.FAULTY: "log, checkpoint and topics contradict each other: nothing is signed over it"}


def run(
    bootstrap: Bootstrap = None,
    data: Data = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Of /metrics, /livez and /readyz. Else PLACET_METRICS_PORT, else 7421."),
    ] = None,
    as_json: Json = False,
) -> Exit:
    """Log every decision and context record of a cluster, with a checkpoint a second, until Ctrl-C or SIGTERM.

    The log lies in `ledger` under `--data`, in tiles that any tool for C2SP
    transparency logs verifies; one process writes it. Its key is made on the
    first start. `placet up` keeps the log of its own folder itself.
    """
    place = cluster_named(bootstrap)
    from placet import wiring
    from placet.drivers.logs import log_to, logger
    from placet.drivers.metrics import Watch
    from placet.faces.cli.probes import Probes

    settings = settings_with(bootstrap=place.bootstrap, data=data, metrics_port=metrics_port)
    log_to(form=settings.log_format, level=settings.log_level)
    speak = logger("notary")
    running = wiring.notary(settings, Watch())
    try:
        probes = Probes(running, settings.host, settings.metrics_port)
        try:
            folder = settings.ledger_dir
            if as_json:
                printing.emit({"ledger": folder, "bootstrap": settings.bootstrap, "url": probes.url}, lines=True)
            else:
                printing.say(f"notary ledger={folder} bootstrap={settings.bootstrap} url={probes.url}")
            speak.info("notary up", bootstrap=settings.bootstrap, url=probes.url)
            wait_for_end(running.ended.wait)
        finally:
            probes.stop()
    finally:
        running.stop()
        speak.info("notary down")
    if running.failure is not None:
        raise running.failure
    if not as_json:
        printing.say("down")
    return Exit.FINE

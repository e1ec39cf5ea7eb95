"""`placet up`: everything in one process, on one folder, behind one port."""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.configured import settings_with
from placet.faces.cli.place import Data
from placet.faces.cli.verb import Exit, Json

EXAMPLE = "placet up --data run"
EXITS = {Exit.FAULTY: "the folder contradicts itself"}
LOOK_S = 0.5


def run(
    data: Data = None,
    host: Annotated[
        str | None, typer.Option("--host", help="The address to listen on. Else PLACET_HOST, else 127.0.0.1.")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65_535, help="0: any free one. Else PLACET_PORT, else 7420.")
    ] = None,
    partitions: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Of a new folder; never changed later.")
    ] = None,
    as_json: Json = False,
) -> Exit:
    """Run a desk, its context, its provenance log and its HTTP face on one folder, until Ctrl-C or SIGTERM.

    The folder and its keys are made on the first start. `http.json` in it says
    where and with which token others reach it; verbs with `--data` find it there.
    """
    from placet.drivers.logs import log_to
    from placet.faces.gateway.server import Server

    given = {"data": data, "host": host, "port": port, "partitions": partitions}
    settings = settings_with(**given)
    log_to(form=settings.log_format, level=settings.log_level)
    server = Server(settings)
    try:
        if as_json:
            printing.emit({"url": server.url, "data": settings.data, "http_file": settings.http_file}, lines=True)
        else:
            printing.say(f"up url={server.url} data={settings.data} partitions={settings.folder_partitions}")
        wait_for_end(server.wait)
    finally:
        server.stop()
    failure = server.failed()
    if failure is not None:
        raise failure
    if not as_json:
        printing.say("down")
    return Exit.FINE


def wait_for_end(wait: Callable[[float], bool]) -> None:
    """Return on SIGINT or SIGTERM, or when `wait(seconds)` says that what runs has ended by itself."""
    asked = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        asked.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while not asked.is_set() and not wait(LOOK_S):
            pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

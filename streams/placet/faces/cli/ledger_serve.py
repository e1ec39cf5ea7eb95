"""`placet ledger serve`: a provenance log over HTTP, as C2SP tlog-tiles wants it."""

from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.configured import settings_with
from placet.faces.cli.place import Data
from placet.faces.cli.up import wait_for_end
from placet.faces.cli.verb import Exit, Json

EXAMPLE = "placet ledger serve --data run --port 7430"
EXITS: dict[Exit, str] = {}


def run(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: any free one.")] = 7430,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Serve checkpoint, tiles and entry bundles, and nothing else, until Ctrl-C or SIGTERM.

    They are files that never change but the checkpoint: any server or cache of
    static files does as well, for which `.placet` below the log is not meant.
    Leaves hold what decisions and context say: whoever is served may read it.
    """
    from placet.drivers.ledger.folder import FolderReader
    from placet.drivers.ledger.serving import LogServer

    server = LogServer(FolderReader(settings_with(data=data).ledger_dir), host, port)
    try:
        printing.emit({"url": server.url}, lines=True) if as_json else printing.say(f"ledger url={server.url}")
        wait_for_end(server.ended.wait)
    finally:
        server.stop()
    return Exit.FINE

"""A provenance log over HTTP (C2SP tlog-tiles): static files, cached for good but for the checkpoint."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from placet.drivers.ledger.folder import FolderReader
from placet.errors import PlacetError, Unavailable
from placet.provenance.tiles import CHECKPOINT, tile_at

TEXT = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"
FOR_GOOD = "public, max-age=31536000, immutable"


def answer(reader: FolderReader, path: str) -> tuple[int, bytes, str, str]:
    """Return status, body, kind and how long it may be kept, of a path as it was asked for."""
    name = path.partition("?")[0].removeprefix("/")
    if name == CHECKPOINT:
        kind, keep = TEXT, "no-cache"
    elif tile_at(name) is not None:
        kind, keep = BYTES, FOR_GOOD
    else:
        return 404, b"no such path: expected checkpoint or tile/...\n", TEXT, "no-store"
    data = reader.get(name)
    if data is None:
        # Once a tile is full its parts are gone: a client takes the full one then (C2SP tlog-tiles).
        return 404, b"not in this log, or a part of a tile that is full by now\n", TEXT, "no-store"
    return 200, data, kind, keep


class LogServer:
    """Serves a log from construction on. Port 0 takes a free one."""

    def __init__(self, reader: FolderReader, host: str, port: int) -> None:
        class Handler(BaseHTTPRequestHandler):
            """Answers GET and HEAD, and logs nothing."""

            def do_GET(self) -> None:
                self._answer(body=True)

            def do_HEAD(self) -> None:
                self._answer(body=False)

            def _answer(self, *, body: bool) -> None:
                try:
                    status, data, kind, keep = answer(reader, self.path)
                except PlacetError as error:
                    status, data, kind, keep = 503, f"{error}\n".encode(), TEXT, "no-store"
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Cache-Control", keep)
                self.end_headers()
                if body:
                    self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  as http.server calls it
                """Say nothing."""

        try:
            self._server = ThreadingHTTPServer((host, port), Handler)
        except OSError as error:
            raise Unavailable(f"{host}:{port}: cannot listen here ({error.strerror}); choose another port") from None
        self.url = f"http://{host}:{self._server.server_address[1]}"
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._server.serve_forever, name="placet-ledger", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answer nothing more."""
        self.ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

"""The HTTP face of a witness: `add-checkpoint` for logs; for whoever watches one, what was cosigned and what speaks against it."""

import re
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from placet.drivers.metrics import Watch, exposition
from placet.drivers.witness.witness import Witness
from placet.errors import PlacetError, Unavailable
from placet.provenance.witnessing import ASKED_BYTES_MAX, PATH, TEXT_TYPE

IDLE_S: Final = 15.0
"""How long a connection may say nothing before it is closed."""
_SHOWN: Final = re.compile(r"/([0-9a-f]{64})/(checkpoint|against)")


class WitnessServer:
    """Serves `witness` from construction on. Port 0 takes a free one."""

    def __init__(self, witness: Witness, watch: Watch, host: str, port: int) -> None:
        self._witness = witness
        self._watch = watch
        self.ended = threading.Event()
        handler = type("Handler", (_Handler,), {"witness": witness, "ended": self.ended})
        try:
            self._server = _Server((host, port), handler)
        except OSError as error:
            raise Unavailable(f"{host}:{port}: cannot listen here ({error.strerror})") from None
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="placet-witness", daemon=True)
        self._thread.start()

    @property
    def failure(self) -> PlacetError | None:
        """Return why it answers nothing more."""
        return self._witness.failure

    def live(self) -> bool:
        """Return whether it still answers."""
        return self._witness.failure is None

    def ready(self) -> bool:
        """Return whether it answers."""
        return self.live()

    def measure(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return exposition(self._watch)

    def stop(self) -> None:
        """Answer what was asked, and nothing more."""
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    """Knows its connections: logs keep theirs open from one head to the next."""

    daemon_threads = False

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[Any] = set()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Hear nothing more on any connection; an answer under way still goes out."""
        for request in list(self._open):
            with suppress(OSError):
                request.shutdown(socket.SHUT_RD)


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection, and logs nothing of it."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    witness: Witness
    ended: threading.Event

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self.path.partition("?")[0] != PATH:
            return self._refuse(404, f"expected POST {PATH}")
        if not (length.isascii() and length.isdigit()):
            return self._refuse(411, "expected a Content-Length")
        if int(length) > ASKED_BYTES_MAX:
            return self._refuse(413, f"a call of {length} bytes, expected {ASKED_BYTES_MAX} at most")
        data = self.rfile.read(int(length))
        if len(data) < int(length):
            self.close_connection = True
            return None
        try:
            judged = self.witness.answer(data)
        except PlacetError as failure:
            self.ended.set()
            return self._refuse(503, f"answering nothing more: {failure}")
        return self._say(judged.status, judged.said.encode(), judged.kind)

    def do_GET(self) -> None:
        found = _SHOWN.fullmatch(self.path.partition("?")[0])
        if found is None:
            shown: list[bytes] = []
        elif found[2] == "against":
            shown = self.witness.against(found[1])
        else:
            shown = [note for note in (self.witness.kept(found[1]),) if note is not None]
        if not shown:
            return self._say(404, b"nothing is kept here\n", TEXT_TYPE)
        return self._say(200, b"\n".join(shown), TEXT_TYPE)

    def _refuse(self, status: int, said: str) -> None:
        # What else was sent on this connection is not read.
        self.close_connection = True
        self._say(status, f"{said}\n".encode(), TEXT_TYPE)

    def _say(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  as http.server calls it
        """Say nothing: a log asks every second."""

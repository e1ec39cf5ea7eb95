"""What a worker says over HTTP: its metrics, whether it is live, whether it is ready. Reading only."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from placet.drivers.metrics import CONTENT_TYPE, Watch, exposition
from placet.errors import Unavailable

READ_S_MAX = 5.0
_TEXT = "text/plain; charset=utf-8"


class StatusServer:
    """Serves /metrics, /livez and /readyz from construction on, until `stop`. Port 0 takes a free one.

    `live` and `ready` are asked for each probe. Raises `Unavailable` when the
    port is another's.
    """

    def __init__(
        self, watch: Watch, live: Callable[[], bool], ready: Callable[[], bool], *, host: str, port: int
    ) -> None:
        pages: dict[str, Callable[[], tuple[int, str, bytes]]] = {
            "/metrics": lambda: (200, CONTENT_TYPE, exposition(watch)),
            "/livez": lambda: _word(live(), b"live\n", b"stalled\n"),
            "/readyz": lambda: _word(ready(), b"ready\n", b"not ready\n"),
        }

        class Pages(BaseHTTPRequestHandler):
            timeout = READ_S_MAX
            server_version, sys_version = "placet", ""

            def do_GET(self) -> None:
                page = pages.get(self.path.partition("?")[0])
                status, kind, body = page() if page is not None else (404, _TEXT, b"no such path\n")
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is the library's
                """Say nothing: a probe each second is not news."""

        try:
            self._server = ThreadingHTTPServer((host, port), Pages)
        except OSError as error:
            raise Unavailable(f"{host}:{port}: cannot listen here ({error.strerror})") from None
        self._server.daemon_threads = True
        self.url = f"http://{host}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="placet-status", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; probes under way are answered."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _word(good: bool, word: bytes, otherwise: bytes) -> tuple[int, str, bytes]:
    return (200, _TEXT, word) if good else (503, _TEXT, otherwise)

"""What a process that serves says over HTTP: its metrics, and whether it lives and is ready."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

from placet.drivers.metrics import CONTENT_TYPE
from placet.errors import Unavailable


class Probed(Protocol):
    """What answers the probes, from any thread and at any time.

    `live`: to end this process and start it anew would help nobody. `ready`:
    it has its partitions, has read back what they hold, and serves them.
    """

    def live(self) -> bool: ...

    def ready(self) -> bool: ...

    def measure(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        ...


class Probes:
    """Serves `/metrics`, `/livez` and `/readyz` of `running` from construction on. Port 0 takes a free one."""

    def __init__(self, running: Probed, host: str, port: int) -> None:
        class Handler(BaseHTTPRequestHandler):
            """Answers GET, and logs nothing."""

            def do_GET(self) -> None:
                status, body, kind = _answer(running, self.path.partition("?")[0])
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  as http.server calls it
                """Say nothing: probes come every second."""

        try:
            self._server = ThreadingHTTPServer((host, port), Handler)
        except OSError as error:
            raise Unavailable(
                f"{host}:{port}: cannot listen here ({error.strerror}); choose another with PLACET_METRICS_PORT"
            ) from None
        self.url = f"http://{host}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="placet-probes", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answer nothing more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _answer(running: Probed, path: str) -> tuple[int, bytes, str]:
    if path == "/metrics":
        return 200, running.measure(), CONTENT_TYPE
    words = {"/livez": (running.live, "live", "stalled"), "/readyz": (running.ready, "ready", "not ready")}
    if path not in words:
        return 404, b'{"status": "no such path"}', "application/json"
    good, word, otherwise = words[path]
    said = good()
    return (200 if said else 503), f'{{"status": "{word if said else otherwise}"}}'.encode(), "application/json"

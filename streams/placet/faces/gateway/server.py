"""`placet up` as a thing to start and stop: the running stack, its HTTP face on one port, and `http.json`."""

import contextlib
import json
import os
import secrets
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import uvicorn

from placet import wiring
from placet.context.identity import Who
from placet.drivers.clock import SystemClock
from placet.drivers.settings import Settings
from placet.drivers.tokens import read_tokens
from placet.errors import PlacetError, Unavailable
from placet.faces.gateway.app import build
from placet.faces.gateway.gateway import Gateway

TOKEN_BYTES = 32
STOP_S = 5
BACKLOG = 256


class Server:
    """Serves from construction on; `stop` ends it in order: no new requests, the batch under way, the journal.

    Port 0 takes a free one; `url` and `token` say where and how. Raises
    `Unavailable` when the port or the folder is another's.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        who = _callers(settings)
        self._socket = _listen(settings.host, settings.port)
        try:
            self.running = wiring.house(settings)
        except BaseException:
            self._socket.close()
            raise
        port = self._socket.getsockname()[1]
        self.url = f"http://{f'[{settings.host}]' if ':' in settings.host else settings.host}:{port}"
        self.token = settings.token.get_secret_value() or secrets.token_urlsafe(TOKEN_BYTES)
        self.gateway = Gateway(self.running)
        try:
            self.gateway.start()
        except BaseException:
            self.gateway.close()
            self.running.stop()
            self._socket.close()
            raise
        self._server = uvicorn.Server(
            uvicorn.Config(
                build(self.gateway, self.token, who),
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                lifespan="off",
                proxy_headers=False,
                h11_max_incomplete_event_size=16_384,
                timeout_graceful_shutdown=STOP_S,
                timeout_keep_alive=75,
            )
        )
        self._thread = threading.Thread(target=self._serve, name="placet-http", daemon=True)
        self._thread.start()
        write_http_file(settings.http_file, self.url, self.token)

    def failed(self) -> PlacetError | None:
        """Return what ended the desk, or None while it works."""
        return self.running.failure

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the desk has ended by itself; return whether it has."""
        return self.running.ended.wait(seconds)

    def stop(self) -> None:
        """End in order. May be called more than once."""
        with contextlib.suppress(FileNotFoundError):
            self.settings.http_file.unlink()
        self.gateway.newest.failed(Unavailable("this service is ending"))
        self._server.should_exit = True
        self._thread.join()
        self.gateway.close()
        self.running.stop()

    def _serve(self) -> None:
        # Signals belong to whoever runs this: uvicorn takes none in a thread.
        self._server.run(sockets=[self._socket])


def _callers(settings: Settings) -> Callable[[str], Who] | None:
    """Return what says whose a token is by `identity.json`; None where there is no such file. Raise `Corrupted` for a bad one."""
    if not settings.identity_file.exists():
        return None
    tokens, clock = read_tokens(settings.identity_file), SystemClock()
    return lambda token: tokens.read(token, clock.now_ms(), settings.skew_ms_max).who


def write_http_file(path: Path, url: str, token: str) -> None:
    """Say where this process listens and what it wants to hear, to those who may read this user's files."""
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    staged.unlink(missing_ok=True)
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"url": url, "token": token, "pid": os.getpid()}, file)
    staged.replace(path)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named, asyncio turns Nagle's wait off on what it accepts: 40 ms an answer otherwise.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise Unavailable(
            f"{host}:{port}: cannot listen here ({error.strerror}); choose another with PLACET_PORT"
        ) from None
    return listening

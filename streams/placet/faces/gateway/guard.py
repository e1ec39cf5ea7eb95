"""What every request passes first: the Host header, the token, the size of the body. Closed by default."""

import hmac
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from placet.context.identity import Who
from placet.errors import PoisonRecord
from placet.faces.gateway.callers import admit
from placet.faces.gateway.problems import Problem

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HOST = re.compile(r"(\[(?P<address>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._\-]+))(:[0-9]*)?")
"""A Host header (RFC 9110 §7.2): a name, or an IPv6 address in brackets, with or without a port."""
OPEN_PATHS: frozenset[str] = frozenset({"/livez", "/readyz"})
"""What a probe may ask without a token: both say one word and nothing of what is decided."""


class Guard:
    """An ASGI application before another one.

    `hosts` are the names a request may call us by: a page of another site whose
    name was made to point here calls us by its own (DNS rebinding). The token
    is compared in constant time; any other is for `who` to say, who raises
    PoisonRecord where it proves nobody. A body larger than `body_bytes_max` is
    refused, by its length header or as soon as that much has come.
    """

    def __init__(
        self, app: App, token: str, hosts: frozenset[str], body_bytes_max: int, who: Callable[[str], Who] | None = None
    ) -> None:
        self._app = app
        self._token = f"Bearer {token}".encode()
        self._hosts = hosts
        self._who = who
        self._body_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope)
            await self._app(scope, self._bounded(receive), send)
        except Problem as problem:
            await problem.answer()(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) != 1 or _name_of(hosts[0]) not in self._hosts:
            raise Problem(421, "a name that is not ours", "header Host", "one of " + ", ".join(sorted(self._hosts)))
        if any(name == b"origin" for name, _ in headers):
            raise Problem(403, "a request from a web page", "header Origin", "a client that is not a browser")
        if scope["path"] not in OPEN_PATHS:
            given = [value for name, value in headers if name == b"authorization"]
            if len(given) != 1 or not hmac.compare_digest(given[0], self._token):
                self._principal(scope, given)
        length = [value for name, value in headers if name == b"content-length"]
        if length and length[0].isdigit() and int(length[0]) > self._body_bytes_max:
            raise self._too_large()

    def _principal(self, scope: Scope, given: list[bytes]) -> None:
        """Admit the principal whose token was given; raise Problem without one."""
        kind, _, token = given[0].decode("latin-1").partition(" ") if len(given) == 1 else ("", "", "")
        if self._who is None or kind != "Bearer" or token.count(".") != 2:
            raise Problem(
                401, "no token, or another one", "header Authorization", "`Bearer` and the token of http.json"
            )
        try:
            who = self._who(token)
        except PoisonRecord as nobody:
            raise Problem(401, str(nobody), "header Authorization", "a token of an issuer in identity.json") from None
        admit(scope, who)

    def _bounded(self, receive: Receive) -> Receive:
        come = 0

        async def bounded() -> MutableMapping[str, Any]:
            nonlocal come
            message = await receive()
            come += len(message.get("body", b""))
            if come > self._body_bytes_max:
                raise self._too_large()
            return message

        return bounded

    def _too_large(self) -> Problem:
        return Problem(413, "a body that is too large", "body", f"at most {self._body_bytes_max} bytes")


def _name_of(host: bytes) -> str:
    """Return the name in a Host header, without its port; empty when it is none."""
    named = HOST.fullmatch(host.decode("latin-1"))
    return "" if named is None else (named["address"] or named["name"]).lower()

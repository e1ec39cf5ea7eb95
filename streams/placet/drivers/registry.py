"""A schema registry, where one is run: it learns the ids that records already carry, and gives none of its own."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from placet.errors import Corrupted, Unavailable
from placet.model.evolution import canonical_form, mode_of

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
_ANSWER_S = 15.0


@dataclass(frozen=True, slots=True)
class Released:
    """One released schema: its record, the id on the wire, which version of its record it is, and what it says."""

    record: str
    number: int
    version: int
    schema: Mapping[str, Any]

    @property
    def subject(self) -> str:
        """Return the subject it stands under: the record's own full name, whatever topic it travels on."""
        space = self.schema.get("namespace", "")
        return f"{space}.{self.schema['name']}" if space else str(self.schema["name"])


class Registry:
    """A registry that speaks Confluent's HTTP API. Raises `Unavailable` where it does not answer or refuses.

    `url` may hold a name and a password; neither is in any message.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url.rstrip("/"))
        self._url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        self._headers = {"Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE}
        if parts.username is not None:
            signed = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            self._headers["Authorization"] = f"Basic {base64.b64encode(signed).decode()}"

    def register(self, one: Released) -> bool:
        """Have the registry know `one` by its id; return whether that was news.

        It is asked first whether the schema fits what it holds. Raise
        `Corrupted` when that id is another schema's there, or it does not fit.
        """
        known = self._ask("GET", f"/schemas/ids/{one.number}", missing=404)
        if known is not None:
            if canonical_form(json.loads(known["schema"])) != canonical_form(one.schema):
                raise Corrupted(f"id {one.number}: another schema has it in the registry; expected `{one.subject}`")
            return False
        subject = quote(one.subject, safe="")
        body = {"schemaType": "AVRO", "schema": json.dumps(one.schema)}
        self._ask("PUT", f"/config/{subject}", {"compatibility": mode_of(one.record).name})
        said = self._ask("POST", f"/compatibility/subjects/{subject}/versions?verbose=true", body, missing=404)
        if said is not None and not said["is_compatible"]:
            why = "; ".join(said.get("messages", ()))
            raise Corrupted(f"`{one.subject}` version {one.version}: does not fit what the registry holds: {why}")
        # Only a subject in this mode takes an id from outside.
        self._ask("PUT", f"/mode/{subject}?force=true", {"mode": "IMPORT"})
        try:
            where = f"/subjects/{subject}/versions"
            given = self._ask("POST", where, {**body, "id": one.number, "version": one.version})
        finally:
            self._ask("PUT", f"/mode/{subject}?force=true", {"mode": "READWRITE"})
        if given is None or given.get("id") != one.number:
            raise Corrupted(f"`{one.subject}`: the registry gave it another id than {one.number}")
        return True

    def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, missing: int | None = None
    ) -> dict[str, Any] | None:
        """Return the answer, or None where it is the status `missing`."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, data, self._headers, method=method)  # noqa: S310  an operator's own address
        try:
            with urlopen(request, timeout=_ANSWER_S) as answer:  # noqa: S310
                found: dict[str, Any] = json.load(answer)
                return found
        except HTTPError as error:
            if error.code == missing:
                return None
            raise Unavailable(f"the schema registry: {method} {path}: {error.code} {_message(error)}") from None
        except (URLError, TimeoutError, ValueError) as error:
            raise Unavailable(f"the schema registry: {method} {path}: {_reason(error)}") from None


def _message(error: HTTPError) -> str:
    try:
        return str(json.load(error).get("message", ""))
    except (ValueError, AttributeError):
        return str(error.reason)


def _reason(error: Exception) -> str:
    return str(error.reason) if isinstance(error, URLError) else type(error).__name__

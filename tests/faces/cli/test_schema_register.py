"""A registry that speaks the documented API learns the ids that records carry, once, and is believed in nothing else."""

import base64
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.architecture.house import ROOT
from tests.faces.cli.said import placet

Caps = pytest.CaptureFixture[str]
PASSWORD = "s3cret-word"
IDS = json.loads((ROOT / "schemas" / "ids.json").read_text())


class Registry:
    """The part of Confluent's API that is used, as its documentation tells it: subjects, ids, modes, compatibility."""

    def __init__(self) -> None:
        self.by_id: dict[int, str] = {}
        self.versions: dict[str, dict[int, int]] = {}
        self.modes: dict[str, str] = {}
        self.levels: dict[str, str] = {}
        self.fits = True
        self.asked: list[str] = []

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        self.asked.append(f"{method} {path}")
        path = path.partition("?")[0]
        if found := re.fullmatch(r"/schemas/ids/(\d+)", path):
            number = int(found[1])
            return (200, {"schema": self.by_id[number]}) if number in self.by_id else (404, {"error_code": 40403})
        if found := re.fullmatch(r"/config/(.+)", path):
            self.levels[found[1]] = body["compatibility"]
            return 200, body
        if found := re.fullmatch(r"/mode/(.+)", path):
            self.modes[found[1]] = body["mode"]
            return 200, body
        if found := re.fullmatch(r"/compatibility/subjects/(.+)/versions", path):
            known = found[1] in self.versions
            return (200, {"is_compatible": self.fits, "messages": ["READER_FIELD"]}) if known else (404, {})
        if found := re.fullmatch(r"/subjects/(.+)/versions", path):
            if "id" in body and self.modes.get(found[1]) != "IMPORT":
                return 422, {"error_code": 42205, "message": "Subject is not in import mode"}
            self.by_id[body["id"]] = body["schema"]
            self.versions.setdefault(found[1], {})[body["version"]] = body["id"]
            return 200, {"id": body["id"]}
        return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    state = Registry()
    signed = "Basic " + base64.b64encode(f"ada:{PASSWORD}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            if self.headers.get("Authorization") != signed:
                status, said = 401, {"message": "Unauthorized"}
            else:
                status, said = state.answer(self.command, self.path, body)
            data = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = _reply  # noqa: N815  as http.server looks for them

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  as http.server calls it
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://ada:{PASSWORD}@127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("PLACET_SCHEMA_REGISTRY_URL", url)
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_released_schema_is_registered_once_under_its_own_id(registry: Registry, capsys: Caps) -> None:
    said = placet(capsys, "schema", "register", "--json")
    assert said.code == 0
    assert len(said.json["registered"]) == len(IDS)
    assert registry.by_id.keys() == {int(number) for number in IDS}
    assert json.loads(registry.by_id[1])["name"] == "Intent"
    assert registry.versions["placet.Intent"] == {1: 1}
    assert registry.levels["placet.Verdict"] == "FULL_TRANSITIVE"
    assert registry.levels["placet.Intent"] == "BACKWARD_TRANSITIVE"
    assert set(registry.modes.values()) == {"READWRITE"}
    registry.asked.clear()
    assert placet(capsys, "schema", "register").out == f"0 registered, {len(IDS)} were there\n"
    assert all(one.startswith("GET ") for one in registry.asked)


def test_an_id_that_is_another_schemas_is_not_taken_for_ours(registry: Registry, capsys: Caps) -> None:
    registry.by_id[1] = '{"type": "record", "name": "Order", "fields": []}'
    said = placet(capsys, "schema", "register")
    assert said.code == 3
    assert "id 1: another schema has it in the registry; expected `placet.Intent`" in said.err


def test_what_does_not_fit_is_not_registered(registry: Registry, capsys: Caps) -> None:
    registry.versions["placet.Intent"] = {1: 99}
    registry.fits = False
    said = placet(capsys, "schema", "register")
    assert said.code == 3
    assert "`placet.Intent` version 1: does not fit what the registry holds: READER_FIELD" in said.err
    assert registry.by_id == {}


def test_a_registry_that_refuses_is_named_without_the_password(
    registry: Registry, capsys: Caps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACET_SCHEMA_REGISTRY_URL", "http://ada:wrong-word@127.0.0.1:1")
    said = placet(capsys, "schema", "register")
    assert said.code == 1
    assert "the schema registry: GET /schemas/ids/1: " in said.err
    assert "wrong-word" not in said.out + said.err
    assert registry.asked == []


def test_without_a_registry_none_is_asked(capsys: Caps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLACET_SCHEMA_REGISTRY_URL", raising=False)
    said = placet(capsys, "schema", "register")
    assert said.code == 2
    assert "PLACET_SCHEMA_REGISTRY_URL: expected http://HOST:PORT" in said.err

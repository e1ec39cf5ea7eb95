"""What does not come in: strangers, other names, web pages, bodies that are too large, too deep or not what they say."""

import json
import os
import socket
import stat
from pathlib import Path
from typing import Any

import httpx2
import pytest

from placet.errors import PoisonRecord, Unavailable
from placet.faces import frames
from placet.faces.gateway.server import Server
from placet.faces.sdk.connection import connect
from placet.faces.sdk.http import HttpLog
from placet.model.codec import watermark
from placet.model.codec.watermark import Watermark
from placet.model.topics import Topic
from placet.ports import Message
from tests.faces.gateway.conftest import BODY_BYTES_MAX
from tests.faces.shop import settings_of

GOOD = {"tenant": "acme", "actor": "agent:ada", "action": "shop.refund", "resource": "order/7", "arguments": {}}
CLAIM = {
    "tenant": "acme",
    "authority": "user:grace",
    "id": "00" * 16,
    "granted_digest": "00" * 32,
    "executor": "service:shop",
    "nonce": "00" * 16,
}

READS = [
    "/v1/intents?tenant=a&authority=b&id=" + "00" * 16,
    "/v1/log/placet.decisions",
    "/v1/tail",
    "/metrics",
    "/nope",
]
WRITES = ["/v1/intents", "/v1/claims", "/v1/outcomes", "/v1/withdraw", "/v1/context/risk", "/v1/log/placet.intents"]


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic eA=="}])
def test_reading_needs_the_token(server: Server, path: str, headers: dict[str, str]) -> None:
    answer = httpx2.get(server.url + path, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["where"] == "header Authorization"


@pytest.mark.parametrize("path", WRITES)
def test_writing_needs_the_token(server: Server, path: str) -> None:
    assert httpx2.post(server.url + path, json=GOOD).status_code == 401


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_probes_need_none(server: Server, path: str) -> None:
    assert httpx2.get(server.url + path).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "0.0.0.0", "[::2]:1"]
)
def test_a_request_by_another_name_is_refused(server: Server, client: httpx2.Client, host: str) -> None:
    answer = client.get("/livez", headers={"host": host})
    assert answer.status_code in (400, 421)
    assert client.get("/v1/log/placet.decisions", headers={"host": host}).status_code in (400, 421)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9", "127.0.0.1:1", "[::1]:80"])
def test_a_request_by_a_loopback_name_is_served(client: httpx2.Client, host: str) -> None:
    assert client.get("/livez", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["placet.internal", "PLACET.internal:7420", "placet.internal:443", "10.0.0.5:7420", "[fd00::1]:7420"]
)
def test_a_request_by_a_name_that_was_set_is_served(client: httpx2.Client, host: str) -> None:
    assert client.get("/livez", headers={"host": host}).status_code == 200
    assert client.get("/v1/log/placet.decisions", headers={"host": f"other.{host}"}).status_code == 421


def test_two_hosts_in_one_request_are_refused(server: Server) -> None:
    address = server.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1]))) as raw:
        raw.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\nConnection: close\r\n\r\n")
        assert raw.recv(4_096).split(b" ")[1] in (b"400", b"421")


def test_a_web_page_is_refused_even_with_the_token(client: httpx2.Client) -> None:
    answer = client.post("/v1/intents", json=GOOD, headers={"origin": "http://localhost:3000"})
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/v1/intents", "/v1/context/pack", "/v1/log/placet.intents?partition=0"])
def test_a_body_that_is_too_large_is_refused_by_its_length(client: httpx2.Client, path: str) -> None:
    answer = client.post(path, content=b"x" * (BODY_BYTES_MAX + 1), headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert str(BODY_BYTES_MAX) in answer.json()["expected"]


def test_a_body_without_a_length_is_refused_as_soon_as_it_is_too_large(client: httpx2.Client) -> None:
    def endless() -> Any:
        for _ in range(BODY_BYTES_MAX // 1_000 + 2):
            yield b" " * 1_000

    answer = client.post("/v1/intents", content=endless(), headers={"content-type": "application/json"})
    assert answer.status_code == 413


def test_an_intent_too_large_for_a_record_is_refused_before_it_is_written(client: httpx2.Client) -> None:
    answer = client.post("/v1/intents", json={**GOOD, "arguments": {"note": "x" * 70_000}})
    assert answer.status_code in (400, 413)


BAD_BODIES: list[tuple[str, Any, str, str]] = [
    ("/v1/intents", {**GOOD, "actor": "agent ada"}, "body.actor", "ASCII"),
    ("/v1/intents", {**GOOD, "actor": ""}, "body.actor", "ASCII"),
    ("/v1/intents", {**GOOD, "tenant": "a\u00e9"}, "body.tenant", "ASCII"),
    ("/v1/intents", {**GOOD, "tenant": "acme/team"}, "body.tenant", "none: keys"),
    ("/v1/intents", {**GOOD, "tenant": "watermark"}, "body.tenant", "another name"),
    ("/v1/intents", {**GOOD, "tenant": 7}, "body.tenant", "string"),
    ("/v1/intents", {**GOOD, "extra": 1}, "body.extra", "one of tenant"),
    ("/v1/intents", {"tenant": "acme"}, "body.actor", "a value"),
    ("/v1/intents", {**GOOD, "arguments": []}, "body.arguments", "dict"),
    ("/v1/intents", {**GOOD, "deadline_ms": "60000"}, "body.deadline_ms", "int"),
    ("/v1/intents", {**GOOD, "deadline_ms": 0}, "body.deadline_ms", "ge 1"),
    ("/v1/intents", {**GOOD, "id": "xyz"}, "body.id", "pattern"),
    ("/v1/intents", {**GOOD, "attempt": 1.5}, "body.attempt", "int"),
    ("/v1/intents", {**GOOD, "emergency": "yes"}, "body.emergency", "bool"),
    ("/v1/intents", {**GOOD, "after": ["00"]}, "body.after[0]", "pattern"),
    ("/v1/intents", {**GOOD, "at_least": [{"topic": 99, "partition": 0, "offset": 0}]}, "body.at_least[0].topic", "15"),
    ("/v1/intents", {**GOOD, "at_least": ["placet.signals/0@1"]}, "body.at_least[0]", "of a context topic"),
    ("/v1/intents", {**GOOD, "at_least": ["placet.mandates/0"]}, "body.at_least[0]", "TOPIC/PARTITION@OFFSET"),
    ("/v1/claims", {**CLAIM, "nonce": "AB" * 16}, "body.nonce", "pattern"),
    ("/v1/claims", {**CLAIM, "granted_digest": ""}, "body.granted_digest", "pattern"),
    ("/v1/outcomes", {**CLAIM, "result": "maybe"}, "body.result", "done"),
    ("/v1/withdraw", {"tenant": "acme"}, "body.authority", "a value"),
    ("/v1/context/risk", {"tenant": "a", "subject": "b", "source": "c", "score": 101}, "body.score", "100"),
    ("/v1/context/risk", {"tenant": "a", "subject": "b", "source": "c", "score": True}, "body.score", "int"),
    ("/v1/context/sensitivity", {"tenant": "a", "resource": "b", "label": "x", "source": "c"}, "body.label", "public"),
    ("/v1/context/principal", {"tenant": "a", "id": "b", "kind": "robot", "source": "c"}, "body.kind", "agent"),
    ("/v1/context/mandate", {"tenant": "a", "id": "b", "delegator": "c", "delegate": "d"}, "body.actions", "a value"),
    ("/v1/context/control", {"tenant": "a", "kind": "party", "scope": "b"}, "body.kind", "calendar"),
    ("/v1/context/control", {"tenant": "a", "kind": "halt", "scope": "b"}, "body.kind", "calendar"),
    ("/v1/context/pack", {"tenant": "a", "files": {"pack.yaml": "name: [", "rules.yaml": ""}}, "body.files", "loads"),
    ("/v1/context/active-set", {"tenant": "a", "digests": ["00"]}, "body.digests[0]", "pattern"),
]


@pytest.mark.parametrize(("path", "body", "where", "expected"), BAD_BODIES)
def test_a_body_that_does_not_fit_is_told_where(
    client: httpx2.Client, path: str, body: Any, where: str, expected: str
) -> None:
    answer = client.post(path, json=body)
    told = answer.json()
    assert (answer.status_code, told["where"], told["kind"]) == (400, where, "usage"), told
    assert expected in told["expected"] + told["what"]


BAD_JSON: list[tuple[bytes, str]] = [
    (b"", "not JSON"),
    (b"[]", "expected an object"),
    (b"{", "not JSON"),
    (b'{"tenant": "a", "tenant": "b"}', "given twice"),
    (b'{"arguments": {"a": 1, "a": 2}}', "given twice"),
    (b'{"deadline": 1e400}', "not finite"),
    (b'{"deadline": NaN}', "NaN"),
    (b'{"deadline": 9007199254740993}', "2^53"),
    (b'{"purpose": "\\ud800"}', "surrogate"),
    (b'{"purpose": "e\xcc\x81"}', "NFC"),
    (b'{"a":' + b"[" * 60 + b"]" * 60 + b"}", "deeper than"),
    (b"\xff\xfe", "UTF-8"),
]


@pytest.mark.parametrize(("body", "says"), BAD_JSON)
def test_json_is_read_strictly(client: httpx2.Client, body: bytes, says: str) -> None:
    answer = client.post("/v1/intents", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert says in answer.json()["what"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_says_what_it_is(client: httpx2.Client, kind: str) -> None:
    answer = client.post("/v1/intents", content=json.dumps(GOOD), headers={"content-type": kind})
    assert (answer.status_code, answer.json()["expected"]) == (415, "application/json")


BAD_PATHS = [
    ("GET", "/nope", 404),
    ("PUT", "/v1/intents", 405),
    ("GET", "/v1/intents/acme/user:bob/zz", 400),
    ("GET", "/v1/intents/acme/user:bob/00", 400),
    ("GET", "/v1/intents", 400),
    ("GET", "/v1/intents/acme/user:nobody/" + "00" * 16, 404),
    ("GET", "/v1/intents/acme/user:nobody/" + "00" * 16 + "?wait_ms=9999999", 400),
    ("GET", "/v1/intents/acme/user:nobody/" + "00" * 16 + "?attempt=-1", 400),
    ("GET", "/v1/log/placet.nothing", 404),
    ("GET", "/v1/log/placet.decisions/9", 404),
    ("GET", "/v1/log/placet.decisions/0?offset=x", 400),
    ("GET", "/v1/log/placet.decisions/0?offset=99999999999999999999", 400),
]


@pytest.mark.parametrize(("method", "path", "status"), BAD_PATHS)
def test_a_path_that_is_none_is_told(client: httpx2.Client, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert set(answer.json()) >= {"what", "where", "expected", "kind"}


@pytest.mark.parametrize("topic", [Topic.DECISIONS, Topic.CASES, Topic.DESK, Topic.QUARANTINE, Topic.RISK])
def test_nobody_writes_what_the_desk_writes(client: httpx2.Client, topic: Topic) -> None:
    answer = client.post(
        f"/v1/log/{topic.title}?partition=0",
        content=frames.pack_append([Message(b"k", b"v")]),
        headers={"content-type": frames.MEDIA_TYPE},
    )
    assert answer.status_code == 403


MARK = watermark.frame(Watermark("hr", 5))


@pytest.mark.parametrize(
    "message",
    [
        Message(b"acme/calendar/freeze", None),
        Message(b"acme/calendar/freeze", MARK),
        Message(b"acme/halt/h1/all/user:root/5/0", b"garbage"),
        Message(b"", MARK),
    ],
)
def test_what_would_take_a_record_out_of_the_context_is_not_appended(client: httpx2.Client, message: Message) -> None:
    answer = client.post(
        "/v1/log/placet.controls?partition=0",
        content=frames.pack_append([Message(b"watermark/hr", MARK), message]),
        headers={"content-type": frames.MEDIA_TYPE},
    )
    assert (answer.status_code, answer.json()["where"]) == (400, "body record 1")
    kept = frames.unpack(client.get("/v1/log/placet.controls/0").content, 1 << 20)
    assert b"watermark/hr" not in [key for _, _, key, _ in kept]


@pytest.mark.parametrize("body", [b"", b"short", frames.pack_append([Message(b"k", b"v")])[:-1], b"\xf0" * 24])
def test_a_frame_that_is_none_is_refused(client: httpx2.Client, body: bytes) -> None:
    answer = client.post(
        "/v1/log/placet.intents?partition=0", content=body, headers={"content-type": frames.MEDIA_TYPE}
    )
    assert answer.status_code == 400


def test_a_record_that_is_too_large_is_refused(server: Server) -> None:
    log = HttpLog(server.url, server.token)
    with pytest.raises(PoisonRecord, match="expected at most 65536"):
        log.append(Topic.INTENTS, 0, [Message(b"k", b"v" * 65_537)])
    log.close()


def test_the_token_lies_where_only_its_owner_reads(server: Server) -> None:
    path = server.settings.http_file
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == {"url": server.url, "token": server.token, "pid": os.getpid()}
    assert len(server.token) >= 40


def test_a_wrong_token_is_said_to_the_sdk(server: Server, tmp_path: Path) -> None:
    log = HttpLog(server.url, "wrong")
    with pytest.raises(Unavailable, match="no token, or another one"):
        log.partitions(Topic.INTENTS)
    log.close()


def test_the_files_token_goes_to_no_other_address(server: Server) -> None:
    with pytest.raises(Unavailable, match="no token"):
        connect(url="http://127.0.0.1:9", settings=server.settings)


def test_nobody_there_is_said() -> None:
    log = HttpLog("http://127.0.0.1:9", "t")
    with pytest.raises(Unavailable, match="nobody answers"):
        log.append(Topic.INTENTS, 0, [Message(b"k", b"v")])
    log.close()


def test_a_port_in_use_is_said_and_nothing_is_begun(server: Server, tmp_path: Path) -> None:
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(Unavailable, match="cannot listen here"):
        Server(settings_of(tmp_path / "other").model_copy(update={"port": port}))
    assert not (tmp_path / "other").exists()


def test_a_second_owner_of_the_folder_is_refused(server: Server) -> None:
    with pytest.raises(Unavailable):
        Server(server.settings)


def test_an_ended_server_takes_its_address_away(tmp_path: Path) -> None:
    ended = Server(settings_of(tmp_path / "data"))
    ended.stop()
    assert not ended.settings.http_file.exists()
    ended.stop()

"""A log among real witnesses over HTTP: it is published with its quorum and not without, and a fork finds no witness."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from placet.drivers.ledger.folder import FolderStore
from placet.drivers.metrics import Watch, exposition
from placet.drivers.witness.panel import Panel
from placet.drivers.witness.witness import Witness
from placet.faces.witness import WitnessServer
from placet.provenance.checkpoint import Checkpoint
from placet.provenance.cosignature import Cosigner
from placet.provenance.trust import TrustPolicy, read_policy
from placet.provenance.witnessing import ASKED_BYTES_MAX
from tests.drivers.witness.stand import LOGS, ORIGIN, PLACE, SIGNER, Still, call, log_of, note_of

KEYS = {name: Cosigner(f"w.example/{name}", Ed25519PrivateKey.from_private_bytes(name.encode() * 32)) for name in "abc"}
WAIT_S = 20.0


class Town:
    """Witnesses at work, and a log to be cosigned by them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ends = ExitStack()
        self.witnesses: dict[str, Witness] = {}
        self.urls: dict[str, str] = {}

    def witness(self, name: str) -> WitnessServer:
        store = FolderStore(self._folder / name)
        self.witnesses[name] = Witness(store, KEYS[name], LOGS, Still(), Watch())
        server = WitnessServer(self.witnesses[name], Watch(), "127.0.0.1", 0)
        self._ends.callback(store.close)
        self._ends.callback(server.stop)
        self.urls[name] = server.url
        return server

    def rogue(self, name: str, answer: Callable[[BaseHTTPRequestHandler], None]) -> None:
        """Put something else at the place of a witness."""

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self._ends.callback(server.server_close)
        self._ends.callback(server.shutdown)
        self.urls[name] = f"http://127.0.0.1:{server.server_address[1]}"

    def policy(self, quorum: str) -> TrustPolicy:
        lines = [f"witness {name} {KEYS[name].vkey} {url}" for name, url in self.urls.items()]
        return read_policy("\n".join([f"log {SIGNER.vkey}", *lines, *quorum.split("; ")]))

    def panel(self, quorum: str, watch: Watch | None = None, wait_s: float = WAIT_S) -> "Published":
        store = FolderStore(self._folder / "log")
        self._ends.callback(store.close)
        panel = Panel(self.policy(quorum), store, watch or Watch(), wait_s)
        self._ends.callback(panel.close)
        return Published(store, panel)

    def end(self) -> None:
        self._ends.close()


class Published:
    """A log that is published as its panel says."""

    def __init__(self, store: FolderStore, panel: Panel) -> None:
        self._store = store
        self._panel = panel
        self.checkpoint: bytes | None = None

    def grow(self, size: int, word: str = "leaf") -> bytes:
        for path, data in log_of(word, size).files.items():
            self._store.swap(path, self._store.get(path), data)
        made = self._panel(note_of(size, word))
        assert self._store.swap("checkpoint", self.checkpoint, made)
        self.checkpoint = made
        return made


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    yield town
    town.end()


def answering(status: int, body: bytes, kind: str = "text/plain") -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def test_every_checkpoint_is_published_with_its_quorum(town: Town) -> None:
    for name in "abc":
        town.witness(name)
    quorum = "group g 2 a b c; quorum g"
    log, policy = town.panel(quorum), town.policy(quorum)
    for size in (0, 1, 7, 7, 256, 300):
        head, note = policy.open(log.grow(size))
        assert head.size == size
        assert len(policy.cosigners(note)) >= 2


def test_without_a_quorum_the_checkpoint_before_stays_and_the_next_one_that_has_it_is_published(town: Town) -> None:
    watch = Watch()
    town.witness("a")
    down = town.witness("b")
    log = town.panel("group g all a b; quorum g", watch)
    published = log.grow(7)
    down.stop()
    assert log.grow(9) == published
    assert "placet_log_unwitnessed 1.0" in exposition(watch).decode()
    assert 'placet_log_witnessed_total{result="silent"} 1.0' in exposition(watch).decode()
    back = WitnessServer(town.witnesses["b"], Watch(), "127.0.0.1", int(town.urls["b"].rpartition(":")[2]))
    try:
        assert log.grow(12).startswith(note_of(12))
        assert "placet_log_unwitnessed 0.0" in exposition(watch).decode()
    finally:
        back.stop()


def test_a_log_that_forked_finds_no_witness_and_is_shown(town: Town) -> None:
    watch = Watch()
    town.witness("a")
    log = town.panel("quorum a", watch)
    published = log.grow(7)
    assert log.grow(9, "fork") == published
    assert 'placet_log_witnessed_total{result="fork"} 1.0' in exposition(watch).decode()
    shown = asked(town.urls["a"], "GET", f"/{PLACE}/against")[2]
    assert note_of(7) in shown
    assert note_of(9, "fork") in shown


def test_a_log_rolled_back_finds_no_witness(town: Town) -> None:
    watch = Watch()
    town.witness("a")
    town.witnesses["a"].answer(call(0, 9))
    log = town.panel("quorum a", watch)
    assert log.grow(7) == note_of(7), "nothing was published before, and of a log that is behind nothing is cosigned"
    assert 'placet_log_witnessed_total{result="ahead"} 1.0' in exposition(watch).decode()


def test_a_witness_of_which_nothing_is_known_is_asked_where_it_is(town: Town) -> None:
    town.witness("a")
    town.witnesses["a"].answer(call(0, 5))
    policy = town.policy("quorum a")
    assert policy.open(town.panel("quorum a").grow(9))[0].size == 9


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (answering(200, b""), "refused"),
        (answering(200, b"yes\n"), "refused"),
        (answering(200, Cosigner("w.example/b", Ed25519PrivateKey.from_private_bytes(b"b" * 32)).cosign("?\n", 1).line.encode()), "refused"),
        (answering(200, KEYS["a"].cosign(Checkpoint(ORIGIN, 7, bytes(32)).text, 1).line.encode()), "refused"),
        (answering(200, b"x" * 70_000), "refused"),
        (answering(403, b"no"), "refused"),
        (answering(404, b"no"), "refused"),
        (answering(503, b"later"), "refused"),
        (answering(409, b"no size"), "fork"),
        (answering(409, b"007\n"), "fork"),
        (answering(409, b"5\n"), "fork"),
        (answering(409, b"8\n"), "ahead"),
        (answering(422, b"no"), "fork"),
        (lambda handler: handler.wfile.write(b"no HTTP\r\n\r\n"), "silent"),
        (lambda handler: handler.connection.close(), "silent"),
    ],
)  # fmt: skip
def test_whatever_else_answers_gives_no_cosignature(
    town: Town, answer: Callable[[BaseHTTPRequestHandler], None], result: str
) -> None:
    watch = Watch()
    town.rogue("a", answer)
    log = town.panel("quorum a", watch)
    assert log.grow(7) == note_of(7)
    assert f'placet_log_witnessed_total{{result="{result}"}} 1.0' in exposition(watch).decode()


def test_who_answers_too_late_holds_up_nobody(town: Town) -> None:
    watch, end = Watch(), threading.Event()
    town.witness("a")

    def slow(_: BaseHTTPRequestHandler) -> None:
        end.wait()

    town.rogue("b", slow)
    log = town.panel("group g any a b; quorum g", watch)
    try:
        for size in (7, 9):
            assert log.grow(size).startswith(note_of(size))
    finally:
        end.set()
    assert 'placet_log_witnessed_total{result="silent"} 2.0' in exposition(watch).decode()


def test_a_policy_whose_witnesses_cannot_be_asked_is_no_policy_for_a_log(town: Town, tmp_path: Path) -> None:
    policy = read_policy(f"witness a {KEYS['a'].vkey}\nquorum a\n")
    with pytest.raises(ValueError, match=r"the witnesses with a URL cannot make the quorum `a`"):
        Panel(policy, FolderStore(tmp_path / "log"), Watch(), 1)
    policy = read_policy(f"witness a {KEYS['a'].vkey} ftp://w.example/\nquorum a\n")
    with pytest.raises(ValueError, match=r"expected http\(s\)://HOST"):
        Panel(policy, FolderStore(tmp_path / "other"), Watch(), 1)


def asked(
    url: str, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> tuple[int, str, bytes]:
    with closing(HTTPConnection(url.removeprefix("http://"))) as connection:
        connection.putrequest(method, path)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        return response.status, response.headers["Content-Type"], response.read()


def test_the_face_of_a_witness_answers_as_laid_down(town: Town) -> None:
    url = town.witness("a").url
    body = call(0, 7)
    length = {"Content-Length": str(len(body))}
    status, _, said = asked(url, "POST", "/add-checkpoint", length, body)
    assert (status, said.decode()) == (200, KEYS["a"].cosign(Checkpoint(ORIGIN, 7, log_of("leaf", 7).edge.root()).text, 1_700_000_000).line)  # fmt: skip
    assert asked(url, "POST", "/add-checkpoint", length, body) == (409, "text/x.tlog.size", b"7\n")  # fmt: skip
    assert asked(url, "GET", f"/{PLACE}/checkpoint")[2] == note_of(7) + said
    for method, path, headers, expected in (
        ("POST", "/add-checkpoint", {}, 411),
        ("POST", "/add-checkpoint", {"Content-Length": "-1"}, 411),
        ("POST", "/add-checkpoint", {"Content-Length": str(ASKED_BYTES_MAX + 1)}, 413),
        ("POST", "/add-checkpoint", {"Content-Length": "0"}, 400),
        ("POST", "/elsewhere", {"Content-Length": "0"}, 404),
        ("GET", f"/{PLACE}/against", {}, 404),
        ("GET", f"/{'0' * 64}/checkpoint", {}, 404),
        ("GET", "/../witness.key", {}, 404),
    ):
        assert asked(url, method, path, headers)[0] == expected, (method, path, headers)


def test_a_witness_that_could_not_keep_answers_nothing_more(town: Town) -> None:
    server = town.witness("a")
    store = town.witnesses["a"]._store
    assert isinstance(store, FolderStore)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    store._write = fail  # type: ignore[method-assign, assignment]
    body = call(0, 7)
    length = {"Content-Length": str(len(body))}
    for _ in range(2):
        assert asked(server.url, "POST", "/add-checkpoint", length, body)[0] == 503
    assert server.ended.is_set()
    assert not server.live()

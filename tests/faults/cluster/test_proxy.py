"""The proxy before a broker of three lines: what is held, repeated, cut and counted, and in what order."""

import socket
from collections.abc import Iterator
from struct import pack
from threading import Thread

import pytest

from tests.faults.cluster import wire
from tests.faults.cluster.proxy import Proxy
from tests.faults.cluster.rules import Act, Rule, Way

PATIENCE_S = 10


def end_txn(correlation: int, *, commits: bool, client: bytes = b"worker-a") -> bytes:
    """Return EndTxn version 1 as the protocol guide has it: transactional id, producer id, epoch, whether to commit."""
    body = pack(">hhih", 26, 1, correlation, len(client)) + client + pack(">h", 2) + b"id" + pack(">qhb", 4, 5, commits)
    return pack(">i", len(body)) + body


def fetch(correlation: int, client: bytes = b"worker-a") -> bytes:
    body = pack(">hhih", 1, 11, correlation, len(client)) + client + b"whatever"
    return pack(">i", len(body)) + body


def answer_to(frame: bytes, error: int = 0) -> bytes:
    """Return an answer that begins with a throttle time and an error code."""
    return pack(">iiih", 10, wire.request_of(frame).correlation, 0, error)


class Broker:
    """Answers each frame in order, and remembers what arrived."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.arrived: list[int] = []
        self.error = 0
        Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                one, _ = self.server.accept()
            except OSError:
                return
            Thread(target=self._serve, args=(one,), daemon=True).start()

    def _serve(self, one: socket.socket) -> None:
        buffer = bytearray()
        with one:
            while data := one.recv(4_096):
                buffer += data
                for frame in wire.frames_of(buffer):
                    self.arrived.append(wire.request_of(frame).correlation)
                    one.sendall(answer_to(frame, self.error))


@pytest.fixture
def broker() -> Iterator[Broker]:
    made = Broker()
    yield made
    made.server.close()


@pytest.fixture
def proxy(broker: Broker) -> Iterator[Proxy]:
    made = Proxy({1: broker.port})
    yield made
    made.close()


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.ports[1]), PATIENCE_S) as made:
        yield made


def correlations(client: socket.socket, count: int) -> list[int]:
    """Return which requests were answered, in order."""
    buffer, found = bytearray(), list[int]()
    while len(found) < count:
        data = client.recv(4_096)
        assert data, "the connection was closed"
        buffer += data
        found += [wire.correlation_of(frame) for frame in wire.frames_of(buffer)]
    return found


def test_the_header_of_a_request_is_read() -> None:
    assert wire.request_of(end_txn(7, commits=True)) == (26, 1, 7, "worker-a", True)
    assert wire.request_of(end_txn(8, commits=False)) == (26, 1, 8, "worker-a", False)
    assert wire.request_of(fetch(9)) == (1, 11, 9, "worker-a", None)


def test_the_end_of_a_transaction_is_read_in_the_flexible_version_as_well() -> None:
    body = pack(">hhih", 26, 3, 7, 1) + b"w" + b"\x00" + b"\x03id" + pack(">qhb", 4, 5, 1) + b"\x00"
    assert wire.request_of(pack(">i", len(body)) + body).commits is True
    flexible = pack(">iib", 11, 7, 0) + pack(">ih", 0, 90)
    assert wire.error_of(wire.END_TXN, 3, flexible) == 90


def test_frames_come_off_a_buffer_whole() -> None:
    buffer = bytearray(fetch(1) + fetch(2)[:9])
    assert [wire.request_of(frame).correlation for frame in wire.frames_of(buffer)] == [1]
    buffer += fetch(2)[9:]
    assert [wire.request_of(frame).correlation for frame in wire.frames_of(buffer)] == [2]
    assert not buffer


def test_what_no_rule_takes_passes_in_order_and_is_counted(proxy: Proxy, broker: Broker, client: socket.socket) -> None:
    broker.error = 90
    client.sendall(fetch(1) + end_txn(2, commits=True) + fetch(3))
    assert correlations(client, 3) == [1, 2, 3]
    assert proxy.seen == {("worker-a", 1, 0): 2, ("worker-a", 26, 90): 1}
    assert proxy.fenced("worker-a") == 1
    assert not proxy.ended


def test_a_held_request_holds_what_is_behind_it_and_nobody_else(
    proxy: Proxy, broker: Broker, client: socket.socket
) -> None:
    rule = proxy.lay(Rule(Act.HOLD, apis={wire.END_TXN}, client="worker-a"))
    client.sendall(fetch(1) + end_txn(2, commits=True) + fetch(3))
    assert correlations(client, 1) == [1]
    assert rule.bit.wait(PATIENCE_S)
    with socket.create_connection(("127.0.0.1", proxy.ports[1]), PATIENCE_S) as other:
        other.sendall(end_txn(9, commits=True, client=b"worker-b"))
        assert correlations(other, 1) == [9]
    assert broker.arrived == [1, 9]
    proxy.lift(rule)
    assert correlations(client, 2) == [2, 3]
    assert rule.struck == {"worker-a": 1}
    assert proxy.ended == {("worker-a", True): 1, ("worker-b", True): 1}


def test_a_late_request_arrives_though_its_client_has_gone(proxy: Proxy, broker: Broker, client: socket.socket) -> None:
    rule = proxy.lay(Rule(Act.HOLD, apis={wire.END_TXN}, late=True))
    client.sendall(end_txn(2, commits=True) + fetch(3))
    assert rule.bit.wait(PATIENCE_S)
    client.close()
    proxy.lift(rule)
    with socket.create_connection(("127.0.0.1", proxy.ports[1]), PATIENCE_S) as other:
        while ("worker-a", wire.END_TXN, 0) not in proxy.seen:
            other.sendall(fetch(4, b"other"))
            correlations(other, 1)
    assert broker.arrived.count(2) == 1


def test_a_repeated_request_arrives_twice_and_is_answered_once(
    proxy: Proxy, broker: Broker, client: socket.socket
) -> None:
    proxy.lay(Rule(Act.REPEAT, apis={wire.END_TXN}, most=1))
    client.sendall(end_txn(2, commits=True) + fetch(3) + end_txn(4, commits=True))
    assert correlations(client, 3) == [2, 3, 4]
    assert broker.arrived == [2, 2, 3, 4]


def test_a_cut_answer_leaves_the_request_done(proxy: Proxy, broker: Broker, client: socket.socket) -> None:
    rule = proxy.lay(Rule(Act.CUT, Way.ANSWERED, apis={wire.END_TXN}, commits=True))
    client.sendall(end_txn(2, commits=True))
    with pytest.raises((ConnectionResetError, AssertionError)):
        correlations(client, 1)
    assert rule.count == 1
    assert broker.arrived == [2]


def test_connections_are_reset_by_client(proxy: Proxy, client: socket.socket) -> None:
    client.sendall(fetch(1))
    assert correlations(client, 1) == [1]
    assert proxy.cut("worker-b") == 0
    assert proxy.cut("worker") == 1
    with pytest.raises((ConnectionResetError, AssertionError)):
        correlations(client, 1)

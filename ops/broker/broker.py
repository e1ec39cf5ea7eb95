"""Run a real Apache Kafka, one node or three, from plain jars: no containers, only Java and Maven.

    python ops/broker/broker.py start --port 9092 --dir build/broker [--nodes 3] [--keep]
    python ops/broker/broker.py status --dir build/broker
    python ops/broker/broker.py stop --dir build/broker

The jars are fetched once, into $PLACET_CACHE or ~/.cache/placet, and compared with `jars.sha256`.
Exit codes: 0 fine, 1 could not run, 2 wrong usage, 3 not (wholly) running.
"""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from string import Template
from typing import Self

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient

from jars import BrokerError, jars, need

HERE = Path(__file__).resolve().parent
# Any 16 bytes in base64: these spell `placet-broker-01`.
CLUSTER_ID = "cGxhY2V0LWJyb2tlci0wMQ"
# Nodes lie this far apart: a listener, then its controller.
PORT_STEP = 10
HEAP = "512m"
START_S_MAX = 90.0
STOP_S_MAX = 20.0


def render(node: int, port: int, nodes: int, data: Path) -> str:
    """Return the `server.properties` of one node (from 1) of a cluster whose first node listens on `port`."""
    ports = {n: port + PORT_STEP * (n - 1) for n in range(1, nodes + 1)}
    return Template((HERE / "server.properties").read_text()).substitute(
        NODE=node,
        PORT=ports[node],
        CONTROLLER_PORT=ports[node] + 1,
        VOTERS=",".join(f"{n}@127.0.0.1:{p + 1}" for n, p in ports.items()),
        DATA=data,
        COPIES=nodes,
        IN_SYNC=min(nodes, 2),
    )


def free_port(nodes: int = 1) -> int:
    """Return a port at which a cluster of `nodes` can listen.

    Taken from below the range systems hand out for outgoing connections, so
    that a broker that was killed finds its port free again.
    """
    for port in range(21_000 + os.getpid() % 400 * 20, 32_000, PORT_STEP * nodes):
        wanted = [port + PORT_STEP * n + extra for n in range(nodes) for extra in (0, 1)]
        if all(_can_listen(p) for p in wanted):
            return port
    message = "no free port between 21000 and 32000"
    raise BrokerError(message)


def _can_listen(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Broker:
    """A Kafka cluster of one or three nodes on this host, its data and logs in one folder.

    It outlives the process that started it; `stop` may be called from another
    one that names the same folder. `extra` are settings of every node that
    stand over those of the file, for a test of what else a broker may be.
    `advertised` is by node the port that clients and the other nodes are told
    to reach it at, where something stands before it; `heap` its memory.
    """

    def __init__(
        self,
        home: Path,
        port: int | None = None,
        nodes: int = 1,
        *,
        extra: Mapping[str, str] | None = None,
        advertised: Mapping[int, int] | None = None,
        heap: str = HEAP,
    ) -> None:
        self.home = home.resolve()
        self.nodes = nodes
        self.extra = dict(extra or {})
        self.advertised = dict(advertised or {})
        self.heap = heap
        self.port = free_port(nodes) if port is None else port
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    @classmethod
    def found(cls, home: Path) -> Self:
        """Return the cluster whose folder this is, running or not; a folder without one is a `BrokerError`."""
        numbers = sorted(int(p.parent.name) for p in home.glob("[1-9]/server.properties"))
        if not numbers:
            message = f"{home}: no broker was ever started here"
            raise BrokerError(message)
        text = (home / "1" / "server.properties").read_text()
        port = int(text.split("advertised.listeners=PLAINTEXT://127.0.0.1:")[1].split("\n")[0])
        return cls(home, port, len(numbers))

    @property
    def bootstrap(self) -> str:
        """Where clients connect: `host:port`, comma separated."""
        return ",".join(f"127.0.0.1:{self.port + PORT_STEP * n}" for n in range(self.nodes))

    def start(self, *, keep: bool = False) -> Self:
        """Start every node that is down and return once transactions are served.

        Without `keep` all data of an earlier run is removed first. Raises
        `BrokerError` when Java, Maven or the jars are missing, when a node dies,
        or when nothing answers within `START_S_MAX` seconds.
        """
        libraries = jars(HERE)
        if not keep:
            self.stop()
            for n in self._numbers():
                shutil.rmtree(self.home / str(n), ignore_errors=True)
        try:
            for n in self._numbers():
                if not self.alive(n):
                    self._launch(n, libraries)
            self._wait_until_serving()
        except BaseException:  # whoever gives up waiting, a person at the keyboard too, leaves nothing running
            self.kill()
            raise
        return self

    def stop(self, node: int | None = None) -> None:
        """Stop one node, or all: asked first, killed after `STOP_S_MAX` seconds. What is not running is left alone."""
        self._signal(signal.SIGTERM, node)
        if not _until(lambda: not (self.alive(node) if node else self.running()), STOP_S_MAX):
            self.kill(node)

    def kill(self, node: int | None = None) -> None:
        """End one node, or all, as a crash would (SIGKILL), and return when gone. The data stays; `start(keep=True)`."""
        self._signal(signal.SIGKILL, node)
        _until(lambda: not (self.alive(node) if node else self.running()), STOP_S_MAX)

    def running(self) -> list[int]:
        """Return the numbers of the nodes that live."""
        return [n for n in self._numbers() if self.alive(n)]

    def alive(self, node: int) -> bool:
        """Tell whether a node's process lives; a process id that went to another program is not it."""
        child = self._children.get(node)
        if child is not None:
            if child.poll() is None:
                return True
            del self._children[node]
            return False
        pid = self._pid(node)
        return pid is not None and str(self._config(node)) in _command_line(pid)

    def log_tail(self, node: int, lines: int = 15) -> str:
        """Return the end of a node's log, for a person who asks why it died."""
        log = self.home / str(node) / "broker.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else "(no log)"

    def _numbers(self) -> range:
        return range(1, self.nodes + 1)

    def _config(self, node: int) -> Path:
        return self.home / str(node) / "server.properties"

    def _pid(self, node: int) -> int | None:
        file = self.home / str(node) / "pid"
        return int(file.read_text()) if file.exists() else None

    def _signal(self, number: signal.Signals, node: int | None = None) -> None:
        for n in [node] if node else self.running():
            pid = self._pid(n)
            if pid is not None and self.alive(n):
                os.kill(pid, number)

    def _launch(self, node: int, libraries: Path) -> None:
        config = self._config(node)
        data = config.parent / "data"
        config.parent.mkdir(parents=True, exist_ok=True)
        # Of a setting that stands twice the last counts.
        over = "".join(f"{name}={value}\n" for name, value in self.extra.items())
        if node in self.advertised:
            over += f"advertised.listeners=PLAINTEXT://127.0.0.1:{self.advertised[node]}\n"
        config.write_text(render(node, self.port, self.nodes, data) + over)
        java = [need("java"), "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{libraries}/*"]
        if not (data / "meta.properties").exists():
            done = subprocess.run(  # the whole command is made here
                [*java, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(config)],
                check=False,
                capture_output=True,
                text=True,
            )
            if done.returncode:
                message = f"node {node}: the data folder could not be formatted:\n{done.stdout}{done.stderr}"
                raise BrokerError(message)
        with (config.parent / "broker.log").open("ab") as log:
            child = subprocess.Popen(
                [java[0], f"-Xms{self.heap}", f"-Xmx{self.heap}", *java[1:], "kafka.Kafka", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=config.parent,
            )
        self._children[node] = child
        (config.parent / "pid").write_text(str(child.pid))

    def _wait_until_serving(self) -> None:
        """Return when every node is seen and a transaction coordinator has answered, which loads it too."""
        client: dict[str, str | int | float | bool] = {
            "bootstrap.servers": self.bootstrap,
            "socket.timeout.ms": 1000,
            "log_level": 0,
        }
        deadline = time.monotonic() + START_S_MAX
        while time.monotonic() < deadline:
            for n in self._numbers():
                if not self.alive(n):
                    message = f"node {n} ended while starting; the end of its log:\n{self.log_tail(n)}"
                    raise BrokerError(message)
            try:
                if len(AdminClient(client).list_topics(timeout=1).brokers) == self.nodes:
                    Producer({**client, "transactional.id": "placet-broker-ready"}).init_transactions(30)
                    return
            except KafkaException:
                pass  # not up yet: the deadline bounds how often this is asked
            time.sleep(0.1)
        message = f"{self.bootstrap} did not answer within {START_S_MAX:.0f} s; the end of its log:\n{self.log_tail(1)}"
        raise BrokerError(message)


def _until(holds: Callable[[], bool], seconds: float) -> bool:
    """Ask until it holds, and return True, or until the seconds have gone, and return False."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _command_line(pid: int) -> str:
    """Return a process's command line, empty when there is no such process."""
    proc = Path("/proc")
    if (proc / "self").exists():
        try:
            return (proc / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    done = subprocess.run(
        [need("ps"), "-ww", "-o", "command=", "-p", str(pid)], check=False, capture_output=True, text=True
    )
    return done.stdout


def _start(options: argparse.Namespace) -> int:
    broker = Broker(options.dir, options.port, options.nodes)
    broker.start(keep=options.keep)
    print(f"broker at {broker.bootstrap}, data and logs in {options.dir}")
    print(f"stop it with: {sys.executable} {sys.argv[0]} stop --dir {options.dir}")
    return 0


def _stop(options: argparse.Namespace) -> int:
    broker = Broker.found(options.dir)
    count = len(broker.running())
    broker.stop()
    print(f"stopped {count} of {broker.nodes} nodes; the data stays in {options.dir}")
    return 0


def _status(options: argparse.Namespace) -> int:
    broker = Broker.found(options.dir)
    up = broker.running()
    print(f"{broker.bootstrap}: {len(up)} of {broker.nodes} nodes running")
    return 0 if len(up) == broker.nodes else 3


def main() -> int:
    """Run one verb and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name, run in (("start", _start), ("stop", _stop), ("status", _status)):
        verb = verbs.add_parser(name)
        verb.set_defaults(run=run)
        verb.add_argument("--dir", type=Path, required=True, help="folder of its data, logs and process ids")
    start = verbs.choices["start"]
    start.add_argument("--port", type=int, default=9092, help="the first node listens here, its controller one above")
    start.add_argument("--nodes", type=int, choices=(1, 3), default=1)
    start.add_argument("--keep", action="store_true", help="keep the data of the last run")
    options = parser.parse_args()
    try:
        return int(options.run(options))
    except BrokerError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())

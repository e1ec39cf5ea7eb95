"""The services of the compose file, each started on this host by its own command and environment against a real broker."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest
from ruamel.yaml import YAML

from broker import Broker
from tests.drivers.kafka.stand import until

ROOT = Path(__file__).parent.parent.parent
OURS = {name: value for name, value in os.environ.items() if not name.startswith("PLACET_")}


@pytest.fixture(scope="module")
def compose() -> Any:
    return YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text())


def image_environment() -> dict[str, str]:
    [line] = re.findall(r"^ENV (.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    return {name: value for name, value in (word.split("=", 1) for word in line.split()) if name != "PATH"}


class Host:
    """This host in the place of the containers: their names, addresses and volumes are put on what is here."""

    def __init__(self, compose: Any, bootstrap: str, home: Path) -> None:
        self.services = compose["services"]
        self._bootstrap = bootstrap
        self._home = home

    def start(self, name: str) -> "subprocess.Popen[str]":
        service = self.services[name]
        mounts = dict(one.split(":")[1::-1] for one in service.get("volumes", ()))
        for volume in mounts.values():
            (self._home / volume).mkdir(mode=0o700, parents=True, exist_ok=True)

        def here(text: str) -> str:
            # What nobody has set is what stands behind it.
            text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
            for inside, volume in mounts.items():
                text = re.sub(rf"^{re.escape(inside)}(?=/|$)", str(self._home / volume), text)
            return text.replace("broker:19092", self._bootstrap).replace("0.0.0.0", "127.0.0.1")

        environment = {**image_environment(), **service.get("environment", {})}
        # Containers have each an address of their own, and so all the same port.
        env = {**OURS, **{key: here(value) for key, value in environment.items()}, "PLACET_METRICS_PORT": "0"}
        env["PLACET_DATA"] = str(self._home / mounts.get("/var/lib/placet", name))
        log = (self._home / f"{name}.log").open("w")
        with log:
            return subprocess.Popen(
                [sys.executable, "-m", "placet.faces.cli", *map(here, service["command"])],
                env=env,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                text=True,
                cwd=self._home,
            )

    def said(self, name: str) -> str:
        return (self._home / f"{name}.log").read_text()

    @contextmanager
    def running(self, name: str) -> Iterator["subprocess.Popen[str]"]:
        process = self.start(name)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()

    def url(self, name: str, process: "subprocess.Popen[str]") -> str:
        """Return where a service says that its probes are, once it does."""

        def look() -> str:
            assert process.poll() is None, self.said(name)
            found = re.search(r" url=(http://\S+)", self.said(name))
            return found[1] if found else ""

        return until(look)


def get(url: str) -> tuple[int, str]:
    try:
        with urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, ""
    except URLError:
        return 0, ""


def verdicts(url: str) -> float:
    return sum(float(value) for value in re.findall(r"^placet_verdicts_total\{.*\} (\S+)$", get(url)[1], re.MULTILINE))


def leaves(url: str) -> float:
    found = re.search(r"^placet_log_tree_size (\S+)$", get(f"{url}/metrics")[1], re.MULTILINE)
    return float(found[1]) if found else 0


def order(services: Mapping[str, Any]) -> list[str]:
    """Return our own services, each after all it depends on."""
    ours = {name: set(service.get("depends_on", ())) for name, service in services.items() if "build" in service}
    found: list[str] = []
    while left := [name for name in ours if name not in found]:
        free = [name for name in left if not (ours[name] & ours.keys()) - set(found)]
        assert free, "services that wait for each other"
        found += free
    return found


@pytest.mark.slow
@pytest.mark.broker
def test_every_service_comes_up_from_its_own_command_and_the_agents_are_answered(compose: Any, tmp_path: Path) -> None:
    node = Broker(tmp_path / "broker").start()
    host = Host(compose, node.bootstrap, tmp_path)
    once = {
        name
        for service in compose["services"].values()
        for name, wait in dict(
            service.get("depends_on", {}) if isinstance(service.get("depends_on"), dict) else {}
        ).items()
        if wait["condition"] == "service_completed_successfully"
    }
    urls: dict[str, str] = {}
    serving: dict[str, subprocess.Popen[str]] = {}
    try:
        with ExitStack() as stack:
            for name in order(compose["services"]):
                process = stack.enter_context(host.running(name))
                if name in once:
                    assert process.wait(120) == 0, host.said(name)
                    continue
                serving[name] = process
                if name != "agents":
                    urls[name] = host.url(name, process)
            for name, url in urls.items():
                until(lambda url=url: get(f"{url}/readyz")[0], lambda code: code == 200)  # type: ignore[misc]
                assert get(f"{url}/livez")[0] == 200, host.said(name)
            assert set(urls) == {"worker-0", "worker-1", "context", "notary"}
            workers = [url for name, url in urls.items() if name.startswith("worker-")]
            # Each decides some of what the agents ask: both have partitions, and keys fall on all of them.
            until(lambda: sum(verdicts(f"{url}/metrics") for url in workers), lambda count: count >= 10)
            until(lambda: leaves(urls["notary"]), lambda count: count >= 10)
            assert serving["agents"].poll() is None, host.said("agents")
            for process in serving.values():
                process.send_signal(signal.SIGTERM)
            for name in urls:
                assert serving[name].wait(60) == 0, host.said(name)
    finally:
        node.stop()

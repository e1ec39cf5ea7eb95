"""What probes hear: live and ready are two questions, and each has a status code."""

import json
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from placet.errors import Unavailable
from placet.faces.cli.probes import Probes


class Patient:
    """Answers what a test makes it."""

    def __init__(self) -> None:
        self.alive = True
        self.serves = False

    def live(self) -> bool:
        return self.alive

    def ready(self) -> bool:
        return self.serves

    def measure(self) -> bytes:
        return b"placet_rebalances_total 1.0\n"


@pytest.fixture
def patient() -> Patient:
    return Patient()


@pytest.fixture
def probes(patient: Patient) -> Iterator[Probes]:
    made = Probes(patient, "127.0.0.1", 0)
    yield made
    made.stop()


def ask(probes: Probes, path: str) -> tuple[int, str]:
    try:
        with urlopen(probes.url + path, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def status(probes: Probes, path: str) -> tuple[int, str]:
    code, body = ask(probes, path)
    return code, json.loads(body)["status"]


def test_live_and_ready_are_two_questions(probes: Probes, patient: Patient) -> None:
    assert (status(probes, "/livez"), status(probes, "/readyz")) == ((200, "live"), (503, "not ready"))
    patient.serves = True
    assert (status(probes, "/livez"), status(probes, "/readyz?verbose")) == ((200, "live"), (200, "ready"))
    patient.alive = patient.serves = False
    assert (status(probes, "/livez"), status(probes, "/readyz")) == ((503, "stalled"), (503, "not ready"))


def test_metrics_are_told_and_nothing_else(probes: Probes) -> None:
    assert ask(probes, "/metrics") == (200, "placet_rebalances_total 1.0\n")
    assert ask(probes, "/secrets")[0] == 404


def test_a_port_that_is_taken_is_named(probes: Probes, patient: Patient) -> None:
    port = int(probes.url.rpartition(":")[2])
    with pytest.raises(Unavailable, match=rf"127.0.0.1:{port}: cannot listen here .* PLACET_METRICS_PORT"):
        Probes(patient, "127.0.0.1", port)

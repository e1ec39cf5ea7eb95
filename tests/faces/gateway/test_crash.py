"""A real executor process dies between its claim and its act, and again in the middle of the act: nothing is done twice."""

import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from placet.faces.gateway.server import Server
from tests.faces.shop import until
from tests.support.world import AGENT, EXECUTOR, PERSON, TENANT

# argv: data folder, begun-set, file of deeds, action, where to die
PROCESS = f"""
import os, sys, threading
import placet
from placet.faces.sdk import performance

data, begun, deeds, action, die = sys.argv[1:]
done = threading.Event()

if die == "before":
    def killed(*_):
        os._exit(9)
    performance.Performance._ran = killed

with placet.connect(data=data) as connection:
    executor = placet.Executor(connection, name="{EXECUTOR}", tenant="{TENANT}", begun=begun)

    @executor.on("shop.*")
    def act(grant):
        with open(deeds, "a") as file:
            file.write(grant.id + "\\n")
        if die == "during":
            os._exit(9)
        done.set()

    with executor:
        agent = placet.Agent(connection, tenant="{TENANT}", actor="{AGENT}", authority="{PERSON}", mandate="m1")
        print(agent.ask(action, "order/7", {{"amount": 1}} if action == "shop.refund" else {{}}, audience="{EXECUTOR}").id, flush=True)
        done.wait(30)
"""


def process(server: Server, folder: Path, action: str, die: str) -> tuple[int, str]:
    """Run an executor that asks for one action and may die of it; return its exit code and the intent's id."""
    arguments = [str(server.settings.data), str(folder / "begun"), str(folder / "deeds"), action, die]
    command = [sys.executable, "-c", PROCESS, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode in (0, 9), ended.stderr
    return ended.returncode, ended.stdout.strip()


def deeds(folder: Path) -> list[str]:
    path = folder / "deeds"
    return path.read_text().split() if path.exists() else []


@pytest.mark.parametrize("action", ["shop.refund", "shop.look"])
@pytest.mark.parametrize(("die", "acted"), [("before", 0), ("during", 1)])
def test_an_executor_that_dies_never_acts_twice(
    server: Server, client: httpx2.Client, tmp_path: Path, action: str, die: str, acted: int
) -> None:
    code, first = process(server, tmp_path, action, die)
    assert code == 9
    assert len(deeds(tmp_path)) == acted
    # The next process reads the same grants again, and takes only the new one.
    code, second = process(server, tmp_path, action, "never")
    assert code == 0
    assert deeds(tmp_path)[acted:] == [second]
    until("done", lambda: state(client, second) == "done")
    if first:
        # What the dead process was doing nobody knows: it stays claimed until that is said.
        assert state(client, first) == "claimed"


def test_a_begun_set_that_was_lost_begins_nothing_it_cannot_know(server: Server, tmp_path: Path) -> None:
    assert process(server, tmp_path, "shop.look", "during")[0] == 9
    (tmp_path / "begun").unlink()
    _, second = process(server, tmp_path, "shop.look", "never")
    assert deeds(tmp_path)[1:] == [second]


def state(client: httpx2.Client, intent_id: str) -> str:
    found: str = client.get(f"/v1/intents/{TENANT}/{PERSON}/{intent_id}").json()["state"]
    return found

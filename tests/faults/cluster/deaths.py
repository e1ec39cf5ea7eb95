"""Faults of processes: killed, stopped, doubled, thrown about, starved."""

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from confluent_kafka import Consumer

from placet.model.topics import INPUTS
from tests.faults.cluster import wire
from tests.faults.cluster.children import Child, verb
from tests.faults.cluster.rules import Act, Rule
from tests.faults.cluster.site import Site

STOPPED_S = 13.0
"""Past the session timeout and the transaction timeout, 6 s each."""
STORM_S = 1.0
AGAIN = "starting again"
"""What a worker says that throws its producer away."""


@contextmanager
def killed_in_mid_transaction(site: Site) -> Iterator[None]:
    """F1: SIGKILL of a worker whose EndTxn is on its way and never arrives, of an executor, and of those who ask."""
    victim = site.draw.choice(site.workers)
    held = site.proxy.lay(Rule(Act.HOLD, apis={wire.END_TXN}, client=victim.name, commits=True))
    site.until(held.bit.is_set, "no commit was asked for")
    dead = (victim, site.draw.choice((site.shop, site.other)), site.agents)
    before = sum(one.ends.count(-9) for one in dead)
    for one in dead:
        one.kill()
    site.agents.start()
    yield
    site.proxy.lift(held)
    for one in dead:
        one.start()
    site.prove("EndTxns that never arrived", held.count)
    site.prove("kills", sum(one.ends.count(-9) for one in dead) - before)


@contextmanager
def stopped_past_its_session(site: Site) -> Iterator[None]:
    """F2: SIGSTOP of a worker in mid transaction, longer than its session and its transaction live, then SIGCONT."""
    victim = site.draw.choice(site.workers)
    held = site.proxy.lay(Rule(Act.HOLD, apis={wire.ADD_OFFSETS_TO_TXN}, client=victim.name))
    site.until(held.bit.is_set, "no transaction was begun")
    victim.signal(signal.SIGSTOP)
    site.proxy.lift(held)
    yield
    before = _turned_away(site, victim)
    victim.signal(signal.SIGCONT)
    site.until(lambda: _turned_away(site, victim) > before, "nobody turned the zombie away")
    site.prove("times the zombie was turned away", _turned_away(site, victim) - before)


def _turned_away(site: Site, worker: Child) -> int:
    """Return how often a worker was fenced, or threw its producer away because its transaction was no longer its own."""
    return site.proxy.fenced(worker.name) + worker.told(AGAIN)


@contextmanager
def two_on_one_slot(site: Site) -> Iterator[None]:
    """F3: a second worker under the same slot, from another folder, as on another machine."""
    twin = verb(
        ["worker", "--bootstrap", site.bootstrap, "--slot", site.a.name, "--data", str(site.data("twin"))],
        "twin",
        site.folder / "twin.log",
        site.env,
    )
    before = site.proxy.fenced(site.a.name)
    twin.start()
    try:
        site.until(lambda: site.proxy.fenced(site.a.name) > before, "nobody was fenced")
        yield
    finally:
        twin.kill()
    site.prove("answers that fenced one of two", site.proxy.fenced(site.a.name) + site.proxy.fenced("twin") - before)


@contextmanager
def rebalance_storm(site: Site) -> Iterator[None]:
    """F4: members join the group and leave it all the time, in the middle of transactions."""
    before = _joins(site)
    stop = Event()
    thread = Thread(target=_storm, args=(site, stop))
    thread.start()
    try:
        yield
        # Where most brokers were down there was no group that could be disturbed: now there is.
        site.until(lambda: _joins(site) > before, "no worker had to join again")
    finally:
        stop.set()
        thread.join()
    site.prove("times a worker had to join again", _joins(site) - before)


def _storm(site: Site, stop: Event) -> None:
    options = site.connection.member("storm") | {"client.id": "storm"}
    del options["group.instance.id"]
    while not stop.is_set():
        member = Consumer(options)
        member.subscribe([site.connection.title(topic) for topic in INPUTS])
        # It takes what it is given away from the workers, and decides nothing of it.
        while not member.assignment() and not stop.is_set():
            member.poll(0.1)
        stop.wait(STORM_S)
        member.close()
        stop.wait(STORM_S)


def _joins(site: Site) -> int:
    names = {worker.name for worker in site.workers}
    return sum(n for (who, api, _), n in list(site.proxy.seen.items()) if who in names and api == wire.JOIN_GROUP)


@contextmanager
def starved(site: Site) -> Iterator[None]:
    """F31: a worker without one file descriptor to spare that must connect anew; the other without most of its time."""
    poor, slow = site.draw.sample(site.workers, 2)
    usual = resource.prlimit(poor.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(poor.pid, resource.RLIMIT_NOFILE, (3, usual[1]))
    cuts = site.proxy.cut(poor.name)
    ended, lives = site.proxy.ended[poor.name, True], poor.begun
    stop, stops = Event(), [0]

    def breathe() -> None:
        """Let the slow one run a fifth of the time."""
        while not stop.is_set():
            slow.signal(signal.SIGSTOP)
            stops[0] += 1
            stop.wait(0.4)
            slow.signal(signal.SIGCONT)
            stop.wait(0.1)

    thread = Thread(target=breathe)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        slow.signal(signal.SIGCONT)
    # A worker that could not go on without a connection has ended, and was begun again with descriptors enough.
    bit = site.proxy.ended[poor.name, True] <= ended + 1 or poor.begun > lives
    site.prove("connections that could not be made again", cuts if bit else 0)
    site.prove("times a worker lost the processor", stops[0])
    poor.kill()
    poor.start()


@contextmanager
def herd(site: Site) -> Iterator[None]:
    """F32: everybody who decides and folds is killed, and all begin cold at once."""
    dead = (*site.workers, site.context)
    restores = _inits(site)
    for one in dead:
        one.kill()
    for data in site.folder.glob("worker-*/warm-*"):
        data.rename(data.with_name(f"old-{restores}-{data.name}"))
    for one in dead:
        one.start()
    yield
    site.until(lambda: _inits(site) >= restores + 2, "the workers do not come back")
    site.prove("kills", sum(one.ends.count(-9) for one in dead))
    site.prove("producers made again", _inits(site) - restores)


def _inits(site: Site) -> int:
    return sum(site.proxy.seen[worker.name, wire.INIT_PRODUCER_ID, 0] for worker in site.workers)


@contextmanager
def damaged_disk(site: Site) -> Iterator[None]:
    """F14: the copy on a worker's disk is damaged while it is down: bytes flipped, files cut short, or an old copy put back."""
    victim = site.draw.choice(site.workers)
    victim.kill()
    warm = next((site.folder / victim.name).glob("warm-*"))
    count = site.draw.choice((_flip, _cut_short, _lose_some))(site, warm)
    victim.start()
    yield
    site.until(lambda: _anew(victim), "nobody noticed the damage")
    site.prove("files damaged", count)
    site.prove("copies thrown away", _anew(victim))


def _anew(worker: Child) -> int:
    return worker.told("thrown away") + worker.told("read anew")


def _flip(site: Site, folder: Path) -> int:
    """Flip a bit in the middle of each file but the log, whose loss nobody would see."""
    files = [path for path in folder.iterdir() if path.stat().st_size and path.name.startswith(("MANIFEST", "CURRENT"))]
    for path in files:
        data = bytearray(path.read_bytes())
        data[site.draw.randrange(len(data))] ^= 1 << site.draw.randrange(8)
        path.write_bytes(data)
    return len(files)


def _cut_short(site: Site, folder: Path) -> int:
    files = [path for path in folder.iterdir() if path.name.startswith(("CURRENT", "MANIFEST"))]
    for path in files:
        os.truncate(path, path.stat().st_size // 2)
    return len(files)


def _lose_some(site: Site, folder: Path) -> int:
    files = [path for path in folder.iterdir() if path.name.startswith("MANIFEST")]
    for path in files:
        path.unlink()
    return len(files)

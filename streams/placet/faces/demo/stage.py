"""The stage of the demo: a journal in one folder, keys, packs, the company, and everybody at work for a while."""

import time
from contextlib import ExitStack
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

from placet.drivers.entropy import SystemEntropy
from placet.drivers.keyfile import add_key, ensure_keys
from placet.drivers.settings import Settings
from placet.errors import PlacetError, Unavailable
from placet.faces.cli.audit import audited
from placet.faces.cli.configured import settings_with
from placet.faces.cli.folders import read_pack, shipped
from placet.faces.cli.journal import Journal, now_ms
from placet.faces.cli.place import Place
from placet.faces.cli.policy_activate import activate, read_shelf
from placet.faces.cli.policy_push import push
from placet.faces.demo import cast
from placet.faces.demo.board import Board, Tally
from placet.faces.demo.clockwork import Clockwork
from placet.faces.demo.company import Company
from placet.faces.demo.executors import Crew
from placet.faces.demo.feeds import Feeds, alive
from placet.faces.demo.fleet import Fleet
from placet.faces.demo.view import View
from placet.faces.gateway.server import Server
from placet.faces.sdk.connection import Connection, connect
from placet.model.codec import seal
from placet.model.topics import Topic
from placet.policy.pack import load_pack

DRAIN_S = 2.0
TAKE_S = 60


class Summary(NamedTuple):
    """What came of a demo. `audit` is the report of the auditor over its own folder."""

    data: Path
    seconds: float
    tally: Tally
    books: dict[str, Any]
    audit: dict[str, Any]


def perform(data: Path, for_s: float | None, view: View, bootstrap: str = "") -> Summary:
    """Run the demo in `data` for `for_s` seconds (None: until Ctrl-C), shown by `view`, and audit what it wrote.

    With a `bootstrap` it asks the workers of that Kafka cluster instead of a
    desk of its own; keys and the company's books stay in `data`.
    """
    data.mkdir(parents=True, exist_ok=True)
    settings = settings_with(data=data, bootstrap=bootstrap, port=0)
    _ensure_keys(settings)
    board = Board()
    with ExitStack() as stage:
        server: Server | None = None
        if bootstrap:
            connection = stage.enter_context(connect(bootstrap=bootstrap, settings=settings))
            board.note("placet", f"asking {bootstrap}; look beside it with `placet tail --bootstrap {bootstrap}`")
        else:
            server = Server(settings)
            stage.callback(server.stop)
            stack = server.running.stack
            connection = stage.enter_context(
                Connection(stack.log, stack.keys.ring, keys=stack.keys, closing=lambda: None)
            )
            board.note("placet", f"up at {server.url}; look beside it with `placet tail --data {data}`")
        for partition in range(connection.log.partitions(Topic.DECISIONS)):
            connection.follower.join(board, partition)
        journal = Journal(connection)
        company = Company(data / "company.db")
        stage.callback(company.close)
        feeds = Feeds(journal, board)
        feeds.publish(cast.introductions(now_ms()))
        stage.enter_context(alive(connection))
        _activate(journal)
        clock = Clockwork(for_s)
        crew = Crew(connection, company, data, clock)
        stage.callback(crew.close)
        crew.start()
        _play(Fleet(journal, crew, feeds, clock, board), board, clock, view)
        crew.close()
        failure = (server.failed() if server is not None else None) or board.failure
        if failure is not None:
            raise failure
        seconds, books = clock.elapsed_s, company.books()
    # Everything is given back: what is audited is what a reader finds who comes tomorrow.
    return Summary(data, round(seconds, 1), board.tally(), books, audited(Place(bootstrap=bootstrap, data=data)))


def _play(fleet: Fleet, board: Board, clock: Clockwork, view: View) -> None:
    """Let everybody work until time is up or a person ends it."""
    threads = [
        Thread(target=_guarded, args=(job, board), name=f"demo-{job.__name__}", daemon=True) for job in fleet.jobs
    ]
    try:
        for thread in threads:
            thread.start()
        view.show(board, clock)
    except KeyboardInterrupt:
        pass
    finally:
        clock.ending.set()
        for thread in threads:
            thread.join(DRAIN_S + clock.round_s)
        view.rest(board)


def _guarded(job: Any, board: Board) -> None:
    try:
        job()
    except PlacetError as error:
        board.note(job.__name__, f"ended: {error}")


def _ensure_keys(settings: Settings) -> None:
    """Make the keys of the company that are not pinned yet."""
    entropy = SystemEntropy()
    known = ensure_keys(settings.keys_file, settings.secrets_dir, entropy)
    pinned = {(entry.purpose, entry.issuer) for entry in known.file.keys}
    if not any(purpose == "directory" for purpose, _ in pinned):
        add_key(settings.keys_file, settings.secrets_dir, "directory", "service:directory", entropy, sources=("*",))
    for purpose, issuer in cast.key_holders():
        if (purpose, issuer) not in pinned:
            add_key(settings.keys_file, settings.secrets_dir, purpose, issuer, entropy)


def _activate(journal: Journal) -> None:
    digests = []
    for name in cast.PACKS:
        files = read_pack(shipped(name))
        digest = load_pack(files, f"{name}/").digest
        push(journal, cast.TENANT, name, digest, files)
        digests.append(digest)
    shelf = read_shelf(journal.log, cast.TENANT)
    written = activate(journal, cast.TENANT, shelf, tuple(digests), "the demo")
    _taken(journal, written.partition, written.offset)


def _taken(journal: Journal, partition: int, offset: int) -> None:
    """Wait until a Seal says that the desks have read the policies past `offset`."""
    log, until = journal.log, time.monotonic() + TAKE_S
    at = log.end(Topic.DECISIONS, 0)
    while time.monotonic() < until:
        recs = log.read(Topic.DECISIONS, 0, at, 500, 500)
        for rec in recs:
            at = rec.offset + 1
            if rec.value is not None and rec.value.startswith(seal.HEADER):
                cut = {(mark.topic, mark.partition): mark.offset for mark in seal.decode(rec.value).read_cut}
                if cut.get((Topic.POLICIES, partition), 0) > offset:
                    return
    raise Unavailable(f"no desk has taken the packs within {TAKE_S} s")

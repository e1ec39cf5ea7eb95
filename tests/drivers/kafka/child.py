"""A worker in a process of its own that is stopped or killed at a named point: `child.py BOOTSTRAP PREFIX SLOT POINT`."""

import os
import signal
import sys

from confluent_kafka import Producer

from placet.drivers.kafka import Connection, KafkaJournal
from placet.drivers.kafka.outside import Outside
from placet.errors import PlacetError
from tests.drivers.kafka.stand import INTENTS, said, serve, taken


class Stopped(Producer):
    """Freezes the process when all of a transaction but its commit is with the broker."""

    def commit_transaction(self, timeout: float = -1) -> None:
        self.flush(30)
        os.kill(os.getpid(), signal.SIGSTOP)
        super().commit_transaction(timeout)


class Killed(Producer):
    """Ends the process there."""

    def commit_transaction(self, timeout: float = -1) -> None:
        self.flush(30)
        os.kill(os.getpid(), signal.SIGKILL)


def main(bootstrap: str, prefix: str, slot: str, point: str) -> None:
    producer = {"stopped in transaction": Stopped, "killed in transaction": Killed}.get(point, Producer)
    journal = KafkaJournal(Connection(bootstrap, prefix=prefix, outside=Outside(producer=producer)), slot)
    serve(journal)
    texts = taken(journal)
    if point == "stopped before commit":
        os.kill(os.getpid(), signal.SIGSTOP)
    try:
        journal.commit({0: said("by the child", ordinal=1)}, {0: {INTENTS: len(texts)}})
        print("committed", flush=True)
    except PlacetError as error:
        print(type(error).__name__, flush=True)
    journal.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Three real brokers, each behind its own port of one proxy."""

from contextlib import suppress
from pathlib import Path
from shutil import copytree
from typing import Self

from broker import PORT_STEP, Broker, free_port
from tests.faults.cluster.proxy import Proxy

NODES = 3
HEAP = "256m"
SETTINGS = {
    # A broker that is gone is noticed within seconds: a scenario does not last longer.
    "broker.session.timeout.ms": "6000",
    "broker.heartbeat.interval.ms": "1000",
    "replica.lag.time.max.ms": "6000",
    "log.cleaner.threads": "1",
    "num.replica.fetchers": "1",
    "delete.topic.enable": "true",
    "log.initial.task.delay.ms": "5000",
    "log.segment.delete.delay.ms": "1000",
}


class Stand:
    """`with Stand(folder) as stand`: the cluster serves at `stand.proxy.ports`, and is gone when the block ends."""

    def __init__(self, folder: Path) -> None:
        port = free_port(NODES)
        self.proxy = Proxy({node: port + PORT_STEP * (node - 1) for node in range(1, NODES + 1)})
        self._home = folder / "brokers"
        self.broker = Broker(self._home, port, NODES, extra=SETTINGS, advertised=self.proxy.ports, heap=HEAP)

    def __enter__(self) -> Self:
        try:
            self.broker.start()
        except BaseException:
            self.proxy.close()
            raise
        return self

    def heal(self) -> None:
        """Lift every rule and begin every broker that is down."""
        self.proxy.lift()
        if len(self.broker.running()) < NODES:
            self.broker.start(keep=True)

    def keep(self, folder: Path) -> None:
        """Copy what the brokers said and what they hold to where a person can read it."""
        for home in sorted(self._home.glob("[0-9]*")):
            with suppress(OSError):  # a broker that lives renames what is being copied
                copytree(home, folder / f"broker-{home.name}", dirs_exist_ok=True)

    def __exit__(self, *_: object) -> None:
        # Their data is of no use to anybody: nobody waits for an orderly end.
        self.broker.kill()
        self.proxy.close()

"""What every bench is given."""

from dataclasses import dataclass
from pathlib import Path

from placet.errors import Unavailable

INTENTS = 500_000


@dataclass(frozen=True, slots=True)
class Asked:
    """How many first answers to count, a cluster, and a checkout of the peers, if any."""

    intents: int = INTENTS
    bootstrap: str | None = None
    peers: Path | None = None

    def cluster(self, name: str) -> str:
        """Return the cluster to measure on; raise `Unavailable` where none is named."""
        if not self.bootstrap:
            raise Unavailable(f"bench {name}: no Kafka cluster: set PLACET_BOOTSTRAP or --bootstrap HOST:PORT")
        return self.bootstrap

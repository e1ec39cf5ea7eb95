"""One bench by its name, or all of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from placet.faces.bench import (
    context,
    desk,
    embedded,
    failover,
    kafka,
    ledger,
    limits,
    policy,
    proofs,
    replay,
    restore,
    revoke,
)
from placet.faces.bench.options import INTENTS, Asked
from placet.faces.bench.report import Result

BENCHES: dict[str, Callable[[Asked], Result]] = {
    "desk": lambda asked: desk.run(asked.intents),
    "limits": lambda asked: limits.run(asked.intents),
    "policy": lambda _: policy.run(),
    "embedded": lambda asked: embedded.run(asked.intents),
    "kafka": kafka.run,
    "proofs": lambda asked: proofs.run(min(asked.intents, proofs.MOST)),
    "replay": lambda asked: replay.run(asked.intents),
    "restore": restore.run,
    "context": context.run,
    "revoke": revoke.run,
    "failover": failover.run,
    "ledger": ledger.run,
}
NAMES = (*BENCHES, "all")


def run(
    name: str, *, bootstrap: str | None = None, intents: int | None = None, peers: Path | None = None
) -> dict[str, Any]:
    """Return what the bench `name` found, as JSON has it: figures, targets, what is met, and where the time goes.

    `all` runs one after another; its names are those of each, after the bench's own.
    """
    asked = Asked(intents or INTENTS, bootstrap, peers)
    if name != "all":
        return BENCHES[name](asked).told()
    told = {one: bench(asked).told() for one, bench in BENCHES.items()}
    parts = ("figures", "targets", "met", "profile_us", "audits")
    return {
        "bench": "all",
        **{part: {f"{one}.{key}": value for one in told for key, value in told[one][part].items()} for part in parts},
        "clean": all(one["clean"] for one in told.values()),
        "machine": told["desk"]["machine"],
    }

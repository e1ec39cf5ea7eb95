"""The demo's executors: each claims what it was granted, does it in the company's books, and says what came back."""

from contextlib import ExitStack
from pathlib import Path

from placet.faces.demo import cast
from placet.faces.demo.clockwork import Clockwork
from placet.faces.demo.company import Company
from placet.faces.sdk.connection import Connection
from placet.faces.sdk.executor import Executor
from placet.faces.sdk.models import Grant, Result

STEP_S = 0.05


class RolledBack(Exception):
    """A rollout was told to stop, and put the version before back."""


class Crew:
    """The executors at work. `bank` has no function of its own: it performs what it is told at its cut-off."""

    def __init__(self, connection: Connection, company: Company, data: Path, clock: Clockwork) -> None:
        self._company = company
        self._clock = clock
        self._made = {
            name: Executor(
                connection,
                name=name,
                tenant=cast.TENANT,
                capabilities=capabilities,
                begun=data / f"{name.partition(':')[2]}.begun",
            )
            for name, capabilities in cast.EXECUTORS.items()
        }
        self.bank = self._made["service:bank"]
        cashier, warehouse, deployer = (self._made[f"service:{name}"] for name in ("cashier", "warehouse", "deployer"))
        cashier.on("payments.refund")(self.refund)
        cashier.on("payments.quote")(
            lambda grant: Result(value=grant.arguments["amount"], sensitivity="public", origin="internal")
        )
        warehouse.on("data.query")(self.query)
        warehouse.on("data.read")(self.read)
        warehouse.on("data.export")(self.export)
        deployer.on("deploy.release")(self.release)
        deployer.on("logs.read")(self.change)
        deployer.on("service.*")(self.change)

    def start(self) -> None:
        """Begin to hear grants."""
        for executor in self._made.values():
            executor.start()

    def close(self) -> None:
        """Hear nothing more, and wait for what has begun. May be called more than once."""
        made, self._made = self._made, {}
        with ExitStack() as all_:
            for executor in made.values():
                all_.callback(executor.close)

    def refund(self, grant: Grant) -> Result:
        """Give money back, as much as was granted."""
        arguments = grant.arguments
        self._company.refund(grant.id, grant.resource, arguments["amount"], arguments.get("note", ""))
        return Result(sensitivity="internal", origin="internal")

    def transfer(self, grant: Grant) -> Result:
        """Move money, or rehearse it where only that was granted."""
        arguments = grant.arguments
        self._company.transfer(grant.id, grant.resource, arguments["amount"], dry_run=arguments.get("dry_run", False))
        return Result(sensitivity="internal", origin="internal")

    def query(self, grant: Grant) -> Result:
        """Read a table; what comes back is as sensitive as the table."""
        rows = self._company.query(grant.id, grant.resource, grant.arguments["rows"], grant.arguments["mode"])
        label = cast.RESOURCES.get(grant.resource, ("internal", ()))[0]
        return Result(value=rows, sensitivity=label, origin="internal")

    def read(self, grant: Grant) -> Result:
        """Read a page or a record; pages are written by strangers."""
        rows = self._company.query(grant.id, grant.resource, grant.arguments["rows"], "read_only")
        return Result(
            value=rows, sensitivity="public", origin="external" if grant.resource.startswith("page/") else "internal"
        )

    def export(self, grant: Grant) -> Result:
        """Write a copy of a data set."""
        self._company.export(grant.id, grant.resource, grant.arguments["destination"], grant.arguments["rows"])
        return Result(sensitivity="internal", origin="internal")

    def release(self, grant: Grant) -> Result:
        """Roll a version out step by step, the ledger's the slowest; stop and go back when told to."""
        part = 0.4 if grant.resource == "service/ledger" else 0.05
        for _ in range(int(part * self._clock.round_s / STEP_S)):
            if grant.stopped():
                raise RolledBack
            if not self._clock.pause(STEP_S):
                break
        self._company.release(grant.id, grant.resource, grant.arguments["version"], grant.arguments["share"])
        return Result(sensitivity="internal", origin="internal")

    def change(self, grant: Grant) -> Result:
        """Restart, scale, or look at logs."""
        self._company.change(grant.id, grant.resource, grant.action)
        return Result(sensitivity="internal", origin="internal")

"""One scenario from load to audit: faults on, healed, drained, and what came of it in one line."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic

from tests.faults.cluster.cast import PARTITIONS
from tests.faults.cluster.ending import Ending, ending_of
from tests.faults.cluster.scenarios import Fault
from tests.faults.cluster.site import Site
from tests.faults.cluster.stand import Stand

LOAD_MIN = 100
"""Intents a second that every scenario must carry; fewer are no load."""


@dataclass
class Told:
    """A scenario that was run. `failure` says why it came to no end, or that its fault did not bite."""

    codes: tuple[str, ...]
    says: str
    ending: Ending
    proof: dict[str, int] = field(default_factory=dict)
    failure: str = ""
    took_s: float = 0.0

    @property
    def good(self) -> bool:
        """Whether its fault bit, it came to its end, and nothing was violated."""
        return not self.failure and not self.ending.violations

    def __str__(self) -> str:
        end = self.ending
        bit = ", ".join(f"{what}: {count}" for what, count in self.proof.items())
        line = (
            f"{'+'.join(self.codes)} {self.says} | seed {end.seed} | load {end.load:.0f}/s, {end.intents} intents, "
            f"{end.acts} acts, {PARTITIONS} partitions | bit: {bit or 'nothing'} | "
            f"invariants checked {end.checked}, violations {len(end.violations)}, detections {len(end.detected)} | "
            f"{self.took_s:.0f} s"
        )
        more = [*end.violations, *(f"detected: {one}" for one in end.detected), self.failure]
        if not self.good:
            more.append(f'again with: make faults CLUSTER="{"+".join(self.codes)} --seed {end.seed}"')
        return "\n".join([line, *filter(None, more)])


def run(stand: Stand, faults: tuple[Fault, ...], seed: int) -> Told:
    """Run these faults at once under load, heal, drain and audit."""
    began = monotonic()
    told = Told(tuple(one.code for one in faults), " and ".join(one.says for one in faults), Ending(seed))
    folder = Path(mkdtemp(prefix="placet-cluster-"))
    site = Site(stand.broker, stand.proxy, folder, seed)
    site.alone = len(faults) == 1
    site.may_detect = any(one.detects for one in faults)
    try:
        with site:
            with ExitStack() as stack:
                # Brokers go last and come back first: what shows that others bit is read from them.
                for fault in sorted(faults, key=lambda one: one.kind == "broker"):
                    stack.enter_context(fault.inflict(site))
                site.load_for(max(one.seconds for one in faults))
            stand.heal()
            site.carry_on()
            site.drain()
            told.ending = ending_of(site)
            assert told.ending.load >= LOAD_MIN, f"load was {told.ending.load:.0f}/s, at least {LOAD_MIN} are wanted"
        site.remove()
    except Exception as error:  # noqa: BLE001  the next scenario is still run, and the last line counts this one
        told.failure = f"{type(error).__name__}: {error}"
        stand.heal()
    told.proof = site.proof
    told.took_s = monotonic() - began
    return told

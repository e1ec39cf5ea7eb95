"""What three windows cost: the same intents asked, claimed and done under a pack that limits them and one that does not."""

from placet.faces.bench import desk
from placet.faces.bench.desk import Bare, Timed, bare
from placet.faces.bench.packs import RULES, limited_pack_of
from placet.faces.bench.report import Result, audited, tell
from placet.faces.bench.workload import Workload
from placet.model.topics import Topic

WINDOWS = 3
ROUND = 2_000
"""Intents of one round, each of another agent and all of them in each round: few enough that the audit ends within minutes."""
KINDS = ("intent", "claim", "outcome")
Costs = dict[str, float]


def run(intents: int) -> Result:
    """Return CPU µs of each kind of record with and without limits, the least of rounds taken in turn."""
    result = Result("limits")
    size = min(ROUND, intents)
    tell(f"limits: {WINDOWS} windows, {desk.ROUNDS} rounds of {size} intents")
    least: dict[str, Costs] = {"free": {}, "limited": {}}
    records = 0
    with bare(RULES) as free, bare(RULES, limited_pack_of(RULES)) as limited:
        for one in (free, limited):
            one.workload = Workload(
                one.spool.partitions(Topic.INTENTS), one.keys.signer("executor"), actors=range(size)
            )
        for _ in range(desk.ROUNDS):
            for name, one in (("free", free), ("limited", limited)):
                costs, decided = _round(one, size)
                records += decided if one is limited else 0
                for kind, cost in costs.items():
                    least[name][kind] = min(least[name].get(kind, cost), cost)
        result.audits["limits"] = audited(limited.spool, limited.keys.pinned, limited.keys.kek(), records)
    for kind in KINDS:
        result.figures[f"{kind}_us"] = round(least["limited"][kind] - least["free"][kind], 2)
        result.figures[f"{kind}_free_us"] = round(least["free"][kind], 2)
    result.figures["limited_over_free"] = round(sum(least["limited"].values()) / sum(least["free"].values()), 3)
    result.figures["intent_over_free"] = round(least["limited"]["intent"] / least["free"]["intent"], 3)
    result.figures["windows"] = WINDOWS
    return result


def _round(one: Bare, size: int) -> tuple[Costs, int]:
    """Return what one wave cost, by kind of record, and how many records it had."""
    wave = one.workload.wave(size, one.clock.now_ms())
    timed = {kind: Timed() for kind in KINDS}
    one.decide(Topic.INTENTS, wave.intents, timed["intent"])
    one.decide(Topic.OUTCOMES, wave.claims, timed["claim"])
    one.decide(Topic.OUTCOMES, wave.outcomes, timed["outcome"])
    return {kind: each.cpu_us / each.records for kind, each in timed.items() if each.records}, wave.records

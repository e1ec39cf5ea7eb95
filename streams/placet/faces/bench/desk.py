"""The desk alone: decide, seal and remember, with a journal that costs nothing. CPU time by kind of record and stage."""

import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from placet.drivers.clock import SystemClock
from placet.drivers.entropy import SystemEntropy
from placet.drivers.keyfile import Keys, ensure_keys
from placet.drivers.loop import Loop
from placet.drivers.metrics import Watch
from placet.drivers.settings import Settings
from placet.faces.bench import company, machine
from placet.faces.bench.packs import RULES
from placet.faces.bench.profile import Profile
from placet.faces.bench.report import Result, audited, tell
from placet.faces.bench.spool import Spool, SpoolFeed
from placet.faces.bench.workload import ByPartition, Workload
from placet.model.topics import Topic
from placet.wiring import loop_over

FEW_RULES, MANY_RULES = 10, 1_000
WAVE = 10_000
ROUNDS = 5


@dataclass(slots=True)
class Timed:
    """CPU µs per record of each batch of one kind, and the same as ratios to the calibration beside it."""

    records: int = 0
    cpu_us: float = 0.0
    batches: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)

    def add(self, records: int, cpu_us: float) -> None:
        self.records += records
        self.cpu_us += cpu_us
        self.batches.append(cpu_us / records)
        self.ratios.append(cpu_us / records / machine.calibrate())


@dataclass(slots=True)
class Bare:
    """A loop over a spool, its partitions open."""

    spool: Spool
    loop: Loop
    keys: Keys
    workload: Workload
    clock: SystemClock

    def decide(self, topic: Topic, messages: ByPartition, timed: Timed) -> None:
        """Append records and decide them all, timing each batch without what the spool takes."""
        for partition, batch in messages.items():
            self.spool.append(topic, partition, batch)
        left = sum(map(len, messages.values()))
        while left:
            beside, started = self.spool.cpu_s, time.thread_time()
            decided = self.loop.step(0)
            spent = time.thread_time() - started - (self.spool.cpu_s - beside)
            if decided:
                timed.add(decided, spent * 1e6)
            left -= decided


@contextmanager
def bare(rules: int, files: Mapping[str, str] | None = None) -> Iterator[Bare]:
    """Yield a desk of every partition under a pack of `rules` rules, or the one given, all its context read."""
    with TemporaryDirectory(prefix="placet-bench-") as name:
        folder, clock, entropy = Path(name), SystemClock(), SystemEntropy()
        settings = Settings(data=folder)
        keys = ensure_keys(settings.keys_file, settings.secrets_dir, entropy)
        spool = Spool(folder, settings.folder_partitions, clock)
        executor = keys.signer("executor")
        company.write(spool, keys.signer("operator"), executor.issuer, rules, clock.now_ms(), files)
        loop = loop_over(spool, SpoolFeed(spool), spool.partitions, keys, settings, clock, entropy, Watch())
        loop.step(0)
        try:
            yield Bare(spool, loop, keys, Workload(settings.folder_partitions, executor), clock)
        finally:
            spool.close()


def run(intents: int) -> Result:
    """Return what `intents` first answers cost, and what 1,000 rules cost beside 10."""
    result = Result("desk")
    tell(f"desk: {company.ACTORS} actors, {company.RESOURCES} resources, {RULES} rules")
    with bare(RULES) as one:
        _measure(one, intents, result)
    result.figures |= _rules_ratio(min(WAVE, intents))
    return result


def _measure(one: Bare, intents: int, result: Result) -> None:
    kinds = {"intent": Timed(), "claim": Timed(), "outcome": Timed()}
    profile, records, started = Profile(), 0, time.monotonic()
    for number, wave in enumerate(one.workload.waves(intents, WAVE, iter(one.clock.now_ms, None)), 1):
        with profile.running():
            one.decide(Topic.INTENTS, wave.intents, kinds["intent"])
            one.decide(Topic.OUTCOMES, wave.claims, kinds["claim"])
            one.decide(Topic.OUTCOMES, wave.outcomes, kinds["outcome"])
        records += wave.records
        if number % 5 == 0:
            tell(f"desk: {number * WAVE} intents after {time.monotonic() - started:.0f} s")
    cpu_us = sum(kind.cpu_us for kind in kinds.values())
    result.figures |= {
        "intents": intents,
        "records": records,
        "cpu_us_per_verdict": round(cpu_us / intents, 2),
        "verdicts_per_cpu_s": round(intents / cpu_us * 1e6),
        "records_per_cpu_s": round(records / cpu_us * 1e6),
        "calibrated_per_verdict": round(
            sum(statistics.median(kind.ratios) * kind.records for kind in kinds.values() if kind.ratios) / intents, 1
        ),
        "rss_mb": machine.resident_mb(),
    }
    for name, kind in kinds.items():
        if kind.batches:
            result.figures[f"{name}_us"] = machine.spread(kind.batches)
            result.figures[f"{name}_over_calibration"] = round(statistics.median(kind.ratios), 1)
    del profile.samples["journal"]
    result.profile_us = profile.micros(cpu_us / intents)
    result.audits["desk"] = audited(one.spool, one.keys.pinned, one.keys.kek(), records)


def _rules_ratio(intents: int) -> dict[str, float]:
    """Return what an intent costs under many rules as a multiple of few: the least of rounds taken in turn."""
    least: dict[int, float] = {}
    with bare(FEW_RULES) as few, bare(MANY_RULES) as many:
        for _ in range(ROUNDS):
            for rules, one in ((FEW_RULES, few), (MANY_RULES, many)):
                timed = Timed()
                one.decide(Topic.INTENTS, one.workload.wave(intents, one.clock.now_ms()).intents, timed)
                least[rules] = min(least.get(rules, timed.cpu_us), statistics.median(timed.batches))
    return {
        "rules_10_us": round(least[FEW_RULES], 2),
        "rules_1000_us": round(least[MANY_RULES], 2),
        "rules_1000_over_10": round(least[MANY_RULES] / least[FEW_RULES], 3),
    }

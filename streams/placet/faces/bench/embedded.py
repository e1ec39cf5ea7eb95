"""A folder under load: verdicts a second on one core in a closed loop, and latency in an open one."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from placet import wiring
from placet.drivers.running import Stack
from placet.drivers.settings import Settings
from placet.faces.bench import company, machine
from placet.faces.bench.open_loop import SLOT_S, Follower, play, schedule
from placet.faces.bench.packs import RULES
from placet.faces.bench.profile import Profile
from placet.faces.bench.report import Result, audited, tell
from placet.faces.bench.workload import ByPartition, Wave, Workload
from placet.model.topics import Topic

WAVE = 10_000
RATE = 1_000
OPEN_S, WARM_S = 30.0, 3.0


@dataclass(slots=True)
class Folder:
    """A stack over a fresh folder with all context written and its desks open."""

    stack: Stack
    workload: Workload

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def append(self, topic: Topic, messages: ByPartition) -> None:
        for partition, batch in messages.items():
            self.stack.log.append(topic, partition, batch)


@contextmanager
def folder(path: Path, *, reported: bool = False) -> Iterator[Folder]:
    """Yield an embedded journal in `path`, with a company in it and its desks open."""
    stack = wiring.embedded(Settings(data=path))
    try:
        executor = stack.keys.signer("executor")
        now = time.time_ns() // 1_000_000
        company.write(stack.log, stack.keys.signer("operator"), executor.issuer, RULES, now)
        stack.loop.step(0)
        yield Folder(stack, Workload(stack.log.partitions(Topic.INTENTS), executor, reported=reported))
    finally:
        stack.close()


def run(intents: int) -> Result:
    """Return the throughput over `intents` first answers, and the latency at 1,000 a second."""
    result = Result("embedded")
    before = machine.cores()
    pinned = machine.pin()
    try:
        with TemporaryDirectory(prefix="placet-bench-") as name, folder(Path(name)) as one:
            tell(f"embedded: closed loop on core {pinned or 'any'}, {intents} intents")
            records = _closed(one, intents, result)
            machine.unpin(before)
            records += _open(one, intents, result)
            keys, kek = one.stack.keys.pinned, one.stack.keys.kek()
            result.audits["embedded"] = audited(one.stack.log, keys, kek, records)
    finally:
        machine.unpin(before)
    return result


def _closed(one: Folder, intents: int, result: Result) -> int:
    """Decide prefilled input, wave by wave: intents, claims of the wave before, outcomes of the one before that."""
    nothing, profile = Wave(0), Profile()
    last, before_last = nothing, nothing
    records, wall_s, cpu_s, rates, ratios = 0, 0.0, 0.0, [], []
    waves = [*_sizes(intents), 0, 0]
    for number, size in enumerate(waves, 1):
        wave = one.workload.wave(size, one.now()) if size else nothing
        one.append(Topic.OUTCOMES, before_last.outcomes)
        one.append(Topic.OUTCOMES, last.claims)
        one.append(Topic.INTENTS, wave.intents)
        left = sum(len(m) for part in (before_last.outcomes, last.claims, wave.intents) for m in part.values())
        records += left
        calibrated = machine.calibrate()
        started, cpu = time.monotonic(), time.thread_time()
        with profile.running():
            while left > 0:
                left -= one.stack.loop.step(0)
        took, spent = time.monotonic() - started, time.thread_time() - cpu
        wall_s, cpu_s = wall_s + took, cpu_s + spent
        if size and number > 2:
            rates.append(size / took)
            ratios.append(spent * 1e6 / size / calibrated)
        last, before_last = wave, last
        if number % 5 == 0:
            tell(f"embedded: {number * WAVE} intents, {size / took:.0f} verdicts/s")
    result.figures |= {
        "intents": intents,
        "records": records,
        "verdicts_per_s": round(intents / wall_s),
        "records_per_s": round(records / wall_s),
        "cpu_us_per_verdict": round(cpu_s / intents * 1e6, 2),
        "rss_mb": machine.resident_mb(),
    }
    if rates:
        result.figures["verdicts_per_s_by_wave"] = machine.spread(rates, 0)
        result.figures["calibrated_per_verdict"] = machine.spread(ratios, 1)
    result.profile_us = profile.micros(cpu_s / intents * 1e6)
    return records


def _open(one: Folder, intents: int, result: Result) -> int:
    """Send at a fixed rate and follow the answers; the loop runs in a thread of its own, as in `placet up`."""
    seconds, warm_s = open_seconds(intents)
    tell(f"embedded: open loop at {RATE}/s for {seconds:.0f} s")
    per_slot = int(RATE * SLOT_S)
    waves = [one.workload.wave(per_slot, one.now()) for _ in range(int(seconds / SLOT_S))]
    dues = schedule(waves, intents)
    stack, stop = one.stack, threading.Event()
    followers = [
        Follower(stack.log, partition, stack.log.end(Topic.DECISIONS, partition))
        for partition in range(stack.log.partitions(Topic.DECISIONS))
    ]
    stack.loop.bureau.settle_memory()
    working = threading.Thread(
        target=stack.loop.run, args=(stop, stack.settings.batch_wait_ms, lambda _: None), name="placet-loop"
    )
    working.start()
    try:
        told = play(dues, stack.log.append, followers, warm_s, threads=True)
    finally:
        stop.set()
        working.join()
    result.figures |= {f"open_{name}_ms": value for name, value in told.answers_ms.items()}
    result.figures |= {"open_rate": RATE, "open_lost": told.lost, "open_sending_late_ms": told.sending_ms}
    return told.sent


def open_seconds(intents: int) -> tuple[float, float]:
    """Return how long an open loop runs, and how much of that is not counted: a slice of a bench is short."""
    share = min(1.0, intents / 100_000)
    return max(1.0, (OPEN_S + WARM_S) * share), WARM_S * share


def _sizes(intents: int) -> list[int]:
    return [min(WAVE, left) for left in range(intents, 0, -WAVE)]

"""One worker on a cluster, exactly once: verdicts a second, latency to readers, CPU, and memory when much is remembered."""

import statistics
import time

from placet import wiring
from placet.drivers.kafka import KafkaLog
from placet.faces.bench import couple, machine
from placet.faces.bench.child import Child
from placet.faces.bench.cluster import Cluster, cluster, reached
from placet.faces.bench.embedded import RATE, open_seconds
from placet.faces.bench.floor import Floor
from placet.faces.bench.open_loop import SLOT_S, Follower, play, schedule
from placet.faces.bench.options import Asked
from placet.faces.bench.profile import Profile
from placet.faces.bench.report import Result, audited, tell
from placet.faces.bench.workload import Workload
from placet.model.reasons import State
from placet.model.topics import Topic

WAVE = 10_000
ROUNDS = 3
"""Closed loops, each after one of the raw floor; what is told is their median."""
IDLE_S = 3.0
"""How long a worker has nothing to do before its memory is read a second time."""
SETTLED_PER_INTENT, OPEN_PER_INTENT = 2, 0.2
"""Of what the memory run remembers, by the intents of the closed loop: 1M and 100k beside 500k."""


def run(asked: Asked) -> Result:
    """Return throughput, latency and memory of one worker, what a second adds, and the raw floor in turn with it."""
    result = Result("kafka")
    bootstrap = asked.cluster("kafka")
    floor = Floor(asked.peers, bootstrap)
    with cluster(bootstrap) as one:
        _load(one, asked.intents, floor, result)
    with cluster(bootstrap) as one:
        couple.measure(one, _shares(asked.intents)[0], result.figures["verdicts_per_s"], result)
    with cluster(bootstrap) as one:
        _memory(one, asked.intents, result)
    result.figures["raw_floor"] = floor.told(open_seconds(asked.intents)[0])
    return result


def _load(one: Cluster, intents: int, floor: Floor, result: Result) -> None:
    """Keep a worker busy with input that is always there, in rounds, then ask it a thousand times a second."""
    workload = one.workload()
    rates, costs, ratios = [], [], []
    with Child(one.settings, sample=True) as child:
        for number, share in enumerate(_shares(intents), 1):
            beside = floor.closed(share)
            tell(f"kafka: closed loop, round {number}: {share} intents, their claims and outcomes")
            waves = list(workload.waves(share, WAVE, iter(now_ms, None)))
            child.mark()
            one.feed(child, waves, [])
            rates.append(share / child.status["wall_s"])
            costs.append(child.status["cpu_s"] / share * 1e6)
            if beside is not None:
                ratios.append(costs[-1] / beside)
        records, per_s = sum(one.sent.values()), statistics.median(rates)
        result.figures |= {
            "intents": intents,
            "records": records,
            "verdicts_per_s": round(per_s),
            "verdicts_per_s_by_round": machine.spread(rates, 0),
            "records_per_s": round(per_s * records / intents),
            "cpu_us_per_verdict": round(statistics.median(costs), 2),
            "cpu_us_by_round": machine.spread(costs, 1),
        }
        if ratios:
            result.figures["cpu_over_floor"] = round(statistics.median(ratios), 2)
        records += _open(one, child, workload, intents, result)
        profile = Profile()
        profile.samples.update(child.stop().get("samples", {}))
        result.profile_us = profile.micros(result.figures["cpu_us_per_verdict"])
    result.audits["load"] = audited(one.log, one.keys.pinned, one.keys.kek(), records)


def _shares(intents: int) -> list[int]:
    """Return how many intents each round has."""
    return [intents * (number + 1) // ROUNDS - intents * number // ROUNDS for number in range(ROUNDS)]


def _open(one: Cluster, child: Child, workload: Workload, intents: int, result: Result) -> int:
    seconds, warm_s = open_seconds(intents)
    tell(f"kafka: open loop at {RATE}/s for {seconds:.0f} s")
    waves = [workload.wave(int(RATE * SLOT_S), now_ms()) for _ in range(int(seconds / SLOT_S))]
    dues = schedule(waves, intents)
    connection = wiring.cluster(one.settings)
    logs = [KafkaLog(connection) for _ in range(one.settings.cluster_partitions)]
    ends = [one.log.end(Topic.DECISIONS, partition) for partition in range(one.settings.cluster_partitions)]
    try:
        followers = [Follower(log, partition, ends[partition]) for partition, log in enumerate(logs)]
        child.mark()
        told = play(dues, one.log.append_async, followers, warm_s, threads=False)
        one.log.flush()
    finally:
        for log in logs:
            log.close()
    asked = int(seconds * RATE)
    result.figures |= {f"open_{name}_ms": value for name, value in told.answers_ms.items()}
    result.figures |= {
        "open_rate": RATE,
        "open_lost": told.lost,
        "open_sending_late_ms": told.sending_ms,
        "open_cpu_us_per_verdict": round(child.status["cpu_s"] / asked * 1e6, 2),
    }
    return told.sent


def _memory(one: Cluster, intents: int, result: Result) -> None:
    """Fill a worker with settled and open intents, and read its resident memory."""
    settled, left_open = intents * SETTLED_PER_INTENT, round(intents * OPEN_PER_INTENT)
    tell(f"kafka: memory with {settled} settled and {left_open} open intents")
    workload = one.workload(reported=True)
    with Child(one.settings) as child:
        one.feed(child, workload.waves(settled, WAVE, iter(now_ms, None)), [])
        granted = 0
        while granted < left_open:
            wave = workload.wave(min(WAVE, left_open - granted), now_ms())
            granted += wave.size - wave.states[State.DENIED]
            one.ask(wave)
        child.until(lambda status: reached(status, one.sent))
        at_once = child.status["rss_mb"]
        time.sleep(IDLE_S)
        status = child.stop()
    result.figures |= {
        "rss_mb": at_once,
        "rss_idle_mb": status["rss_mb"],
        "rss_peak_mb": status["peak_mb"],
        "rss_settled": settled,
        "rss_open": status["open"],
    }
    result.audits["memory"] = audited(one.log, one.keys.pinned, one.keys.kek(), sum(one.sent.values()))


def now_ms() -> int:
    """Return the wall clock, ms."""
    return time.time_ns() // 1_000_000

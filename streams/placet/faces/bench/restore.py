"""How soon a desk answers again: with its warm disk, from the changelog alone, and over a folder."""

import itertools
import shutil
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from placet.drivers.settings import Settings
from placet.faces.bench import machine
from placet.faces.bench.child import Child
from placet.faces.bench.cluster import Cluster, cluster
from placet.faces.bench.embedded import folder
from placet.faces.bench.options import Asked
from placet.faces.bench.report import Result, audited, tell
from placet.faces.bench.workload import Wave, Workload
from placet.model.topics import Topic

WAVE = 10_000
PER_INTENT = 2.45
"""Decisions of an intent whose whole life is run: a grant, half of the time a claim, an outcome."""
OPEN_SHARE = 0.02
"""Of the intents asked for, so many are left open at the end."""
ROUNDS = 3


def run(asked: Asked) -> Result:
    """Return the seconds from opening to the first answer possible, after twice as many decisions as intents were asked."""
    result = Result("restore")
    intents = round(asked.intents * 2 / PER_INTENT)
    _folder(intents, result)
    if asked.bootstrap is None:
        tell("restore: on Kafka: left out (no --bootstrap)")
        result.figures["kafka"] = "left out (no --bootstrap)"
        return result
    with cluster(asked.bootstrap) as one:
        _cluster(one, intents, result)
    return result


def _folder(intents: int, result: Result) -> None:
    """Fill a folder, and open it again in a process of its own."""
    tell(f"restore: a folder with {intents} intents")
    with TemporaryDirectory(prefix="placet-bench-") as name:
        with folder(Path(name), reported=True) as one:
            records, workload = 0, one.workload
            for wave in itertools.chain(workload.waves(intents, WAVE, iter(one.now, None)), [_left(workload, intents)]):
                for topic, messages in (
                    (Topic.INTENTS, wave.intents),
                    (Topic.OUTCOMES, wave.claims),
                    (Topic.OUTCOMES, wave.outcomes),
                ):
                    one.append(topic, messages)
                    left = sum(map(len, messages.values()))
                    while left > 0:
                        left -= one.stack.loop.step(0)
                records += wave.records
            keys, kek = one.stack.keys.pinned, one.stack.keys.kek()
            result.audits["folder"] = audited(one.stack.log, keys, kek, records)
        rounds = [_opened(Settings(data=Path(name), bootstrap="")) for _ in range(ROUNDS)]
    result.figures |= {
        "folder_decisions": records,
        "folder_s": _median(rounds),
        "folder_s_by_round": machine.spread([one["opened_s"] for one in rounds]),
        "folder_open": rounds[-1]["open"],
    }


def _cluster(one: Cluster, intents: int, result: Result) -> None:
    """Fill a worker, start it again with what its disk holds, and again without."""
    tell(f"restore: a worker with {intents} intents")
    workload = one.workload(reported=True)
    with Child(one.settings) as child:
        one.feed(child, workload.waves(intents, WAVE, iter(_now, None)), [])
        one.feed(child, [_left(workload, intents)], [])
    decisions = sum(one.sent.values())
    warm = [_opened(one.settings) for _ in range(ROUNDS)]
    empty = []
    for _ in range(ROUNDS):
        shutil.rmtree(one.settings.data / f"warm-{one.settings.slot}")
        empty.append(_opened(one.settings))
    result.figures |= {
        "decisions": decisions,
        "settled": empty[-1]["settled"],
        "open": empty[-1]["open"],
        "rss_mb": max(each["rss_mb"] for each in empty),
        "warm_s": _median(warm),
        "warm_s_by_round": machine.spread([each["opened_s"] for each in warm]),
        "empty_s": _median(empty),
        "empty_s_by_round": machine.spread([each["opened_s"] for each in empty]),
    }
    result.audits["cluster"] = audited(one.log, one.keys.pinned, one.keys.kek(), decisions)


def _opened(settings: Settings) -> dict[str, Any]:
    with Child(settings) as child:
        tell(f"restore: open after {child.opened['opened_s']:.2f} s with {child.opened['settled']} settled")
        return {**child.opened, "rss_mb": child.stop().get("rss_mb", 0.0)}


def _median(rounds: Sequence[Mapping[str, Any]]) -> float:
    return round(float(statistics.median(one["opened_s"] for one in rounds)), 2)


def _left(workload: Workload, intents: int) -> Wave:
    """Return a last wave that nobody claims or reports."""
    wave = workload.wave(max(1, round(intents * OPEN_SHARE)), _now())
    wave.claims.clear()
    wave.outcomes.clear()
    return wave


def _now() -> int:
    return time.time_ns() // 1_000_000

"""Replay: what a verdict costs to be decided again, and to be asked again under other packs. CPU time, one core."""

import gc
import time
from collections.abc import Callable
from typing import TypeVar

from placet.decision.settings import DeskSettings
from placet.faces.bench.desk import ROUNDS, WAVE, Bare, Timed, bare
from placet.faces.bench.packs import RULES, pack_of, stricter_pack_of
from placet.faces.bench.report import Result, audited, tell
from placet.faces.bench.workload import Workload
from placet.faces.replay.candidate import Candidate
from placet.faces.replay.changes import Changes
from placet.faces.replay.instead import instead
from placet.faces.replay.page import page
from placet.faces.replay.same import Range, Same, replay
from placet.faces.replay.settled import Settled
from placet.faces.replay.source import settled_of
from placet.model.topics import Topic

MOST = 60_000
"""Intents at most: each round goes through all of them again."""
T = TypeVar("T")
COLLECT_AFTER = (100_000, 50, 1_000)


def run(intents: int) -> Result:
    """Return what `intents` come to, granted, claimed and done, cost in both ways: the least of rounds taken in turn."""
    result, size = Result("replay"), min(intents, MOST)
    tell(f"replay: history of {size} intents, then {ROUNDS} rounds through it")
    with bare(RULES) as one:
        one.workload = Workload(one.spool.partitions(Topic.INTENTS), one.keys.signer("executor"), reported=True)
        records = _history(one, size)
        settled = settled_of(one.spool, one.keys.ring, one.keys.kek(), DeskSettings())
        gc.collect()
        gc.set_threshold(*COLLECT_AFTER)
        result.figures |= _figures(one, settled)
        result.audits["replay"] = audited(one.spool, one.keys.pinned, one.keys.kek(), records)
    result.figures["intents"] = size
    return result


def _history(one: Bare, intents: int) -> int:
    records = 0
    for wave in one.workload.waves(intents, min(WAVE, intents), iter(one.clock.now_ms, None)):
        for topic, messages in (
            (Topic.INTENTS, wave.intents),
            (Topic.OUTCOMES, wave.claims),
            (Topic.OUTCOMES, wave.outcomes),
        ):
            one.decide(topic, messages, Timed())
        records += wave.records
    return records


def _figures(one: Bare, settled: Settled) -> dict[str, float]:
    """Return verdicts a CPU second of both ways, and what was found: nothing differs, and one rule more changes what it denies."""
    candidate = Candidate([stricter_pack_of(RULES)])
    identity = Candidate([pack_of(RULES)])
    same, least = Same(), {"same": float("inf"), "what_if": float("inf")}
    changes, unchanged = Changes(), Changes()
    for round_ in range(ROUNDS):
        took, parts = _timed(one, lambda part: replay(one.spool, part, settled, Range()))
        least["same"], same = min(least["same"], took), Same()
        for part in parts:
            same.add(part)
        took, others = _timed(one, lambda part: instead(one.spool, part, settled, candidate, Range()))
        least["what_if"], changes = min(least["what_if"], took), Changes()
        for other in others:
            changes.add(other)
        tell(f"replay: round {round_ + 1} of {ROUNDS}: {same.verdicts} verdicts, CPU s {least}")
    for partition in range(settled.partitions):
        unchanged.add(instead(one.spool, partition, settled, identity, Range()))
    started = time.thread_time()
    size = len(page({"packs": candidate.digests, "alone": False, **changes.to_dict()}, "bench"))
    return {
        "verdicts": same.verdicts,
        "same_per_cpu_s": round(same.verdicts / least["same"]),
        "what_if_per_cpu_s": round(same.verdicts / least["what_if"]),
        "differing": same.differing + sum(same.unmade.values()),
        "changed_by_the_same_pack": unchanged.changed,
        "changed_by_one_rule": changes.changed,
        "page_s": round(time.thread_time() - started, 4),
        "page_bytes": size,
    }


def _timed(one: Bare, of: Callable[[int], T]) -> tuple[float, list[T]]:
    started = time.thread_time()
    found = [of(partition) for partition in range(one.spool.partitions(Topic.DECISIONS))]
    return time.thread_time() - started, found

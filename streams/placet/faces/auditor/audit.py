"""An audit of all that was recorded: every partition walked, every check counted."""

from collections.abc import Callable, Mapping
from typing import Any

from placet.faces.auditor.cases import Cases
from placet.faces.auditor.decide import Again
from placet.faces.auditor.desk import Desk
from placet.faces.auditor.halts import Halts
from placet.faces.auditor.history import History
from placet.faces.auditor.keys import CaseKeys, Keys
from placet.faces.auditor.known import Known
from placet.faces.auditor.packs import Shelf
from placet.faces.auditor.records import Schemas
from placet.faces.auditor.report import Report
from placet.faces.auditor.walk import Tools, Walk
from placet.model.topics import Topic
from placet.ports import Log

SAMPLE_MAX = 20_000
"""Verdicts decided again where the caller does not say how many."""
LAG_MS_MAX = 30_000
SKEW_MS_MAX = 2_000
STILL_TRIES = 5
MARKERS_MS_MAX = 7_000
"""How long a transaction that is about to end may take to show in its last partition: its timeout, and the broker's cleanup."""
_SPAN = 1 << 32

Progress = Callable[[int, int], None]


def audit(
    log: Log,
    keys: Mapping[str, Any],
    kek: bytes | None,
    *,
    sample: int | None = None,
    drained: bool = False,
    lag_ms_max: int = LAG_MS_MAX,
    skew_ms_max: int = SKEW_MS_MAX,
    progress: Progress | None = None,
) -> Report:
    """Return what holds and what does not of all that is committed in `log`.

    `keys` is the pinned key file as it was parsed. `kek` opens the cases, 32 bytes; without it what needs them is
    counted as not checked. At most about `sample` verdicts are decided again, and as many signatures of claims and
    outcomes verified, drawn evenly by the hash of each record. `drained` holds also that everything asked is decided:
    of a system that was left alone with its input. `lag_ms_max` is how late, after it was appended, the desks were told to
    still decide a record, `skew_ms_max` by how much clocks may differ where a key's time begins or ends.
    `progress` is told how many decisions were read, of how many. Raises what `log` raises.
    """
    report = Report()
    schemas = Schemas()
    partitions = log.partitions(Topic.DECISIONS)
    case_keys = CaseKeys(kek)
    ends = [_ends(log, partition) for partition in range(partitions)]
    total = sum(end for end, _, _ in ends)
    most = SAMPLE_MAX if sample is None else sample
    report.sampled = "all" if most >= total else f"about {most} of {total}"
    bound = _SPAN if most >= total else most * _SPAN // total
    pinned = Keys(keys)
    history = History(log, schemas, pinned, skew_ms_max)
    known = Known(log, schemas, history)
    again = Again(shelf := Shelf(known.policies, schemas), schemas, report)
    tools = Tools(
        log,
        schemas,
        pinned,
        history,
        report,
        partitions,
        lambda leaf: int.from_bytes(leaf[:4], "big") < bound,
        Halts(log, schemas, history),
        known,
        shelf,
        drained,
        lag_ms_max,
    )
    done = 0

    def read(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, total)

    for partition, (end, desk_end, still) in enumerate(ends):
        desk = Desk(log, partition, schemas, case_keys, report, desk_end)
        # What is retired from the changelog while it is read would be missed: then nothing is said of it.
        still = still and log.end(Topic.DESK, partition) == desk_end
        cases = Cases(log, partition, schemas, case_keys, known, again, report)
        walk = Walk(tools, partition, end, cases)
        walk.run(read)
        report.opened += len(walk.lives.memory.open)
        if desk.last < walk.chain.desk_ordinal:
            # A commit becomes visible partition by partition: the changelog's own marker may still be on its way.
            still = still and not log.read(Topic.DESK, partition, desk_end, 1, MARKERS_MS_MAX)
        if still:
            desk.compare(walk.lives.memory, walk.budgets, walk.reviews.open, walk.chain)
        else:
            report["V20"].skip("the partition was being written while it was read")
    return report


def _ends(log: Log, partition: int) -> tuple[int, int, bool]:
    """Return the ends of a partition's decisions and desk, and whether both were read at one and the same commit."""
    desk = 0
    end = log.end(Topic.DECISIONS, partition)
    for _ in range(STILL_TRIES):
        desk = log.end(Topic.DESK, partition)
        again = log.end(Topic.DECISIONS, partition)
        if again == end:
            return end, desk, True
        end = again
    return end, desk, False

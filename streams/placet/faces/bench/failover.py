"""A worker is killed: how soon another slot answers for it, and how soon its own slot does when it is started again."""

import time

from placet.errors import Unavailable
from placet.faces.bench.child import Child
from placet.faces.bench.cluster import Cluster, cluster
from placet.faces.bench.company import risk_of
from placet.faces.bench.hearing import Hearing
from placet.faces.bench.options import Asked
from placet.faces.bench.report import Result, audited, tell
from placet.faces.bench.workload import Wave
from placet.model.topics import Topic

OPEN_PER_INTENT = 0.2
"""Leases open at the kill, by the intents asked for: 100,000 beside 500,000."""
RATE, SLOT_S = 200, 0.05
RAISED = 100
"""Actors whose risk rises at each turn, while nobody answers for a part of them."""
TURNS = 3
RAISED_SCORE = 90
HEARD_S = 1.0
"""So long after its risk was raised a permit for an actor is wrong, on the worker that lives too."""
PATIENCE_S = 120.0


def run(asked: Asked) -> Result:
    """Return how long after a SIGKILL every partition answers again, in seconds, and what was wrong meanwhile."""
    result = Result("failover")
    wanted = round(asked.intents * OPEN_PER_INTENT)
    with cluster(asked.cluster("failover")) as one:
        other = one.settings.model_copy(update={"slot": "bench-other"})
        with Child(one.settings) as first, Hearing(one.settings) as hearing:
            one.leave_open(first, wanted, one.workload())
            # The second takes a part of the partitions, and begins with an empty disk.
            with Child(other, whole=False) as second:
                told = _Asking(one, hearing)
                told.until_served()
                result.figures["open"] = first.status["open"] + second.status["open"]
                tell(f"failover: one of two slots is killed, {result.figures['open']} leases are open")
                first.kill()
                result.figures["takeover_s"] = told.until_served()
                tell("failover: the slot that is left is killed, and started again")
                second.kill()
                with Child(other, wait=False):
                    result.figures["restart_s"] = told.until_served()
                    told.until_answered()
        result.figures |= {
            "asked": len(told.asked),
            "lost": len(told.asked.keys() - hearing.answered.keys()),
            "asked_of_raised": len(told.of_raised),
            "wrong_permits": len(told.of_raised & hearing.permitted),
        }
        result.audits["failover"] = audited(one.log, one.keys.pinned, one.keys.kek(), None)
    return result


class _Asking:
    """Asks at a fixed rate, whatever becomes of it, and at each turn raises risk that nobody may miss.

    `asked` says when each intent was asked, ms; `of_raised` are those of actors
    whose risk had been raised before.
    """

    def __init__(self, one: Cluster, hearing: Hearing) -> None:
        self.asked: dict[bytes, int] = {}
        self.of_raised: set[bytes] = set()
        self._one = one
        self._hearing = hearing
        self._turn = 0
        self._workload = one.workload(actors=range(TURNS * RAISED, 10 * RAISED))

    def until_served(self) -> float:
        """Ask until every partition has answered something asked after now; return how long that took, s."""
        began, partitions = _now(), dict[int, set[bytes]]()
        raised = range(self._turn * RAISED, (self._turn + 1) * RAISED)
        self._turn += 1
        self._one.log.append(Topic.RISK, 0, [risk_of(number, RAISED_SCORE, began) for number in raised])
        of_raised = self._one.workload(actors=raised)
        while not self._served(partitions):
            self._ask(self._workload.wave(round(RATE * SLOT_S), _now()), partitions)
            if _now() - began > HEARD_S * 1000:
                wave = of_raised.wave(1, _now())
                self.of_raised.update(wave.ids)
                self._ask(wave, partitions)
            if _now() - began > PATIENCE_S * 1000:
                raise Unavailable(f"failover: a partition has answered nothing for {PATIENCE_S:.0f} s")
            time.sleep(SLOT_S)
        answers = self._hearing.answered
        ends = [min(answers[id_] for id_ in ids & answers.keys()) for ids in partitions.values()]
        return round((max(ends) - began) / 1000, 2)

    def _served(self, partitions: dict[int, set[bytes]]) -> bool:
        answers = self._hearing.answered.keys()
        every = len(partitions) == self._one.settings.cluster_partitions
        return every and all(ids & answers for ids in partitions.values())

    def until_answered(self) -> None:
        """Wait until all that was asked is answered."""
        self._hearing.until(lambda: self.asked.keys() <= self._hearing.answered.keys(), PATIENCE_S)

    def _ask(self, wave: Wave, partitions: dict[int, set[bytes]]) -> None:
        now = _now()
        for place, id_ in zip(wave.order, wave.ids, strict=True):
            self.asked[id_] = now
            partitions.setdefault(place, set()).add(id_)
        self._one.ask(wave)


def _now() -> int:
    return time.time_ns() // 1_000_000

"""One case put before a judge by itself, as it is or with a part of it changed."""

from typing import Any

from placet.context.facts import value_of
from placet.decision.answer import Answer
from placet.decision.meters import Holdings, Meters
from placet.decision.reviews import Reviews
from placet.faces.replay.deciding import CaseJoiner, CaseJudge, CaseLimits, Readings, Reread
from placet.faces.replay.known import Recalled
from placet.faces.replay.opened import Known, Unreadable
from placet.faces.replay.rows import key_of
from placet.faces.replay.settled import Active, Packs, Settled
from placet.model.codec import decode_known
from placet.policy.evaluate import ENGINE

PRINCIPAL_AT = 2


class Trial:
    """Judges cases, each for itself: nothing is remembered from one to the next."""

    def __init__(self, partition: int, settled: Settled) -> None:
        self._settled = settled
        self._tables = Recalled()
        self._readings = Readings()
        limits = CaseLimits(self._readings, Holdings(), Meters(), settled.settings)
        self._active = Active(settled.shelf, self._tables)
        library: Any = Packs(self._active)
        # A case says that its emergency was not barred: what is, keeps none.
        self._judge = CaseJudge(CaseJoiner(self._tables), library, self._tables, settled.settings, limits, Reviews())
        self._intake = Reread(partition, settled.partitions, settled.ring)

    def judge(self, known: Known) -> Answer:
        """Return what is said of a case; raise Unreadable where its packs or its engine are not there."""
        if known.engine != ENGINE:
            raise Unreadable(f"decided by the engine `{known.engine}`: this build is `{ENGINE}`")
        asked = self._intake.recall(known.intent)
        active = self._settled.shelf.find(asked.intent.tenant, known.set_digest)
        if active is None:
            raise Unreadable(f"its packs are not there: the set `{known.set_digest.hex()[:16]}`")
        self._active[asked.intent.tenant] = active
        self._tables.load(known)
        self._readings.take(known.limits)
        self._judge.put(known)
        plan = active.plan(asked.intent.action)
        return self._judge.judge(asked, active, plan, known.session, _executor_in(known))


def _executor_in(known: Known) -> str:
    """Return who claimed it where that is not its audience, as the case has it."""
    for fact in known.facts:
        if fact.role == b"executor":
            return key_of(decode_known(value_of(fact.data)))[PRINCIPAL_AT:].partition("/")[2]
    return ""

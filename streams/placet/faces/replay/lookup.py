"""What is known at one case, for packs that were not there: the case's own facts, and what it was not asked for."""

from placet.faces.replay.background import Background
from placet.faces.replay.candidate import Candidate
from placet.faces.replay.changes import Changes
from placet.faces.replay.closed import Task
from placet.faces.replay.deciding import CaseJudge
from placet.faces.replay.known import Recalled
from placet.faces.replay.opened import Known, Reader, Unreadable
from placet.faces.replay.settled import Active, Settled
from placet.model.codec import decode_known
from placet.model.codec.case import Case
from placet.model.codec.intent import Intent
from placet.policy.evaluate import PolicySet
from placet.ports import Log

JOINED = frozenset({"actor", "authority", "mandate"})
"""Facts that every case that was joined has."""


class Lookup:
    """Puts cases before a judge, with candidate packs in the place of those that decided."""

    def __init__(
        self,
        settled: Settled,
        candidate: Candidate,
        log: Log,
        tables: Recalled,
        judge: CaseJudge,
        active: Active,
        found: Changes,
    ) -> None:
        self._settled, self._candidate, self._log = settled, candidate, log
        self._tables, self._judge, self._active = tables, judge, active
        self._found = found
        self._reader = Reader()
        self._beyond: dict[tuple[bytes, str], tuple[str, ...] | None] = {}
        self._background: Background | None = None

    def load(self, case: Case | Known | None, task: Task) -> Known:
        """Let a case be what is known, and the other packs decide; raise Unreadable where it cannot be read."""
        assert case is not None
        known = case if isinstance(case, Known) else self._reader.read(*self._settled.keys.open(case))
        asked: Intent = decode_known(known.intent)
        active = self._settled.shelf.find(asked.tenant, known.set_digest)
        if active is None:
            raise Unreadable(f"its packs are not there: the set `{known.set_digest.hex()[:16]}` of `{asked.tenant}`")
        instead = self._active[asked.tenant] = self._candidate.instead_of(active)
        self._tables.load(known)
        self._lend(known, asked, task, active, instead)
        self._judge.put(known)
        return known

    def _lend(self, known: Known, asked: Intent, task: Task, active: PolicySet, instead: PolicySet) -> None:
        """Look up in the context's own topics what the other packs want to know and the case was not asked for."""
        place = (active.digest, asked.action)
        beyond = self._beyond.get(place)
        if place not in self._beyond:
            old, new = active.plan(asked.action), instead.plan(asked.action)
            had = JOINED.union(old.facts) if old is not None else JOINED
            beyond = self._beyond[place] = () if new is None else tuple(f for f in new.facts if f not in had)
        joined = bool(known.facts)
        if joined and not beyond:
            return
        if self._background is None:
            self._background = Background(self._log, self._settled.ring.apart())
        self._background.advance(task.marks)
        if not joined:
            self._background.stand_in(self._tables)
            return
        for fact in self._background.lend(self._tables, asked, beyond or ()):
            self._found.not_on_record[fact,] += 1

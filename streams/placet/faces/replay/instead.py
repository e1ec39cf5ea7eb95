"""*What if*: the same questions under other packs, with limits and approvals carried along the history that follows."""

from collections.abc import Callable
from typing import Any

from placet.decision import intake
from placet.decision.arrow import CLOCK
from placet.decision.held import key_in
from placet.decision.life import CLAIMED, DEFERRED, GRANTED, OPEN, PENDING, UNKNOWN, WAITING
from placet.decision.meters import HOLD, SPEND
from placet.errors import Corrupted, PoisonRecord
from placet.faces.replay.adopting import Adopter, Recorded
from placet.faces.replay.candidate import Candidate
from placet.faces.replay.changes import Changes
from placet.faces.replay.closed import Batch, Closed, Task, batches
from placet.faces.replay.deciding import NO_CASE
from placet.faces.replay.fate import MANDATE, Course, Fate, Fates, effect_name, sampled, sentences
from placet.faces.replay.glance import RUNS, Glance, glance
from placet.faces.replay.looking import Looking
from placet.faces.replay.lookup import Lookup
from placet.faces.replay.maker import CLAIMS, INPUT_GONE, INTENTS, OUTCOMES, VOTES
from placet.faces.replay.opened import Unreadable
from placet.faces.replay.other import OtherDesk
from placet.faces.replay.same import Range
from placet.faces.replay.settled import Settled
from placet.model.codec import verdict
from placet.model.codec.case import Case
from placet.model.codec.case_body import Mark, encode_cut
from placet.model.codec.desk_change import Lease
from placet.model.codec.intent import Intent
from placet.model.codec.verdict import Hold, Verdict
from placet.model.reasons import Reason, State
from placet.policy.explain import explain
from placet.ports import Log, Rec


class Instead(OtherDesk):
    """One partition under other packs, batch by batch, beside what was recorded."""

    def __init__(self, partition: int, settled: Settled, candidate: Candidate, log: Log) -> None:
        self.found = Changes()
        self._fates = Fates(self.found)
        super().__init__(partition, settled, lambda posts: self._fates.post("after", posts))
        self._adopter = Adopter(self._book, settled.shelf, set())
        self._looking = Looking(self._book, self._intake, self._reviewing, self._adopter)
        self._stays = False
        self._lookup = Lookup(settled, candidate, log, self._tables, self._judge, self._active, self.found)

    def batch(self, batch: Batch) -> None:
        """Go through one batch in both histories."""
        task, closed = batch.task, batch.closed
        self._book.start(task.instant)
        self.found.instants = (self.found.instants[0] or task.instant, task.instant)
        ahead = sum(answer < 0 for answer in task.answers)
        for index in range(ahead):
            if task.kinds[index] == "verdict":
                self._ear.at(task.seq + index)
                self._changed(task, closed[index].open(), task.cases.get(task.seq + index))
        self._tick(task)
        self._looking.tick(task.seq)
        for index in range(ahead, len(closed)):
            if index in task.tails:
                self._with_it(closed[index])
                continue
            self._ear.at(task.seq + index)
            self._stays = False
            rec, kind = task.input_of(index), task.kinds[index]
            try:
                if rec is not None and kind == "review":
                    self._found_wrong(self._looking.heard(closed[index].open(), rec))
                elif rec is not None:
                    said = closed[index].open() if kind == "verdict" else None
                    self._input(task, rec, said, task.cases.get(task.seq + index))
            except (PoisonRecord, Corrupted):
                continue  # a record that would have been refused
        self._book.close_batch()

    def finish(self) -> Changes:
        """Return what came of it; what is still open counts as it stands."""
        self._fates.finish()
        return self.found

    def _changed(self, task: Task, value: bytes, case: Case | None) -> None:
        """Hear what a change of the context or the clock did on record, and do what it does here."""
        said = verdict.decode(value)
        slot = intake.slot_in(f"{said.tenant}/{said.authority}".encode(), said.id, said.attempt)
        if task.inputs is None:
            self._untold(INPUT_GONE, said, None)
            return
        fate, lease = self._fates.of(slot), self._book.leases.open.get(slot)
        self._fates.on_record(slot, glance(value), value)
        if lease is None or fate is None:
            return
        if case is not None and lease.state != UNKNOWN:
            try:
                self._lookup.load(case, task)
                self._sweeps.again(lease, CLOCK)
            except Unreadable:
                return
            self._moved(slot, fate, grants=said.state in RUNS)
        lease = self._book.leases.open.get(slot)
        if said.state == State.REVOKED and lease is not None and lease.state == GRANTED:
            self._complete(slot, lease)
        self._fates.end(slot, self._book.leases.open.get(slot))

    def _with_it(self, closed: Closed) -> None:
        """Hear what was said with a decision: the review of a grant, or the end of one that was found wrong."""
        value = closed.open()
        if closed.kind == "review" and self._stays:
            self._looking.keep(value)
        elif closed.kind == "verdict":
            said = verdict.decode(value)
            slot = intake.slot_in(f"{said.tenant}/{said.authority}".encode(), said.id, said.attempt)
            self._fates.on_record(slot, glance(value), value)
            self._fates.end(slot, self._book.leases.open.get(slot))

    def _found_wrong(self, slot: bytes) -> None:
        """Note what became of an attempt whose emergency was found to be none."""
        fate = self._fates.of(slot)
        if fate is not None:
            self._moved(slot, fate, grants=False)
            self._fates.end(slot, self._book.leases.open.get(slot))

    def _wake(self, task: Task, lease: Lease) -> None:
        """Look again at what waits for windows to pass, with what was known of it last; or leave it to its end."""
        book, fate = self._book, self._fates.of(lease.slot)
        if lease.state == DEFERRED and fate is not None and fate.known is not None:
            cut = encode_cut(tuple(Mark(*mark) for mark in task.marks))
            self._lookup.load(fate.known._replace(instant=task.instant, cut=cut), task)
            self._ear.at(task.seq)
            self._sweeps.again(lease, CLOCK)
            self._moved(lease.slot, fate, grants=False)
            self._fates.end(lease.slot, book.leases.open.get(lease.slot))
        else:
            # Who is asked besides changes nothing of what is compared.
            book.leases.put(lease._replace(until=lease.expires_at))

    def _tick(self, task: Task) -> None:
        """Let the clock move on what is open here."""
        book = self._book
        for lease in book.leases.due(book.instant, 1 << 60) if book.leases.is_due(book.instant) else ():
            if lease.state in WAITING and book.instant < lease.expires_at:
                self._wake(task, lease)
                continue
            self._sweeps.end(lease)
            self._fates.end(lease.slot, self._book.leases.open.get(lease.slot))

    def _input(self, task: Task, rec: Rec, value: bytes | None, case: Case | None) -> None:
        data = rec.value or b""
        if data[:5] in INTENTS:
            if value is not None:
                self._ask(task, rec, value, case)
            return
        said, key = self._intake.said_in(data)
        slot = intake.slot_in(key, said.id, said.attempt)
        seen = None if value is None else glance(value)
        if seen is not None and value is not None:
            self._fates.on_record(slot, seen, value)
        fate, lease = self._fates.of(slot), self._book.leases.open.get(slot)
        if fate is None:
            return
        if lease is not None:
            self._act(task, rec, (said, key), (slot, fate, lease), seen, case)
        self._fates.end(slot, self._book.leases.open.get(slot))

    def _act(
        self,
        task: Task,
        rec: Rec,
        heard: tuple[Any, bytes],
        where: tuple[bytes, Fate, Lease],
        seen: Glance | None,
        case: Case | None,
    ) -> None:
        """Let a claim, an outcome, a vote or a withdrawal do here what it would do."""
        (said, key), (slot, fate, lease) = heard, where
        header, grants = (rec.value or b"")[:5], seen is not None and seen.grants
        if header in CLAIMS:
            if fate.follows and case is not None and lease.state == GRANTED:
                self._lookup.load(case, task)
                self._claims.claim(rec, (said._replace(granted_digest=lease.granted_digest), key))
                self._moved(slot, fate, grants=grants)
        elif header in OUTCOMES:
            if lease.state in (CLAIMED, UNKNOWN) and seen is not None:
                ran = lease.granted_digest if said.ran_digest else b""
                told = said._replace(ran_digest=ran, nonce=lease.nonce, executor=lease.executor)
                self._claims.outcome(rec, (told, key, *self._intake.teller(said)))
        elif header in VOTES:
            if lease.state == PENDING and (case is not None or fate.known is not None):
                self._lookup.load(case or fate.known, task)
                self._votes.vote(rec, (said, key))
                self._moved(slot, fate, grants=grants)
        else:
            self._questions.withdraw(rec, (said, key))

    def _ask(self, task: Task, rec: Rec, value: bytes, case: Case | None) -> None:
        """Put a question under the other packs, where its case is there."""
        if case is None:
            self._untold(NO_CASE if glance(value).reason < Reason.LAGGING else "refused as transient", value, rec)
            return
        try:
            known = self._lookup.load(case, task)
        except Unreadable as fault:
            self._untold(str(fault), value, rec)
            return
        asked, seen = self._intake.recall(known.intent), glance(value)
        intent = asked.intent
        self._questions.ask(rec, asked)
        answer = self._ear.answer
        before = Course(effect_name(seen.effect), seen.state == PENDING, seen.grants, seen.state in OPEN)
        after = Course("deny", open=False)
        fate = Fate(intent.actor, intent.action, task.instant, before, after)
        self._fates.begin(asked.slot, fate)
        found, plan = self.found, self._active[intent.tenant].plan(intent.action)
        old = self._settled.shelf.find(intent.tenant, known.set_digest)
        of_old = None if old is None else old.plan(intent.action)
        fate.limited = bool(of_old is not None and of_old.limits) or MANDATE in value
        if fate.limited:
            self._fates.post("before", verdict.decode(value).holds)
        if answer is not None:
            after.effect, after.open = effect_name(answer.effect), answer.state in OPEN
            after.asked, after.passed = answer.state == PENDING, answer.state in RUNS
            fate.rules = answer.finding.rules if answer.finding is not None else ()
            fate.known = known if answer.state in WAITING else None
            fate.terms = after.passed and before.passed and answer.granted_digest != seen.granted
        found.answers[before.effect, "before"] += 1
        found.answers[after.effect, "after"] += 1
        if before.effect != after.effect or fate.terms:
            said = verdict.decode(value)
            fate.rules = fate.rules or said.rules
            self._sample(fate, intent, said, plan is not None)
        fate.follows = seen.grants
        if after.passed and not fate.follows:
            self._complete(asked.slot, self._book.leases.open[asked.slot])
        self._fates.end(asked.slot, self._book.leases.open.get(asked.slot))

    def _moved(self, slot: bytes, fate: Fate, *, grants: bool) -> None:
        """Note what an arrow made of an attempt here; `grants` says whether it is granted on record by the same."""
        answer = self._ear.answer
        if answer is None:
            return
        fate.after.asked = fate.after.asked or answer.state == PENDING
        if answer.state == State.REVOKED:
            fate.after.passed = False
        elif answer.state in RUNS and not fate.after.passed:
            fate.after.passed, fate.follows = True, grants
            if answer.finding is not None:
                fate.rules = answer.finding.rules
            lease = self._book.leases.open.get(slot)
            if lease is not None and not grants:
                self._complete(slot, lease)

    def _complete(self, slot: bytes, lease: Lease) -> None:
        """Take an action that is let through here, and whose execution is on no record of this moment, for done at once."""
        key, book = key_in(lease.intent), self._book
        held = [one for one in lease.holds if one.phase == HOLD]
        book.leases.close(slot)
        for one in held:
            book.meters.spend(key, one, book.instant, self._ear.seq)
        self._fates.post("after", tuple(Hold(one.limit, one.scope, one.amount, SPEND) for one in held))

    def _untold(self, why: str, value: bytes | Verdict, rec: Rec | None) -> None:
        """Count what cannot be asked again; it stays as it was on record."""
        self.found.not_decided[why,] += 1
        self._stays = True
        said = verdict.decode(value) if isinstance(value, bytes) else value
        self._adopter.adopt(Recorded(said, rec), None)

    def _sample(self, fate: Fate, intent: Intent, said: Verdict, known: bool) -> None:
        """Keep a sample of a change, with why: nothing of its arguments."""
        answer = self._ear.answer
        kind = f"{fate.before.effect} to {fate.after.effect}: {' '.join(fate.rules) or 'before any rule'}"
        if not self.found.wants(kind):
            return
        why = [answer.detail] if answer is not None and answer.detail else []
        if answer is not None and answer.finding is not None and known:
            why += sentences(explain(self._active[intent.tenant], self._joiner.case))
        self.found.sample(kind, sampled(fate, said, answer, self._ear.told, why))


def instead(
    log: Log,
    partition: int,
    settled: Settled,
    candidate: Candidate,
    asked: Range,
    progress: Callable[[int], None] = lambda _: None,
) -> Changes:
    """Return what comes of a partition under other packs; `progress` hears after each batch how far it is."""
    one = Instead(partition, settled, candidate, log)
    for batch in batches(log, partition):
        if asked.until and batch.task.instant > asked.until:
            break
        if batch.task.instant >= asked.since:
            one.batch(batch)
        progress(batch.offset + 1)
    return one.finish()

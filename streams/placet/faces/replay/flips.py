"""*Bisect*: between two cases, which one change turned the answer: an event of the context, a version of packs, or another."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from placet.context.facts import value_of
from placet.faces.cli.journal import read_all
from placet.faces.replay.adopting import decoded
from placet.faces.replay.closed import CASES, KINDS
from placet.faces.replay.known import PARTY
from placet.faces.replay.opened import Fact, Known, Reader, Unreadable
from placet.faces.replay.rows import key_of
from placet.faces.replay.settled import Settled
from placet.faces.replay.shelf import Shelf
from placet.faces.replay.trial import Trial
from placet.model.codec import decode_known
from placet.model.codec._wire import SMALL, long_at
from placet.model.codec.verdict import Verdict
from placet.model.reasons import Effect, Reason
from placet.model.topics import Topic
from placet.ports import Log

ID_AT, ID_SIZE = 5, 16


class Judged(NamedTuple):
    """One recorded verdict of an intent, and what was known when it was decided."""

    partition: int
    said: Verdict
    known: Known


class Change(NamedTuple):
    """One part in which two cases differ, when it came (ms; of packs when they were activated), and where it lies."""

    what: str
    at: int
    place: str
    fields: dict[str, Any]


class Step(NamedTuple):
    """The answer once a change is made on top of all before it; `alone` is the one with this change and no other."""

    what: str
    at: int
    place: str
    effect: str
    reason: str
    alone: str


def judged(log: Log, settled: Settled, intent: bytes) -> list[Judged]:
    """Return the verdicts of an intent that have a case, in order; raise Unreadable where one does not open."""
    found: list[Judged] = []
    for partition in range(settled.partitions):
        said: dict[int, Verdict] = {}
        for rec in read_all(log, Topic.DECISIONS, partition):
            value = rec.value or b""
            if KINDS.get(value[:ID_AT]) == "verdict" and value[ID_AT : ID_AT + ID_SIZE] == intent:
                one = decoded(value)
                if one is not None and one.commitment:
                    said[one.seq] = one
        reader = Reader()
        for rec in read_all(log, Topic.CASES, partition) if said else ():
            if rec.value is not None and rec.value[:ID_AT] in CASES:
                case = decode_known(rec.value)
                if case.seq in said:
                    found.append(Judged(partition, said[case.seq], reader.read(*settled.keys.open(case))))
    return found


def turned(verdicts: list[Judged]) -> tuple[Judged, Judged] | None:
    """Return the last two verdicts in a row of which one grants and the other does not, or None."""
    pairs = list(pairwise(verdicts))
    return next((pair for pair in reversed(pairs) if _grants(pair[0]) != _grants(pair[1])), None)


def _grants(one: Judged) -> bool:
    return one.said.effect in (Effect.PERMIT, Effect.CONSTRAIN)


def bisect(before: Judged, after: Judged, settled: Settled) -> list[Step]:
    """Return the answer after each change that leads from one case to the other, in the order in which they came.

    The first whose effect is another than before is what turned it. Raise
    Unreadable where either case does not come out as it is recorded.
    """
    trial = Trial(after.partition, settled)
    for one in (before, after):
        again = trial.judge(one.known).effect
        if again != one.said.effect:
            recorded = f"seq {one.said.seq} is recorded as {Effect(one.said.effect).name.lower()}"
            raise Unreadable(f"{recorded}, decided again it is {again.name.lower()}: `placet replay` says more")
    known, steps = before.known, list[Step]()
    for change in sorted(_changes(before.known, after.known, settled.shelf), key=lambda change: change.at):
        known = _with(known, change)
        answer, alone = trial.judge(known), trial.judge(_with(before.known, change))
        effect, reason = answer.effect.name.lower(), Reason(answer.reason).name.lower()
        steps.append(Step(change.what, change.at, change.place, effect, reason, alone.effect.name.lower()))
    return steps


def told(before: Judged, after: Judged, steps: list[Step]) -> dict[str, Any]:
    """Return what was found as JSON has it; `turned_by` is the first change after which the effect is another."""
    sides = {
        name: {
            "intent": one.said.id.hex(),
            "partition": one.partition,
            "seq": one.said.seq,
            "instant": one.said.instant,
            "effect": Effect(one.said.effect).name.lower(),
            "reason": Reason(one.said.reason).name.lower(),
            "rules": list(one.said.rules),
        }
        for name, one in (("before", before), ("after", after))
    }
    turned_by = next((step._asdict() for step in steps if step.effect != sides["before"]["effect"]), None)
    return {"mode": "bisect", **sides, "turned_by": turned_by, "steps": [step._asdict() for step in steps]}


def _with(known: Known, change: Change) -> Known:
    """Return a case with one change made; facts of one subject take the place of what was known of it."""
    fields = dict(change.fields)
    if "subject" in fields:
        subject, facts = fields.pop("subject"), fields.pop("facts")
        rest = [fact for fact in known.facts if _subject(fact) != subject]
        every = [*rest, *facts]
        # Who asks and for whom stand first in a case.
        ordered = [fact for fact in every if fact.role in PARTY] + [fact for fact in every if fact.role not in PARTY]
        fields["facts"] = tuple(ordered)
    return known._replace(**fields)


def _changes(before: Known, after: Known, shelf: Shelf) -> Iterator[Change]:
    last = after.instant
    if before.intent != after.intent:
        yield Change("the intent itself", 0, "", {"intent": after.intent})
    if before.set_digest != after.set_digest:
        yield _packs(after, shelf)
    held, now = _by_subject(before.facts), _by_subject(after.facts)
    for subject in dict.fromkeys([*held, *now]):
        facts = now.get(subject, [])
        if [fact.data for fact in held.get(subject, [])] != [fact.data for fact in facts]:
            newest = max((_place(fact.data) for fact in facts or held[subject]), key=lambda place: place[1])
            what = subject[1] if facts else f"{subject[1]} is not known any more"
            yield Change(f"{subject[0]}: {what}", newest[1], newest[0], {"subject": subject, "facts": facts})
    if before.session != after.session:
        yield Change("what came back to the session", last, "", {"session": after.session})
    if before.limits != after.limits:
        yield Change("what is left of limits", last, "", {"limits": after.limits})
    if before.votes != after.votes:
        yield Change("the votes", last, "", {"votes": after.votes})
    yield Change("the clock", last + 1, "", {"instant": after.instant, "cut": after.cut})


def _packs(after: Known, shelf: Shelf) -> Change:
    tenant = decode_known(after.intent).tenant
    named = f"packs: the set {after.set_digest.hex()[:16]}"
    for pointer, partition, offset in reversed(shelf.versions(tenant)):
        active = shelf.find(tenant, after.set_digest)
        if active is not None and set(pointer.digests) == {pack.digest for pack in active.packs}:
            place = f"{Topic.POLICIES.title}/{partition}@{offset}"
            return Change(
                f"{named}, revision {pointer.revision}", pointer.published_at, place, {"set_digest": after.set_digest}
            )
    return Change(named, after.instant, "", {"set_digest": after.set_digest})


def _subject(fact: Fact) -> tuple[str, str]:
    return fact.role.decode(), key_of(decode_known(value_of(fact.data)))[2:]


def _by_subject(facts: Iterable[Fact]) -> dict[tuple[str, str], list[Fact]]:
    groups: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts:
        groups.setdefault(_subject(fact), []).append(fact)
    return groups


def _place(data: bytes) -> tuple[str, int]:
    """Return where a fact lies, and when it was appended."""
    numbers: list[int] = []
    at = 0
    for _ in range(4):
        number, at = (SMALL[data[at]], at + 1) if data[at] < 128 else long_at(data, at)
        numbers.append(number)
    topic, partition, offset, appended = numbers
    return f"{Topic(topic).title}/{partition}@{offset}", appended

"""What was promised, checked on the decisions of one run by code of its own: never against what the desk says elsewhere."""

from collections import Counter
from typing import Any

from placet.model.reasons import State
from placet.model.topics import Topic
from tests.decision.exhaustive.pair import BUDGET, VOTERS, Run
from tests.support.world import AGENT

HOLD, SPEND, RELEASE = 1, 2, 3
RUNS = (State.GRANTED, State.CLAIMED)


def broken(run: Run) -> list[str]:
    """Return the promises that a run breaks, each in a sentence."""
    faults: list[str] = []
    records = [(name, said) for name, said in run.said if name != "seal"]
    if [said.seq for _, said in records] != list(range(run.town.first, run.town.first + len(records))):
        faults.append("the decisions are not numbered on from each other")
    faults += _answers(run, records)
    faults += _budget(records)
    revoked: set[bytes] = set()
    at = 0
    events: list[str] = []
    for event, end in run.turns:
        events.append(event)
        told = [(name, said) for name, said in run.said[at:end] if name != "seal"]
        at = end
        faults += _turn(run, events, told, revoked)
    return faults


def _answers(run: Run, records: list[tuple[str, Any]]) -> list[str]:
    """Each record that came has one answer, and each intent one first answer, whichever desk gave it."""
    faults = []
    caused = Counter((said.cause_topic, said.cause_offset) for name, said in records if name != "halted")
    for topic in (Topic.INTENTS, Topic.VOTES, Topic.OUTCOMES):
        came = run.journal.read(topic, 0, len(run.town.start.get((topic, 0), [])), 1 << 30, 0)
        counts = {rec.offset: caused[topic, rec.offset] for rec in came}
        faults += [f"{topic.name} {offset} has {count} answers" for offset, count in counts.items() if count != 1]
    played = [event for event, _ in run.turns]
    for name, number in run.town.ids.items():
        first = sum(kind == "verdict" and said.id == number and said.previous_seq == -1 for kind, said in records)
        if first != (name in played):
            faults.append(f"{name} has {first} first answers")
    return faults


def _budget(records: list[tuple[str, Any]]) -> list[str]:
    """At every prefix what is held and spent is within the limit, and every grant says what it holds."""
    held: dict[bytes, int] = {}
    spent = 0
    for name, said in records:
        if name != "verdict":
            continue
        for post in said.holds:
            if post.phase == HOLD:
                held[said.id] = held.get(said.id, 0) + post.amount
            else:
                held[said.id] -= post.amount
                spent += post.amount if post.phase == SPEND else 0
        if State(said.state) in RUNS and not said.stop and not held.get(said.id):
            return [f"seq {said.seq} grants and holds nothing"]
        if sum(held.values()) + spent > BUDGET:
            return [f"at seq {said.seq} {sum(held.values())} are held and {spent} spent of {BUDGET}"]
    return []


def _turn(run: Run, events: list[str], told: list[tuple[str, Any]], revoked: set[bytes]) -> list[str]:
    """Return what is wrong with one turn: what is said once somebody is suspended, once all is halted, or on too few votes."""
    faults = []
    halted, suspended = "H" in events, "R" in events
    if events[-1] == "H" and not any(name == "halted" and not said.resumed for name, said in told):
        faults.append("a halt was heard and is not among the decisions")
    yes = {voter for voter, event in zip(VOTERS, ("V1", "V2"), strict=True) if event in events}
    eligible = yes - ({run.town.revoked} if suspended else set())
    for name, said in told:
        if name != "verdict":
            continue
        if State(said.state) in RUNS and not said.stop:
            if halted:
                faults.append(f"seq {said.seq} grants or claims after a halt")
            if suspended and run.town.revoked == AGENT:
                faults.append(f"seq {said.seq} grants or claims for an agent that is suspended")
            if said.id in revoked:
                faults.append(f"seq {said.seq} goes on with what was revoked")
            if said.id == run.town.ids["B"] and len(eligible) < 2:
                faults.append(f"seq {said.seq} grants on the votes of {sorted(eligible)}")
        elif State(said.state) is State.REVOKED:
            revoked.add(said.id)
    return faults

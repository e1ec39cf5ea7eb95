"""Change is heard: from a signal to the revocations it causes, a pack that touches everything, and a halt of all."""

import time

from placet.faces.bench import company
from placet.faces.bench.child import Child
from placet.faces.bench.cluster import Cluster, cluster
from placet.faces.bench.company import TENANT, actor_of, signed
from placet.faces.bench.folding import Folding
from placet.faces.bench.hearing import Hearing
from placet.faces.bench.machine import percentiles
from placet.faces.bench.options import Asked
from placet.faces.bench.packs import RULES, stricter_pack_of
from placet.faces.bench.report import Result, audited, tell
from placet.model.codec import control, risk_signal
from placet.model.codec.control import Control
from placet.model.codec.risk_signal import RiskSignal
from placet.model.context_keys import control_key
from placet.model.keys import partition_of
from placet.model.topics import Topic
from placet.ports import Message

OPEN_PER_INTENT = 0.2
"""Leases left open, by the intents asked for: 100,000 beside 500,000."""
PER_ACTOR = 100
SIGNAL_RATE, SIGNALS_S = 50, 10.0
INTENT_RATE, SLOT_S = 200, 0.05
PATIENCE_S = 120.0


def run(asked: Asked) -> Result:
    """Return how long changes take to be heard by leases that are open, on one worker and one context app."""
    result = Result("revoke")
    wanted = round(asked.intents * OPEN_PER_INTENT)
    actors = min(company.ACTORS // 2, wanted // PER_ACTOR)
    # Of so many as RESTRICTED_EVERY divides, some would ask about restricted resources only and hold no lease.
    actors -= actors % company.RESTRICTED_EVERY == 0
    with cluster(asked.cluster("revoke")) as one:
        with Child(one.settings) as child, Folding(one.settings), Hearing(one.settings) as hearing:
            one.leave_open(child, wanted, one.workload(actors=range(actors)))
            _signals(one, hearing, actors, result)
            one.leave_open(child, wanted, one.workload(actors=range(actors, 2 * actors)))
            _pack(one, child, hearing, actors, result)
            _halt(one, hearing, result)
        result.audits["revoke"] = audited(one.log, one.keys.pinned, one.keys.kek(), None)
    return result


def _signals(one: Cluster, hearing: Hearing, actors: int, result: Result) -> None:
    """Raise the risk of one actor after the other at a fixed rate."""
    count = min(actors, round(SIGNAL_RATE * SIGNALS_S))
    tell(f"revoke: {count} signals at {SIGNAL_RATE}/s")
    feed, started = one.keys.signer("feed"), time.monotonic()
    sent: dict[str, int] = {}
    for number in range(count):
        wait = started + number / SIGNAL_RATE - time.monotonic()
        time.sleep(max(0.0, wait))
        subject = actor_of(number)
        sent[subject] = now = _now()
        record = RiskSignal(TENANT, subject, "bench", f"e{number}", 90, now, 0, "seen", None)
        (value,) = signed("risk_signal", risk_signal, [record], feed)
        key = f"{TENANT}/{subject}".encode()
        place = partition_of(key, one.log.partitions(Topic.SIGNALS))
        one.log.append(Topic.SIGNALS, place, [Message(key, value)])
    hearing.until(lambda: len(hearing.facts) >= count, PATIENCE_S)
    hearing.until(
        lambda: all(hearing.moved.get((Topic.RISK, offset)) for _, offset in hearing.facts.values()), PATIENCE_S
    )
    facts = hearing.facts
    to_fact = [facts[subject][0] - at for subject, at in sent.items()]
    to_revoke = [hearing.moved[Topic.RISK, offset].last - at for at, offset in facts.values()]
    whole = [hearing.moved[Topic.RISK, facts[subject][1]].last - at for subject, at in sent.items()]
    result.figures |= {
        "signals": count,
        "touched_per_signal": round(
            sum(one.count for (topic, _), one in hearing.moved.items() if topic == Topic.RISK) / count, 1
        ),
        **{f"signal_to_fact_{name}_ms": value for name, value in percentiles(to_fact).items()},
        **{f"fact_to_revoke_{name}_ms": value for name, value in percentiles(to_revoke).items()},
        **{f"signal_to_revoke_{name}_ms": value for name, value in percentiles(whole).items()},
    }


def _pack(one: Cluster, child: Child, hearing: Hearing, actors: int, result: Result) -> None:
    """Activate a pack that touches every lease and revokes one in a hundred, while intents come at a fixed rate."""
    held = child.status["open"]
    tell(f"revoke: a pack that touches {held} leases")
    workload = one.workload(actors=range(actors, 2 * actors))
    before = len(hearing.moved)
    offset = one.log.append(
        Topic.POLICIES, 0, company.policies(one.keys.signer("operator"), stricter_pack_of(RULES), _now(), 2)
    )
    begun, asked = _now(), dict[bytes, int]()
    while not hearing.swept(Topic.POLICIES, offset + 1) and _now() - begun < PATIENCE_S * 1000:
        wave = workload.wave(round(INTENT_RATE * SLOT_S), _now())
        asked |= dict.fromkeys(wave.ids, _now())
        one.ask(wave)
        time.sleep(SLOT_S)
    took_ms = max(hearing.swept_at.values(), default=0) - begun
    hearing.until(lambda: asked.keys() <= hearing.answered.keys(), PATIENCE_S)
    waits = [hearing.answered[each] - at for each, at in asked.items()]
    result.figures |= {
        "redecided": held,
        "redecided_per_s": round(held / max(took_ms, 1) * 1000),
        "redecided_ms": took_ms,
        "revoked_by_pack": sum(each.count for each in list(hearing.moved.values())[before:]),
        **{f"intents_meanwhile_{name}_ms": value for name, value in percentiles(waits).items()},
    }


def _halt(one: Cluster, hearing: Hearing, result: Result) -> None:
    """Halt everything."""
    tell("revoke: a halt of all")
    operator, now = one.keys.signer("operator"), _now()
    record = Control(TENANT, "bench", "halt", "all", "", "measured", operator.issuer, now, 0, None)
    (value,) = signed("control", control, [record], operator)
    one.log.append(Topic.CONTROLS, 0, [Message(control_key(record), value)])
    hearing.until(lambda: len(hearing.halted) == one.settings.cluster_partitions, PATIENCE_S)
    result.figures["halt_to_last_marker_ms"] = max(hearing.halted.values()) - now


def _now() -> int:
    return time.time_ns() // 1_000_000

"""What became of a scenario, from the topics alone and from what the executors did."""

from collections import Counter
from dataclasses import dataclass, field

from placet.drivers.kafka import KafkaLog
from placet.drivers.kafka.reader import Reader
from placet.errors import PoisonRecord
from placet.faces.auditor import audit
from placet.model import codec
from placet.model.codec import intent
from placet.model.codec.intent import Intent
from placet.model.codec.verdict import Verdict
from placet.model.reasons import State
from placet.model.topics import EMITS, INPUTS, Topic
from tests.faults import town
from tests.faults.cluster import cast
from tests.faults.cluster.cast import PARTITIONS
from tests.faults.cluster.site import Site, lines
from tests.faults.journals import whole
from tests.faults.tally import Ending as Audited


@dataclass
class Ending:
    """Counts of one scenario. `detected` is what the restore, an executor or the auditor named, where that may happen."""

    seed: int
    load: float = 0.0
    intents: int = 0
    acts: int = 0
    states: Counter[str] = field(default_factory=Counter)
    checked: int = 0
    violations: list[str] = field(default_factory=list)
    detected: list[str] = field(default_factory=list)


def ending_of(site: Site) -> Ending:
    """Audit what a drained site left. Raises what reading raises."""
    ending = Ending(site.seed)
    log = KafkaLog(site.connection)
    try:
        said = _verdicts(log)
        ending.states.update(State(one.state).name.lower() for one in said)
        ending.violations += _lost(site, log, ending) + _unfounded(site, said, ending) + _hanging(site)
        audited = Audited(site.seed)
        audited.hold(audit(log, cast.KEY_FILE, town.KEK, drained=True))
    finally:
        log.close()
    ending.checked = audited.checked
    named = [*audited.violations, *(f"CORRUPTED {said}" for said in site.corrupted())]
    (ending.detected if site.may_detect else ending.violations).extend(named)
    return ending


def _verdicts(log: KafkaLog) -> list[Verdict]:
    found = (
        codec.decode_any(rec.value or b"")
        for partition in range(PARTITIONS)
        for rec in whole(log, Topic.DECISIONS, partition)
    )
    return [one for one in found if isinstance(one, Verdict)]


def _lost(site: Site, log: KafkaLog, ending: Ending) -> list[str]:
    """Return what was acknowledged and is not there."""
    asked = site.asked()
    ending.intents = len({name for _, _, name in asked})
    ending.load = ending.intents / site.loaded_s
    there = {
        (partition, record.id)
        for partition in range(PARTITIONS)
        for rec in whole(log, Topic.INTENTS, partition)
        if (record := _intent(rec.value or b"")) is not None
    }
    return [f"LOST: intent {name.hex()} was acknowledged" for p, _, name in asked if (p, name) not in there]


def _intent(value: bytes) -> Intent | None:
    """Return the intent in a record; nothing for other records and for bad ones."""
    try:
        return intent.decode(value) if codec.open_frame(value)[0] == "intent" else None
    except PoisonRecord:
        return None


def _unfounded(site: Site, said: list[Verdict], ending: Ending) -> list[str]:
    """Return the actions that no committed verdict is the leave for, and those done twice."""
    leave = {
        f"{one.authority} {one.id.hex()} {one.attempt} {one.granted_digest.hex()} {one.nonce.hex()}"
        for one in said
        if one.state == State.CLAIMED
    }
    acts = [line for path in sorted(site.folder.glob("acts-*")) for line in lines(path)]
    ending.acts = len(acts)
    slots = Counter(" ".join(act.split(" ")[:3]) for act in acts)
    return [
        *(f"ACTED without leave: {act}" for act in acts if act not in leave),
        *(f"ACTED {count} times: {slot}" for slot, count in slots.items() if count > 1),
    ]


def _hanging(site: Site) -> list[str]:
    """Return the partitions in which a transaction is still open."""
    reader = Reader(site.connection)
    try:
        return [
            f"HANGING: {topic.title}/{partition} is stable up to {stable} of {end}"
            for topic in (*INPUTS, *EMITS)
            for partition in range(PARTITIONS)
            if (stable := reader.stable_end(topic, partition)) < (end := reader.bounds(topic, partition)[1])
        ]
    finally:
        reader.close()

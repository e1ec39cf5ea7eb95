"""Faults of what is said: silence, emptiness, noise, repetition, disorder, and changes that race with grants."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import OFFSET_END, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from placet.drivers.kafka import KafkaLog
from placet.model.keys import key_of, partition_of
from placet.model.reasons import Reason, State
from placet.model.topics import Topic
from placet.ports import Message
from tests.faults import town
from tests.faults.cluster import cast, wire
from tests.faults.cluster.cast import AGENTS, PARTITIONS, PEOPLE
from tests.faults.cluster.children import Child, verb
from tests.faults.cluster.rules import Act, Rule, Way
from tests.faults.cluster.saying import now_ms, said, writing
from tests.faults.cluster.site import Site
from tests.faults.journals import whole
from tests.faults.poison import KEY, bad_context, bad_inputs
from tests.faults.town import TENANT
from tests.support.keyed import keyed

ALIVE = "siem is alive"
DEAD_S = 9.0
"""How long the feed is dead: longer than the pack bears its silence."""
QUIET_S = 2.0
"""How long all is well between, where another fault is on and nothing may be done."""
SET_MS = 10
"""So long after one set of packs its successor may follow: their revisions are the clock in this unit."""
SILENT = (Reason.FACT_SILENT, Reason.FACT_MISSING, Reason.CONTEXT_SILENT)


@contextmanager
def silent(site: Site) -> Iterator[None]:
    """F18: nothing is heard of risk for longer than the pack bears, once because the app is frozen and once because a
    feed that marks its signals is dead: no permit rests on it, and on return all is decided.
    """
    feed = _marking(site)
    before = said(site)
    site.context.signal(signal.SIGSTOP)
    yield
    after = said(site)
    site.context.signal(signal.SIGCONT)
    site.prove("answers that waited for a frozen app", sum(after[reason] - before[reason] for reason in SILENT))
    if site.alone:
        site.carry_on()
    else:
        site.load_for(QUIET_S)
    begun, before = site.context.begun, said(site)
    feed.kill()
    site.load_for(DEAD_S)
    after = said(site)
    feed.start()
    site.prove("answers that waited for a dead feed", sum(after[reason] - before[reason] for reason in SILENT))
    assert not site.alone or site.context.begun == begun, "the app was to live while its feed was dead"


def _marking(site: Site) -> Child:
    """Return the feed that marks the signals, begun and heard; the site ends it with the rest."""
    known = [child for child in site.children if child.name == "siem"]
    if not known:
        words = ["watermark", "signals", "--source", "siem", "--every-s", "0.5", "--bootstrap", site.bootstrap]
        env = {**site.env, "PLACET_DATA": str(site.data("siem"))}
        known = [verb(words, "siem", site.folder / "siem.log", env)]
        site.children += (*known,)
    known[0].start()
    site.until(lambda: known[0].told(ALIVE), "the feed marks nothing")
    return known[0]


@contextmanager
def emptied(site: Site) -> Iterator[None]:
    """F19: all facts of risk are gone when the workers begin anew, and nobody says them again for a while."""
    site.context.kill()
    title = site.connection.title(Topic.RISK)
    entry = ConfigEntry("cleanup.policy", "compact,delete", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, title, incremental_configs=[entry])
    for done in site.admin.incremental_alter_configs([resource]).values():
        done.result(30)
    lows: list[int] = []
    site.until(lambda: _emptied(site, title, lows), "the topic is not emptied")
    low = lows[0]
    for worker in site.workers:
        worker.kill()
        worker.start()
    before = said(site)
    yield
    after = said(site)
    granted = after[State.GRANTED] - before[State.GRANTED]
    assert not granted, f"{granted} grants while no risk was known"
    site.context.start()
    site.prove("facts and watermarks removed", low)
    site.prove("workers that began without them", len(site.workers))


def _emptied(site: Site, title: str, lows: list[int]) -> bool:
    """Remove all of a topic, and note where it begins then; return false while its broker has not heard that it may."""
    (deleted,) = site.admin.delete_records([TopicPartition(title, 0, OFFSET_END)]).values()
    try:
        lows.append(deleted.result(30).low_watermark)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.POLICY_VIOLATION:
            raise
    return bool(lows)


@contextmanager
def poisoned(site: Site) -> Iterator[None]:
    """F20: one of every kind of bad record, again and again, among inputs, context and signals."""
    begun = [child.begun for child in site.children]

    def write(log: KafkaLog, number: int) -> None:
        now = now_ms()
        for at, one in enumerate(bad_inputs(now, number + (1 << 80)).values()):
            # Not all at once: the load is more than they are.
            if at % 4 == number % 4:
                partition = (partition_of(KEY, PARTITIONS) + one.misplaced) % PARTITIONS
                log.append_async(one.topic, partition, [Message(KEY, one.value)])
        for at, one in enumerate(bad_context(now).values()):
            log.append_async(one.topic, 0, [Message(f"{TENANT}/poison/{number}/{at}".encode(), one.value)])
        log.append_async(Topic.SIGNALS, 0, [Message(b"poison", b"\x00\x00\x00\x00\x10noise")])
        log.flush()

    before = said(site)
    with writing(site, write) as counts:
        yield
    site.prove("times bad records were written", counts["written"])
    site.prove("refusals", said(site)["Refusal"] - before["Refusal"])
    again = [child.name for child, was in zip(site.children, begun, strict=True) if child.begun != was]
    assert not (site.alone and again), f"{again} had to be begun again because of bad records"


@contextmanager
def repeated(site: Site) -> Iterator[None]:
    """F21: intents, claims and outcomes that were written are written again, as they are, by somebody else."""
    reader = KafkaLog(site.connection)
    try:
        old = {
            (topic, partition): [rec for rec in whole(reader, topic, partition) if rec.value is not None]
            for topic in (Topic.INTENTS, Topic.OUTCOMES)
            for partition in range(PARTITIONS)
        }
    finally:
        reader.close()
    places = sorted(place for place, recs in old.items() if recs)

    def write(log: KafkaLog, number: int) -> None:
        topic, partition = place = places[number % len(places)]
        some = [site.draw.choice(old[place]) for _ in range(5)]
        log.append(topic, partition, [Message(rec.key, rec.value) for rec in some])

    before = said(site)
    with writing(site, write) as counts:
        yield
    site.prove("records written again", 5 * counts["written"])
    site.prove("first answers pointed to", said(site)["Repeat"] - before["Repeat"])


@contextmanager
def disordered(site: Site) -> Iterator[None]:
    """F22: risk arrives late and out of its order, and context overtakes intents and is overtaken by them."""
    rules = [
        site.proxy.lay(Rule(Act.DELAY, Way.ANSWERED, apis={wire.FETCH}, client=client, ms=ms))
        for client, ms in (("aiokafka", 700), ("faust", 700), (site.a.name, 200))
    ]
    stale = [0]

    def write(log: KafkaLog, number: int) -> None:
        back = site.draw.randrange(1_000, 60_000)
        subject = site.draw.choice(AGENTS)
        value = cast.a_signal(now_ms() - back, subject, site.draw.choice((0, 95)), number)
        log.append(Topic.SIGNALS, 0, [Message(f"{TENANT}/{subject}".encode(), value)])
        stale[0] += 1

    with writing(site, write):
        yield
    site.proxy.lift(*rules)
    site.prove("answers that came late", sum(rule.count for rule in rules))
    site.prove("signals from the past", stale[0])


@contextmanager
def revoked(site: Site) -> Iterator[None]:
    """F23: suspensions, halts and a stricter pack again and again, while grants are in flight."""
    packs = [town.digest_of_pack(files) for files in (cast.PACK, cast.STRICT_PACK)]
    halts: list[tuple[int, str]] = []

    def write(log: KafkaLog, number: int) -> None:
        now = now_ms()
        agent = AGENTS[number % len(AGENTS)]
        status = "suspended" if number % 16 < 8 else "active"
        value = town.a_principal(now, agent, status)
        log.append_async(Topic.PRINCIPALS, 0, [Message(keyed(value), value)])
        if not number % 5:
            value = town.a_set(now, now // SET_MS, packs[(number // 5) % 2])
            log.append_async(Topic.POLICIES, 0, [Message(keyed(value), value)])
        # A halt stands for three calls: of refunds, of an agent, of the tenant.
        turn, phase = divmod(number, 6)
        scope = ("action/shop.refund", f"agent/{agent}", "tenant")[turn % 3]
        if phase == 0:
            halts.append((turn, scope))
            log.append_async(Topic.CONTROLS, 0, [cast.a_halt(now, turn, scope)])
        elif phase == 3:
            log.append_async(Topic.CONTROLS, 0, cast.its_end(now, *halts[-1]))
        log.flush()

    before = said(site)
    with writing(site, write) as counts:
        yield
        site.until(lambda: said(site)[State.REVOKED] > before[State.REVOKED], "no grant was revoked")
    log = KafkaLog(site.connection)
    for agent in AGENTS:
        value = town.a_principal(now_ms(), agent)
        log.append(Topic.PRINCIPALS, 0, [Message(keyed(value), value)])
    log.append(Topic.CONTROLS, 0, cast.its_end(now_ms(), *halts[-1]))
    value = town.a_set(now_ms(), now_ms() // SET_MS, packs[0])
    log.append(Topic.POLICIES, 0, [Message(keyed(value), value)])
    log.close()
    after = said(site)
    site.prove("changes", counts["written"])
    site.prove("halts said in decisions", after["Halted"] - before["Halted"])
    site.prove("grants revoked", after[State.REVOKED] - before[State.REVOKED])
    site.proof["claims told to stop"] = after["stop"] - before["stop"]


@contextmanager
def other_schemas(site: Site) -> Iterator[None]:
    """F24: writers that are a version ahead: schemas, fields and values that nobody here knows yet."""

    def write(log: KafkaLog, number: int) -> None:
        now = now_ms()
        person = PEOPLE[number % len(PEOPLE)]
        key = key_of(TENANT, person)
        asked = town.an_intent(now, number + (1 << 90), actor=AGENTS[0], authority=person)
        framed = cast.frame(asked)
        newer = (
            (Topic.INTENTS, b"\x00\x00\x00\x07\xd1" + framed[5:]),
            (Topic.INTENTS, framed + b"\x02\x0anewer"),
            (Topic.OUTCOMES, town.an_outcome(now, asked, 42, b"", bytes(16))),
        )
        for topic, value in newer:
            log.append_async(topic, partition_of(key, PARTITIONS), [Message(key, value)])
        log.flush()

    before = said(site)
    with writing(site, write) as counts:
        yield
    after = said(site)
    site.prove("records of a later version", 3 * counts["written"])
    unknown = (Reason.SCHEMA_UNKNOWN, Reason.UNDECODABLE, Reason.MALFORMED)
    site.prove("refused as unknown", sum(after[reason] - before[reason] for reason in unknown))

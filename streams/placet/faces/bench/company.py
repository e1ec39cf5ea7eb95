"""Who and what is measured: a tenant of 10,000 agents, 1,000 people and 50,000 resources, as context records."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from placet.faces.bench.packs import NAME, pack_of
from placet.model.codec import active_set, mandate, pack, principal, risk, sensitivity
from placet.model.codec.active_set import ActiveSet
from placet.model.codec.mandate import Mandate
from placet.model.codec.pack import File, Pack
from placet.model.codec.principal import Principal
from placet.model.codec.risk import Risk
from placet.model.codec.sensitivity import Sensitivity
from placet.model.context_keys import KEYS, active_set_key, pack_key
from placet.model.proof import Signer
from placet.model.topics import Topic
from placet.policy.pack import load_pack
from placet.ports import Log, Message

TENANT = "acme"
ACTORS, PEOPLE, RESOURCES = 10_000, 1_000, 50_000
RESTRICTED_EVERY = 50
LABELS = ("public", "internal", "confidential")
CHUNK, TOGETHER = 5_000, 10


def actor_of(number: int) -> str:
    """Return the principal id of an agent."""
    return f"agent:bench-{number:05}"


def person_of(number: int) -> str:
    """Return the authority of an actor; a person has ten agents."""
    return f"user:person-{number % PEOPLE:04}"


def mandate_of(number: int) -> str:
    """Return the id of the mandate that an agent acts under."""
    return f"m-{number:05}"


def resource_of(number: int) -> str:
    """Return the name of a resource."""
    return f"doc/{number:05}"


def label_of(number: int) -> str:
    """Return the sensitivity of a resource: every fiftieth is restricted."""
    return "restricted" if number % RESTRICTED_EVERY == 0 else LABELS[number % len(LABELS)]


def write(
    log: Log, operator: Signer, executor: str, rules: int, now: int, files: Mapping[str, str] | None = None
) -> None:
    """Append all context records, and make a pack of `rules` rules, or the one that is given, the active one."""
    for topic, messages in _tables(operator, executor, now):
        for at in range(0, len(messages), CHUNK):
            log.append(topic, 0, messages[at : at + CHUNK])
    log.append(Topic.POLICIES, 0, policies(operator, files or pack_of(rules), now))


def _tables(operator: Signer, executor: str, now: int) -> Iterator[tuple[Topic, Sequence[Message]]]:
    agents = [(actor_of(number), "agent", person_of(number)) for number in range(ACTORS)]
    people = [(person_of(number), "user", None) for number in range(PEOPLE)]
    people_of_all = [*agents, *people, (executor, "service", None)]
    principals = [_principal(name, kind, owner, now) for name, kind, owner in people_of_all]
    yield Topic.PRINCIPALS, _said("principal", principal, principals, operator)
    yield Topic.RISK, [risk_of(number, number % 60, now) for number in range(ACTORS)]
    labels = [_sensitivity(number, now) for number in range(RESOURCES)]
    yield Topic.SENSITIVITY, _said("sensitivity", sensitivity, labels, operator)
    yield Topic.MANDATES, [message for person in range(PEOPLE) for message in _mandates(operator, person, now)]


def _principal(name: str, kind: str, owner: str | None, now: int) -> Principal:
    return Principal(TENANT, name, kind, "active", owner, ("staff",), {"tenure": "long"}, (), "directory", now, None)


def risk_of(number: int, score: int, now: int) -> Message:
    """Return what a feed says of an actor's risk."""
    record = Risk(TENANT, actor_of(number), "siem", score, now, 0, 0, number)
    return Message(f"{TENANT}/{record.subject}/siem".encode(), risk.frame(record))


def _sensitivity(number: int, now: int) -> Sensitivity:
    name, owner = resource_of(number), person_of(number)
    return Sensitivity(TENANT, name, label_of(number), owner, "internal", ("document",), "scanner", now, None)


def _said(name: str, codec: Any, records: Sequence[Any], signer: Signer) -> list[Message]:
    """Return records under their keys, signed ten at a time, as a directory or a classifier that is at work sends them."""
    key = KEYS[codec.HEADER][1]
    tens = [records[at : at + TOGETHER] for at in range(0, len(records), TOGETHER)]
    return [
        Message(key(one), value)
        for ten in tens
        for one, value in zip(ten, signed(name, codec, ten, signer), strict=True)
    ]


def _mandates(operator: Signer, person: int, now: int) -> list[Message]:
    """Return what one person gave to her ten agents, signed as one batch."""
    records = [
        Mandate(
            TENANT,
            mandate_of(number),
            person_of(number),
            actor_of(number),
            "keep the books",
            ("bench.*",),
            ("doc/*",),
            (),
            "",
            0,
            "active",
            now,
            None,
        )
        for number in range(person, ACTORS, PEOPLE)
    ]
    framed = signed("mandate", mandate, records, operator)
    return [Message(f"{TENANT}/{one.id}".encode(), value) for one, value in zip(records, framed, strict=True)]


def policies(operator: Signer, pack_files: Mapping[str, str], now: int, revision: int = 1) -> list[Message]:
    """Return what pushes a pack and makes it the active one."""
    files = dict(pack_files)
    digest = load_pack(files).digest
    pushed = Pack(TENANT, NAME, digest, tuple(File(*file) for file in sorted(files.items())), now, None)
    pointer = ActiveSet(TENANT, revision, (digest,), "measured", now, None)
    return [
        Message(pack_key(pushed), signed("pack", pack, [pushed], operator)[0]),
        Message(active_set_key(pointer), signed("active_set", active_set, [pointer], operator)[0]),
    ]


def signed(name: str, codec: Any, records: Sequence[Any], signer: Signer) -> list[bytes]:
    """Return records framed, each with its writer's proof, under one signature."""
    unsigned = [codec.encode_unsigned(record) for record in records]
    proofs = signer.sign_batch(name, codec.FINGERPRINT, unsigned)
    return [
        codec.frame(record._replace(proof=codec.Proof(*proof))) for record, proof in zip(records, proofs, strict=True)
    ]

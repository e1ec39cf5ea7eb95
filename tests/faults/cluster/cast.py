"""Who lives on the cluster: enough people for every partition, one feed, a pack that waits for risk to be heard."""

import base64
import json
from pathlib import Path
from random import Random
from typing import Any

from placet.drivers.kafka import Connection, KafkaLog
from placet.drivers.keyfile import KeyFile, write_secret
from placet.drivers.settings import Settings
from placet.model.codec import intent, risk_signal
from placet.model.codec.control import Control
from placet.model.codec.intent import Intent
from placet.model.codec.risk_signal import RiskSignal
from placet.model.proof import KeyRing, Signer
from placet.model.topics import Topic
from placet.ports import Message
from tests.faults import town
from tests.faults.town import OTHER, RESOURCES, SHOP, TENANT
from tests.support.keyed import keyed

PARTITIONS = 4
REPLICAS = 3
AGENTS = tuple(f"agent:a{number}" for number in range(8))
PEOPLE = tuple(f"user:p{number}" for number in range(16))
FEED = Signer("feed-1", "service:siem", b"f" * 32)
SECOND = Signer("operator-2", "user:admin", b"p" * 32)
"""The other operator: two take a halt back."""
QUIET_MS_MAX = 5_000
"""How long the risk feed may be silent before what rests on it waits."""
PACK: dict[str, str] = {
    **town.OPEN_PACK,
    "pack.yaml": town.OPEN_PACK["pack.yaml"].replace(
        "freshness:\n", f"freshness:\n  - {{fact: actor.risk, heard_ms: {QUIET_MS_MAX}, else: defer}}\n"
    ),
    "rules.yaml": town.OPEN_PACK["rules.yaml"].replace("has(actor.risk.score) && ", ""),
}
STRICT_PACK: dict[str, str] = {**PACK, "rules.yaml": PACK["rules.yaml"].replace("1000", "400")}
KEY_FILE: dict[str, Any] = {
    "version": 1,
    "keys": [
        *town.KEY_FILE["keys"],
        *(
            {
                "kid": pinned.kid,
                "issuer": pinned.issuer,
                "purpose": pinned.purpose,
                "public": base64.b64encode(pinned.public).decode(),
                "sources": ["*"] if pinned.purpose == "feed" else [],
            }
            for pinned in (FEED.pinned("feed"), SECOND.pinned("operator"))
        ),
    ],
}


def lay_keys(data: Path) -> None:
    """Write the pinned keys, and the secrets of a desk, into a worker's folder, unless they lie there."""
    if (data / "keys.json").exists():
        return
    data.mkdir(parents=True, exist_ok=True)
    write_secret(data / "secrets" / "seal-1.key", b"s" * 32)
    write_secret(data / "secrets" / "kek", town.KEK)
    (data / "keys.json").write_text(json.dumps(KEY_FILE))


def ring() -> KeyRing:
    """Return the pinned keys as everybody here knows them."""
    return KeyFile.model_validate_json(json.dumps(KEY_FILE)).ring()


def settings(bootstrap: str, prefix: str, client: str) -> Settings:
    """Return the settings by which `client` is known to the cluster, and to the proxy."""
    return Settings(bootstrap=bootstrap, prefix=prefix, kafka={"client.id": client})


def publish(connection: Connection, now: int) -> None:
    """Say what has to be known before anything is granted."""
    log = KafkaLog(connection)

    def say(topic: Topic, value: bytes) -> None:
        log.append_async(topic, 0, [Message(keyed(value), value)])

    try:
        for name in (*AGENTS, *PEOPLE, SHOP, OTHER):
            say(Topic.PRINCIPALS, town.a_principal(now, name))
        for agent in AGENTS:
            for person in PEOPLE:
                say(Topic.MANDATES, town.a_mandate(now, agent, person))
        for resource in RESOURCES:
            say(Topic.SENSITIVITY, town.a_label(now, resource, "internal"))
        for files in (PACK, STRICT_PACK):
            digest = town.digest_of_pack(files)
            say(Topic.POLICIES, town.a_pack(now, files, digest))
        say(Topic.POLICIES, town.a_set(now, 1, town.digest_of_pack(PACK)))
        log.flush()
    finally:
        log.close()


def an_intent(draw: Random, now: int, number: int) -> Intent:
    """Return one ordinary question: most are refunds that are permitted, some are cut down, some are their own claim."""
    kind = draw.choices(("shop.refund", "shop.look", "shop.export"), (8, 1, 1))[0]
    arguments: dict[str, object] = {}
    if kind == "shop.refund":
        arguments = {"amount": draw.choice((10, 200, 401, 900, 1_500))}
    elif kind == "shop.export":
        arguments = {"rows": draw.randrange(9)}
    return town.an_intent(
        now,
        number,
        actor=draw.choice(AGENTS),
        authority=draw.choice(PEOPLE),
        action=kind,
        arguments=arguments,
        resource=draw.choice(RESOURCES),
        session=draw.choice(("s1", "s2", "")),
        audience=draw.choice((SHOP, OTHER)),
        deadline=now + 120_000,
    )


def frame(asked: Intent) -> bytes:
    """Return an intent as it travels."""
    return intent.frame(asked)


def a_halt(now: int, number: int, scope: str) -> Message:
    """Return an operator's word that nothing of `scope` may begin."""
    return _control(now, number, "halt", scope, town.OPERATOR)


def its_end(now: int, number: int, scope: str) -> list[Message]:
    """Return the words of both operators that take a halt back."""
    return [_control(now, number, "resume", scope, by) for by in (town.OPERATOR, SECOND)]


def _control(now: int, number: int, kind: str, scope: str, by: Signer) -> Message:
    record = Control(TENANT, f"h{number}", kind, scope, "", "tried", by.issuer, now, 0, None)
    value = town.signed("control", record, by)
    return Message(keyed(value), value)


def a_signal(now: int, subject: str, score: int, number: int) -> bytes:
    """Return a signed risk signal of the one feed."""
    made = RiskSignal(TENANT, subject, "siem", f"e{number}", score, now, 0, "seen", None)
    proof = FEED.sign_batch("risk_signal", risk_signal.FINGERPRINT, [risk_signal.encode_unsigned(made)])[0]
    return risk_signal.frame(made._replace(proof=risk_signal.Proof(*proof)))

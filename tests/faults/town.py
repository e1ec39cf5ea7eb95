"""Who lives in the fault tests: principals, their keys, two packs, and one builder for each record they write."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from placet.drivers.keyfile import write_secret
from placet.model import strict
from placet.model.codec import (
    active_set,
    case,
    claim,
    control,
    intent,
    mandate,
    outcome,
    pack,
    principal,
    risk,
    sensitivity,
    verdict,
    vote,
    watermark,
    withdraw,
)
from placet.model.digests import action_digest, intent_digest
from placet.model.proof import KeyRing, Signer
from placet.model.reasons import State
from tests.faults.packs import read_once
from tests.support.world import PACK

TENANT = "acme"
AGENTS = ("agent:ada", "agent:bob")
PEOPLE = ("user:grace", "user:heidi", "user:ivan")
SHOP, OTHER = "service:shop", "service:other"
RESOURCES = ("order/7", "order/8", "table/customers")
UNKNOWN_RESOURCE = "table/nobody-labelled"

SEAL = Signer("seal-1", "placet", b"s" * 32)
OPERATOR = Signer("operator-1", "user:root", b"o" * 32)
SHOP_KEY = Signer("shop-1", SHOP, b"e" * 32)
OTHER_KEY = Signer("other-1", OTHER, b"x" * 32)
VOTERS = ("user:judy", "user:kim", "user:lee")
APPROVERS = {name: Signer(f"{name[5:]}-1", name, name.encode().ljust(32, b"a")) for name in (*VOTERS, PEOPLE[0])}
"""Who has an approver's key: three people of finance, and one who asks."""
STRANGER = Signer("stranger-1", SHOP, b"z" * 32)
"""Not pinned: what it signs proves nothing."""
PINNED = [
    SEAL.pinned("seal"),
    OPERATOR.pinned("operator"),
    SHOP_KEY.pinned("executor"),
    OTHER_KEY.pinned("executor"),
    *(each.pinned("approver") for each in APPROVERS.values()),
]
KEY_FILE: dict[str, Any] = {
    "version": 1,
    "keys": [
        {"kid": k.kid, "issuer": k.issuer, "purpose": k.purpose, "public": base64.b64encode(k.public).decode()}
        for k in PINNED
    ],
}
KEK = bytes(range(32))

_SHORT = """\
lease: {lease_ms: 4000, act_ms_max: 6000}
limits:
  - {id: refunds, because: refunds, per: [authority], on: [shop.refund], measure: amount, window: {sliding_s: 20}, max: 6000, over: constrain}
  - {id: asked, because: asked, per: [actor, session], on: ["shop.*"], window: {sliding_s: 5}, max: 12, over: defer}
  - {id: exports, because: exports, per: [mandate], on: [shop.export], window: {mandate: true}, max: 40}
"""
_TWO = PACK["rules.yaml"].replace("quorum: 1", "quorum: 2").replace("expires_s: 60", "expires_s: 30")
OPEN_PACK: dict[str, str] = {**PACK, "pack.yaml": PACK["pack.yaml"] + _SHORT, "rules.yaml": _TWO}
STRICT_PACK: dict[str, str] = {
    **OPEN_PACK,
    "rules.yaml": OPEN_PACK["rules.yaml"].replace("1000", "400"),
}
"""The same, with other bounds: to make the one the other's successor changes what is granted."""
BROKEN_PACK: dict[str, str] = {
    **OPEN_PACK,
    "rules.yaml": "rules:\n  - {id: broken, on: [shop.refund], effect: permet}\n",
}

Named = intent.Intent | verdict.Verdict
"""What a claim or an outcome takes the name of its intent from: a verdict begins with the same fields."""

MODULES: dict[str, Any] = {
    module.__name__.rpartition(".")[2]: module
    for module in (active_set, claim, control, mandate, outcome, pack, vote, withdraw, principal, sensitivity, intent)
}


def lay_keys(data: Path) -> None:
    """Write the pinned keys, and the secrets of a desk, into the folder of an installation."""
    data.mkdir(parents=True)
    (data / "keys.json").write_text(json.dumps(KEY_FILE))
    write_secret(data / "secrets" / "seal-1.key", b"s" * 32)
    write_secret(data / "secrets" / "kek", KEK)


def ring() -> KeyRing:
    """Return the pinned keys as a worker knows them."""
    return KeyRing(PINNED)


def signed(name: str, record: Any, signer: Signer) -> bytes:
    """Return a framed record with its writer's proof."""
    module = MODULES[name]
    proof = signer.sign_batch(name, module.FINGERPRINT, [module.encode_unsigned(record)])[0]
    return bytes(module.frame(record._replace(proof=module.Proof(*proof))))


def an_intent(now: int, number: int, **more: Any) -> intent.Intent:
    """Return a refund of 10 by ada for grace, due in a minute."""
    fields: dict[str, Any] = {
        "id": number.to_bytes(16, "big"),
        "attempt": 1,
        "tenant": TENANT,
        "actor": AGENTS[0],
        "authority": PEOPLE[0],
        "action": "shop.refund",
        "resource": RESOURCES[0],
        "purpose": "the customer asked",
        "session": "s1",
        "after": (),
        "audience": SHOP,
        "arguments": {"amount": 10},
        "deadline": now + 60_000,
        "at_least": (),
        "emergency": False,
        "proof": None,
        **more,
    }
    fields.setdefault("mandate", mandate_of(fields["actor"], fields["authority"]))
    if not isinstance(fields["arguments"], bytes):
        fields["arguments"] = strict.canonical(fields["arguments"])
    return intent.Intent(**fields)


def mandate_of(agent: str, person: str) -> str:
    return f"{agent}-for-{person}"


def a_claim(now: int, asked: Named, granted: bytes, nonce: bytes, by: Signer = SHOP_KEY) -> bytes:
    made = claim.Claim(TENANT, asked.authority, asked.id, asked.attempt, granted, by.issuer, nonce, now, None)
    return signed("claim", made, by)


def an_outcome(
    now: int, asked: Named, result: int, ran: bytes, nonce: bytes, by: Signer = SHOP_KEY, **more: Any
) -> bytes:
    fields = {"executor": by.issuer, "sensitivity": "", "origin": "", "detail": "", **more}
    told = outcome.Outcome(
        TENANT,
        asked.authority,
        asked.id,
        asked.attempt,
        nonce=nonce,
        result=result,
        ran_digest=ran,
        finished_at=now,
        proof=None,
        **fields,
    )
    return signed("outcome", told, by)


def a_settlement(now: int, asked: intent.Intent, result: State) -> bytes:
    return an_outcome(now, asked, result, b"", bytes(16), OPERATOR, executor="")


def a_vote(now: int, asked: intent.Intent, by: str, approve: bool = True, **more: Any) -> bytes:
    """Return a vote on an intent, bound to its digest, where `more` says nothing else."""
    signer = more.pop("signer", None) or APPROVERS[by]
    digest = intent_digest(intent.encode_unsigned(asked), intent.FINGERPRINT)
    fields = {"intent_digest": digest, "reason": "", "arguments": None, "acr": "", "auth_time": 0, **more}
    cast = vote.Vote(
        TENANT, asked.authority, asked.id, asked.attempt, voter=by, approve=approve, voted_at=now, proof=None, **fields
    )
    return signed("vote", cast, signer)


def a_withdrawal(asked: intent.Intent, actor: str) -> bytes:
    taken = withdraw.Withdraw(TENANT, asked.authority, asked.id, asked.attempt, actor, "not needed", None)
    return withdraw.frame(taken)


def a_principal(now: int, name: str, status: str = "active", source: str = "hr") -> bytes:
    kind, groups = name.partition(":")[0], ("finance",) if name in VOTERS else ()
    record = principal.Principal(TENANT, name, kind, status, None, groups, {}, (), source, now, None)
    return principal.frame(record)


def a_mandate(now: int, agent: str, person: str, status: str = "active", by: Signer = OPERATOR) -> bytes:
    name = mandate_of(agent, person)
    record = mandate.Mandate(TENANT, name, person, agent, "help", ("*",), ("*",), (), "", 0, status, now, None)
    return signed("mandate", record, by)


def a_risk(now: int, subject: str, score: int, source: str = "siem", half_life_s: int = 0) -> bytes:
    return risk.frame(risk.Risk(TENANT, subject, source, score, now, half_life_s, 0, 0))


def a_label(now: int, resource: str, label: str) -> bytes:
    return sensitivity.frame(sensitivity.Sensitivity(TENANT, resource, label, None, None, (), "dlp", now, None))


def a_calendar(now: int, name: str, value: str, by: Signer = OPERATOR) -> bytes:
    return signed("control", control.Control(TENANT, name, "calendar", name, value, "", by.issuer, now, 0, None), by)


def a_watermark(now: int) -> bytes:
    return watermark.frame(watermark.Watermark("hr", now))


def digest_of_pack(files: Mapping[str, str]) -> bytes:
    return read_once(files).digest


def a_pack(now: int, files: Mapping[str, str], digest: bytes, by: Signer = OPERATOR, tenant: str = TENANT) -> bytes:
    pushed = pack.Pack(tenant, "shop", digest, tuple(pack.File(*f) for f in sorted(files.items())), now, None)
    return signed("pack", pushed, by)


def a_set(now: int, revision: int, *digests: bytes, by: Signer = OPERATOR, tenant: str = TENANT) -> bytes:
    return signed("active_set", active_set.ActiveSet(tenant, revision, digests, "", now, None), by)


def digest_of(asked: intent.Intent, arguments: bytes | None = None) -> bytes:
    """Return the action digest of an intent, or of what was granted instead of its arguments."""
    return action_digest(
        asked.tenant,
        asked.authority,
        asked.actor,
        asked.audience,
        asked.action,
        asked.resource,
        asked.arguments if arguments is None else arguments,
    )


def case_of(value: bytes) -> case.Case:
    return case.decode(value)

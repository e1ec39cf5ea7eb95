"""What an executor makes sure of before it acts: for it, of what it will do, with duties it knows, and still in time."""

from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from placet.errors import PoisonRecord
from placet.model import strict
from placet.model.codec import BY_HEADER, open_frame
from placet.model.codec.intent import Intent
from placet.model.codec.verdict import Verdict
from placet.model.digests import action_digest, intent_digest
from placet.model.reasons import Effect, Reason, State

APPLIED: frozenset[str] = frozenset({"limit", "redact", "read_only"})
"""Obligations the desk has applied already: the granted arguments are their result."""
CAPABILITY = "capability"


class Fault(NamedTuple):
    """Why a grant is not begun. `refuse` says that nobody else will do better: the outcome is REFUSED."""

    refuse: bool
    says: str


class Newer(ValueError):
    """A record in a version that this package does not read. Another executor may."""


def addressed(verdict: Verdict, executor: str, tenant: str) -> bool:
    """Return whether `verdict` is an offer to `executor`: open to all of its tenant, or to it by name.

    Names are a tenant's own: the executor of one is a stranger to another. An empty `tenant` is that of the verdict.
    """
    if verdict.stop or (tenant and tenant != verdict.tenant):
        return False
    if verdict.state == State.GRANTED:
        return verdict.audience in ("", executor)
    # `claim: granted`: the grant is itself the claim of the one executor it names. A claim that was made has a nonce.
    return (
        verdict.state == State.CLAIMED
        and not verdict.claim_required
        and verdict.audience == executor == verdict.executor
        and not verdict.nonce
    )


def arguments_asked(verdict: Verdict, value: bytes | None) -> bytes:
    """Return the arguments in the intent record a verdict answers; raise ValueError otherwise."""
    value = value or b""
    where = f"the intent at offset {verdict.asked_offset}"
    try:
        if open_frame(value)[0] != "intent":
            raise ValueError(f"{where} is none")
        reader = BY_HEADER[value[:5]]
        intent: Intent
        intent, end = reader.decode_signed(value)
    except PoisonRecord as error:
        kind = Newer if error.reason == Reason.SCHEMA_UNKNOWN else ValueError
        raise kind(f"{where} cannot be read: {error}") from None
    if intent_digest(value[5:end], reader.FINGERPRINT) != verdict.intent_digest:
        raise ValueError(f"the intent at offset {verdict.asked_offset} is not the one that was answered")
    return intent.arguments


def parsed(arguments: bytes) -> dict[str, Any]:
    """Return canonical arguments as values; raise ValueError when they are not canonical."""
    try:
        return strict.parse_canonical(arguments)
    except PoisonRecord as error:
        raise ValueError(f"arguments: {error}") from None


def digest_of(verdict: Verdict, will_do: dict[str, Any]) -> bytes:
    """Return the action digest of what the executor is about to do, from the very values it will use."""
    return action_digest(
        verdict.tenant,
        verdict.authority,
        verdict.actor,
        verdict.audience,
        verdict.action,
        verdict.resource,
        strict.canonical(will_do),
    )


def fault_of(verdict: Verdict, will_do: dict[str, Any], capabilities: AbstractSet[str]) -> Fault | None:
    """Return why the terms of a grant cannot be kept, or None."""
    if verdict.effect not in (Effect.PERMIT, Effect.CONSTRAIN):
        return Fault(True, f"effect {verdict.effect} is not one this executor knows")
    for one in verdict.obligations:
        if one.kind == CAPABILITY:
            if one.argument not in capabilities:
                return Fault(True, f"obligation `{one.argument}` is not a capability of this executor")
        elif one.kind not in APPLIED:
            return Fault(True, f"obligation of kind `{one.kind}` is not one this executor knows")
    if digest_of(verdict, will_do) != verdict.granted_digest:
        return Fault(True, "what would run is not what was granted: the digests differ")
    return None


def late(verdict: Verdict, now_ms: int, skew_ms_max: int) -> Fault | None:
    """Return why it is too late to begin by this executor's own clock, or None. Doubt about clocks is against it."""
    if verdict.expires_at and now_ms + skew_ms_max >= verdict.expires_at:
        return Fault(False, f"the grant ends at {verdict.expires_at}, it is {now_ms} give or take {skew_ms_max} ms")
    return None

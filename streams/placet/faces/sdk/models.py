"""The types a user of the SDK holds: answers, grants and results."""

from collections.abc import Callable
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from placet.faces.sdk.advice import advice
from placet.faces.sdk.refused import refused
from placet.model.codec import verdict
from placet.model.codec.refusal import Refusal
from placet.model.codec.verdict import Verdict
from placet.model.reasons import Effect, Reason, State

GRANTS: frozenset[State] = frozenset({State.GRANTED, State.CLAIMED})
ENDS: frozenset[State] = frozenset({State.DENIED, State.REVOKED, State.LAPSED, State.EXPIRED, State.WITHDRAWN})
WAITS: frozenset[State] = frozenset({State.ASKED, State.DEFERRED, State.PENDING})


class Value(BaseModel):
    """A frozen value with exact types and no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Obligation(Value):
    """What a constrained permit demands: `kind` is limit, redact, read_only or capability; `value` is JSON text."""

    kind: str
    argument: str
    value: str

    @classmethod
    def of(cls, record: verdict.Obligation) -> Self:
        """Return the obligation of a verdict."""
        return cls(kind=record.kind, argument=record.argument, value=record.value)


class Bound(Value):
    """What would be allowed instead: with `argument` `<=` or `>=` `value`, all else as it is, the rules say `effect`."""

    argument: str
    comparison: str
    value: int
    effect: Effect

    @classmethod
    def of(cls, record: verdict.Bound) -> Self | None:
        """Return the bound of a verdict, or None for one that a later release tells in a way of its own."""
        try:
            value, effect = int(record.value), Effect(record.effect)
        except ValueError:
            return None
        if record.comparison not in ("<=", ">="):
            return None
        return cls(argument=record.argument, comparison=record.comparison, value=value, effect=effect)


class Answer(Value):
    """Where an intent attempt stands: the newest sealed record about it.

    `id` is 32 hex digits. `arguments` are what may run where that differs from
    what was asked (RFC 8785 bytes). Instants are ms since 1970. `refusal` says
    that the record itself was refused, and so was never an intent; `action` and
    `resource` are empty then. `bounds` say what would be allowed instead, and
    `ask` who could give leave.
    """

    tenant: str
    authority: str
    id: str
    attempt: int
    state: State
    effect: Effect | None = None
    reason: Reason
    refusal: bool = False
    rules: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    arguments: bytes | None = None
    audience: str = ""
    claim_required: bool = True
    expires_at: int = 0
    retry_after_ms: int = 0
    executor: str = ""
    detail: str = ""
    action: str = ""
    resource: str = ""
    bounds: tuple[Bound, ...] = ()
    ask: tuple[str, ...] = ()
    partition: int
    seq: int
    instant: int

    @property
    def granted(self) -> bool:
        """Return whether the action may run (after a claim, where one is required)."""
        return self.state in GRANTS

    @property
    def waiting(self) -> bool:
        """Return whether the answer may still become a grant by itself."""
        return self.state in WAITS

    @property
    def refused(self) -> bool:
        """Return whether the action may not run, or not yet, and was never begun: there is `advice` on that."""
        return self.waiting or self.state in ENDS

    def says(self) -> str:
        """Return the answer as one line for people and logs; arguments are left out."""
        parts = [f"intent {self.id}/{self.attempt} of {self.authority}: {self.state.name.lower()}"]
        parts.append(f"reason {self.reason.name.lower()}")
        if self.rules:
            parts.append("rules " + " ".join(self.rules))
        if self.missing:
            parts.append("missing " + " ".join(self.missing))
        if self.retry_after_ms:
            parts.append(f"again in {self.retry_after_ms} ms")
        if self.detail:
            parts.append(self.detail)
        return ", ".join(parts)

    def advice(self) -> str:
        """Return what to do about it, as one paragraph that a language model can act on; text of others only in quotes."""
        return advice(self)

    def to_dict(self) -> dict[str, Any]:
        """Return what was refused, why, and what to do about it, by the names of `schemas/refused.schema.json`.

        Raises `ValueError` for a grant.
        """
        if self.granted:
            raise ValueError(f"intent {self.id}/{self.attempt} is {self.state.name.lower()}: expected a refusal")
        return refused(self)

    @classmethod
    def of(cls, record: Verdict | Refusal) -> Self:
        """Return what a decision record says."""
        if isinstance(record, Refusal):
            return cls(
                tenant=record.tenant,
                authority=record.authority,
                id=record.id.hex(),
                attempt=record.attempt,
                state=State.DENIED,
                effect=Effect.DENY,
                reason=Reason(record.reason),
                refusal=True,
                retry_after_ms=record.retry_after_ms,
                detail=record.detail,
                partition=record.partition,
                seq=record.seq,
                instant=record.instant,
            )
        return cls(
            tenant=record.tenant,
            authority=record.authority,
            id=record.id.hex(),
            attempt=record.attempt,
            state=State(record.state),
            effect=Effect(record.effect) if record.effect else None,
            reason=Reason(record.reason),
            rules=record.rules,
            missing=record.missing,
            obligations=tuple(Obligation.of(one) for one in record.obligations),
            arguments=record.granted_arguments,
            audience=record.audience,
            claim_required=record.claim_required,
            expires_at=record.expires_at,
            retry_after_ms=record.retry_after_ms,
            executor=record.executor,
            detail=record.detail,
            action=record.action,
            resource=record.resource,
            bounds=tuple(bound for one in record.bounds if (bound := Bound.of(one)) is not None),
            ask=record.ask,
            partition=record.partition,
            seq=record.seq,
            instant=record.instant,
        )


class Grant(Value):
    """What an executor is about to do, every check passed and the claim accepted.

    `arguments` are the ones granted, which may be narrower than those asked.
    `stopped()` turns true when the action should be cancelled: a function that
    runs long asks it now and then.
    """

    tenant: str
    authority: str
    actor: str
    id: str
    attempt: int
    action: str
    resource: str
    purpose: str
    arguments: dict[str, Any]
    obligations: tuple[Obligation, ...]
    digest: str
    expires_at: int
    stopped: Callable[[], bool] = Field(exclude=True, repr=False)


class Result(Value):
    """What a handler may return to say more than a value: how sensitive it is, and whether it came from outside.

    `sensitivity` is public, internal, confidential, restricted or empty;
    `origin` is internal, external, or empty when nothing came back.
    """

    value: Any = None
    sensitivity: str = ""
    origin: str = ""
    detail: str = ""

"""One arrow in the life of an intent attempt. Begins with the Intent's first nine fields: their bytes are one slice of it. Generated from schemas/verdict.avsc by `make codecs`; edit the schema, not this file."""
# ruff: noqa

from typing import NamedTuple

from placet.model.codec._wire import (
    INT,
    LONG,
    SMALL,
    SPAN,
    TEXT,
    Misread,
    count,
    int_at,
    learn,
    left_over,
    long_at,
    span,
    undecodable,
    unfit,
    unwritable,
)

SCHEMA_ID = 29
HEADER = bytes.fromhex("000000001d")
FINGERPRINT = bytes.fromhex("62ff97ea306536a3fb95ee86ead447ff78ed87e8099b14d105a16f8ade8c034d")


class Obligation(NamedTuple):
    """A part of `Verdict`."""

    kind: str  # limit, redact, read_only or capability
    argument: str  # the argument it binds, or the capability's name
    value: str  # JSON text of the bound, or empty


class Approval(NamedTuple):
    """A part of `Verdict`."""

    quorum: int
    eligible: tuple[str, ...]
    expires_at: int
    voters: tuple[str, ...]  # whose yes counts
    acr: tuple[str, ...]  # ways to authenticate of which each voter must have taken one (RFC 9470); empty: any
    auth_age_ms_max: int  # how long ago that may be when they vote; 0: any time


class Hold(NamedTuple):
    """A part of `Verdict`."""

    limit: str
    scope: str
    amount: int  # minor units
    phase: int  # 1 hold, 2 spend, 3 release, 4 beyond the limit by people's leave


class Bound(NamedTuple):
    """A part of `Verdict`."""

    argument: str  # one of the intent's own, an integer
    comparison: str  # `<=` or `>=`
    value: str  # JSON text
    effect: int  # the Effect the rules would have at this value, all else as it was; not yet one step before it


class Verdict(NamedTuple):
    """One arrow in the life of an intent attempt. Begins with the Intent's first nine fields: their bytes are one slice of it."""

    id: bytes  # 16 bytes; chosen by the agent; identity is (key, id, attempt)
    attempt: int  # 1 at first; n+1 only after a transient refusal of n
    tenant: str
    actor: str  # who acts
    authority: str  # who answers for it: the root of the delegation
    mandate: str  # empty: the actor acts for itself
    action: str  # as `payments.refund`
    resource: str  # as `order/7`
    purpose: str  # the reason, in words
    partition: int
    seq: int  # of this record in its partition of decisions
    previous_seq: int  # the record before it in the life of this attempt, or -1
    instant: int
    state: int  # a State, reached by this record
    effect: int  # an Effect, or 0
    reason: int  # a Reason
    stop: bool  # the state stays `claimed`; the SDK cancels the action if it can
    cause_topic: int  # a Topic whose record caused this, or 0 for the clock
    cause_partition: int
    cause_offset: int
    asked_offset: int  # of the Intent in `placet.intents`, same partition
    asked_at: int  # its append time
    intent_digest: bytes  # 32 bytes
    action_digest: bytes  # 32 bytes; of what was asked
    granted_digest: bytes  # action digest of what may run; empty without a grant
    granted_arguments: bytes | None  # what may run, where it differs from what was asked
    audience: str
    deadline: int
    expires_at: int  # end of the lease, of the wait, or 0
    claim_required: bool
    act_ms_max: int
    retry_after_ms: int
    set_digest: bytes  # of the active set of packs, or empty
    engine: str
    commitment: bytes  # SHA-256 of salt and Case, or empty
    rules: tuple[str, ...]  # `pack/rule` that decided
    missing: tuple[str, ...]  # facts that were missing or silent
    obligations: tuple[Obligation, ...]
    approval: Approval | None
    holds: tuple[Hold, ...]
    executor: str
    nonce: bytes  # of the claim, or empty
    ran_digest: bytes
    result_sensitivity: str
    result_origin: str
    detail: str
    bounds: tuple[
        Bound, ...
    ]  # what the rules would rather have had, of a deny or a step_up; never of a set or a pattern
    ask: tuple[str, ...]  # who could give leave: names and patterns, as `group:finance`


def encode_granted_arguments(value: bytes | None) -> bytes:
    """Return the bytes of a value of `granted_arguments`."""
    while True:
        try:
            if value is None:
                return b"\x00"
            return b"".join((b"\x02", LONG[len(value)], value))
        except KeyError as missed:
            learn(missed)


def encode_rules(value: tuple[str, ...]) -> bytes:
    """Return the bytes of a value of `rules`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                item_ = item.encode()
                parts += (LONG[len(item_)], item_)
            parts.append(b"\x00")
            return b"".join(parts)
        except KeyError as missed:
            learn(missed)


def encode_missing(value: tuple[str, ...]) -> bytes:
    """Return the bytes of a value of `missing`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                item_ = item.encode()
                parts += (LONG[len(item_)], item_)
            parts.append(b"\x00")
            return b"".join(parts)
        except KeyError as missed:
            learn(missed)


def _encode_obligation(record: Obligation) -> bytes:
    while True:
        try:
            kind, argument, value = record
            kind_ = kind.encode()
            argument_ = argument.encode()
            value_ = value.encode()
            return b"".join((LONG[len(kind_)], kind_, LONG[len(argument_)], argument_, LONG[len(value_)], value_))
        except KeyError as missed:
            learn(missed)


def encode_obligations(value: tuple[Obligation, ...]) -> bytes:
    """Return the bytes of a value of `obligations`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                parts.append(_encode_obligation(item))
            parts.append(b"\x00")
            return b"".join(parts)
        except KeyError as missed:
            learn(missed)


def encode_approval_some_eligible(value: tuple[str, ...]) -> bytes:
    """Return the bytes of a value of `approval_some.eligible`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                item_ = item.encode()
                parts += (LONG[len(item_)], item_)
            parts.append(b"\x00")
            return b"".join(parts)
        except KeyError as missed:
            learn(missed)


def encode_approval_some_voters(value: tuple[str, ...]) -> bytes:
    """Return the bytes of a value of `approval_some.voters`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                item_ = item.encode()
                parts += (LONG[len(item_)], item_)
            parts.append(b"\x00")
            return b"".join(parts)
        except KeyError as missed:
            learn(missed)


def encode_approval_some_acr(value: tuple[str, ...]) -> bytes:
    """Return the bytes of a value of `approval_some.acr`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                item_ = item.encode()
                parts += (LONG[len(item_)], item_)
            parts.append(b"\x00")
            return b"".join(parts)
        except KeyError as missed:
            learn(missed)


def _encode_approval(record: Approval) -> bytes:
    while True:
        try:
            quorum, eligible, expires_at, voters, acr, auth_age_ms_max = record
            return b"".join(
                (
                    INT[quorum],
                    b"\x00" if not eligible else encode_approval_some_eligible(eligible),
                    LONG[expires_at],
                    b"\x00" if not voters else encode_approval_some_voters(voters),
                    b"\x00" if not acr else encode_approval_some_acr(acr),
                    LONG[auth_age_ms_max],
                )
            )
        except KeyError as missed:
            learn(missed)


def encode_approval(value: Approval | None) -> bytes:
    """Return the bytes of a value of `approval`."""
    if value is None:
        return b"\x00"
    return b"".join((b"\x02", _encode_approval(value)))


def _encode_hold(record: Hold) -> bytes:
    while True:
        try:
            limit, scope, amount, phase = record
            limit_ = limit.encode()
            scope_ = scope.encode()
            return b"".join((LONG[len(limit_)], limit_, LONG[len(scope_)], scope_, LONG[amount], INT[phase]))
        except KeyError as missed:
            learn(missed)


def encode_holds(value: tuple[Hold, ...]) -> bytes:
    """Return the bytes of a value of `holds`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                parts.append(_encode_hold(item))
            parts.append(b"\x00")
            return b"".join(parts)
        except KeyError as missed:
            learn(missed)


def _encode_bound(record: Bound) -> bytes:
    while True:
        try:
            argument, comparison, value, effect = record
            argument_ = argument.encode()
            comparison_ = comparison.encode()
            value_ = value.encode()
            return b"".join(
                (
                    LONG[len(argument_)],
                    argument_,
                    LONG[len(comparison_)],
                    comparison_,
                    LONG[len(value_)],
                    value_,
                    INT[effect],
                )
            )
        except KeyError as missed:
            learn(missed)


def encode_bounds(value: tuple[Bound, ...]) -> bytes:
    """Return the bytes of a value of `bounds`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                parts.append(_encode_bound(item))
            parts.append(b"\x00")
            return b"".join(parts)
        except KeyError as missed:
            learn(missed)


def encode_ask(value: tuple[str, ...]) -> bytes:
    """Return the bytes of a value of `ask`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                item_ = item.encode()
                parts += (LONG[len(item_)], item_)
            parts.append(b"\x00")
            return b"".join(parts)
        except KeyError as missed:
            learn(missed)


def splice(
    head: bytes,
    partition: int,
    seq: int,
    previous_seq: int,
    instant: int,
    state: int,
    effect: int,
    reason: int,
    stop: bool,
    cause_topic: int,
    cause_partition: int,
    cause_offset: int,
    asked_offset: int,
    asked_at: int,
    intent_digest: bytes,
    action_digest: bytes,
    granted_digest: bytes,
    granted_arguments: bytes,
    audience: str,
    deadline: int,
    expires_at: int,
    claim_required: bool,
    act_ms_max: int,
    retry_after_ms: int,
    set_digest: bytes,
    engine: str,
    commitment: bytes,
    rules: bytes,
    missing: bytes,
    obligations: bytes,
    approval: bytes,
    holds: bytes,
    executor: str,
    nonce: bytes,
    ran_digest: bytes,
    result_sensitivity: str,
    result_origin: str,
    detail: str,
    bounds: bytes,
    ask: bytes,
) -> bytes:
    """Return the payload whose first 9 fields are the bytes `head`.

    Arrays and what may be null come encoded, by the `encode_` function of the field.
    """
    try:
        while True:
            try:
                if len(intent_digest) != 32:
                    raise unfit("verdict.intent_digest", len(intent_digest), 32)
                if len(action_digest) != 32:
                    raise unfit("verdict.action_digest", len(action_digest), 32)
                return b"".join(
                    (
                        head,
                        INT[partition],
                        LONG[seq],
                        LONG[previous_seq],
                        LONG[instant],
                        INT[state],
                        INT[effect],
                        INT[reason],
                        b"\x01" if stop else b"\x00",
                        INT[cause_topic],
                        INT[cause_partition],
                        LONG[cause_offset],
                        LONG[asked_offset],
                        LONG[asked_at],
                        intent_digest,
                        action_digest,
                        LONG[len(granted_digest)],
                        granted_digest,
                        granted_arguments,
                        TEXT[audience],
                        LONG[deadline],
                        LONG[expires_at],
                        b"\x01" if claim_required else b"\x00",
                        INT[act_ms_max],
                        INT[retry_after_ms],
                        LONG[len(set_digest)],
                        set_digest,
                        TEXT[engine],
                        LONG[len(commitment)],
                        commitment,
                        rules,
                        missing,
                        obligations,
                        approval,
                        holds,
                        TEXT[executor],
                        LONG[len(nonce)],
                        nonce,
                        LONG[len(ran_digest)],
                        ran_digest,
                        TEXT[result_sensitivity],
                        TEXT[result_origin],
                        TEXT[detail],
                        bounds,
                        ask,
                    )
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("verdict", fault) from None


def encode(record: Verdict) -> bytes:
    """Return the payload, without framing."""
    try:
        while True:
            try:
                (
                    id,
                    attempt,
                    tenant,
                    actor,
                    authority,
                    mandate,
                    action,
                    resource,
                    purpose,
                    partition,
                    seq,
                    previous_seq,
                    instant,
                    state,
                    effect,
                    reason,
                    stop,
                    cause_topic,
                    cause_partition,
                    cause_offset,
                    asked_offset,
                    asked_at,
                    intent_digest,
                    action_digest,
                    granted_digest,
                    granted_arguments,
                    audience,
                    deadline,
                    expires_at,
                    claim_required,
                    act_ms_max,
                    retry_after_ms,
                    set_digest,
                    engine,
                    commitment,
                    rules,
                    missing,
                    obligations,
                    approval,
                    holds,
                    executor,
                    nonce,
                    ran_digest,
                    result_sensitivity,
                    result_origin,
                    detail,
                    bounds,
                    ask,
                ) = record
                if len(id) != 16:
                    raise unfit("verdict.id", len(id), 16)
                tenant_ = tenant.encode()
                actor_ = actor.encode()
                authority_ = authority.encode()
                mandate_ = mandate.encode()
                action_ = action.encode()
                resource_ = resource.encode()
                purpose_ = purpose.encode()
                head = b"".join(
                    (
                        id,
                        INT[attempt],
                        LONG[len(tenant_)],
                        tenant_,
                        LONG[len(actor_)],
                        actor_,
                        LONG[len(authority_)],
                        authority_,
                        LONG[len(mandate_)],
                        mandate_,
                        LONG[len(action_)],
                        action_,
                        LONG[len(resource_)],
                        resource_,
                        LONG[len(purpose_)],
                        purpose_,
                    )
                )
                return splice(
                    head,
                    partition,
                    seq,
                    previous_seq,
                    instant,
                    state,
                    effect,
                    reason,
                    stop,
                    cause_topic,
                    cause_partition,
                    cause_offset,
                    asked_offset,
                    asked_at,
                    intent_digest,
                    action_digest,
                    granted_digest,
                    encode_granted_arguments(granted_arguments),
                    audience,
                    deadline,
                    expires_at,
                    claim_required,
                    act_ms_max,
                    retry_after_ms,
                    set_digest,
                    engine,
                    commitment,
                    encode_rules(rules),
                    encode_missing(missing),
                    encode_obligations(obligations),
                    encode_approval(approval),
                    encode_holds(holds),
                    executor,
                    nonce,
                    ran_digest,
                    result_sensitivity,
                    result_origin,
                    detail,
                    encode_bounds(bounds),
                    encode_ask(ask),
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("verdict", fault) from None


def frame(record: Verdict) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode(data: bytes, start: int = 5) -> Verdict:
    """Return the Verdict in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    b, i, end, here = data, start, len(data), "id"
    try:
        here = "id"
        id = b[i : i + 16]
        i += 16
        here = "attempt"
        n = b[i]
        if n < 128:
            attempt = SMALL[n]
            i += 1
        else:
            attempt, i = int_at(b, i)
        here = "tenant"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        tenant = b[i + 1 : j].decode()
        i = j
        here = "actor"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        actor = b[i + 1 : j].decode()
        i = j
        here = "authority"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        authority = b[i + 1 : j].decode()
        i = j
        here = "mandate"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        mandate = b[i + 1 : j].decode()
        i = j
        here = "action"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        action = b[i + 1 : j].decode()
        i = j
        here = "resource"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        resource = b[i + 1 : j].decode()
        i = j
        here = "purpose"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        purpose = b[i + 1 : j].decode()
        i = j
        here = "partition"
        n = b[i]
        if n < 128:
            partition = SMALL[n]
            i += 1
        else:
            partition, i = int_at(b, i)
        here = "seq"
        n = b[i]
        if n < 128:
            seq = SMALL[n]
            i += 1
        else:
            seq, i = long_at(b, i)
        here = "previous_seq"
        n = b[i]
        if n < 128:
            previous_seq = SMALL[n]
            i += 1
        else:
            previous_seq, i = long_at(b, i)
        here = "instant"
        n = b[i]
        if n < 128:
            instant = SMALL[n]
            i += 1
        else:
            instant, i = long_at(b, i)
        here = "state"
        n = b[i]
        if n < 128:
            state = SMALL[n]
            i += 1
        else:
            state, i = int_at(b, i)
        here = "effect"
        n = b[i]
        if n < 128:
            effect = SMALL[n]
            i += 1
        else:
            effect, i = int_at(b, i)
        here = "reason"
        n = b[i]
        if n < 128:
            reason = SMALL[n]
            i += 1
        else:
            reason, i = int_at(b, i)
        here = "stop"
        n = b[i]
        if n > 1:
            raise Misread("a boolean of 0 or 1")
        stop = n == 1
        i += 1
        here = "cause_topic"
        n = b[i]
        if n < 128:
            cause_topic = SMALL[n]
            i += 1
        else:
            cause_topic, i = int_at(b, i)
        here = "cause_partition"
        n = b[i]
        if n < 128:
            cause_partition = SMALL[n]
            i += 1
        else:
            cause_partition, i = int_at(b, i)
        here = "cause_offset"
        n = b[i]
        if n < 128:
            cause_offset = SMALL[n]
            i += 1
        else:
            cause_offset, i = long_at(b, i)
        here = "asked_offset"
        n = b[i]
        if n < 128:
            asked_offset = SMALL[n]
            i += 1
        else:
            asked_offset, i = long_at(b, i)
        here = "asked_at"
        n = b[i]
        if n < 128:
            asked_at = SMALL[n]
            i += 1
        else:
            asked_at, i = long_at(b, i)
        here = "intent_digest"
        intent_digest = b[i : i + 32]
        i += 32
        here = "action_digest"
        action_digest = b[i : i + 32]
        i += 32
        here = "granted_digest"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        granted_digest = b[i + 1 : j]
        i = j
        here = "granted_arguments"
        granted_arguments: bytes | None = None
        n = b[i]
        i += 1
        if n == 2:
            j = i + SPAN[b[i]]
            if j == i:
                i, j = span(b, i)
            granted_arguments_ = b[i + 1 : j]
            i = j
            granted_arguments = granted_arguments_
        elif n:
            raise Misread("a union index of 0 or 1")
        here = "audience"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        audience = b[i + 1 : j].decode()
        i = j
        here = "deadline"
        n = b[i]
        if n < 128:
            deadline = SMALL[n]
            i += 1
        else:
            deadline, i = long_at(b, i)
        here = "expires_at"
        n = b[i]
        if n < 128:
            expires_at = SMALL[n]
            i += 1
        else:
            expires_at, i = long_at(b, i)
        here = "claim_required"
        n = b[i]
        if n > 1:
            raise Misread("a boolean of 0 or 1")
        claim_required = n == 1
        i += 1
        here = "act_ms_max"
        n = b[i]
        if n < 128:
            act_ms_max = SMALL[n]
            i += 1
        else:
            act_ms_max, i = int_at(b, i)
        here = "retry_after_ms"
        n = b[i]
        if n < 128:
            retry_after_ms = SMALL[n]
            i += 1
        else:
            retry_after_ms, i = int_at(b, i)
        here = "set_digest"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        set_digest = b[i + 1 : j]
        i = j
        here = "engine"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        engine = b[i + 1 : j].decode()
        i = j
        here = "commitment"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        commitment = b[i + 1 : j]
        i = j
        here = "rules"
        rules: tuple[str, ...] = ()
        if b[i]:
            n, i = count(b, i, 1)
            rules_list: list[str] = []
            for _ in range(n):
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                rules_item = b[i + 1 : j].decode()
                i = j
                rules_list.append(rules_item)
            here = "rules"
            if b[i]:
                raise Misread("one block, and its end")
            rules = tuple(rules_list)
        i += 1
        here = "missing"
        missing: tuple[str, ...] = ()
        if b[i]:
            n, i = count(b, i, 1)
            missing_list: list[str] = []
            for _ in range(n):
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                missing_item = b[i + 1 : j].decode()
                i = j
                missing_list.append(missing_item)
            here = "missing"
            if b[i]:
                raise Misread("one block, and its end")
            missing = tuple(missing_list)
        i += 1
        here = "obligations"
        obligations: tuple[Obligation, ...] = ()
        if b[i]:
            n, i = count(b, i, 3)
            obligations_list: list[Obligation] = []
            for _ in range(n):
                here = "obligations_item.kind"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                obligations_item_kind = b[i + 1 : j].decode()
                i = j
                here = "obligations_item.argument"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                obligations_item_argument = b[i + 1 : j].decode()
                i = j
                here = "obligations_item.value"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                obligations_item_value = b[i + 1 : j].decode()
                i = j
                obligations_item = tuple.__new__(
                    Obligation,
                    (
                        obligations_item_kind,
                        obligations_item_argument,
                        obligations_item_value,
                    ),
                )
                obligations_list.append(obligations_item)
            here = "obligations"
            if b[i]:
                raise Misread("one block, and its end")
            obligations = tuple(obligations_list)
        i += 1
        here = "approval"
        approval: Approval | None = None
        n = b[i]
        i += 1
        if n == 2:
            here = "approval.quorum"
            n = b[i]
            if n < 128:
                approval_quorum = SMALL[n]
                i += 1
            else:
                approval_quorum, i = int_at(b, i)
            here = "approval.eligible"
            approval_eligible: tuple[str, ...] = ()
            if b[i]:
                n, i = count(b, i, 1)
                approval_eligible_list: list[str] = []
                for _ in range(n):
                    j = i + SPAN[b[i]]
                    if j == i:
                        i, j = span(b, i)
                    approval_eligible_item = b[i + 1 : j].decode()
                    i = j
                    approval_eligible_list.append(approval_eligible_item)
                here = "approval.eligible"
                if b[i]:
                    raise Misread("one block, and its end")
                approval_eligible = tuple(approval_eligible_list)
            i += 1
            here = "approval.expires_at"
            n = b[i]
            if n < 128:
                approval_expires_at = SMALL[n]
                i += 1
            else:
                approval_expires_at, i = long_at(b, i)
            here = "approval.voters"
            approval_voters: tuple[str, ...] = ()
            if b[i]:
                n, i = count(b, i, 1)
                approval_voters_list: list[str] = []
                for _ in range(n):
                    j = i + SPAN[b[i]]
                    if j == i:
                        i, j = span(b, i)
                    approval_voters_item = b[i + 1 : j].decode()
                    i = j
                    approval_voters_list.append(approval_voters_item)
                here = "approval.voters"
                if b[i]:
                    raise Misread("one block, and its end")
                approval_voters = tuple(approval_voters_list)
            i += 1
            here = "approval.acr"
            approval_acr: tuple[str, ...] = ()
            if b[i]:
                n, i = count(b, i, 1)
                approval_acr_list: list[str] = []
                for _ in range(n):
                    j = i + SPAN[b[i]]
                    if j == i:
                        i, j = span(b, i)
                    approval_acr_item = b[i + 1 : j].decode()
                    i = j
                    approval_acr_list.append(approval_acr_item)
                here = "approval.acr"
                if b[i]:
                    raise Misread("one block, and its end")
                approval_acr = tuple(approval_acr_list)
            i += 1
            here = "approval.auth_age_ms_max"
            n = b[i]
            if n < 128:
                approval_auth_age_ms_max = SMALL[n]
                i += 1
            else:
                approval_auth_age_ms_max, i = long_at(b, i)
            approval_ = tuple.__new__(
                Approval,
                (
                    approval_quorum,
                    approval_eligible,
                    approval_expires_at,
                    approval_voters,
                    approval_acr,
                    approval_auth_age_ms_max,
                ),
            )
            approval = approval_
        elif n:
            raise Misread("a union index of 0 or 1")
        here = "holds"
        holds: tuple[Hold, ...] = ()
        if b[i]:
            n, i = count(b, i, 4)
            holds_list: list[Hold] = []
            for _ in range(n):
                here = "holds_item.limit"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                holds_item_limit = b[i + 1 : j].decode()
                i = j
                here = "holds_item.scope"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                holds_item_scope = b[i + 1 : j].decode()
                i = j
                here = "holds_item.amount"
                n = b[i]
                if n < 128:
                    holds_item_amount = SMALL[n]
                    i += 1
                else:
                    holds_item_amount, i = long_at(b, i)
                here = "holds_item.phase"
                n = b[i]
                if n < 128:
                    holds_item_phase = SMALL[n]
                    i += 1
                else:
                    holds_item_phase, i = int_at(b, i)
                holds_item = tuple.__new__(
                    Hold,
                    (
                        holds_item_limit,
                        holds_item_scope,
                        holds_item_amount,
                        holds_item_phase,
                    ),
                )
                holds_list.append(holds_item)
            here = "holds"
            if b[i]:
                raise Misread("one block, and its end")
            holds = tuple(holds_list)
        i += 1
        here = "executor"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        executor = b[i + 1 : j].decode()
        i = j
        here = "nonce"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        nonce = b[i + 1 : j]
        i = j
        here = "ran_digest"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        ran_digest = b[i + 1 : j]
        i = j
        here = "result_sensitivity"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        result_sensitivity = b[i + 1 : j].decode()
        i = j
        here = "result_origin"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        result_origin = b[i + 1 : j].decode()
        i = j
        here = "detail"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        detail = b[i + 1 : j].decode()
        i = j
        here = "bounds"
        bounds: tuple[Bound, ...] = ()
        if b[i]:
            n, i = count(b, i, 4)
            bounds_list: list[Bound] = []
            for _ in range(n):
                here = "bounds_item.argument"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                bounds_item_argument = b[i + 1 : j].decode()
                i = j
                here = "bounds_item.comparison"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                bounds_item_comparison = b[i + 1 : j].decode()
                i = j
                here = "bounds_item.value"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                bounds_item_value = b[i + 1 : j].decode()
                i = j
                here = "bounds_item.effect"
                n = b[i]
                if n < 128:
                    bounds_item_effect = SMALL[n]
                    i += 1
                else:
                    bounds_item_effect, i = int_at(b, i)
                bounds_item = tuple.__new__(
                    Bound,
                    (
                        bounds_item_argument,
                        bounds_item_comparison,
                        bounds_item_value,
                        bounds_item_effect,
                    ),
                )
                bounds_list.append(bounds_item)
            here = "bounds"
            if b[i]:
                raise Misread("one block, and its end")
            bounds = tuple(bounds_list)
        i += 1
        here = "ask"
        ask: tuple[str, ...] = ()
        if b[i]:
            n, i = count(b, i, 1)
            ask_list: list[str] = []
            for _ in range(n):
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                ask_item = b[i + 1 : j].decode()
                i = j
                ask_list.append(ask_item)
            here = "ask"
            if b[i]:
                raise Misread("one block, and its end")
            ask = tuple(ask_list)
        i += 1
        if i != end:
            raise left_over(i, end)
    except (IndexError, UnicodeDecodeError, Misread) as fault:
        raise undecodable("verdict", here, i, b, fault) from None
    return tuple.__new__(
        Verdict,
        (
            id,
            attempt,
            tenant,
            actor,
            authority,
            mandate,
            action,
            resource,
            purpose,
            partition,
            seq,
            previous_seq,
            instant,
            state,
            effect,
            reason,
            stop,
            cause_topic,
            cause_partition,
            cause_offset,
            asked_offset,
            asked_at,
            intent_digest,
            action_digest,
            granted_digest,
            granted_arguments,
            audience,
            deadline,
            expires_at,
            claim_required,
            act_ms_max,
            retry_after_ms,
            set_digest,
            engine,
            commitment,
            rules,
            missing,
            obligations,
            approval,
            holds,
            executor,
            nonce,
            ran_digest,
            result_sensitivity,
            result_origin,
            detail,
            bounds,
            ask,
        ),
    )

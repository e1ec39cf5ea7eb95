"""Reads schema id 6 as verdict.Verdict of now. Generated from schemas/history/verdict/6.avsc by `make codecs`."""
# ruff: noqa

from placet.model.codec.verdict import Obligation, Approval, Hold, Verdict
from placet.model.codec._wire import SMALL, SPAN, Misread, count, int_at, left_over, long_at, span, undecodable

SCHEMA_ID = 6
HEADER = bytes.fromhex("0000000006")
FINGERPRINT = bytes.fromhex("4a7243b9352721e3d1e827907f9f12abf9d796a07add61ebc47f3f0dac195280")


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
            approval_ = tuple.__new__(
                Approval,
                (
                    approval_quorum,
                    approval_eligible,
                    approval_expires_at,
                    (),
                    (),
                    0,
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
            (),
            (),
        ),
    )

"""A refusal as JSON, for frameworks that hand it to a model: stable names, checked in `schemas/refused.schema.json`."""

from typing import TYPE_CHECKING, Any

from placet.faces.sdk.advice import advice, retry_of
from placet.faces.sdk.kinds import kind_of
from placet.faces.sdk.sentences import sentence

if TYPE_CHECKING:
    from placet.faces.sdk.models import Answer


def refused(answer: "Answer") -> dict[str, Any]:
    """Return an answer that grants nothing as JSON has it. Names stay; a later release may add to them.

    `kind` is the error's, as `over_limit`; `retry` one of `advice.Retry`. Names,
    `resource` and `detail` are the text of others as it came: data. `advice` is
    the one field that is written to be acted on, and quotes them.
    """
    return {
        "kind": kind_of(answer).value,
        "reason": answer.reason.name.lower(),
        "because": sentence(answer.reason),
        "state": answer.state.name.lower(),
        "effect": answer.effect.name.lower() if answer.effect else None,
        "tenant": answer.tenant,
        "authority": answer.authority,
        "id": answer.id,
        "attempt": answer.attempt,
        "action": answer.action,
        "resource": answer.resource,
        "rules": list(answer.rules),
        "missing": list(answer.missing),
        "bounds": [{**one.model_dump(), "effect": one.effect.name.lower()} for one in answer.bounds],
        "retry": retry_of(answer).value,
        "retry_after_ms": answer.retry_after_ms,
        "expires_at": answer.expires_at,
        "ask": list(answer.ask),
        "detail": answer.detail,
        "advice": advice(answer),
    }

"""An intent, made from what a caller says and checked as far as it can be before anybody is asked."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

from placet.errors import PoisonRecord
from placet.faces.sdk.tokens import position_of
from placet.model import strict
from placet.model.codec import intent as intent_codec
from placet.model.codec.intent import Intent, Position
from placet.model.reasons import Reason

DEADLINE_MS = 60_000
RECORD_BYTES_MAX = 64_512
"""1 KiB below the largest record a desk takes, for the proof."""


class Asker(NamedTuple):
    """Who asks, for whom, under which delegation, in which run."""

    tenant: str
    actor: str
    authority: str
    mandate: str
    session: str


class Asking(TypedDict, total=False):
    """What an intent may carry beside action, resource and arguments.

    `purpose` in words; `audience`, the executor that may carry it out;
    `deadline_ms` from now, or `deadline` in ms since 1970, past which nothing
    may begin; `after`, ids of intents whose results the agent had seen;
    `at_least`, context positions, or the tokens of them that writers were
    given, before which nothing is decided; `emergency`, where a rule provides
    for one and `purpose` says why: people look at it afterwards; `id`, 16
    bytes, where the caller derives it.
    """

    purpose: str
    audience: str
    deadline_ms: int
    deadline: int
    after: Sequence[bytes]
    at_least: Sequence[Position | str]
    emergency: bool
    id: bytes


def make_intent(
    who: Asker, action: str, resource: str, arguments: Mapping[str, Any], *, fresh: bytes, now: int, more: Asking
) -> Intent:
    """Return the first attempt of an intent with the id `fresh`; raise PoisonRecord for what can be none."""
    audience = more.get("audience", "")
    made = Intent(
        id=fresh,
        attempt=1,
        tenant=who.tenant,
        actor=who.actor,
        authority=who.authority,
        mandate=who.mandate,
        action=strict.identifier(action, "action"),
        resource=strict.identifier(resource, "resource"),
        purpose=more.get("purpose", ""),
        session=who.session,
        after=tuple(more.get("after", ())),
        audience=audience and strict.identifier(audience, "audience"),
        arguments=strict.canonical(dict(arguments)),
        deadline=more.get("deadline") or now + more.get("deadline_ms", DEADLINE_MS),
        at_least=tuple([position_of(one) if isinstance(one, str) else one for one in more.get("at_least", ())]),
        emergency=more.get("emergency", False),
        proof=None,
    )
    strict.parse_canonical(made.arguments)
    size = len(intent_codec.encode_unsigned(made))
    if size > RECORD_BYTES_MAX:
        raise PoisonRecord(f"intent of {size} bytes, expected at most {RECORD_BYTES_MAX}", Reason.TOO_LARGE)
    return made

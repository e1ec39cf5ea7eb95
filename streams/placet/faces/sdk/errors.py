"""Why a guarded action did not run, each error named by what its catcher does next."""

from placet.errors import PlacetError
from placet.faces.sdk.models import Answer
from placet.model.codec.intent import Intent
from placet.model.reasons import Reason, State


class NotGranted(PlacetError):
    """The action may not run. `answer` says why: reason, rules, missing facts, and when to ask again."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.says())
        self.answer = answer


class Denied(NotGranted):
    """No. Asking the same again hears the same."""


class TryAgain(Denied):
    """Not now: something was late or silent. Ask again after `answer.retry_after_ms`."""


class Deferred(NotGranted):
    """Parked until a missing fact arrives. Wait with `Agent.hear`, or withdraw."""


class Pending(NotGranted):
    """Waits for people. Wait with `Agent.hear`, or withdraw."""


class Ended(NotGranted):
    """There was a grant or a wait, and it is over: revoked, lapsed, expired or withdrawn. Ask anew if still wanted."""


class Settled(NotGranted):
    """Another executor, or an earlier run, took this grant. Read the outcome; do not run it again."""


class NoAnswer(PlacetError):
    """Nothing was heard in time, and `intent` may still be decided. Submit it again: that asks nothing twice."""

    def __init__(self, message: str, intent: Intent) -> None:
        super().__init__(message)
        self.intent = intent


class NotBegun(PlacetError):
    """The executor checked a grant and did not begin it. The message says which check failed."""


class Stopped(PlacetError):
    """The action was cancelled while it ran, because the context changed. The outcome says so."""


TAKEN = frozenset({Reason.CLAIM_TAKEN})
OVER = frozenset({Reason.CLAIM_UNKNOWN, Reason.LEASE_ENDED})
"""Why claims are refused when there is nothing left to claim."""


def raised_by(answer: Answer) -> NotGranted:
    """Return the error for an answer that is not a grant."""
    if answer.reason in TAKEN:
        return Settled(answer)
    if answer.reason in OVER:
        return Ended(answer)
    match answer.state:
        case State.DENIED if answer.retry_after_ms > 0:
            return TryAgain(answer)
        case State.DENIED:
            return Denied(answer)
        case State.DEFERRED:
            return Deferred(answer)
        case State.PENDING:
            return Pending(answer)
        case State.REVOKED | State.LAPSED | State.EXPIRED | State.WITHDRAWN:
            return Ended(answer)
        case _:
            return Settled(answer)

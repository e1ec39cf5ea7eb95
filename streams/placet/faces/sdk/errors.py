"""Why a guarded action did not run, each error named by what its catcher does next."""

from typing import Any

from placet.errors import PlacetError
from placet.faces.sdk.kinds import Kind, kind_of
from placet.faces.sdk.models import Answer
from placet.model.codec.intent import Intent


class NotGranted(PlacetError):
    """The action may not run. `answer` says why: reason, rules, missing facts, and when to ask again.

    For a language model there is `answer.advice()`, one paragraph, and `to_dict()`, the same with its parts.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.says())
        self.answer = answer

    def to_dict(self) -> dict[str, Any]:
        """Return the refusal as JSON has it, by the names of `schemas/refused.schema.json`."""
        return self.answer.to_dict()


class Denied(NotGranted):
    """No. Asking the same again hears the same."""


class OverLimit(Denied):
    """Other arguments would do: ask anew within `answer.bounds`, where the task can be done so.

    Where a limit leaves too little, the same may do after `answer.retry_after_ms`, if that is not 0, as a new request.
    """


class Misasked(Denied):
    """The request itself is wrong: put the call right. No rule was against it."""


class OutsideMandate(Denied):
    """No mandate covers this: have one given by whom `answer.ask` names, then ask anew."""


class NotTrusted(Denied):
    """Who asks is not proved, not known or not active: nothing this agent asks will do until people see to that."""


class Halted(Denied):
    """People have stopped this: leave all that is like it until they resume, and let the user know."""


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


RAISED: dict[Kind, type[NotGranted]] = {
    Kind.DENIED: Denied,
    Kind.TRY_AGAIN: TryAgain,
    Kind.OVER_LIMIT: OverLimit,
    Kind.MISASKED: Misasked,
    Kind.OUTSIDE_MANDATE: OutsideMandate,
    Kind.NOT_TRUSTED: NotTrusted,
    Kind.HALTED: Halted,
    Kind.DEFERRED: Deferred,
    Kind.PENDING: Pending,
    Kind.ENDED: Ended,
    Kind.SETTLED: Settled,
}


def raised_by(answer: Answer) -> NotGranted:
    """Return the error for an answer that is not a grant."""
    return RAISED[kind_of(answer)](answer)

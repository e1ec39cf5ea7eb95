"""What an HTTP caller is told when something is wrong: what, where, what was expected, and what to do next."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from placet.errors import Corrupted, PlacetError, PoisonRecord, Unavailable, Unsure
from placet.faces.sdk.sentences import sentence
from placet.model.reasons import Reason
from placet.policy.approval import challenge

PROBLEMS_MOST = 20


class Problem(Exception):
    """An answer that is not the one asked for. `kind` says what the caller may do: usage, unavailable, unsure, corrupted."""

    def __init__(self, status: int, what: str, where: str, expected: str, *, kind: str = "usage") -> None:
        super().__init__(f"{where}: {what}")
        self.status = status
        self.body: dict[str, Any] = {"what": what, "where": where, "expected": expected, "kind": kind}

    def answer(self) -> Response:
        """Return the answer."""
        return json_answer(self.body, self.status)


class Unproved(Problem):
    """Somebody has to authenticate more strongly, or again: the challenge of RFC 9470 §3, in its header and in the body."""

    def __init__(self, acr: Sequence[str], auth_age_ms_max: int) -> None:
        wanted = [f"acr {' or '.join(acr)}"] if acr else []
        wanted += [f"authenticated within {auth_age_ms_max // 1000} s"] if auth_age_ms_max else []
        super().__init__(401, "proof that is too weak for a vote on this", "header Subject-Token", ", ".join(wanted))
        self._challenge = f"Bearer {challenge(acr, auth_age_ms_max)}"
        self.body |= {"error": "insufficient_user_authentication", "acr_values": " ".join(acr)}
        self.body |= {"max_age": auth_age_ms_max // 1000} if auth_age_ms_max else {}

    def answer(self) -> Response:
        """Return the answer, with its challenge."""
        answer = super().answer()
        answer.headers["WWW-Authenticate"] = self._challenge
        return answer


class Page(Response):
    """JSON that no cache keeps and no browser takes for anything else."""

    media_type = "application/json"


def json_answer(content: Mapping[str, Any] | list[Any], status: int = 200) -> Response:
    """Return `content` as JSON."""
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Page(orjson.dumps(content), status, headers)


def of_failure(error: PlacetError) -> Problem:
    """Return the problem that a failure of ours is to a caller."""
    match error:
        case PoisonRecord():
            status = 413 if error.reason == Reason.TOO_LARGE else 400
            problem = Problem(status, str(error), "body", "a record within its profile")
            reason = Reason(error.reason)
            problem.body |= {"reason": reason.name.lower(), "because": sentence(reason)}
            return problem
        case Unsure():
            return Problem(503, str(error), "journal", "send the same again: it is not done twice", kind="unsure")
        case Corrupted():
            return Problem(500, str(error), "journal", "a person who looks", kind="corrupted")
        case Unavailable():
            return Problem(503, str(error), "journal", "try again", kind="unavailable")
        case _:
            return Problem(409, str(error), "journal", "another request")


def of_validation(error: ValidationError, model: type[BaseModel]) -> Problem:
    """Return every field that does not fit, with its path; the first stands in front."""
    found = [_told(one, model) for one in error.errors(include_url=False, include_input=False)[:PROBLEMS_MOST]]
    problem = Problem(400, found[0]["what"], found[0]["where"], found[0]["expected"])
    problem.body["problems"] = found
    return problem


def _told(one: Mapping[str, Any], model: type[BaseModel]) -> dict[str, str]:
    where, what, expected = _path(one["loc"]), _lower(one["msg"]), _expected(one, model)
    if one["type"] == "value_error":
        what, _, expected = str(one["ctx"]["error"]).partition(", expected ")
    return {"where": where, "what": what, "expected": expected}


def _path(loc: Iterable[int | str]) -> str:
    path = "body"
    for part in loc:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path


def _expected(one: Mapping[str, Any], model: type[BaseModel]) -> str:
    if one["type"] == "extra_forbidden":
        return "one of " + ", ".join(model.model_fields)
    if one["type"] == "missing":
        return "a value"
    context = one.get("ctx") or {}
    told = [f"{name} {value}" for name, value in context.items() if isinstance(value, int | str)]
    return ", ".join(told) or str(one["type"]).replace("_", " ")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]

"""What came back to each session, folded from outcomes: the least trusted origin and the gravest label so far."""

from typing import NamedTuple

from placet.faces.auditor.joining import LABELS
from placet.faces.auditor.records import Fields

ORIGINS = ("none", "internal", "external")
REMEMBERED_MS = 60_000
"""A desk may be set to forget a session; one that was silent for longer than this may have been forgotten."""
NOTHING = ("none", 0, -1)


class Heard(NamedTuple):
    """A session as its newest outcome leaves it; `whole` says that nothing of it can have been forgotten before."""

    origin: int
    rank: int
    seq: int
    at: int
    whole: bool


class Sessions:
    """Sessions of one partition, by tenant, authority and name."""

    def __init__(self) -> None:
        self._heard: dict[tuple[str, str, str], Heard] = {}
        self._blind = False

    def tell(self, said: Fields, session: str | None) -> None:
        """Fold an outcome that was taken; `session` is None where the intent that names it cannot be read."""
        if session is None:
            self._blind = True
        if not session or not (said["result_sensitivity"] or said["result_origin"]):
            return
        key = (said["tenant"], said["authority"], session)
        known = self._heard.get(key, Heard(0, 0, -1, said["instant"], whole=True))
        origin = ORIGINS.index(said["result_origin"]) if said["result_origin"] in ORIGINS else 0
        rank = LABELS.index(said["result_sensitivity"]) if said["result_sensitivity"] in LABELS else 0
        whole = known.whole and said["instant"] - known.at < REMEMBERED_MS
        self._heard[key] = Heard(max(origin, known.origin), max(rank, known.rank), said["seq"], said["instant"], whole)

    def differs(self, body: Fields, intent: Fields) -> str:
        """Return how what a case says came back to its session differs from what did, or an empty text."""
        said = (body["session_origin"], body["session_rank"], body["session_seq"])
        heard = (
            self._heard.get((intent["tenant"], intent["authority"], intent["session"])) if intent["session"] else None
        )
        if heard is None:
            return (
                "" if said == NOTHING or self._blind else f"its session has heard {said}, no outcome told it anything"
            )
        told = (ORIGINS[heard.origin], heard.rank, heard.seq)
        if said == told or self._blind:
            return ""
        if not heard.whole or body["instant"] - heard.at >= REMEMBERED_MS:
            # It may have been forgotten; what is remembered is never graver than what was told.
            graver = said[0] not in ORIGINS or ORIGINS.index(said[0]) > heard.origin or said[1] > heard.rank
            return f"its session has heard {said}, outcomes told it {told}" if graver else ""
        return f"its session has heard {said}, outcomes told it {told}"

"""The case body of what was judged: the intent, the facts and the votes it rests on, in their bytes as they came."""

from placet.context.facts import sized
from placet.decision.answer import Answer
from placet.model.case import ORIGINS
from placet.model.codec import case_body
from placet.model.codec._wire import LONG, long
from placet.model.codec.desk_change import Session
from placet.model.codec.seal import Mark

NO_LIMITS = b"\x00"
"""What a case body says of limits where there are none."""
NO_SESSION = sized(ORIGINS[0].encode()) + long(0) + long(-1)
"""What a case body says of a session that nothing came back to: its origin, its rank, and the seq that said so."""


class Bodies:
    """Writes the case bodies of one batch."""

    def __init__(self) -> None:
        self._cut = self._instant = self._set = self._quiet = b""
        self._set_digest: bytes | None = None

    def begin(self, instant: int, cut: bytes) -> None:
        """Start a batch; `cut` is the encoded array of marks that every case of it carries."""
        self._instant, self._cut = long(instant), cut
        self._set_digest = None

    def of(
        self,
        intent: bytes,
        answer: Answer,
        session: Session | None,
        facts: tuple[int, list[bytes]],
        metered: bytes,
        votes: tuple[bytes, ...],
    ) -> bytes:
        """Return the framed CaseBody of a framed intent; `facts` are how many, and their bytes."""
        count, found = facts
        if answer.set_digest is not self._set_digest:
            self._set_digest = answer.set_digest
            self._set = self._instant + sized(answer.set_digest) + sized(answer.engine.encode())
            self._quiet = self._set + NO_SESSION + self._cut
        size = len(intent)
        parts = [case_body.HEADER, LONG.get(size) or long(size), intent]
        if session is None:
            parts.append(self._quiet)
        else:
            heard = (sized(ORIGINS[session.origin].encode()), long(session.rank), long(session.seq))
            parts += (self._set, *heard, self._cut)
        if count:
            parts.append(LONG.get(count) or long(count))
            parts += found
        parts += (b"\x00", metered, case_body.encode_votes(votes) if votes else b"\x00")
        return b"".join(parts)


def marks_of(marks: dict[tuple[int, int], tuple[int, int]]) -> tuple[Mark, ...]:
    """Return marks as a Seal and a case carry them, in order of topic and partition."""
    return tuple(Mark(topic, part, offset, at) for (topic, part), (offset, at) in sorted(marks.items()))

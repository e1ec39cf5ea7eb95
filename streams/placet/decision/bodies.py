"""The case body of what was judged: the intent, the facts and the votes it rests on, in their bytes as they came."""

from placet.context.facts import sized
from placet.decision.answer import Answer
from placet.model.case import ORIGINS
from placet.model.codec import case_body
from placet.model.codec._wire import LONG
from placet.model.codec.desk_change import Session
from placet.model.codec.seal import Mark

NO_LIMITS = b"\x00"
"""What a case body says of limits where there are none."""
NO_SESSION = sized(ORIGINS[0].encode()) + LONG[0] + LONG[-1]
"""What a case body says of a session that nothing came back to: its origin, its rank, and the seq that said so."""


class Bodies:
    """Writes the case bodies of one batch."""

    def __init__(self) -> None:
        self._cut = self._instant = self._set_digest = self._set = b""

    def begin(self, instant: int, cut: bytes) -> None:
        """Start a batch; `cut` is the encoded array of marks that every case of it carries."""
        self._instant, self._cut = LONG[instant], cut

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
            self._set = sized(answer.set_digest) + sized(answer.engine.encode())
        heard = NO_SESSION
        if session:
            heard = b"".join((sized(ORIGINS[session.origin].encode()), LONG[session.rank], LONG[session.seq]))
        return b"".join(
            (
                case_body.HEADER,
                LONG[len(intent)],
                intent,
                self._instant,
                self._set,
                heard,
                self._cut,
                *((LONG[count], *found) if count else ()),
                b"\x00",
                metered,
                case_body.encode_votes(votes) if votes else b"\x00",
            )
        )


def marks_of(marks: dict[tuple[int, int], tuple[int, int]]) -> tuple[Mark, ...]:
    """Return marks as a Seal and a case carry them, in order of topic and partition."""
    return tuple(Mark(topic, part, offset, at) for (topic, part), (offset, at) in sorted(marks.items()))

"""The bytes of a case: the record, each fact and each vote as they came, and what the desk itself knew."""

from placet.context.facts import sized
from placet.decision.answer import Answer
from placet.decision.intake import Asked
from placet.model.case import ORIGINS
from placet.model.codec import case_body
from placet.model.codec._wire import LONG
from placet.model.codec.desk_change import Session
from placet.model.codec.seal import Mark

NO_LIMITS = b"\x00"
"""What a case body says of limits where there are none."""
NO_SESSION = sized(ORIGINS[0].encode()) + LONG[0] + LONG[-1]
"""What a case body says of a session that nothing came back to: its origin, its rank, and the seq that said so."""
Facts = tuple[int, list[bytes]]
"""How many there are, and their bytes, which may hold several each."""


class Bodies:
    """Writes framed CaseBodies. What they say of a set of packs is encoded once for as long as it decides."""

    def __init__(self) -> None:
        self._set_digest = self._set = b""

    def write(
        self,
        asked: Asked,
        answer: Answer,
        session: Session | None,
        instant: int,
        cut: bytes,
        facts: Facts,
        metered: bytes,
        votes: tuple[bytes, ...],
    ) -> bytes:
        """Return the body of one case; `cut`, each fact and `metered`, what is said of limits, are encoded already."""
        if answer.set_digest is not self._set_digest:
            self._set_digest = answer.set_digest
            self._set = sized(answer.set_digest) + sized(answer.engine.encode())
        heard = NO_SESSION
        if session:
            heard = b"".join((sized(ORIGINS[session.origin].encode()), LONG[session.rank], LONG[session.seq]))
        count, known = facts
        return b"".join(
            (
                case_body.HEADER,
                LONG[len(asked.value)],
                asked.value,
                LONG[instant],
                self._set,
                heard,
                cut,
                *((LONG[count], *known) if count else ()),
                b"\x00",
                metered,
                case_body.encode_votes(votes) if votes else b"\x00",
            )
        )


def marks_of(marks: dict[tuple[int, int], tuple[int, int]]) -> tuple[Mark, ...]:
    """Return marks as a Seal and a case carry them, in order of topic and partition."""
    return tuple(Mark(topic, part, offset, at) for (topic, part), (offset, at) in sorted(marks.items()))

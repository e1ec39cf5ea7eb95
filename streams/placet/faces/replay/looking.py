"""Reviews of emergencies in the other history: what people found on record holds here for what was one here too."""

from placet.decision import intake
from placet.decision.reviewing import Reviewing
from placet.faces.replay.adopting import Adopter, decoded
from placet.faces.replay.deciding import CaseBook, Reread
from placet.model.codec.review import Review
from placet.model.reasons import ReviewState
from placet.ports import Rec

AT_ONCE = 1_000_000


class Looking:
    """Carries reviews along. One that nobody answered on record is overdue when its time comes here."""

    def __init__(self, book: CaseBook, reader: Reread, reviewing: Reviewing, adopter: Adopter) -> None:
        self._book = book
        self._reader = reader
        self._reviewing = reviewing
        self._adopter = adopter

    def tick(self, seq: int) -> None:
        """Let the clock speak of reviews."""
        if self._book.reviews.is_due(self._book.instant):
            self._book.speech.at(seq)
            self._reviewing.tick(AT_ONCE)

    def keep(self, value: bytes) -> None:
        """Let a review stand as it is recorded, whether or not it is known here."""
        said = decoded(value)
        if isinstance(said, Review):
            self._adopter.review(said)

    def heard(self, value: bytes, rec: Rec) -> bytes:
        """Take what people found where it was an emergency here too; return the slot of what they found wrong, or nothing."""
        said = decoded(value)
        if not isinstance(said, Review) or said.digest not in self._book.reviews.open:
            return b""
        self._adopter.review(said)
        if said.state != ReviewState.WRONG:
            return b""
        no, key = self._reader.said_in(rec.value or b"")
        slot = intake.slot_in(key, no.id, no.attempt)
        self._reviewing.take_back(slot, said, no)
        return slot

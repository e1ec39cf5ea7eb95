"""A desk that goes another way: the desk's rooms over cases, with limits, ballots and sessions of its own history."""

from collections.abc import Callable
from typing import Any

from placet.decision.answer import Answer
from placet.decision.arrow import Cause, Said
from placet.decision.book import Book
from placet.decision.claims import Claims
from placet.decision.follow import Follow
from placet.decision.guidance import Guide
from placet.decision.intake import Asked
from placet.decision.life import ASKED
from placet.decision.limits import Limits
from placet.decision.meters import posts_of
from placet.decision.questions import Questions
from placet.decision.reviewing import Reviewing
from placet.decision.settings import DeskSettings
from placet.decision.sweeps import Sweeps
from placet.decision.votes import Votes
from placet.faces.replay.deciding import CaseBook, CaseJoiner, CaseJudge, Reread, Speech
from placet.faces.replay.known import Recalled
from placet.faces.replay.settled import Active, Packs, Settled
from placet.model.codec.desk_change import Session
from placet.model.codec.intent import Intent
from placet.model.codec.verdict import Hold

Post = Callable[[tuple[Hold, ...]], None]


class Quiet(Guide):
    """Tells nobody what would rather have been asked: nobody reads it here."""

    def tell(self, *_: Any) -> None:
        """Tell nothing."""


class Ear(Speech):
    """Hears what would be said, and what it does to amounts; nothing is written."""

    def __init__(self, partition: int, post: Post) -> None:
        super().__init__(partition)
        self._post = post
        self.answer: Answer | None = None

    def at(self, seq: int) -> None:
        """Hear the next word as of this seq."""
        super().at(seq)
        self.answer = None

    def say(
        self,
        asked: Asked,  # noqa: ARG002
        answer: Answer,
        cause: Cause,  # noqa: ARG002
        previous: int,  # noqa: ARG002
        asked_offset: int,  # noqa: ARG002
        asked_at: int,  # noqa: ARG002
        body: bytes | None,  # noqa: ARG002
        said: Said,  # noqa: ARG002
    ) -> int:
        """Hear an answer; return its seq."""
        self.answer = answer
        posts = posts_of(ASKED, (), answer.state, answer.holds) if answer.posted else answer.posts
        if posts:
            self._post(posts)
        return self.seq


class OtherBook(CaseBook):
    """The memory of the other history: what came back to sessions is what came back in it."""

    def __init__(self, partition: int, settings: DeskSettings, tables: Recalled, post: Post) -> None:
        super().__init__(partition, settings, tables)
        self.ear = Ear(partition, post)
        self.voice = self.ear

    def session_of(self, asked: Asked) -> Session | None:
        """Return what came back to the session of an intent, or None."""
        return Book.session_of(self, asked)


class OtherJudge(CaseJudge):
    """Judges under the context of a case, with the votes that its own history holds."""

    own_votes = True

    def keeps_case(self, intent: Intent, answer: Answer) -> bool:  # noqa: ARG002
        """Return False: no case is made of what did not happen."""
        return False


class OtherDesk:
    """The rooms of that desk, wired as a desk's are; `post` hears what it does to amounts."""

    def __init__(self, partition: int, settled: Settled, post: Post) -> None:
        self._settled = settled
        self._tables = tables = Recalled()
        self._book = book = OtherBook(partition, settled.settings, tables, post)
        self._ear = book.ear
        self._joiner = CaseJoiner(tables)
        self._active = Active(settled.shelf, tables)
        limits = Limits(book.leases.holdings, book.meters, settled.settings)
        library: Any = Packs(self._active)
        self._judge = OtherJudge(self._joiner, library, tables, settled.settings, limits, book.reviews)
        self._intake = Reread(partition, settled.partitions, settled.ring)
        self._questions = Questions(book, self._judge, self._intake)
        self._questions.guide = Quiet()
        self._claims = Claims(book, self._judge, self._questions)
        follow = Follow(book, self._judge)
        self._reviewing = Reviewing(book, self._questions, tables)
        self._votes = Votes(book, self._judge, self._questions, follow, self._reviewing)
        self._sweeps = Sweeps(book, self._judge, self._questions, follow)

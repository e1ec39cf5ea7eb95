"""The context as one case holds it, in the tables in which a desk looks things up."""

import re
from typing import Any

from placet.context.halts import Halt
from placet.context.tables import CALENDAR, PRINCIPAL, RESOURCE, RISK, Tables
from placet.errors import PoisonRecord
from placet.faces.replay.opened import Fact, Known, Unreadable
from placet.faces.replay.rows import (
    Heard,
    calendar_of,
    halt_said,
    key_of,
    mandate_of,
    principal_of,
    resource_of,
    risks_of,
)
from placet.model.case import CalendarRow, MandateRow, PrincipalRow, ResourceRow, RiskSource
from placet.model.codec import case_body, decode_known
from placet.model.codec._wire import SMALL, long_at
from placet.model.pinned import Fallen
from placet.model.proof import KeyRing

PLACE = re.compile(rb"(?s)" + rb"([\x80-\xff]*+[\x00-\x7f])" * 4).match
"""Topic, partition, offset and append time of a fact."""
REMEMBERED_MOST = 100_000
HELD_MOST = 10_000
PARTY = frozenset({b"actor", b"authority", b"delegator", b"mandate"})
"""Roles of who asks and for whom; they stand first in a case."""
HALT, KEY, VOTER_KEY = b"halt", b"key", b"voter_key"


class Standing:
    """The halts that stand, as a case says: the one that it was denied for, or none."""

    def __init__(self) -> None:
        self.held: list[Halt] = []

    def standing(self, instant: int) -> list[Halt]:  # noqa: ARG002  a case is of one instant
        """Return the halts of the case."""
        return self.held


class Ring:
    """The keys that a case says have fallen, as a join asks for them."""

    def __init__(self) -> None:
        self.words: list[Heard] = []

    @property
    def fallen(self) -> bool:
        """Return whether any key has fallen."""
        return bool(self.words)

    def fell(self, kid: str, tenant: str) -> Fallen | None:
        """Return why a key is not believed any more: word of itself, else of an operator who had put it on record."""
        about = [heard for heard in self.words if heard.said.tenant in ("", tenant)]
        for heard in about:
            if heard.said.kid == kid:
                return Fallen(heard.said.compromised_at, heard.data)
        for heard in about:
            if heard.said.purpose == "operator":
                return Fallen(heard.said.compromised_at, heard.data)
        return None


class Holding:
    """The rows of one case. `number` stands for who asks and for whom: the same facts have the same number."""

    __slots__ = (
        "calendar",
        "facts",
        "fallen",
        "halts",
        "mandates",
        "number",
        "principals",
        "resources",
        "risks",
    )

    def __init__(
        self,
        facts: tuple[Fact, ...],
        number: int,
        principals: dict[str, PrincipalRow],
        mandates: dict[str, MandateRow],
    ) -> None:
        self.facts, self.number, self.principals, self.mandates = facts, number, principals, mandates
        self.risks: dict[str, dict[str, RiskSource]] = {}
        self.resources: dict[str, ResourceRow] = {}
        self.calendar: dict[str, dict[str, CalendarRow]] = {}
        self.halts: list[Halt] = []
        self.fallen: list[Heard] = []


class Recalled(Tables):
    """Tables that hold what one case holds and nothing else; `load` fills them anew for the next.

    Rows are made once of the same facts, and parties are remembered by the
    facts they were made of, so that most of the work of a join is done once.
    """

    def __init__(self) -> None:
        super().__init__(KeyRing(()))
        self._fallen = Ring()
        self.keys = self._fallen  # type: ignore[assignment]
        self._halts = Standing()
        self.halts = self._halts  # type: ignore[assignment]
        self._read: dict[bytes, Heard] = {}
        self._rows: dict[bytes | tuple[bytes, ...], Any] = {}
        self._parties: dict[tuple[Fact, ...], tuple[int, dict[str, PrincipalRow], dict[str, MandateRow]]] = {}
        self._held: dict[int, Holding] = {}
        self._cut = b""
        self._numbers = 0

    def load(self, known: Known) -> None:
        """Hold what a case holds; raise Unreadable where a fact of it is none."""
        try:
            self._load(known)
        except (PoisonRecord, KeyError, AttributeError, IndexError, ValueError) as fault:
            raise Unreadable(f"a fact of its case is none: {fault}") from None

    def empty(self, cut: bytes) -> None:
        """Hold nothing but how far the context was read."""
        if cut != self._cut:
            self._mark(cut)
        self.principals, self.mandates, self.risks, self.resources, self.calendar = {}, {}, {}, {}, {}
        self._halts.held, self._fallen.words = [], []

    def _load(self, known: Known) -> None:
        if known.cut != self._cut:
            self._mark(known.cut)
        held = self._held.get(id(known.facts))
        if held is None or held.facts is not known.facts:
            held = self._hold(known.facts)
        self.identity_changes, self.principals, self.mandates = held.number, held.principals, held.mandates
        self.risks, self.resources, self.calendar = held.risks, held.resources, held.calendar
        self._halts.held, self._fallen.words = held.halts, held.fallen

    def _hold(self, facts: tuple[Fact, ...]) -> Holding:
        """Return what tables hold of these facts, and remember it for as long as the facts are the same object."""
        here = 0
        while here < len(facts) and facts[here].role in PARTY:
            here += 1
        first = facts[:here]
        number, principals, mandates = self._parties.get(first) or self._meet(first)
        made = Holding(facts, number, dict(principals), mandates)
        for (role, key), held in self._groups(facts[here:]).items():
            self._place(made, role, key, held)
        if len(self._held) >= HELD_MOST:
            self._held.clear()
        self._held[id(facts)] = made
        return made

    def _groups(self, facts: tuple[Fact, ...]) -> dict[tuple[bytes, str], list[Heard]]:
        """Return facts read, by their role and what they are about."""
        groups: dict[tuple[bytes, str], list[Heard]] = {}
        for role, data in facts:
            heard = self._read.get(data) or self._hear(data)
            groups.setdefault((role, heard.key), []).append(heard)
        return groups

    def _mark(self, cut: bytes) -> None:
        self._cut = cut
        marks = case_body.decode(b"\0\0\0\0\0\0\0" + cut + b"\0\0\0", 0).cut
        self.marks = {(mark.topic, mark.partition): (mark.offset, mark.heard_at) for mark in marks}

    def _meet(self, facts: tuple[Fact, ...]) -> tuple[int, dict[str, PrincipalRow], dict[str, MandateRow]]:
        """Return who asks and for whom, under a number that the same facts keep."""
        principals: dict[str, PrincipalRow] = {}
        mandates: dict[str, MandateRow] = {}
        for (role, key), held in self._groups(facts).items():
            if role == b"mandate":
                mandates[key] = self._row(held, mandate_of)
            elif key not in principals:
                principals[key] = self._row(held, principal_of)
        if len(self._parties) >= REMEMBERED_MOST:
            self._parties.clear()
        self._numbers += 1
        made = self._parties[facts] = self._numbers, principals, mandates
        return made

    def _place(self, made: Holding, role: bytes, key: str, held: list[Heard]) -> None:
        kind = key[:2]
        if role == HALT:
            made.halts += [halt_said(heard) for heard in held]
        elif role in (KEY, VOTER_KEY):
            made.fallen += held
        elif kind == PRINCIPAL:
            made.principals.setdefault(key, self._row(held, principal_of))
        elif kind == RISK:
            made.risks.setdefault(key, self._row(held, risks_of))
        elif kind == RESOURCE:
            made.resources[key] = self._row(held, resource_of)
        elif kind == CALENDAR:
            made.calendar.setdefault(held[0].said.tenant, {})[held[0].said.scope] = self._row(held, calendar_of)
        else:
            raise Unreadable(f"a fact of its case is in no role that is known: `{role.decode()}`")

    def _row(self, held: list[Heard], make: Any) -> Any:
        of: bytes | tuple[bytes, ...] = held[0].data if len(held) == 1 else tuple([heard.data for heard in held])
        row = self._rows.get(of)
        if row is None:
            if len(self._rows) >= REMEMBERED_MOST:
                self._rows.clear()
            row = self._rows[of] = make(held)
        return row

    def _hear(self, data: bytes) -> Heard:
        """Read a fact, and remember it."""
        found = PLACE(data)
        if found is None:
            raise Unreadable("a fact of its case is in no place")
        at = found.end()
        while data[at] & 128:
            at += 1
        said = decode_known(data[at + 1 :])
        _, partition, offset, appended = [_long(number) for number in found.groups()]
        if len(self._read) >= REMEMBERED_MOST:
            self._read.clear()
        heard = self._read[data] = tuple.__new__(Heard, (key_of(said), said, partition, offset, appended, data))
        return heard


def _long(number: bytes) -> int:
    return SMALL[number[0]] if number[0] < 128 else long_at(number, 0)[0]

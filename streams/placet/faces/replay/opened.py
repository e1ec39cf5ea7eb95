"""Cases opened: the data keys of authorities, and what a case body holds, each part where a desk would look for it."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from placet.decision.held import hold
from placet.decision.vault import NONCE_SIZE, PLACE
from placet.errors import PoisonRecord
from placet.model.case import ORIGIN_RANKS
from placet.model.codec import case_body
from placet.model.codec._wire import SMALL, SPAN, count, long_at, span
from placet.model.codec.case import Case
from placet.model.codec.case_body import Metered
from placet.model.codec.desk_change import DataKey, Session
from placet.model.reasons import Reason
from placet.ports import Rec

NUMBERS = re.compile(rb"(?s)(?:[\x80-\xff]*+[\x00-\x7f]){4}").match
"""Topic, partition, offset and append time of a fact."""
DAMAGED = "its case does not open"
ERASED = "erased: the data key of its authority is gone"


class Unreadable(Exception):
    """A case cannot be read: the text says why."""


class Fact(NamedTuple):
    """One fact of a case: in which role, and its bytes from the topic on, as `case_body.Fact` has them."""

    role: bytes
    data: bytes


class Known(NamedTuple):
    """What a case holds, taken apart but not yet read. `cut` is the encoded array of marks."""

    intent: bytes
    instant: int
    set_digest: bytes
    engine: str
    session: Session | None
    cut: bytes
    facts: tuple[Fact, ...]
    limits: tuple[Metered, ...]
    votes: tuple[bytes, ...]
    salt: bytes


class CaseKeys:
    """The data keys of authorities, opened with the key-encryption key."""

    def __init__(self, kek: bytes) -> None:
        self._wrapping = AESGCM(kek)
        self._ciphers: dict[tuple[str, str, bytes], tuple[AESGCM, bytes]] = {}

    def learn(self, changes: Iterable[Rec]) -> None:
        """Take the wrapped keys in records of `placet.desk`; one that does not open is as one that is gone."""
        for rec in changes:
            if rec.value is None:
                continue
            try:
                rows = hold(rec.value).data_keys
            except PoisonRecord:
                continue
            for row in rows:
                self._take(row)

    def _take(self, row: DataKey) -> None:
        tenant, _, authority = row.key.partition("/")
        sealed, told = row.wrapped, b"placet/data-key/1" + row.key.encode()
        try:
            key = self._wrapping.decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], told)
        except (InvalidTag, ValueError):
            return
        self._ciphers[tenant, authority, row.key_id] = AESGCM(key), row.salt

    def open(self, case: Case) -> tuple[bytes, bytes]:
        """Return a case's body and the salt of its commitment; raise Unreadable where it is erased or damaged."""
        held = self._ciphers.get((case.tenant, case.authority, case.data_key))
        if held is None:
            raise Unreadable(ERASED)
        cipher, salt = held
        told = b"placet/case/1" + PLACE.pack(case.partition, case.seq)
        try:
            return cipher.decrypt(case.nonce, case.ciphertext, told), salt
        except (InvalidTag, ValueError):
            raise Unreadable(DAMAGED) from None


Rest = tuple[tuple[Fact, ...], tuple[Metered, ...], tuple[bytes, ...]]
RESTS_MOST = 8_192
"""Ends of cases remembered, about 4 KB each: a claim comes soon after its grant, and mostly knows the same."""


class Reader:
    """Takes case bodies apart.

    Cases of one batch carry the same cut, which is stepped over whole; cases
    that know the same end alike, and are taken apart once.
    """

    def __init__(self) -> None:
        self._cut = b""
        self._rests: dict[bytes, Rest] = {}

    def read(self, body: bytes, salt: bytes) -> Known:
        """Return what a body holds; raise Unreadable where it is none of this build's form."""
        if body[:5] != case_body.HEADER:
            raise Unreadable("its case is of an older form")
        try:
            return self._read(body, salt)
        except (IndexError, ValueError, LookupError, AttributeError, PoisonRecord) as fault:
            raise Unreadable(f"its case is no case: {fault}") from None

    def _read(self, body: bytes, salt: bytes) -> Known:
        start, at = _sized(body, 5)
        intent = body[start:at]
        instant, at = _long(body, at)
        start, end = _sized(body, at)
        set_digest = body[start:end]
        start, at = _sized(body, end)
        engine = body[start:at].decode()
        session, at = _session(body, at)
        if self._cut and body.startswith(self._cut, at):
            cut, at = self._cut, at + len(self._cut)
        else:
            end = _past_marks(body, at)
            cut = self._cut = body[at:end]
            at = end
        rest = body[at:]
        found = self._rests.get(rest)
        if found is None:
            if len(self._rests) >= RESTS_MOST:
                self._rests.clear()
            found = self._rests[rest] = _rest(rest)
        return tuple.__new__(Known, (intent, instant, set_digest, engine, session, cut, *found, salt))


def _rest(data: bytes) -> Rest:
    """Return the facts, the limits and the votes at the end of a case."""
    facts, at = _facts(data, 0)
    limits, at = _limits(data, at) if data[at] else ((), at + 1)
    votes, at = _votes(data, at) if data[at] else ((), at + 1)
    if at != len(data):
        raise ValueError(f"{len(data) - at} bytes past its end")
    return facts, limits, votes


def _long(data: bytes, at: int) -> tuple[int, int]:
    return (SMALL[data[at]], at + 1) if data[at] < 128 else long_at(data, at)


def _sized(data: bytes, at: int) -> tuple[int, int]:
    """Return where the bytes or the string at `at` begin and end."""
    end = at + SPAN[data[at]]
    if end > at:
        return at + 1, end
    before, end = span(data, at)
    return before + 1, end


def _session(body: bytes, at: int) -> tuple[Session | None, int]:
    start, at = _sized(body, at)
    origin = ORIGIN_RANKS[body[start:at].decode()]
    rank, at = _long(body, at)
    seq, at = _long(body, at)
    return (None if seq < 0 else Session("", origin, rank, seq, 0)), at


def _past_marks(body: bytes, at: int) -> int:
    if not body[at]:
        return at + 1
    number, at = count(body, at, 4)
    for _ in range(number):
        found = NUMBERS(body, at)
        if found is None:
            raise ValueError("expected a mark")
        at = found.end()
    if body[at]:
        raise ValueError("expected the end of the marks")
    return at + 1


def _facts(body: bytes, at: int) -> tuple[tuple[Fact, ...], int]:
    if not body[at]:
        return (), at + 1
    number, at = count(body, at, 6)
    found: list[Fact] = []
    for _ in range(number):
        start, at = _sized(body, at)
        role, start = body[start:at], at
        numbers = NUMBERS(body, at)
        if numbers is None:
            raise ValueError("expected a fact")
        _, at = _sized(body, numbers.end())
        found.append(tuple.__new__(Fact, (role, body[start:at])))
    if body[at]:
        raise ValueError("expected the end of the facts")
    return tuple(found), at + 1


def _limits(body: bytes, at: int) -> tuple[tuple[Metered, ...], int]:
    number, at = count(body, at, 7)
    found: list[Metered] = []
    for _ in range(number):
        start, end = _sized(body, at)
        scope, at = _sized(body, end)
        limit, name = body[start:end].decode(), body[scope:at].decode()
        used, at = _long(body, at)
        own, at = _long(body, at)
        most, at = _long(body, at)
        amount, at = _long(body, at)
        found.append(Metered(limit, name, used, own, most, amount, body[at] == 1))
        at += 1
    if body[at]:
        raise PoisonRecord("expected the end of the limits", Reason.UNDECODABLE)
    return tuple(found), at + 1


def _votes(body: bytes, at: int) -> tuple[tuple[bytes, ...], int]:
    number, at = count(body, at, 1)
    found: list[bytes] = []
    for _ in range(number):
        start, at = _sized(body, at)
        found.append(body[start:at])
    if body[at]:
        raise ValueError("expected the end of the votes")
    return tuple(found), at + 1

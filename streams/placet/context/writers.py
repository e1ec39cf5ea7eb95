"""Keys on record: who may prove what, from when to when, and since when not any more.

What is believed depends on which records there are, not on the order they are
read in. It rests on the pinned file, in two steps and no more: a pinned operator
puts any key on record; an operator that was put on record puts every key but an
operator's. Neither gives what it has not: one of a tenant, keys of that tenant
only; of a pinned key, when it signs. That a key is compromised is never taken back, and is believed of whoever
could have put it on record, whatever is said of that one: it only takes away.
"""

from collections.abc import Iterable
from typing import NamedTuple

from placet.context.facts import fact_of
from placet.context.marks import on_time
from placet.errors import PoisonRecord
from placet.model import strict
from placet.model.codec import Signed
from placet.model.codec import key as key_codec
from placet.model.codec.key import Key
from placet.model.context_keys import check_place, key_key
from placet.model.pinned import NAMING, PURPOSES, Fallen, KeyPlace, KnownKey, PinnedKey, known_key
from placet.model.proof import KID_MOST, MISSED_MOST, KeyRing
from placet.model.reasons import Reason
from placet.ports import Rec

KEY, WRITERS = "Y:", "Z:"
"""Prefixes of index keys: one key, on which what it signed rests, and a change of operators, which touches all."""
OPERATOR = ("operator",)
ON_RECORD = PURPOSES - {"seal"}
SOURCES_MOST = 256
WAITING_MOST = 1_024
"""Records that wait for the key of the operator who signed them; of more the first."""
SAID_MOST = 64
"""Words remembered of one key: of more the newest, and those that say it is compromised since longest."""


class Said(NamedTuple):
    """What one operator says of one key, its signature checked."""

    key: Key
    at: int
    offset: int
    signer: KeyPlace
    fact: bytes

    @property
    def order(self) -> tuple[int, int, int]:
        """Of two words about one key the greater stands."""
        return self.key.observed_at, self.at, self.offset


class Writers:
    """Folds the records of keys into a ring: its `known` and `fallen` are what stands of them."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        # Another thread may look while this one reckons: what stands is replaced whole, or key by key.
        self._known: dict[KeyPlace, KnownKey] = {}
        self._fallen: dict[KeyPlace, Fallen] = {}
        ring.known, ring.fallen = self._known, self._fallen
        ring.lasting, ring.missed = {}, set()
        self._said: dict[KeyPlace, list[Said]] = {}
        self._waiting: list[tuple[str, Rec, Signed, int]] = []
        self._overrun = False
        self.stale = False

    def serve(self, ring: KeyRing) -> None:
        """Fold into `ring` from now on, which has the same pinned keys, and let it know at once what stands."""
        self._ring = ring
        ring.fallen, ring.known = self._fallen, self._known

    def fold(self, rec: Rec, value: bytes, partitions: int, reader: Signed = key_codec) -> str | None:
        """Take one record of a key; return the index key it touched, or None where it changed nothing.

        Raise PoisonRecord where it is not believed. One whose signer is not
        known waits for it. `stale` is then set where context that was read
        would be taken otherwise now: whoever holds it reads it again.
        """
        heard: Key
        heard, end = reader.decode_signed(value)
        _formed(heard)
        check_place(rec.partition, rec.key, key_key(heard), partitions)
        on_time(rec, heard.observed_at)
        on_time(rec, heard.compromised_at)
        if heard.proof is None:
            raise PoisonRecord("a record of a key without proof of its writer", Reason.WRITER_UNPROVED)
        signers = self._operators(heard.proof.kid, heard)
        if not signers:
            if len(self._waiting) < WAITING_MOST:
                self._waiting.append((heard.proof.kid, rec, reader, partitions))
            else:
                self._overrun = True
            raise PoisonRecord(f"no operator key `{heard.proof.kid[:64]}` that may say this", Reason.WRITER_UNPROVED)
        said = self._proved(rec, value[5:end], heard, reader, signers)
        place = (heard.tenant, heard.kid)
        before = self._state(place)
        if not self._put(place, said):
            return None
        if heard.purpose in OPERATOR or self._is_operator(place):
            touched = self._reckon_all(place)
        else:
            self._reckon(place)
            touched = None if before == self._state(place) else f"{KEY}{heard.tenant}/{heard.kid}"
            if touched is not None and (heard.purpose in NAMING or place in self._ring.lasting):
                self._look_back(place, before[0])
        if touched is None and not heard.compromised_at:
            self._believe(said)
        return touched

    def _believe(self, said: Said) -> None:
        """Raise PoisonRecord where what changed nothing is not believed."""
        fell, by = self._against(said), f"key `{said.signer[1]}`"
        if fell is not None:
            told = f"{by} is compromised since {fell.since}, this was appended at {said.at}"
            raise PoisonRecord(told, Reason.KEY_COMPROMISED)
        if not self._in_time(said):
            raise PoisonRecord(f"{by} does not sign at {said.at}", Reason.WRITER_UNPROVED)

    def _operators(self, kid: str, heard: Key) -> list[KnownKey]:
        """Return the operator keys under `kid` that may say this, whatever has become of them since."""
        pinned = self._ring.pinned.get(kid)
        if pinned is not None:
            return [pinned]
        if not heard.tenant or heard.purpose in OPERATOR or heard.kid in self._ring.pinned:
            return []
        held = (*self._said.get((heard.tenant, kid), ()), *self._said.get(("", kid), ()))
        return [_known(said.key) for said in held if said.key.purpose in OPERATOR]

    def _proved(self, rec: Rec, unsigned: bytes, heard: Key, reader: Signed, signers: list[KnownKey]) -> Said:
        """Return what is said once one of `signers` signed it and may say it; what is said of the signer is for later."""
        refused = PoisonRecord("", Reason.WRITER_UNPROVED)
        for signer in signers:
            try:
                KeyRing([signer.key]).verify(
                    "key", reader.FINGERPRINT, unsigned, heard.proof, OPERATOR, heard.tenant, rec.at
                )
            except PoisonRecord as poison:
                refused = poison
                continue
            self._fits(heard)
            return Said(heard, rec.at, rec.offset, (signer.key.tenant, signer.key.kid), fact_of(rec))
        raise refused

    def _fits(self, heard: Key) -> None:
        """Raise PoisonRecord where a record says of a pinned key what its file does not, but for its time; an operator's has none."""
        pinned = self._ring.pinned.get(heard.kid)
        if pinned is None:
            return
        if (heard.tenant, heard.issuer, heard.purpose, heard.public) != (
            pinned.key.tenant,
            pinned.key.issuer,
            pinned.key.purpose,
            pinned.key.public,
        ):
            raise PoisonRecord(f"key `{heard.kid}` is pinned as another", Reason.WRITER_UNPROVED)
        if not heard.compromised_at and heard.purpose in OPERATOR:
            told = f"key `{heard.kid}` is a pinned operator's: its file alone says when it signs"
            raise PoisonRecord(told, Reason.MALFORMED)

    def _put(self, place: KeyPlace, said: Said) -> bool:
        """Remember what is said; return whether it is news."""
        held = self._said.setdefault(place, [])
        if any(one.signer == said.signer and one.key[:-1] == said.key[:-1] for one in held):
            return False
        held.append(said)
        if len(held) > SAID_MOST:
            pinned = self._ring.pinned
            held.remove(
                min(
                    held,
                    key=lambda one: (
                        one.signer[1] in pinned,
                        one.key.compromised_at > 0,
                        -one.key.compromised_at,
                        one.order,
                    ),
                )
            )
        return True

    def _state(self, place: KeyPlace) -> tuple[KnownKey | None, Fallen | None]:
        return self._known.get(place), self._fallen.get(place)

    def _is_operator(self, place: KeyPlace) -> bool:
        pinned = self._ring.pinned.get(place[1])
        if pinned is not None:
            return pinned.key.purpose in OPERATOR
        return any(said.key.purpose in OPERATOR for said in self._said.get(place, ()))

    def _reckon_all(self, place: KeyPlace) -> str | None:
        """Reckon every key anew after a word about the operator at `place`, and let what waited for it be heard."""
        ring = self._ring
        before = self._known, self._fallen
        # The file first, then the operators it put on record, then the rest: each rests on those before.
        self._known, self._fallen = {}, {}
        for each in sorted(self._said, key=lambda each: (each[1] not in ring.pinned, not self._is_operator(each))):
            self._reckon(each)
        ring.fallen, ring.known = self._fallen, self._known  # one that fell is never believed in between
        waiting = [one for one in self._waiting if one[0] == place[1]]
        self._waiting = [one for one in self._waiting if one[0] != place[1]]
        for _, rec, reader, partitions in waiting:
            try:
                self.fold(rec, rec.value or b"", partitions, reader)
            except PoisonRecord:
                continue  # it was refused when it came
        if before == (self._known, self._fallen):
            return None
        self._look_back(place)
        return f"{WRITERS}{place[0]}/{place[1]}"

    def _look_back(self, place: KeyPlace, was: KnownKey | None = None) -> None:
        """Set `stale` where context was taken by a key that it would not be by now, or wanted for one that is known now.

        So it is where the key at `place` `was` for something else, or spoke for others.
        """
        ring, (tenant, kid) = self._ring, place
        now = ring.known.get(place)
        if place in ring.lasting and was is not None and now is not None and was.key != now.key:
            self.stale = True
        for signer, (first, last) in ring.lasting.items():
            known, fallen = ring.pinned.get(signer[1]) or ring.known.get(signer), ring.fallen.get(signer)
            ends = known is None or not all(known.covers(at, ring.skew_ms_max) for at in (first, last))
            if ends or (fallen is not None and fallen.since <= last):
                self.stale = True
        if (
            self._overrun
            or len(ring.missed) >= MISSED_MOST
            or any(wanted == kid and tenant in ("", of) for of, wanted in ring.missed)
        ):
            self.stale = True

    def _reckon(self, place: KeyPlace) -> None:
        """Say of one key what stands: its newest word that is believed, and since when it is compromised."""
        known, fallen = self._known, self._fallen
        held: Iterable[Said] = self._said.get(place, ())
        if self._is_operator(place):
            held = [said for said in held if said.signer[1] in self._ring.pinned]
        accused = [Fallen(said.key.compromised_at, said.fact) for said in held if said.key.compromised_at]
        # What was said with a key in other hands falls with it, and takes what it put on record along.
        against = [(said, self._against(said)) for said in held if not said.key.compromised_at]
        believed = [said for said, fell in against if fell is None and self._in_time(said)]
        if believed:
            known[place] = _known(max(believed, key=lambda said: said.order).key)
        else:
            known.pop(place, None)
        if not believed and place[1] not in self._ring.pinned:
            accused += [Fallen(said.at, fell.fact) for said, fell in against if fell is not None]
        if accused:
            fallen[place] = min(accused)
        else:
            fallen.pop(place, None)

    def _against(self, said: Said) -> Fallen | None:
        """Return why what is said is not believed: its signer had fallen by then, or None."""
        fell = self._fallen.get(said.signer)
        if fell is not None and fell.since <= said.at:
            return fell
        return None

    def _in_time(self, said: Said) -> bool:
        """Return whether the key of who said it was in its time."""
        signer = self._ring.pinned.get(said.signer[1]) or self._known.get(said.signer)
        return signer is not None and signer.covers(said.at, self._ring.skew_ms_max)


def _known(key: Key) -> KnownKey:
    pinned = PinnedKey(key.kid, key.issuer, key.purpose, key.public, key.tenant, key.sources)
    return known_key(pinned, key.not_before, key.not_after)


def _formed(key: Key) -> None:
    """Raise PoisonRecord where a record of a key is not in good form."""
    if key.tenant:
        strict.tenant(key.tenant)
    strict.identifier(key.issuer, "issuer")
    if "/" in strict.identifier(key.kid, "kid") or len(key.kid) > KID_MOST:
        raise PoisonRecord(
            f"kid `{key.kid[:64]}`: expected at most {KID_MOST} characters without `/`", Reason.MALFORMED
        )
    if key.purpose not in ON_RECORD:
        told = f"purpose `{key.purpose[:64]}`: expected one of {', '.join(sorted(ON_RECORD))}"
        raise PoisonRecord(told, Reason.MALFORMED)
    if len(key.public) != 32:
        raise PoisonRecord(f"a public key of {len(key.public)} bytes, expected 32", Reason.MALFORMED)
    if len(key.sources) > SOURCES_MOST:
        raise PoisonRecord(f"{len(key.sources)} sources: expected at most {SOURCES_MOST}", Reason.MALFORMED)
    for source in key.sources:
        strict.identifier(source.removesuffix("*") or "any", "source")
    if key.sources and key.purpose not in NAMING:
        raise PoisonRecord(
            f"sources of a key for `{key.purpose}`: only a feed or a directory names them", Reason.MALFORMED
        )
    ends_early = key.not_after and key.not_after < key.not_before
    if ends_early or min(key.not_before, key.not_after, key.compromised_at, key.observed_at) < 0:
        raise PoisonRecord(f"key `{key.kid}`: ends before it begins, or an instant below 0", Reason.MALFORMED)

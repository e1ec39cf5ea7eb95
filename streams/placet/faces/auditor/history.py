"""The keys on record as they stood at a cut: whose they were, in which time they signed, and since when they had fallen.

Reckoned from the records alone, and by the rule as it is promised: the pinned
file first, then the operators it put on record, then what those put there.
"""

from typing import NamedTuple

from placet.faces.auditor.batch import Cut
from placet.faces.auditor.cursor import Cursor
from placet.faces.auditor.ignored import is_faulty
from placet.faces.auditor.keys import Keys, Pinned
from placet.faces.auditor.records import Fields, Record, Schemas, Unreadable
from placet.model.topics import Topic
from placet.ports import Log, Rec

Name = tuple[str, str]
"""A tenant, empty for all, and a kid."""


class Word(NamedTuple):
    """What one operator said of one key, in a record with a good signature."""

    said: Fields
    partition: int
    offset: int
    at: int
    by: Name
    by_file: bool

    @property
    def about(self) -> Name:
        return self.said["tenant"], self.said["kid"]


class Signed(NamedTuple):
    """Which key signed a record of the context for a tenant, and when that was appended."""

    kid: str
    tenant: str
    at: int
    source: str = ""


def pins_time(said: Fields) -> bool:
    """Whether a word says when a key signs, and not that it fell."""
    return not said["compromised_at"]


class Standing(NamedTuple):
    """A key that can be proved with: append times `begins` to `ends`, ms; 0: no bound."""

    pinned: Pinned
    begins: int = 0
    ends: int = 0


class State:
    """What stands of all words that were read at one cut."""

    def __init__(self, words: list[Word], file: dict[str, Pinned], skew_ms_max: int) -> None:
        self._skew = skew_ms_max
        self._file = {(pinned.tenant, kid): Standing(pinned) for kid, pinned in file.items()}
        self._kids = file
        self.known: dict[Name, Standing] = {}
        self.fallen: dict[Name, int] = {}
        operators = {word.about for word in words if word.by_file and word.said["purpose"] == "operator"}
        of_file = [word for word in words if word.said["kid"] in file and word.by_file]
        of_operators = [word for word in words if word.about in operators and word.by_file and word not in of_file]
        rest = [
            word
            for word in words
            if word.about not in operators and word.said["kid"] not in file and (word.by_file or word.by in operators)
        ]
        # The file's operators first: what one said with a key in other hands is no word about another of the file.
        chief = [word for word in of_file if file[word.said["kid"]].purpose == "operator"]
        others = [word for word in of_file if word not in chief]
        for stratum in (chief, others, of_operators, rest):
            self._settle(stratum)

    def find(self, kid: str, tenant: str) -> tuple[Name, Standing] | None:
        """Return the key that proves what `kid` signed for a tenant, and its name."""
        if kid in self._kids:
            name = (self._kids[kid].tenant, kid)
            return name, self.known.get(name, self._file[name])
        for name in ((tenant, kid), ("", kid)):
            if name in self.known:
                return name, self.known[name]
        return None

    def fault(self, kid: str, tenant: str, at: int, *, lasts: bool = False) -> str:
        """Return why `kid` proves nothing that was appended at `at` for a tenant, or an empty text."""
        found = self.find(kid, tenant)
        if found is None:
            since = self.fallen.get((tenant, kid), self.fallen.get(("", kid)))
            return f"signed with `{kid}`, which " + (
                "nobody put on record" if since is None else "a thief put on record"
            )
        name, key = found
        since = self.fallen.get(name)
        if since is not None and not (lasts and at < since):
            return f"signed with `{kid}`, compromised since {since}"
        return (
            ""
            if self._in_time(key, at)
            else f"signed at {at} with `{kid}`, which signs from {key.begins} to {key.ends}"
        )

    def fell(self, kid: str, tenant: str) -> int | None:
        """Return since when a key has fallen, ms, or None."""
        if kid in self._kids:
            return self.fallen.get((self._kids[kid].tenant, kid))
        own = (tenant, kid)
        return self.fallen.get(own if own in self.known or own in self.fallen else ("", kid))

    def _in_time(self, key: Standing, at: int) -> bool:
        return at >= key.begins - self._skew and (key.ends == 0 or at <= key.ends + self._skew)

    def _settle(self, words: list[Word]) -> None:
        by_name: dict[Name, list[Word]] = {}
        for word in words:
            by_name.setdefault(word.about, []).append(word)
        settled: dict[Name, tuple[list[Word], list[int]]] = {}
        for name, each in by_name.items():
            since = [word.said["compromised_at"] for word in each if word.said["compromised_at"] > 0]
            good = [word for word in each if not word.said["compromised_at"] and self._holds(word)]
            stolen = [word.at for word in each if not word.said["compromised_at"] and self._stolen(word)]
            settled[name] = good, since + ([] if good or name in self._file else stolen)
        for name, (good, since) in settled.items():
            if since:
                self.fallen[name] = min(since)
            if good:
                newest = max(good, key=lambda word: (word.said["observed_at"], word.at, word.offset))
                said = newest.said
                self.known[name] = Standing(Pinned.of(said), said["not_before"], said["not_after"])

    def _stolen(self, word: Word) -> bool:
        """Whether a word was said with a key that had fallen by then."""
        since = self.fallen.get(word.by)
        return since is not None and since <= word.at

    def _holds(self, word: Word) -> bool:
        if self._stolen(word):
            return False
        signer = self._file.get(word.by) if word.by_file else self.known.get(word.by)
        return signer is not None and self._in_time(signer, word.at)


class History:
    """Every word about keys that is still there, and what stood of them at any cut."""

    def __init__(self, log: Log, schemas: Schemas, keys: Keys, skew_ms_max: int) -> None:
        self._keys = keys
        self._file = keys.file
        self._skew = skew_ms_max
        self._states: dict[tuple[int, ...], State] = {}
        self._partitions = log.partitions(Topic.KEYS)
        # A record that was written again stands where it was written last: then what was read before cannot be told.
        self.whole = True
        found: list[tuple[Record, Rec]] = []
        for partition in range(self._partitions):
            for number, rec in enumerate(Cursor(log, Topic.KEYS, partition)):
                self.whole = self.whole and number == rec.offset
                try:
                    record = schemas.open(rec.value)
                except Unreadable:
                    continue
                if record.name != "key" or record.fields["proof"] is None or is_faulty(rec, record, self._partitions):
                    continue
                found.append((record, rec))
        self.words = [word for one in found if (word := self._word(*one, None)) is not None]
        operators = [word for word in self.words if word.said["purpose"] == "operator"]
        self.words += [word for one in found if (word := self._word(*one, operators)) is not None]
        self._all = self.at({(int(Topic.KEYS), at): (1 << 62, 0) for at in range(self._partitions)})

    def at(self, cut: Cut) -> State:
        """Return what stood of the keys once everything below `cut` had been read."""
        marks = tuple(cut.get((int(Topic.KEYS), partition), (0, 0))[0] for partition in range(self._partitions))
        state = self._states.get(marks)
        if state is None:
            read = [word for word in self.words if word.offset < marks[word.partition]]
            state = self._states[marks] = State(read, self._file, self._skew)
        return state

    def at_most(self, cut: Cut) -> State:
        """Return what may have stood at a cut of what was compacted away since: whatever puts a key on record may have."""
        read = [
            word
            for word in self.words
            if pins_time(word.said) or word.offset < cut.get((int(Topic.KEYS), word.partition), (0, 0))[0]
        ]
        return State(read, self._file, self._skew)

    def ever(self, kid: str, tenant: str) -> Pinned | None:
        """Return whose key `kid` is for a tenant by anything that is on record, whatever became of it."""
        found = self._all.find(kid, tenant)
        if found is not None:
            return found[1].pinned
        for word in self.words:
            if word.said["kid"] == kid and word.said["tenant"] in ("", tenant):
                return Pinned.of(word.said)
        return None

    def writer(self, record: Record) -> tuple[Pinned | None, str]:
        """Return the key that proves a record's writer, whatever became of it; or None and why there is none."""
        proof = record.fields["proof"]
        if proof is None:
            return None, "unsigned"
        pinned = self.ever(proof["kid"], record.fields["tenant"])
        if pinned is None:
            return None, f"signed with `{proof['kid']}`, which is not pinned, and not on record"
        fault = self._keys.proved_by(record, pinned)
        return (None, fault) if fault else (pinned, "")

    def purpose_of(self, said: Fields) -> str:
        """Return what the key is for that a record's proof names, or an empty text."""
        pinned = self.ever(said["proof"]["kid"], said["tenant"]) if said["proof"] else None
        return "" if pinned is None else pinned.purpose

    def signer(self, record: Record, at: int) -> tuple[Pinned | None, Signed | None]:
        """Return whose key signed a record of the context, and what else must hold of that key at a cut, where anything."""
        pinned, _ = self.writer(record)
        if pinned is None:
            return None, None
        kid, tenant = record.fields["proof"]["kid"], record.fields["tenant"]
        steady = kid in self._file and (pinned.tenant, kid) not in {**self._all.fallen, **self._all.known}
        return pinned, None if steady else Signed(kid, tenant, at, record.fields.get("source", ""))

    def proves(self, signed: Signed | None, cut: Cut) -> bool:
        """Return whether the key of a record of the context proved it at a cut."""
        if signed is None:
            return True
        state = self.at(cut) if self.whole else self.at_most(cut)
        found = state.find(signed.kid, signed.tenant)
        names = found is not None and (not signed.source or found[1].pinned.may_name(signed.source))
        return names and not state.fault(signed.kid, signed.tenant, signed.at, lasts=True)

    def _word(self, record: Record, rec: Rec, operators: list[Word] | None) -> Word | None:
        """Return a word signed by a pinned operator; or by one of `operators`, which puts no operator on record."""
        said = record.fields
        kid, tenant = said["proof"]["kid"], said["tenant"]
        pinned = self._file.get(kid)
        if pinned is not None:
            if (
                operators is not None
                or pinned.purpose != "operator"
                or pinned.tenant not in ("", tenant)
                or self._keys.proved_by(record, pinned)
            ):
                return None
            about = self._file.get(said["kid"])
            if about is not None and (
                about[:4] != Pinned.of(said)[:4] or (pins_time(said) and about.purpose == "operator")
            ):
                return None
            return Word(said, rec.partition, rec.offset, rec.at, (pinned.tenant, kid), True)
        if not tenant or said["purpose"] == "operator" or said["kid"] in self._file:
            return None
        for by in operators or ():
            if (
                by.said["kid"] == kid
                and by.said["tenant"] in ("", tenant)
                and not self._keys.proved_by(record, Pinned.of(by.said))
            ):
                return Word(said, rec.partition, rec.offset, rec.at, by.about, False)
        return None

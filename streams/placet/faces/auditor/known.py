"""The context as it was recorded: which record stood at a place, and what was the newest at a cut."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from placet.faces.auditor.batch import Cut
from placet.faces.auditor.cursor import Cursor
from placet.faces.auditor.hashes import sha256
from placet.faces.auditor.history import History, Signed
from placet.faces.auditor.ignored import AHEAD_MS_MAX, BYTES_MAX, ORIGINS, is_faulty, limits_hold
from placet.faces.auditor.joining import LABELS, LINKS_MAX, STATUSES
from placet.faces.auditor.places import odd_tenant
from placet.faces.auditor.records import Fields, Record, Schemas, Unreadable
from placet.model.topics import CONTEXT, Topic
from placet.ports import Log, Rec

DIGEST_CUT = 16
ENDING = ("principal", "mandate")
"""Records whose status ends what rests on them."""
SIGNED = {
    "mandate": ("operator",),
    "control": ("operator",),
    "principal": ("directory", "operator"),
    "sensitivity": ("feed", "operator"),
}
"""Records that prove their writer, and what its key must be for."""
Subject = tuple[str, str, str]
"""What a fact is about: the record's name, the tenant, and a principal, subject, resource, mandate or calendar name."""


class Version(NamedTuple):
    """One thing a source said. Of two the greater `order` stands; of equals it is not told which.

    `ends` is when it is over, ms, or 0; only of a calendar fact, which is then not known any more.
    """

    order: tuple[int, int]
    topic: int
    partition: int
    offset: int
    ends: int
    signed: Signed | None = None


class Known:
    """Every context record that is still there: its bytes as a digest, and what it says of whom.

    `endings` are, by topic and partition, the offsets at which a principal or
    a mandate was said not to be active, and which. `faulty` are the places of
    records that no reader takes.
    """

    def __init__(self, log: Log, schemas: Schemas, history: History) -> None:
        self._schemas = schemas
        self._history = history
        self.policies: list[Rec] = []
        self.faulty: list[tuple[int, int, int]] = []
        self.endings: dict[tuple[int, int], list[tuple[int, Subject]]] = {}
        self.ends: dict[tuple[int, int], int] = {}
        self._digests: dict[tuple[int, int], dict[int, bytes]] = {}
        self._said: dict[Subject, dict[str, list[Version]]] = {}
        self._links: dict[tuple[int, int], tuple[str, str]] = {}
        self._limits: dict[tuple[int, int], list[Fields]] = {}
        self._lineages: dict[tuple[str, str], tuple[Subject, ...]] = {}
        self._cut: Cut = {}
        for topic in CONTEXT:
            for partition in range(log.partitions(topic)):
                digests = self._digests[topic, partition] = {}
                cursor = Cursor(log, topic, partition)
                self.ends[int(topic), partition] = cursor.end
                self._whole = True
                for number, rec in enumerate(cursor):
                    self._whole = number == rec.offset
                    digests[rec.offset] = sha256(rec.value or b"")[:DIGEST_CUT]
                    record = self._open(rec)
                    if is_faulty(rec, record, log.partitions(topic)):
                        self.faulty.append((int(topic), partition, rec.offset))
                    elif topic == Topic.POLICIES:
                        self.policies.append(rec)
                    elif record is not None:
                        self._hear(rec, record)
        self._ended = {subject for endings in self.endings.values() for _, subject in endings}

    def _open(self, rec: Rec) -> Record | None:
        try:
            return self._schemas.open(rec.value)
        except Unreadable:
            return None

    def _hear(self, rec: Rec, record: Record) -> None:
        subject = subject_of(record.name, record.fields)
        order = None if subject is None else self._order(record, rec.value, rec.at)
        if subject is not None and order is not None:
            signed = self._history.signer(record, rec.at)[1] if record.name in SIGNED else None
            source = record.fields.get("source", "")
            ends = record.fields["expires_at"] if record.name == "control" else 0
            version = Version(order, rec.topic, rec.partition, rec.offset, ends, signed)
            self._said.setdefault(subject, {}).setdefault(source, []).append(version)
            if record.name == "mandate":
                self._links[rec.partition, rec.offset] = (record.fields["delegator"], record.fields["parent"])
                self._limits[rec.partition, rec.offset] = record.fields["limits"]
            # Where records are compacted away, one older than its own news may stand behind one that is not there.
            late = order[0] + AHEAD_MS_MAX < rec.at
            if record.name in ENDING and order[1] and (self._whole or not late):
                self.endings.setdefault((rec.topic, rec.partition), []).append((rec.offset, subject))

    def knows(self, subject: Subject, cut: Cut) -> bool:
        """Return whether anything was said of a subject at `cut`, as far as it is still there."""
        return any(self._newest(versions, cut) is not None for versions in self._said.get(subject, {}).values())

    def ended(self, subject: Subject, cut: Cut) -> Version | None:
        """Return what says at `cut` that a principal or a mandate is not active, by any of its sources."""
        if subject not in self._ended:
            return None
        for versions in self._said[subject].values():
            newest = self._newest(versions, cut)
            if newest is not None and newest.order[1]:
                return newest
        return None

    def lineage(self, said: Fields, cut: Cut) -> tuple[Subject, ...]:
        """Return every principal and mandate that what `said` asks rests on, up the chain as it stood at `cut`.

        Where a mandate is compacted away, or none was read yet, the chain ends there.
        """
        tenant, mandate = said["tenant"], said["mandate"]
        if cut is not self._cut:
            self._cut, self._lineages = cut, {}
        found = self._lineages.get((tenant, mandate))
        if found is None:
            found = self._lineages[tenant, mandate] = tuple(self._links_of(tenant, mandate, cut))
        return ("principal", tenant, said["actor"]), ("principal", tenant, said["authority"]), *found

    def _links_of(self, tenant: str, name: str, cut: Cut) -> Iterator[Subject]:
        for _ in range(LINKS_MAX):
            if not name:
                return
            subject = ("mandate", tenant, name)
            yield subject
            newest = self._newest(self._said.get(subject, {}).get("", ()), cut)
            if newest is None:
                return
            delegator, name = self._links[newest.partition, newest.offset]
            yield "principal", tenant, delegator

    def limits(self, said: Fields, cut: Cut) -> list[tuple[str, list[Fields]]] | None:
        """Return the limits that each mandate carries, up the chain as it stood at `cut`; None where one is not there."""
        found: list[tuple[str, list[Fields]]] = []
        name = said["mandate"]
        while name and len(found) < LINKS_MAX:
            versions = self._said.get(("mandate", said["tenant"], name), {}).get("", ())
            newest = self._newest(versions, cut)
            if newest is None:
                return None
            found.append((name, self._limits[newest.partition, newest.offset]))
            name = self._links[newest.partition, newest.offset][1]
        return found

    def compare(self, fact: Fields) -> bool | None:
        """Whether a fact is the record it cites, or None where that record is compacted away."""
        digest = self._digests.get((fact["topic"], fact["partition"]), {}).get(fact["offset"])
        return None if digest is None else digest == sha256(fact["value"])[:DIGEST_CUT]

    def unproved(self, fact: Fields, cut: Cut) -> str:
        """Return why nobody takes a fact at `cut` that must prove its writer, or an empty text."""
        record = self._schemas.open(fact["value"])
        if record.name not in SIGNED:
            return ""
        if not _proved(record, self._history, fact["at"]):
            return f"a {record.name} that no key for such records signed"
        signed = self._history.signer(record, fact["at"])[1]
        return "" if self._history.proves(signed, cut) else f"a {record.name} whose key proves nothing at that time"

    def is_signed(self, fact: Fields) -> bool:
        """Whether a fact is a record that proves its writer by itself, wherever it stood."""
        return self._schemas.open(fact["value"]).name in SIGNED

    def about(self, fact: Fields) -> tuple[Subject, str, tuple[int, int]] | None:
        """Return what a fact of a case is about, whose word it is and its order; None where no reader takes it."""
        record = self._schemas.open(fact["value"])
        subject = subject_of(record.name, record.fields)
        order = None if subject is None else self._order(record, fact["value"], fact["at"])
        return None if subject is None or order is None else (subject, record.fields.get("source", ""), order)

    def overlooked(self, subject: Subject, used: dict[str, tuple[int, int]], cut: Cut, instant: int) -> Version | None:
        """Return what a source had said of a subject at `cut` that is newer than what was used of it, if anything.

        `used` are orders by source. Of equals either may stand, so a record written twice is not overlooked.
        """
        for source, versions in self._said.get(subject, {}).items():
            newest = self._newest(versions, cut)
            if newest is None or (newest.ends and newest.ends <= instant):
                continue
            if source not in used or used[source] < newest.order:
                return newest
        return None

    def _order(self, record: Record, value: bytes | None, at: int) -> tuple[int, int] | None:
        """Return what decides between two records of a source, or None for a record that no reader takes."""
        order = _order(record, self._history, at)
        ahead = order is not None and order[0] > at + AHEAD_MS_MAX
        return None if ahead or odd_tenant(record.fields["tenant"]) or len(value or b"") > BYTES_MAX else order

    def _newest(self, versions: Iterable[Version], cut: Cut) -> Version | None:
        """Return the version that stands, of those that were read and proved at `cut`."""
        read = (v for v in versions if v.offset < cut.get((v.topic, v.partition), (0, 0))[0])
        return max((v for v in read if self._history.proves(v.signed, cut)), key=lambda v: v[:5], default=None)


def subject_of(name: str, said: Fields) -> Subject | None:
    """Return what a context record is about, or None for one that says nothing of anybody."""
    field = {"principal": "id", "risk": "subject", "sensitivity": "resource", "mandate": "id", "control": "scope"}.get(
        name
    )
    return None if field is None else (name, said["tenant"], said[field])


def _order(record: Record, history: History, at: int) -> tuple[int, int] | None:
    """Return what decides between two records of a source, or None for a record that no reader takes."""
    said = record.fields
    if record.name == "risk":
        return (said["event_at"], said["score"]) if 0 <= said["score"] <= 100 and said["half_life_s"] >= 0 else None
    if record.name in SIGNED and not _proved(record, history, at):
        return None
    if record.name == "sensitivity":
        if said["label"] not in LABELS or said["origin"] not in ORIGINS:
            return None
        return said["observed_at"], LABELS.index(said["label"])
    if record.name in ("principal", "mandate") and said["status"] not in STATUSES:
        return None
    if record.name == "principal":
        return said["observed_at"], STATUSES.index(said["status"])
    if record.name == "mandate" and not limits_hold(said):
        return None
    if record.name == "mandate":
        return said["observed_at"], int(said["status"] != "active")
    return (said["observed_at"], 0) if said["kind"] == "calendar" else None


def _proved(record: Record, history: History, at: int) -> bool:
    """Whether a record is signed by a key for such records, which may name the source it names."""
    pinned, _ = history.signer(record, at)
    if pinned is None or pinned.purpose not in SIGNED[record.name]:
        return False
    return "source" not in record.fields or pinned.may_name(record.fields["source"])

"""The desks of one worker and the context they share: opened by a restore, forgotten when their partition goes."""

import gc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from placet.context.roll import rank_of
from placet.context.tables import FEED, Tables
from placet.decision.arrow import Cause
from placet.decision.bodies import marks_of
from placet.decision.desk import Desk
from placet.decision.library import Library
from placet.decision.restore import restore
from placet.drivers.faulty import Faulty
from placet.drivers.memory import give_back
from placet.errors import Behind, PoisonRecord, Unavailable, Unsure
from placet.model.codec import HEADERS
from placet.model.codec.case_body import Mark as CaseMark
from placet.model.codec.case_body import encode_cut
from placet.model.codec.seal import Mark
from placet.model.proof import KeyRing
from placet.model.topics import Topic
from placet.ports import Feed, Rec, Restored
from placet.provenance.seal import SealChain, SealKey, last_seal

POINTERS = HEADERS["active_set"]
COLLECT_AFTER = (100_000, 50, 1_000)
"""New containers before a collection of each generation: more than a batch makes."""


POISON_MOST = 500
"""Faulty context records kept by a worker that does not serve partition 0, in case it ever does."""


@dataclass(slots=True)
class Place:
    """One served partition: its desk, its chain of Seals, and how far it has come."""

    partition: int
    desk: Desk
    seals: SealChain
    inputs: dict[int, int]
    instant: int
    read: Sequence[Mark]
    swept: Sequence[Mark]
    next_inputs: dict[int, int] = field(default_factory=dict)
    next_instant: int = 0
    next_read: Sequence[Mark] = ()
    next_swept: Sequence[Mark] = ()
    sealed_at: int = 0
    quiet: bool = True
    touched: dict[str, Cause] = field(default_factory=dict)

    @property
    def seq(self) -> int:
        """One past the last decision, those of the batch under way included."""
        return self.desk.book.seq if self.quiet else self.desk.seq

    def keep(self, now: int) -> None:
        """What was committed stands."""
        if not self.quiet:
            self.desk.keep()
        self.seals.keep()
        self.inputs, self.instant, self.sealed_at = self.next_inputs, self.next_instant, now
        self.read, self.swept = self.next_read, self.next_swept
        self.touched.clear()

    def drop(self) -> None:
        """Nothing was committed: all is as it was, and what changed is still to be swept."""
        self.desk.drop()
        self.quiet = True
        self.next_inputs = dict(self.inputs)


class Bureau:
    """All desks of a worker. `marks` and `cut` say how far the context was read, frozen for a batch."""

    def __init__(
        self,
        tables: Tables,
        library: Library,
        desk_of: Callable[[int], Desk],
        cluster: str,
        key: SealKey,
        keys: KeyRing,
    ) -> None:
        self._tables = tables
        self._library = library
        self._desk_of = desk_of
        self._cluster = cluster
        self._key = key
        self._keys = keys
        self.places: dict[int, Place] = {}
        self.poison = Faulty()
        self._refuses = False
        self._refused: dict[tuple[int, int], int] = {}
        self._forgot = False
        self.heard: dict[int, tuple[int, int]] = {}
        self.marks: tuple[Mark, ...] = ()
        self.caught_up = False
        self.cut = encode_cut(())

    @property
    def keys(self) -> KeyRing:
        """The keys that are believed, pinned and on record."""
        return self._keys

    @property
    def set_label(self) -> str:
        """Return the digest of the one active set, or how many there are."""
        active = self._library.active
        return next(iter(active.values())).digest.hex() if len(active) == 1 else f"{len(active)} sets"

    def heard_at(self, topic: Topic) -> int:
        """Return when a context topic was last alive, ms."""
        return max((at for (number, _), (_, at) in self._tables.marks.items() if number == topic), default=0)

    def hear(self, records: Iterable[Rec]) -> None:
        """Fold context records; what cannot be taken waits to be refused once, by who serves partition 0."""
        changed: dict[str, Cause] = {}
        any_ = False
        pointers: list[Rec] = []
        before = dict(self._tables.marks)
        for rec in sorted(records, key=lambda rec: rank_of(rec, self._keys.pinned)):
            any_ = True
            if rec.topic == Topic.POLICIES and (rec.value or b"")[:5] in POINTERS:
                pointers.append(rec)  # a pack that was pushed again lies behind what points to it
            else:
                self._take(rec, changed)
        for rec in pointers:
            self._take(rec, changed)
        if not any_:
            return
        self._bound_poison()
        self._mark()
        alive = self._alive_since(before)
        for place in self.places.values():
            place.touched.update(changed)
            place.touched.update({key: cause for key, cause in alive.items() if place.desk.awaits(key)})

    def look_back(self, feed: Feed) -> None:
        """Read the whole context again where what a key proved before would not be taken from it now, or the other way round.

        Raise Unavailable, with nothing changed, where it cannot be read.
        """
        if not self._tables.writers.stale:
            return
        if self._refuses:
            # Whatever was read is refused by now, or is about to be.
            self._refused = {(mark.topic, mark.partition): mark.offset for mark in self.marks}
        records = feed.again()
        if not self._refuses:
            self.poison.clear()
        self._tables.forget()
        self._library.forget()
        self.hear(records)
        for place in self.places.values():
            place.desk.wake()

    def _alive_since(self, before: dict[tuple[int, int], tuple[int, int]]) -> dict[str, Cause]:
        """Return, by index key, the last record of each partition whose feeds were heard later than before."""
        return {
            f"{FEED}{topic:d}/{partition}": Cause(topic, partition, read - 1)
            for (topic, partition), (read, heard) in self._tables.marks.items()
            if heard > before.get((topic, partition), (0, 0))[1]
        }

    def _take(self, rec: Rec, changed: dict[str, Cause]) -> None:
        """Fold one context record, and note what it touched."""
        taken, ignored = self.heard.get(rec.topic, (0, 0))
        fold = self._library.fold if rec.topic == Topic.POLICIES else self._tables.fold
        try:
            self._tables.hear(rec)
            key = fold(rec)
            self._tables.believe(rec)
        except PoisonRecord as poison:
            if rec.offset >= self._refused.get((rec.topic, rec.partition), 0):
                self.poison.add(rec, poison.reason, str(poison))
            self.heard[rec.topic] = (taken, ignored + 1)
            return
        self.heard[rec.topic] = (taken + 1, ignored)
        if key is not None:
            changed[key] = Cause(rec.topic, rec.partition, rec.offset, rec.at)

    def open(self, partition: int, found: Restored, feed: Feed) -> Place:
        """Serve a partition: read it back, check it, and wait for the context its last Seal had seen.

        Raise Unavailable while the context is behind that Seal, Corrupted where
        the journal contradicts itself, Unsure for partition 0 when faulty context
        was forgotten: whoever starts anew reads it again.
        """
        # What a restore makes stays: looking through it again and again would free nothing.
        gc.set_threshold(*COLLECT_AFTER)
        seal = last_seal(found.tail, self._keys)
        if partition == 0:
            self._refuse_from(() if seal is None else seal.read_cut)
        # The whole context is read before the first decision, whatever of it has trickled in.
        self.hear(feed.take() if self.caught_up else feed.catch_up())
        self.caught_up = True
        self.look_back(feed)
        desk = self._desk_of(partition)
        restore(desk.book, found.changes, seal)
        cut: Sequence[Mark] = ()
        inputs: dict[int, int] = {}
        if seal is not None:
            cut = seal.read_cut
            inputs = {position.topic: position.offset for position in seal.inputs}
            if any(found.inputs.get(topic, 0) != offset for topic, offset in inputs.items()):
                # One transaction moved both: what lags is committed, and is not to be seen yet.
                raise Behind(f"partition {partition}: positions are {found.inputs}, its last seal says {inputs}")
            self._wait_for(partition, cut)
        place = Place(
            partition,
            desk,
            SealChain(self._cluster, partition, self._key, seal),
            inputs,
            0 if seal is None else seal.instant,
            cut,
            () if seal is None else seal.swept_cut,
            next_inputs=dict(inputs),
        )
        desk.wake()
        self.places[partition] = place
        return place

    def forget(self, partition: int) -> None:
        """Stop serving a partition; whoever serves it next reads it back."""
        del self.places[partition]
        if partition == 0:
            self._refuses = False
            self._bound_poison()

    def settle_memory(self) -> None:
        """Keep the big tables out of the collector's sight, and let a batch end before it looks at what is new.

        What a restore needed besides goes back to the system, and so do the tables kept out of sight before that
        nobody has any more: out of sight they would stay for ever, since they point at each other.
        """
        gc.unfreeze()
        gc.collect()
        give_back()
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)

    def _refuse_from(self, cut: Sequence[Mark]) -> None:
        """Be the one who refuses, from where the last Seal of partition 0 had read: what lies below is refused already."""
        read = {(mark.topic, mark.partition): mark.offset for mark in cut}
        if self._forgot or (self.poison.flooded and read != self._refused):
            raise Unsure("more faulty context was read than is kept without partition 0: it must be read again")
        self._refuses, self._refused = True, read
        self.poison.drop_below(read)

    def _bound_poison(self) -> None:
        """Forget what another refuses where it is too much."""
        if not self._refuses and len(self.poison) > POISON_MOST:
            self.poison.clear()
            self._forgot = True

    def _mark(self) -> None:
        self.marks = marks_of(self._tables.marks)
        self.cut = encode_cut(tuple(CaseMark(*mark) for mark in self.marks))

    def _wait_for(self, partition: int, cut: Sequence[Mark]) -> None:
        for mark in cut:
            have = self._tables.marks.get((mark.topic, mark.partition), (0, 0))[0]
            if have < mark.offset:
                raise Unavailable(
                    f"partition {partition}: context {Topic(mark.topic).title}/{mark.partition} is read up to {have}, "
                    f"the last seal had seen {mark.offset}"
                )
            self._tables.recall(mark.topic, mark.partition, mark.heard_at)
        self._mark()

"""What an agent hears of its own intents: for each attempt the newest sealed record, and who waits for it."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from placet.errors import PlacetError
from placet.faces.sdk.sealed import Sealed
from placet.model.codec.refusal import Refusal
from placet.model.codec.repeat import Repeat
from placet.model.codec.verdict import Verdict
from placet.model.topics import Topic

Attempt = tuple[str, str, bytes, int]
"""Tenant, authority, id, attempt."""
Heard = Verdict | Refusal | Repeat
REFUSALS_KEPT = 256
ATTEMPTS_KEPT = 10_000


class Ear:
    """One attempt that somebody listens for. `future` ends with the next record `wanted` says yes to."""

    def __init__(self, wanted: Callable[[Heard], bool]) -> None:
        self.future: Future[Heard] = Future()
        self.newest: Verdict | Refusal | None = None
        self._wanted = wanted

    def take(self, record: Heard) -> None:
        """Hear one record."""
        if not isinstance(record, Repeat):
            self.newest = record
        if not self.future.done() and self._wanted(record):
            self.future.set_result(record)


class Hearing:
    """A `Listener` that sorts decisions to the ears that wait for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ears: dict[Attempt, list[Ear]] = {}
        self._offsets: dict[tuple[int, int], Attempt] = {}
        self._unread: deque[tuple[tuple[int, int], Refusal]] = deque(maxlen=REFUSALS_KEPT)
        self._recent: OrderedDict[Attempt, Verdict | None] = OrderedDict()
        self._failure: PlacetError | None = None

    def newest(self, attempt: Attempt) -> Verdict | None:
        """Return the newest verdict on an attempt that was listened to lately, or None where the past must be asked."""
        with self._lock:
            return self._recent.get(attempt)

    def listen(self, attempt: Attempt, wanted: Callable[[Heard], bool]) -> Ear:
        """Return an ear for `attempt`; give it back with `unlisten`."""
        ear = Ear(wanted)
        with self._lock:
            if self._failure is not None:
                ear.future.set_exception(self._failure)
            self._ears.setdefault(attempt, []).append(ear)
            self._recent.setdefault(attempt, None)
            self._recent.move_to_end(attempt)
            while len(self._recent) > ATTEMPTS_KEPT:
                self._recent.popitem(last=False)
        return ear

    def unlisten(self, attempt: Attempt, ear: Ear) -> None:
        """Stop sorting to `ear`."""
        with self._lock:
            left = [one for one in self._ears.get(attempt, []) if one is not ear]
            if left:
                self._ears[attempt] = left
            else:
                self._ears.pop(attempt, None)
                self._offsets = {place: whose for place, whose in self._offsets.items() if whose != attempt}

    def asked_at(self, attempt: Attempt, partition: int, offset: int) -> None:
        """Say where an intent was appended: a refusal of a record that could not be read names only its place."""
        with self._lock:
            self._offsets[partition, offset] = attempt
            early = [record for place, record in self._unread if place == (partition, offset)]
        for record in early:
            self._tell(attempt, record)

    def heard(self, partition: int, batch: Sequence[Sealed]) -> None:  # noqa: ARG002  a `Listener` is told
        """Sort a sealed batch."""
        for one in batch:
            if one.name == "halted":
                continue
            record = one.record
            attempt = (record.tenant, record.authority, bytes(record.id), record.attempt)
            if one.name == "verdict" and attempt in self._recent:
                with self._lock:
                    self._recent[attempt] = record
            if one.name != "verdict" and record.cause_topic != Topic.INTENTS:
                continue
            if one.name == "refusal" and attempt not in self._ears:
                with self._lock:
                    place = (record.cause_partition, record.cause_offset)
                    self._unread.append((place, record))
                    attempt = self._offsets.get(place, attempt)
            if attempt in self._ears:
                self._tell(attempt, record)

    def failed(self, error: PlacetError) -> None:
        """Tell everybody who waits that nothing more will be heard."""
        with self._lock:
            self._failure = error
            ears = [ear for many in self._ears.values() for ear in many]
        for ear in ears:
            if not ear.future.done():
                ear.future.set_exception(error)

    def _tell(self, attempt: Attempt, record: Heard) -> None:
        if isinstance(record, Refusal) and not record.tenant:
            # What could not be read or believed names nobody; its place says whose it was.
            tenant, authority, intent_id, number = attempt
            record = record._replace(tenant=tenant, authority=authority, id=intent_id, attempt=number)
        with self._lock:
            ears = list(self._ears.get(attempt, ()))
        for ear in ears:
            ear.take(record)

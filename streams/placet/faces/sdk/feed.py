"""A feed of one context topic, or of risk signals: it says what it knows in order, and that it is alive when there is nothing to say."""

import threading
from collections.abc import Callable
from typing import Any, NamedTuple, Self

from placet.context.feeds import part_of
from placet.drivers.keyfile import Purpose
from placet.errors import PoisonRecord, Unavailable, Unsure
from placet.faces.sdk.connection import Connection
from placet.faces.sdk.tokens import token_of
from placet.model import strict
from placet.model.codec import (
    BY_NAME,
    control,
    decode_any,
    mandate,
    open_frame,
    principal,
    risk_signal,
    sensitivity,
    watermark,
)
from placet.model.codec.watermark import Watermark
from placet.model.context_keys import KEYS, watermark_key
from placet.model.keys import partition_of
from placet.model.reasons import Reason
from placet.model.topics import CONTEXT, Topic
from placet.ports import Message, Rec

ENDED = 0
"""The instant in a watermark that takes its feed out: it is waited for no longer."""
_READ_MOST, _READ_MS = 2_000, 5_000


class Kind(NamedTuple):
    """What one topic carries: its codec, the fields that name what it speaks of, and who signs."""

    codec: Any
    names: tuple[str, ...]
    purpose: Purpose


MARKED = (Topic.SIGNALS, *CONTEXT)
KINDS: dict[Topic, Kind] = {
    Topic.SIGNALS: Kind(risk_signal, ("tenant", "subject", "source"), "feed"),
    Topic.SENSITIVITY: Kind(sensitivity, ("tenant", "resource", "source"), "feed"),
    Topic.PRINCIPALS: Kind(principal, ("tenant", "id", "source"), "directory"),
    Topic.MANDATES: Kind(mandate, ("tenant", "id"), "operator"),
    Topic.CONTROLS: Kind(control, ("tenant", "scope"), "operator"),
}


class Feed:
    """Writes to one context topic, or to `placet.signals`, for one `source`, and marks it as alive.

    What marks `placet.signals` is what risk is heard by: without a watermark of
    its own, a feed of signals that died is covered by the app that folds them.

    As a context manager it writes a watermark each `every_s` from a thread of
    its own, as long as `alive` says so: the last one then tells readers since
    when nothing is known. May be used from many threads.
    """

    def __init__(
        self,
        connection: Connection,
        topic: Topic,
        source: str,
        *,
        every_s: float = 1.0,
        alive: Callable[[], bool] = lambda: True,
    ) -> None:
        if topic not in MARKED:
            raise PoisonRecord(f"{topic.title}: is no context topic", Reason.MALFORMED)
        part_of(source)
        self._connection = connection
        self._topic = topic
        self.source = source
        self._every_s = every_s
        self._alive = alive
        self._newest: dict[bytes, int] | None = None
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"placet-feed-{source}", daemon=True)

    def tell(self, record: Any) -> str:
        """Publish `record` as `publish` does, and return its token: who asks with that in `at_least` is decided under it."""
        if self._topic not in CONTEXT:
            raise PoisonRecord(f"{self._topic.title}: is folded first, and no desk reads it", Reason.MALFORMED)
        return token_of(self._topic, *self._publish(record))

    def publish(self, record: Any) -> int:
        """Sign `record`, append it, and return its offset.

        Raise PoisonRecord for one that is older than what this topic holds
        under its key: a compacted topic keeps the word that was appended last,
        so an older one that came later would be all that a reader who starts
        anew ever hears. Signals are all kept, and may come late. Raise `Unavailable` or `Unsure` as the log does.
        """
        return self._publish(record)[1]

    def _publish(self, record: Any) -> tuple[int, int]:
        """Sign `record` and append it; return its partition and its offset."""
        kind = KINDS.get(self._topic)
        if kind is None:
            raise PoisonRecord(f"{self._topic.title}: is not written record by record", Reason.MALFORMED)
        for field in kind.names:
            strict.identifier(getattr(record, field), field)
        key = KEYS[kind.codec.HEADER][1](record)
        name = kind.codec.__name__.rpartition(".")[2]
        signals = self._topic is Topic.SIGNALS
        signer = self._connection.signer(kind.purpose, source=record.source if "source" in kind.names else None)
        (proof,) = signer.sign_batch(name, kind.codec.FINGERPRINT, [kind.codec.encode_unsigned(record)])
        frame = kind.codec.frame(record._replace(proof=kind.codec.Proof(*proof)))
        log = self._connection.log
        partition = partition_of(key, log.partitions(self._topic))
        if signals:
            return partition, log.append(self._topic, partition, [Message(key, frame)])
        with self._lock:
            newest = self._newest = self._newest if self._newest is not None else self._read(kind)
            known = newest.get(key, -1)
            if record.observed_at < known:
                raise PoisonRecord(
                    f"{key.decode()}: observed at {record.observed_at}, and {known} is written already: "
                    "expected nothing older",
                    Reason.MALFORMED,
                )
            offset = log.append(self._topic, partition, [Message(key, frame)])
            newest[key] = record.observed_at
        return partition, offset

    def quiet(self, at: int | None = None) -> int:
        """Say on every partition that this feed has said all it knew at `at`, ms (now); return that instant."""
        now = self._connection.clock.now_ms() if at is None else at
        said = Watermark(self.source, now)
        message = Message(watermark_key(said), watermark.frame(said))
        for partition in range(self._connection.log.partitions(self._topic)):
            self._connection.log.append(self._topic, partition, [message])
        return now

    def retire(self) -> None:
        """Say that this feed has ended: what it said stands, and nobody waits for it any longer."""
        self.quiet(ENDED)

    def _read(self, kind: Kind) -> dict[bytes, int]:
        """Return when each key of the topic was observed last, as it is written now."""
        log, found = self._connection.log, dict[bytes, int]()
        for partition in range(log.partitions(self._topic)):
            offset, end = 0, log.end(self._topic, partition)
            while offset < end and (recs := log.read(self._topic, partition, offset, _READ_MOST, _READ_MS)):
                for rec in recs:
                    if rec.key is not None and rec.value is not None:
                        found[rec.key] = max(found.get(rec.key, -1), _observed(kind, rec, rec.value))
                offset = recs[-1].offset + 1
        return found

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                if self._alive():
                    self.quiet()
            except (Unavailable, Unsure):
                pass  # the next one says the same, and more; until then readers see the silence
            self._ending.wait(self._every_s)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()


def _observed(kind: Kind, rec: Rec, value: bytes) -> int:
    """Return when a record says that it was observed; -1 for one that says nothing of its key."""
    try:
        name, _ = open_frame(value)
        return int(decode_any(value).observed_at) if BY_NAME[name] is kind.codec else -1
    except PoisonRecord as error:
        # A newer feed's was observed before it was appended; what cannot be read is taken by no reader either.
        return rec.at if error.reason == Reason.SCHEMA_UNKNOWN else -1

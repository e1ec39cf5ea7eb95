"""Appends for many callers at once: what waits is signed as one batch, appended in order, and sent again when unsure."""

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from placet.errors import PlacetError, Unavailable, Unsure
from placet.faces.sdk.tracing import active_trace
from placet.model.proof import Signer
from placet.ports import Log, Message

BATCH_MOST = 200
AGAIN_S_MIN, AGAIN_S_MAX = 0.05, 2.0


class SignedCodec(Protocol):
    """A codec of a record that ends in a proof."""

    __name__: str
    FINGERPRINT: bytes

    def encode_unsigned(self, record: Any) -> bytes:
        """Return what its writer signs."""

    def frame(self, record: Any) -> bytes:
        """Return the payload in Confluent framing."""


@dataclass(slots=True)
class Letter:
    """One record on its way. `sent` hears its offset (-1 when a repeated append cannot tell), or why it failed.

    It belongs to the trace that is active where it is made.
    """

    topic: int
    partition: int
    key: bytes
    codec: SignedCodec
    record: Any
    signer: Signer | None = None
    value: bytes = b""
    trace: bytes | None = field(default_factory=active_trace)
    sent: Future[int] = field(default_factory=Future)


class Outbox:
    """One thread that appends. Records of one partition keep their order.

    A record is signed once and its bytes are kept: after `Unavailable` or
    `Unsure` the same bytes are sent again until `patience_s` is over, which is
    safe because a repeated intent, claim or outcome hears its first answer.
    """

    def __init__(self, log: Log, patience_s: float = 10.0) -> None:
        self._log = log
        self._patience_s = patience_s
        self._waiting: deque[Letter] = deque()
        self._wake = threading.Condition()
        self._closed = False
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def send(self, letter: Letter) -> Future[int]:
        """Take a record to be sent; return a future of its offset."""
        with self._wake:
            if self._closed:
                raise Unavailable("the connection is closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="placet-outbox", daemon=True)
                self._thread.start()
            self._waiting.append(letter)
            self._wake.notify()
        return letter.sent

    def close(self) -> None:
        """Send what waits, once, and end."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._ending.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and not self._closed:
                    self._wake.wait()
                letters = [self._waiting.popleft() for _ in range(min(BATCH_MOST, len(self._waiting)))]
            if not letters:
                return
            for group in _grouped(letters, lambda one: (id(one.codec), id(one.signer))):
                _guarded(group, self._sign)
            # Sorting is stable: within a partition the order of `send` stays.
            for group in _grouped(
                [one for one in letters if not one.sent.done()], lambda one: (one.topic, one.partition)
            ):
                _guarded(group, self._append)

    def _sign(self, group: Sequence[Letter]) -> None:
        codec, signer = group[0].codec, group[0].signer
        if signer is None:
            for one in group:
                one.value = codec.frame(one.record)
            return
        name = codec.__name__.rpartition(".")[2]
        unsigned = [codec.encode_unsigned(one.record) for one in group]
        for one, proof in zip(group, signer.sign_batch(name, codec.FINGERPRINT, unsigned), strict=True):
            one.value = codec.frame(one.record._replace(proof=proof))

    def _append(self, group: Sequence[Letter]) -> None:
        messages = [Message(one.key, one.value, one.trace) for one in group]
        spent_s, again_s, sure, first = 0.0, AGAIN_S_MIN, True, -1
        while first < 0:
            try:
                first = self._log.append(group[0].topic, group[0].partition, messages)
            except (Unavailable, Unsure) as error:
                sure = sure and isinstance(error, Unavailable)
                if spent_s >= self._patience_s or self._ending.wait(again_s):
                    raise
                spent_s, again_s = spent_s + again_s, min(AGAIN_S_MAX, again_s * 2)
        for index, one in enumerate(group):
            one.sent.set_result(first + index if sure else -1)


def _guarded(group: Sequence[Letter], act: Any) -> None:
    try:
        act(group)
    except Exception as error:  # noqa: BLE001  whoever waits for these records decides
        why = error if isinstance(error, PlacetError) else Unavailable(f"cannot be sent: {error}")
        for one in group:
            if not one.sent.done():
                one.sent.set_exception(why)


def _grouped(letters: Sequence[Letter], by: Any) -> list[list[Letter]]:
    groups: dict[Any, list[Letter]] = {}
    for one in letters:
        groups.setdefault(by(one), []).append(one)
    return list(groups.values())

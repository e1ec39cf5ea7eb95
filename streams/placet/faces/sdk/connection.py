"""How agents and executors reach placet: one log, the pinned keys, and what all of them share."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from placet import wiring
from placet.drivers.clock import SystemClock
from placet.drivers.entropy import SystemEntropy
from placet.drivers.keyfile import Keys, Purpose, read_keys
from placet.drivers.settings import Settings
from placet.errors import Unavailable
from placet.faces.sdk.follow import Follower
from placet.faces.sdk.http import HttpLog
from placet.faces.sdk.outbox import Outbox
from placet.model.keys import key_of, partition_of
from placet.model.proof import KeyRing, Signer
from placet.model.topics import Topic
from placet.ports import Clock, Entropy, Log, Message, Rec

T = TypeVar("T")
BACKGROUND_THREADS = 8


class HttpFile(BaseModel):
    """`http.json`: where a running `placet up` listens, and the token it wants."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    url: str
    token: str
    pid: int


class Connection:
    """A log and what its users share: pinned keys, one reader of decisions, one writer.

    `log` may be used by many threads at once; `tail` opens a log of its own
    for a thread that follows one partition, where sharing would make it wait. Used by many agents and executors at once, from any thread. `close` sends
    what waits and ends its threads; a `with` block does it.
    """

    def __init__(
        self,
        log: Log,
        ring: KeyRing,
        *,
        keys: Keys | None = None,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
        tail: Callable[[], Log] | None = None,
        closing: Callable[[], object] | None = None,
    ) -> None:
        self.log = log
        self.ring = ring
        self.clock = clock or SystemClock()
        self.entropy = entropy or SystemEntropy()
        self.follower = Follower(log, ring, tail)
        self.outbox = Outbox(log)
        self._pool = ThreadPoolExecutor(BACKGROUND_THREADS, "placet-read")
        self._keys = keys
        self._closing = closing or log.close

    def partition(self, tenant: str, authority: str) -> int:
        """Return the partition in which everything of `tenant/authority` is decided."""
        return partition_of(key_of(tenant, authority), self.log.partitions(Topic.INTENTS))

    def signer(self, purpose: Purpose, issuer: str | None = None, source: str | None = None) -> Signer:
        """Return a signer from the secrets folder this connection was made with; raise `Unavailable` without one.

        With a `source` it is one that speaks as that.
        """
        if self._keys is None:
            raise Unavailable(f"this connection holds no private keys: give the {purpose} its key")
        return self._keys.signer(purpose, issuer, source)

    def background(self, read: Callable[[], T]) -> Future[T]:
        """Return a future of `read`, which may block, run in a thread of this connection."""
        return self._pool.submit(read)

    def close(self) -> None:
        """Send what waits, then end."""
        self.outbox.close()
        self.follower.close()
        self._pool.shutdown(cancel_futures=True)
        self._closing()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connect(
    *,
    data: str | Path | None = None,
    url: str | None = None,
    bootstrap: str | None = None,
    token: str | None = None,
    keys: str | Path | None = None,
    settings: Settings | None = None,
) -> Connection:
    """Return a connection by exactly one of `data`, `url` or `bootstrap`.

    `data`: a folder; through the HTTP face of the `placet up` that owns it, or,
    when nobody does, with a desk in this process. `url`: a running `placet up`;
    `token` or PLACET_TOKEN or the folder's `http.json` opens it. `bootstrap`: a
    Kafka cluster. `keys` is the file of pinned public keys; without it the
    settings' own. Private keys are taken from the settings' secrets folder.
    Raises `Unavailable` when nobody answers there, and `ValueError` for another
    number of ways than one.
    """
    ways = [way for way in (data, url, bootstrap) if way]
    if len(ways) != 1:
        raise ValueError(f"{len(ways)} of data, url and bootstrap given, expected exactly one")
    changes: dict[str, object] = {}
    if data is not None:
        changes["data"] = Path(data)
    if bootstrap is not None:
        changes["bootstrap"] = bootstrap
    if keys is not None:
        changes["keys"] = Path(keys)
    chosen = (settings or Settings()).model_copy(update=changes)
    if bootstrap:
        return _opened(Locked(wiring.log(chosen)), chosen, tail=lambda: wiring.log(chosen))
    found = http_file(chosen.http_file)
    if url:
        return _opened(HttpLog(url, _token(token or chosen.token.get_secret_value(), found, url)), chosen)
    if found is not None and alive(found.pid):
        return _opened(HttpLog(found.url, token or found.token), chosen)
    return _in_process(chosen)


def http_file(path: Path) -> HttpFile | None:
    """Return what `http.json` says, or None when it is not there. Raise `Unavailable` when it is not such a file."""
    try:
        return HttpFile.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}") from None
    except ValidationError:
        raise Unavailable(f"{path}: is not what `placet up` wrote") from None


def alive(pid: int) -> bool:
    """Return whether a process with this id runs on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _token(given: str, found: HttpFile | None, url: str) -> str:
    """Return the token for `url`. The file's token goes nowhere but to the address the file names."""
    if not given and found is not None and found.url.rstrip("/") == url.rstrip("/"):
        given = found.token
    if not given:
        raise Unavailable(f"{url}: no token; give one, set PLACET_TOKEN, or name the data folder of that `placet up`")
    return given


def _opened(
    log: Log,
    settings: Settings,
    *,
    tail: Callable[[], Log] | None = None,
    closing: Callable[[], object] | None = None,
) -> Connection:
    held = Keys(settings.keys_file, settings.secrets_dir) if settings.secrets_dir.is_dir() else None
    ring = held.ring if held is not None else read_keys(settings.keys_file).ring()
    return Connection(log, ring, keys=held, tail=tail, closing=closing)


def _in_process(settings: Settings) -> Connection:
    running = wiring.house(settings)
    return _opened(running.stack.log, settings, closing=running.stop)


class Locked:
    """A log of which one thread at a time may read; appends pass at any time."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._lock = threading.Lock()

    def partitions(self, topic: int) -> int:
        """Return the partition count of `topic`."""
        with self._lock:
            return self._log.partitions(topic)

    def append(self, topic: int, partition: int, messages: Sequence[Message]) -> int:
        """Append; see `ports.Log.append`."""
        return self._log.append(topic, partition, messages)

    def read(self, topic: int, partition: int, offset: int, most: int, wait_ms: int) -> list[Rec]:
        """Read; see `ports.Log.read`. Whoever waits long makes others wait: followers have a log of their own."""
        with self._lock:
            return self._log.read(topic, partition, offset, most, wait_ms)

    def end(self, topic: int, partition: int) -> int:
        """Return one past the last committed record."""
        with self._lock:
            return self._log.end(topic, partition)

    def close(self) -> None:
        """Give the log back."""
        self._log.close()

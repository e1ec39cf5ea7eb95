"""What all routes share: the running stack, a connection to it, bodies read strictly, records signed and sent."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from placet.drivers.clock import SystemClock
from placet.drivers.keyfile import Purpose
from placet.drivers.running import Running
from placet.drivers.tokens import read_tokens
from placet.errors import PoisonRecord, Unavailable
from placet.faces.gateway.newest import Newest
from placet.faces.gateway.problems import Problem, of_validation
from placet.faces.sdk.connection import Connection
from placet.faces.sdk.outbox import Letter
from placet.model import strict
from placet.model.keys import key_of, partition_of
from placet.model.proof import Signer
from placet.model.topics import Topic

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")
DEPTH_MAX, NAMES_MAX = 40, 4_096
BLOCKING_MOST = 256
SEND_S = 15.0


class Gateway:
    """Serves one running stack. Writing goes through the log like everybody's, so the desk sees no difference."""

    def __init__(self, running: Running) -> None:
        stack = running.stack
        self.running = running
        self.settings = stack.settings
        self.watch = stack.watch
        self.clock = SystemClock()
        self.tokens = read_tokens(stack.settings.identity_file)
        self.connection = Connection(stack.log, stack.keys.ring, keys=stack.keys, closing=lambda: None)
        self.newest = Newest(self.connection)
        self._pool = ThreadPoolExecutor(BLOCKING_MOST, "placet-http")

    def start(self) -> None:
        """Begin to follow what is decided."""
        self.newest.start()

    def close(self) -> None:
        """Send what waits; the stack stays as it is. Reads that still wait end with it."""
        self.connection.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def body(self, request: Request, model: type[M]) -> M:
        """Return the body as `model`; raise Problem saying what, where and what was expected.

        JSON is read strictly first: a name given twice, an integer beyond 2^53
        or a body that nests too deep never reaches the model.
        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if kind != "application/json":
            raise Problem(415, f"a body of type `{kind[:64]}`", "header Content-Type", "application/json")
        raw = await request.body()
        try:
            value = strict.parse(raw, most_bytes=self.settings.body_bytes_max, depth=DEPTH_MAX, keys=NAMES_MAX)
            return model.model_validate(value)
        except PoisonRecord as error:
            says = str(error).removeprefix("arguments: ")
            raise Problem(400, says, "body", "one JSON object, strictly written") from None
        except ValidationError as error:
            raise of_validation(error, model) from None

    async def send(self, topic: Topic, key: bytes, codec: Any, record: Any, signer: Signer | None) -> tuple[int, int]:
        """Sign and append a record in the partition of its key; return partition and offset."""
        partition = partition_of(key, self.connection.log.partitions(topic))
        size = len(codec.encode_unsigned(record))
        if topic in (Topic.INTENTS, Topic.OUTCOMES, Topic.VOTES) and size > self.settings.record_bytes_max - 1_024:
            raise Problem(413, f"a record of {size} bytes", "body", f"at most {self.settings.record_bytes_max - 1_024}")
        sent = self.connection.outbox.send(Letter(topic, partition, key, codec, record, signer))
        async with asyncio.timeout(SEND_S):
            return partition, await asyncio.wrap_future(sent)

    async def send_decided(self, topic: Topic, codec: Any, record: Any, signer: Signer | None) -> tuple[int, int]:
        """Send a record that belongs to an authority's desk."""
        return await self.send(topic, key_of(record.tenant, record.authority), codec, record, signer)

    def signer(self, purpose: Purpose, issuer: str | None = None, source: str | None = None) -> Signer:
        """Return the key to sign with for a caller; raise Problem where this gateway holds none."""
        try:
            return self.connection.signer(purpose, issuer, source)
        except Unavailable as error:
            raise Problem(403, str(error), f"body.{purpose}", "one whose key lies with this gateway") from None

    def signer_or_none(self, purpose: Purpose, issuer: str) -> Signer | None:
        """Return the key of `issuer`, or None: whether a record may be unsigned is for the packs to say."""
        try:
            return self.connection.signer(purpose, issuer)
        except Unavailable:
            return None

    async def blocking(self, read: Callable[[], T]) -> T:
        """Return what a call that blocks returns, run in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, read)

    async def read(self, topic: Topic, partition: int, offset: int, most: int, wait_ms: int) -> list[Any]:
        """Read a log in a thread."""
        return await self.blocking(partial(self.connection.log.read, topic, partition, offset, most, wait_ms))


def number(request: Request, name: str, otherwise: int | None, most: int) -> int:
    """Return a whole number of the query; raise Problem for another text or one beyond its bounds."""
    text = request.query_params.get(name)
    if text is None and otherwise is not None:
        return otherwise
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > 18 or int(text) > most:
        raise Problem(400, f"`{(text or '')[:32]}`", f"query {name}", f"a whole number from 0 to {most}")
    return int(text)

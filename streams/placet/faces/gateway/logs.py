"""Routes to the raw topics, for SDK and command line, and the tail of what is decided."""

import asyncio
from collections.abc import AsyncIterator

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from placet.errors import PlacetError, PoisonRecord
from placet.faces import frames
from placet.faces.gateway.gateway import Gateway, number
from placet.faces.gateway.problems import Problem, json_answer
from placet.faces.gateway.views import view_of
from placet.model.context_keys import check_key, key_of_value
from placet.model.topics import CONTEXT, SPECS, Topic
from placet.ports import Message

READ_MOST = 5_000
READ_BYTES_MAX = 8 * 1024 * 1024
OFFSET_MAX = 1 << 53
QUIET_S = 10.0


class LogRoutes:
    """Append to what others write, and read everything that is committed."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._titles = {topic.title: topic for topic in Topic}

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/v1/log/{topic}", self.shape, methods=["GET"]),
            Route("/v1/log/{topic}", self.append, methods=["POST"]),
            Route("/v1/log/{topic}/{partition:int}", self.read, methods=["GET"]),
            Route("/v1/tail", self.tail, methods=["GET"]),
        ]

    async def shape(self, request: Request) -> Response:
        """200: how many partitions a topic has, and where each ends now."""
        topic = self._topic(request)
        log = self._gateway.connection.log
        count = log.partitions(topic)
        return json_answer({"partitions": count, "ends": [log.end(topic, partition) for partition in range(count)]})

    async def append(self, request: Request) -> Response:
        """200: the records are durable, the first at `offset`. Topics only the desk writes are refused."""
        topic = self._topic(request)
        if "worker" in SPECS[topic].writers or topic is Topic.RISK:
            raise Problem(403, f"{topic.title} is written by its desk", "path topic", "a topic that others write")
        if request.headers.get("content-type") != frames.MEDIA_TYPE:
            raise Problem(415, "a body of another type", "header Content-Type", frames.MEDIA_TYPE)
        partition = self._partition(topic, number(request, "partition", None, 1 << 16))
        settings = self._gateway.settings
        most = settings.record_bytes_max if SPECS[topic].decided else settings.body_bytes_max
        body = await request.body()
        messages = [Message(key, value) for _, _, key, value in frames.unpack(body, most)]
        if not messages:
            raise Problem(400, "no records", "body", "one record or more")
        if topic in CONTEXT:
            _check_context(messages)
        log = self._gateway.connection.log
        offset = await self._gateway.blocking(lambda: log.append(topic, partition, messages))
        return json_answer({"offset": offset})

    async def read(self, request: Request) -> Response:
        """200: records from `offset` on, at most `most`, as soon as there is one, at the latest after `wait_ms`."""
        topic = self._topic(request)
        partition = self._partition(topic, request.path_params["partition"])
        offset = number(request, "offset", 0, OFFSET_MAX)
        most = min(number(request, "most", READ_MOST, 1 << 31), READ_MOST)
        wait_ms = number(request, "wait_ms", 0, self._gateway.settings.wait_ms_max)
        recs = await self._gateway.read(topic, partition, offset, max(1, most), wait_ms)
        size = 0
        for count, rec in enumerate(recs):
            size += len(rec.value or b"") + len(rec.key or b"")
            if size > READ_BYTES_MAX and count:
                recs = recs[:count]
                break
        return Response(frames.pack_read(recs), media_type=frames.MEDIA_TYPE, headers={"cache-control": "no-store"})

    async def tail(self, request: Request) -> Response:
        """200: everything that is sealed from now on, one JSON object a line; an empty line when all is quiet."""
        tenant = request.query_params.get("tenant", "")
        return StreamingResponse(
            self._lines(tenant), media_type="application/x-ndjson", headers={"cache-control": "no-store"}
        )

    async def _lines(self, tenant: str) -> AsyncIterator[bytes]:
        tail = self._gateway.newest.tail()
        try:
            yield b"\n"
            while True:
                try:
                    async with asyncio.timeout(QUIET_S):
                        one = await tail.next()
                except TimeoutError:
                    yield b"\n"
                    continue
                except PlacetError as error:
                    yield orjson.dumps({"record": "end", "what": str(error)}) + b"\n"
                    return
                if tenant in ("", one.record.tenant):
                    place = {"offset": one.rec.offset, "at": one.rec.at}
                    yield orjson.dumps({**view_of(one.record), **place}) + b"\n"
        finally:
            self._gateway.newest.untail(tail)

    def _topic(self, request: Request) -> Topic:
        name = request.path_params["topic"]
        topic = self._titles.get(name)
        if topic is None:
            raise Problem(404, f"no topic `{name[:64]}`", "path topic", "one of " + ", ".join(self._titles))
        return topic

    def _partition(self, topic: Topic, partition: int) -> int:
        count = self._gateway.connection.log.partitions(topic)
        if partition >= count:
            raise Problem(404, f"no partition {partition}", "partition", f"0 to {count - 1} of {topic.title}")
        return partition


def _check_context(messages: list[Message]) -> None:
    """Raise Problem where compaction would let a message take the place of another record, or of nothing."""
    for at, message in enumerate(messages):
        try:
            check_key(message.key, key_of_value(message.value))
        except PoisonRecord as error:
            raise Problem(400, str(error), f"body record {at}", "a context record under its own key") from None

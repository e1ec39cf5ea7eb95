"""A log behind the HTTP face of a running `placet up`."""

from collections.abc import Sequence
from typing import Any

import httpx2

from placet.errors import Corrupted, PlacetError, PoisonRecord, Unavailable, Unsure
from placet.faces import frames
from placet.model.reasons import Reason
from placet.model.topics import Topic
from placet.ports import Message, Rec

VALUE_BYTES_MAX = 16 * 1024 * 1024
CONNECT_S, ANSWER_S = 5.0, 15.0


class HttpLog:
    """`ports.Log` over HTTP. One instance may be used by many threads.

    `url` is where `placet up` listens, `token` its bearer token.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self._client = httpx2.Client(
            base_url=self.url,
            headers={"authorization": f"Bearer {token}"},
            timeout=httpx2.Timeout(ANSWER_S, connect=CONNECT_S),
            limits=httpx2.Limits(max_connections=256, max_keepalive_connections=64),
            # A proxy from the environment must not see the token of a local service.
            trust_env=False,
        )
        self._partitions: dict[int, int] = {}

    def partitions(self, topic: int) -> int:
        """Return the partition count of `topic`."""
        if topic not in self._partitions:
            self._partitions[topic] = int(self._read(f"/v1/log/{_name(topic)}", {}, 0).json()["partitions"])
        return self._partitions[topic]

    def append(self, topic: int, partition: int, messages: Sequence[Message]) -> int:
        """Append; see `ports.Log.append`. A lost answer is `Unsure`, a refused connection `Unavailable`."""
        try:
            answer = self._client.post(
                f"/v1/log/{_name(topic)}",
                params={"partition": partition},
                content=frames.pack_append(messages),
                headers={"content-type": frames.MEDIA_TYPE},
            )
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise Unavailable(f"{self.url}: nobody answers ({type(error).__name__})") from None
        except httpx2.TransportError as error:
            raise Unsure(f"{self.url}: the answer was lost ({type(error).__name__})") from None
        return int(_checked(answer).json()["offset"])

    def read(self, topic: int, partition: int, offset: int, most: int, wait_ms: int) -> list[Rec]:
        """Read; see `ports.Log.read`."""
        answer = self._read(
            f"/v1/log/{_name(topic)}/{partition}", {"offset": offset, "most": most, "wait_ms": wait_ms}, wait_ms
        )
        return [
            Rec(topic, partition, at_offset, at, key, value)
            for at_offset, at, key, value in frames.unpack(answer.content, VALUE_BYTES_MAX)
        ]

    def end(self, topic: int, partition: int) -> int:
        """Return one past the last committed record."""
        return int(self._read(f"/v1/log/{_name(topic)}", {}, 0).json()["ends"][partition])

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _read(self, path: str, params: dict[str, int], wait_ms: int) -> httpx2.Response:
        try:
            return _checked(
                self._client.get(
                    path, params=params, timeout=httpx2.Timeout(ANSWER_S + wait_ms / 1000, connect=CONNECT_S)
                )
            )
        except httpx2.TransportError as error:
            raise Unavailable(f"{self.url}: nobody answers ({type(error).__name__})") from None


def _name(topic: int) -> str:
    return Topic(topic).title


def _checked(answer: httpx2.Response) -> httpx2.Response:
    """Return the answer if it is one, else raise what the other side meant."""
    if answer.status_code < 300:
        return answer
    try:
        told: Any = answer.json()
        what = f"{told['what']} at {told['where']}, expected {told['expected']}"
        kind = str(told.get("kind", ""))
    except (ValueError, KeyError, TypeError):
        what, kind = f"status {answer.status_code}", ""
    message = f"{answer.url.copy_with(query=None)}: {what}"
    failure: type[PlacetError] | None = {"unsure": Unsure, "corrupted": Corrupted}.get(kind)
    if failure is not None:
        raise failure(message)
    if answer.status_code in {400, 404, 413, 415, 422}:
        raise PoisonRecord(message, Reason.TOO_LARGE if answer.status_code == 413 else Reason.MALFORMED)
    raise Unavailable(message)

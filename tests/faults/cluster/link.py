"""One client's connection through the proxy to a broker: frames in order in both directions, held as the rules say."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

from tests.faults.cluster import wire
from tests.faults.cluster.rules import Act, Rule, Way
from tests.faults.cluster.wire import Request


class Keeper(Protocol):
    """Who lays the rules for all links and is told what passes."""

    def rule_for(self, way: Way, request: Request, node: int) -> Rule | None: ...

    def heard(self, request: Request, error: int) -> None: ...

    def gone(self, link: "Link") -> None: ...


class _Waiting(NamedTuple):
    """A frame in its queue, the rule that holds it if one does, and when it may go (s). Answers carry no request."""

    frame: bytes
    request: Request | None
    rule: Rule | None
    due: float
    swallowed: bool = False


class Side(asyncio.Protocol):
    """One end of a link: the client's (near), or the broker's."""

    def __init__(self, link: "Link", *, near: bool) -> None:
        self._link = link
        self._near = near

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._link.made(transport, near=self._near)

    def data_received(self, data: bytes) -> None:
        self._link.received(data, near=self._near)

    def connection_lost(self, exc: Exception | None) -> None:
        self._link.lost(near=self._near)


class Link:
    """Both ends, what waits in each direction, and which requests the broker still owes an answer."""

    def __init__(self, keeper: Keeper, node: int, reach: Callable[["Link"], None]) -> None:
        self.node = node
        self.client = ""
        self._keeper = keeper
        self._reach = reach
        self._loop = asyncio.get_running_loop()
        self._near: asyncio.Transport | None = None
        self._far: asyncio.Transport | None = None
        self._buffers = {Way.ASKED: bytearray(), Way.ANSWERED: bytearray()}
        self._queues: dict[Way, deque[_Waiting]] = {Way.ASKED: deque(), Way.ANSWERED: deque()}
        self._owed: deque[tuple[Request, bool]] = deque()
        self._over = False

    def made(self, transport: asyncio.Transport, *, near: bool) -> None:
        """Take one end; the client's comes first, and has the broker's reached for."""
        if near:
            self._near = transport
            self._reach(self)
        elif self._over:
            transport.abort()
        else:
            self._far = transport
            self.pump()

    def lost(self, *, near: bool) -> None:
        """Close the other end, unless what the client sent is still on its way: then it arrives, and nobody listens."""
        if not near or self._over:
            self.reset()
            return
        self._near = None
        late = [one for one in self._queues[Way.ASKED] if one.rule is not None and one.rule.late]
        self._queues[Way.ASKED] = deque(late)
        self._queues[Way.ANSWERED].clear()
        self._end_if_done()

    def reset(self) -> None:
        """End both ends at once; what waits is lost."""
        if self._over:
            return
        self._over = True
        for end in (self._near, self._far):
            if end is not None:
                end.abort()
        self._keeper.gone(self)

    def received(self, data: bytes, *, near: bool) -> None:
        """Put what came from one end into its queue as the rules say, and pass on what may go."""
        way = Way.ASKED if near else Way.ANSWERED
        buffer = self._buffers[way]
        buffer += data
        for frame in wire.frames_of(buffer):
            if near:
                request = wire.request_of(frame)
                self.client = request.client
            else:
                request, swallowed = self._answered(frame)
                if swallowed or self._near is None:
                    continue
            self._put(way, request, frame)
            if self._over:
                return
        self.pump()

    def _answered(self, frame: bytes) -> tuple[Request, bool]:
        request, swallowed = self._owed.popleft()
        assert wire.correlation_of(frame) == request.correlation, "a broker answers in the order of the requests"
        self._keeper.heard(request, wire.error_of(request.api, request.version, frame))
        return request, swallowed

    def _put(self, way: Way, request: Request, frame: bytes) -> None:
        rule = self._keeper.rule_for(way, request, self.node)
        act = None if rule is None else rule.act
        if act is Act.CUT:
            self.reset()
            return
        due = self._loop.time() + rule.ms / 1000 if rule is not None and act is Act.DELAY else 0.0
        asked = request if way is Way.ASKED else None
        queue = self._queues[way]
        queue.append(_Waiting(frame, asked, rule if act is Act.HOLD else None, due))
        if act is Act.REPEAT:
            queue.append(_Waiting(frame, asked, None, due, swallowed=True))

    def pump(self) -> None:
        """Send what may go, each direction in order."""
        for way, end in ((Way.ASKED, self._far), (Way.ANSWERED, self._near)):
            queue = self._queues[way]
            while queue and end is not None and self._may_go(queue[0]):
                one = queue.popleft()
                if one.request is not None:
                    self._owed.append((one.request, one.swallowed))
                end.write(one.frame)
        self._end_if_done()

    def _may_go(self, head: _Waiting) -> bool:
        if head.rule is not None and not head.rule.lifted:
            return False
        if head.due > (now := self._loop.time()):
            self._loop.call_later(head.due - now, self.pump)
            return False
        return True

    def _end_if_done(self) -> None:
        if self._near is None and not self._over and not self._queues[Way.ASKED] and not self._owed:
            self.reset()

"""A TCP proxy before each broker that holds, delays, repeats and cuts by API, client and node. Standard library only."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from threading import Event, Thread

from tests.faults.cluster import wire
from tests.faults.cluster.link import Link, Side
from tests.faults.cluster.rules import Rule, Way
from tests.faults.cluster.wire import Request

STOP_S = 10


class Proxy:
    """One listening port per node, all in one thread.

    `nodes` are their numbers and their own ports, `ports` those to be reached
    at. Rules may be laid and lifted from any thread at any time; the first
    that takes a frame decides. `seen` counts answers by (client, API, error
    code), `ended` transactions by (client, whether it was a commit).
    """

    def __init__(self, nodes: Mapping[int, int]) -> None:
        self._nodes = dict(nodes)
        self.ports: dict[int, int] = {}
        self._rules: tuple[Rule, ...] = ()
        self.seen: Counter[tuple[str, int, int]] = Counter()
        self.ended: Counter[tuple[str, bool]] = Counter()
        self._links: set[Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready = Event()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._serve, name="proxy", daemon=True)
        self._thread.start()
        assert self._ready.wait(STOP_S), "the proxy does not listen"

    # From any thread

    def lay(self, rule: Rule) -> Rule:
        """Let a rule hold from now on, also for connections that are open."""
        self._rules = (*self._rules, rule)
        return rule

    def lift(self, *rules: Rule) -> None:
        """Let these hold no more (all, without any named), and let go what they hold."""
        for rule in rules or self._rules:
            rule.lifted = True
        self._rules = tuple(rule for rule in self._rules if not rule.lifted)
        self._loop.call_soon_threadsafe(self._pump)

    def cut(self, client: str = "", node: int = 0) -> int:
        """Reset the open connections of these clients to a node (0: any); return how many there were."""
        done = Event()
        found: list[Link] = []

        def reset() -> None:
            found.extend(one for one in self._links if one.client.startswith(client) and (not node or one.node == node))
            for link in found:
                link.reset()
            done.set()

        self._loop.call_soon_threadsafe(reset)
        assert done.wait(STOP_S), "the proxy does not answer"
        return len(found)

    def fenced(self, client: str) -> int:
        """Return how often a broker turned this client away as a zombie."""
        return sum(n for (who, _, code), n in list(self.seen.items()) if who == client and code in wire.FENCED)

    def close(self) -> None:
        """Reset all connections and end the thread."""
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_S)

    # What links ask and tell, in the proxy's own thread

    def rule_for(self, way: Way, request: Request, node: int) -> Rule | None:
        """Return the rule that takes this frame, and count it there."""
        return next((rule for rule in self._rules if rule.takes(way, request, node)), None)

    def heard(self, request: Request, error: int) -> None:
        """Count an answer."""
        self.seen[request.client, request.api, error] += 1
        if request.commits is not None and not error:
            self.ended[request.client, request.commits] += 1

    def gone(self, link: Link) -> None:
        """Forget a link."""
        self._links.discard(link)

    def _pump(self) -> None:
        for link in list(self._links):
            link.pump()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        servers = [self._loop.run_until_complete(self._listen(node)) for node in self._nodes]
        self._ready.set()
        self._loop.run_forever()
        for server in servers:
            server.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _listen(self, node: int) -> asyncio.Server:
        server = await self._loop.create_server(lambda: self._near(node), "127.0.0.1", 0)
        self.ports[node] = server.sockets[0].getsockname()[1]
        return server

    def _near(self, node: int) -> Side:
        link = Link(self, node, self._reach)
        self._links.add(link)
        return Side(link, near=True)

    def _reach(self, link: Link) -> None:
        task = self._loop.create_task(self._connect(link))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, link: Link) -> None:
        try:
            await self._loop.create_connection(lambda: Side(link, near=False), "127.0.0.1", self._nodes[link.node])
        except OSError:
            link.reset()

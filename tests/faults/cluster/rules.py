"""What the proxy is to do to whom: one rule per fault, which counts how often it bit."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum
from threading import Event

from tests.faults.cluster.wire import Request


class Act(Enum):
    """What becomes of a frame, and of all behind it on its connection: bytes never overtake each other."""

    HOLD = "held until the rule is lifted"
    DELAY = "held for `ms`"
    CUT = "the connection is reset in its stead"
    REPEAT = "a request is brought twice; the second answer is swallowed"


class Way(Enum):
    """Which frames a rule looks at."""

    ASKED = "requests, from a client to a broker"
    ANSWERED = "answers, from a broker to a client"


@dataclass(eq=False)
class Rule:
    """Frames of `apis` (all if empty) of clients whose id begins with `client`, from or to `node` (0: any).

    `most` is how many frames are struck at most. A request held by a `late`
    rule reaches its broker also when its client has given up: the network had
    it. `struck` counts by client.
    """

    act: Act
    way: Way = Way.ASKED
    apis: Collection[int] = ()
    client: str = ""
    node: int = 0
    ms: int = 0
    most: int = 1 << 30
    late: bool = False
    commits: bool | None = None
    struck: Counter[str] = field(default_factory=Counter)
    bit: Event = field(default_factory=Event)
    lifted: bool = False

    def takes(self, way: Way, request: Request, node: int) -> bool:
        """Return whether this frame is struck, and count it."""
        if (
            self.lifted
            or way is not self.way
            or (self.apis and request.api not in self.apis)
            or not request.client.startswith(self.client)
            or (self.node and self.node != node)
            or (self.commits is not None and request.commits is not self.commits)
            or self.struck.total() >= self.most
        ):
            return False
        self.struck[request.client] += 1
        self.bit.set()
        return True

    @property
    def count(self) -> int:
        """How many frames were struck."""
        return self.struck.total()

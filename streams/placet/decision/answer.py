"""What a desk would say of an intent, before it is said: where it leads, what may run, and what that rests on."""

from collections.abc import Mapping
from typing import Any

import msgspec

from placet.decision.ballot import Count
from placet.decision.life import CLAIMED, GRANTED
from placet.decision.sums import Near
from placet.model import strict
from placet.model.codec.desk_change import Held
from placet.model.codec.intent import Intent
from placet.model.codec.verdict import Approval, Bound, Hold
from placet.model.digests import action_digest
from placet.model.reasons import Effect, Reason, State
from placet.policy.approval import Approval as Wait
from placet.policy.emergency import Emergency
from placet.policy.evaluate import Finding
from placet.policy.room import Stood


class Called(msgspec.Struct, frozen=True, gc=False):
    """An emergency that is granted: what it was granted under, whom its review asks, and who has a part in it."""

    emergency: Emergency
    eligible: tuple[str, ...]
    chain: tuple[str, ...]
    owner: str


class Answer(msgspec.Struct, gc=False):
    """What a desk would say now. `until` is when the clock moves it on; `finding` is None before any rule was asked.

    `wait` and `count` are what people are asked for, and what their votes come to, where they are asked.
    `holds` are the amounts a grant counts, and `posts` what is said of amounts, or `posted` where that is in its bytes; `near` are the limits of
    which little is left. `recounted`: what was held before is held in another measure by now. Of what goes beyond a limit
    `stood` are the limits it was held against, and `again_at` is when windows that pass leave enough for it, ms, or 0.
    `emergency` is what a grant is reviewed for. `bounds` and `ask` are a `Guide`'s.
    """

    state: State
    effect: Effect
    reason: Reason
    set_digest: bytes = b""
    engine: str = ""
    detail: str = ""
    finding: Finding | None = None
    until: int = 0
    granted_digest: bytes = b""
    granted_arguments: bytes | None = None
    claim_required: bool = True
    act_ms_max: int = 0
    retry_after_ms: int = 0
    approval: Approval | None = None
    wait: Wait | None = None
    count: Count | None = None
    holds: tuple[Held, ...] = ()
    posts: tuple[Hold, ...] = ()
    posted: bytes = b""
    near: tuple[Near, ...] = ()
    recounted: bool = False
    stood: tuple[Stood, ...] = ()
    again_at: int = 0
    emergency: Called | None = None
    bounds: tuple[Bound, ...] = ()
    ask: tuple[str, ...] = ()

    def bind(self, intent: Intent, granted: Mapping[str, Any]) -> None:
        """Let other arguments run than those that were asked."""
        raw = self.granted_arguments = strict.canonical(granted)
        self.granted_digest = action_digest(
            intent.tenant, intent.authority, intent.actor, intent.audience, intent.action, intent.resource, raw
        )

    @property
    def wanted(self) -> bytes:
        """Return a short digest of what people are asked for, empty where they are not."""
        return b"" if self.wait is None or self.count is None else self.count.wanted

    @property
    def grants(self) -> bool:
        return self.state is GRANTED or self.state is CLAIMED

"""What happens in a history, in plain values: the same for the desk and for the model that it is held against."""

from typing import Any, NamedTuple

GRACE, ALAN, ADA, BOB, SHOP, OTHER = (
    "user:grace",
    "user:alan",
    "agent:ada",
    "agent:bob",
    "service:shop",
    "service:other",
)
PAY, GIVE, LOOK, EXPORT, NOWHERE = "shop.pay", "shop.give", "shop.look", "shop.export", "shop.burn"
FINANCE, SUE, LEE, BOSS = ("user:flo", "user:fay", "user:fin"), "user:sue", "user:lee", "user:boss"
FIRST, SECOND = "user:root", "user:second"


class Ask(NamedTuple):
    """An intent; `amount` is its one argument, None where its action has none."""

    id: int
    attempt: int
    actor: str
    authority: str
    mandate: str
    action: str
    resource: str
    amount: int | None
    session: str
    audience: str
    deadline: int
    purpose: str = "the customer asked"

    @property
    def identity(self) -> tuple[str, int, int]:
        return self.authority, self.id, self.attempt

    @property
    def deed(self) -> tuple[str, str, str, str, str, int | None]:
        """What an action digest covers."""
        return self.authority, self.actor, self.audience, self.action, self.resource, self.amount


class Back(NamedTuple):
    """A withdrawal."""

    ask: Ask
    actor: str


class Begin(NamedTuple):
    """A claim of what was asked, with the amount its executor believes granted."""

    ask: Ask
    amount: int | None
    executor: str
    nonce: int


class Told(NamedTuple):
    """An outcome, by its executor or by a person (`settles`)."""

    ask: Ask
    result: str
    executor: str
    nonce: int
    amount: int | None
    origin: str = ""
    settles: bool = False


class Vote(NamedTuple):
    """A person's word on what waits, given at `at` (ms); `amount` None leaves it as it was asked.

    `acr` says how they had authenticated, `auth_at` when.
    """

    ask: Ask
    voter: str
    yes: bool
    amount: int | None
    at: int
    acr: str
    auth_at: int


class Status(NamedTuple):
    """What one source says of a principal."""

    name: str
    source: str
    status: str


class Given(NamedTuple):
    """A mandate, active or taken back; `expires_at` 0 is never."""

    id: str
    status: str
    expires_at: int


class Score(NamedTuple):
    """What one source says of a subject's risk."""

    subject: str
    source: str
    score: int


class Label(NamedTuple):
    """What is known of a resource."""

    resource: str
    label: str


class Stop(NamedTuple):
    """An operator's halt."""

    id: str
    scope: str


class Resume(NamedTuple):
    """The word of one operator that a halt may end."""

    id: str
    scope: str
    by: str


class Packs(NamedTuple):
    """The set of packs that decides from now on: with the usual limits, or with tight ones."""

    tight: bool


Deed = Ask | Back | Begin | Told | Vote | Status | Given | Score | Label | Stop | Resume | Packs
Said = tuple[Any, ...]
"""What was said, comparable: `verdict`, `refusal`, `repeat` or `halted`, its seq, and what it says."""

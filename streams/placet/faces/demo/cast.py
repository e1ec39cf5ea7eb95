"""Who and what the demo's company is made of, as records of the context."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from placet.model.codec import control, mandate, principal, risk_signal, sensitivity
from placet.model.context_keys import control_key, principal_key, sensitivity_key
from placet.model.topics import Topic

TENANT = "acme"
IDP = "https://idp.acme.example/"
PACKS = ("payments", "data_access", "operations")
FEEDS: tuple[tuple[Topic, str], ...] = (
    (Topic.SIGNALS, "scoring"),
    (Topic.SIGNALS, IDP),
    (Topic.PRINCIPALS, IDP),
    (Topic.SENSITIVITY, "classifier"),
    (Topic.CONTROLS, "calendar"),
)
"""Who says that it is alive, and of what: the packs decide nothing on the word of a feed that is silent."""


class Agent(NamedTuple):
    """An agent of the fleet: who answers for it, under which mandate, for what; and who handed it on, of which mandate."""

    name: str
    authority: str
    mandate: str
    task: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    attributes: dict[str, str]
    via: str = ""
    parent: str = ""

    @property
    def session(self) -> str:
        """Return the one run this agent is in."""
        return f"{self.name.partition(':')[2]}-run"


PEOPLE: dict[str, tuple[str, ...]] = {
    "user:kim": ("support", "finance"),
    "user:mo": ("finance", "treasury"),
    "user:ivy": ("finance",),
    "user:dana": ("analysts",),
    "user:rae": ("engineering", "on-call"),
}
"""People, and the groups they are in."""

LEAD = Agent(
    "agent:desk-lead", "user:kim", "support-budget", "keep customers content", ("payments.*",), ("order/*",), {}
)
"""Hands on what it may do; whoever it hands it to draws on its budget."""
BUDGET, BUDGET_S = 60_000, 10
"""What all who act under the lead's mandate may give back together in any ten seconds."""
REFUNDS = Agent(
    "agent:refund-bot",
    "user:kim",
    "late-orders",
    "make good what came late",
    ("payments.*",),
    ("order/*",),
    {},
    LEAD.name,
    LEAD.mandate,
)
NEWCOMER = Agent(
    "agent:refund-trainee",
    "user:kim",
    "first-week",
    "learn refunds",
    ("payments.*",),
    ("order/*",),
    {"tenure": "new"},
    LEAD.name,
    LEAD.mandate,
)
LARGE = REFUNDS._replace(mandate="large-refunds", task="settle the large claims", via="", parent="")
"""The same agent on another task, under nobody's budget but finance's eyes."""
LARGE_ORDER = "order/39"
APPROVERS = ("user:kim", "user:mo", "user:ivy")
TREASURY = Agent("agent:treasury-bot", "user:mo", "payables", "pay what is due", ("payments.*",), ("account/*",), {})
ANALYST = Agent(
    "agent:analyst",
    "user:dana",
    "churn-study",
    "find out who leaves",
    ("data.*",),
    ("warehouse/*", "table/*", "page/*"),
    {},
)
RELEASES = Agent(
    "agent:release-bot",
    "user:rae",
    "autumn-release",
    "bring the autumn release out",
    ("deploy.*", "service.*", "config.*", "logs.*"),
    ("service/*",),
    {},
)
FLEET = (LEAD, REFUNDS, NEWCOMER, TREASURY, ANALYST, RELEASES)

EXECUTORS: dict[str, tuple[str, ...]] = {
    "service:cashier": (),
    "service:bank": (),
    "service:warehouse": ("mask-personal",),
    "service:deployer": ("watch-errors",),
}
"""Executors, and the obligations they can carry out."""

RESOURCES: dict[str, tuple[str, tuple[str, ...]]] = {
    **{f"order/{number}": ("internal", ()) for number in range(1, 40)},
    "order/40": ("confidential", ()),
    "account/own/2": ("internal", ()),
    "account/payee/9": ("confidential", ("known-payee",)),
    "account/payee/77": ("confidential", ()),
    "warehouse/events": ("internal", ()),
    "warehouse/customers": ("confidential", ("personal",)),
    "table/prices": ("public", ()),
    "table/salaries": ("restricted", ("personal",)),
    "page/forum": ("public", ()),
    "service/shop": ("internal", ()),
    "service/ledger": ("confidential", ()),
}
"""Resources, their labels and categories. One warehouse table is missing: its classifier comes late."""
LATE = "warehouse/survey"


class Line(NamedTuple):
    """One record to publish: its topic, key, codec, the record, and the purpose of the key that signs it."""

    topic: Topic
    key: str
    codec: Any
    record: Any
    purpose: Any


def key_holders() -> Iterator[tuple[Any, str]]:
    """Yield the purpose and the issuer of every key the company needs besides a journal's first ones."""
    yield from (("agent", agent.name) for agent in FLEET)
    yield from (("executor", name) for name in EXECUTORS)
    yield from (("approver", name) for name in APPROVERS)


def introductions(at: int) -> Iterator[Line]:
    """Yield everything that is known when the curtain rises, as of `at` ms."""
    for person, groups in PEOPLE.items():
        yield known(_principal(person, "user", None, at)._replace(groups=groups))
    for agent in FLEET:
        yield known(agent_of(agent, at))
        yield mandate_of(agent, at)
    yield mandate_of(LARGE, at)
    for name, capabilities in EXECUTORS.items():
        yield known(_principal(name, "service", "user:rae", at)._replace(capabilities=capabilities))
    for name, (label, categories) in RESOURCES.items():
        yield classified(name, label, categories, at)
    for subject in (*PEOPLE, *(agent.name for agent in FLEET), *(f"session:{agent.session}" for agent in FLEET)):
        yield risk(subject, 5, at)
    for name, value in (("freeze", "off"), ("books", "open")):
        yield calendar(name, value, at)


def risk(subject: str, score: int, at: int) -> Line:
    """Return what the company's own scoring says of a subject."""
    record = risk_signal.RiskSignal(
        TENANT, subject, "scoring", f"{subject}-{at}", score, at, 0, "usual behaviour", None
    )
    return signal(record)


def signal(record: risk_signal.RiskSignal) -> Line:
    """Return a risk signal ready to be published."""
    return Line(Topic.SIGNALS, f"{TENANT}/{record.subject}", risk_signal, record, "feed")


def classified(resource: str, label: str, categories: tuple[str, ...], at: int) -> Line:
    """Return what the classifier says of a resource."""
    record = sensitivity.Sensitivity(TENANT, resource, label, None, "internal", categories, "classifier", at, None)
    return Line(Topic.SENSITIVITY, sensitivity_key(record).decode(), sensitivity, record, "feed")


def calendar(name: str, value: str, at: int) -> Line:
    """Return a fact of the calendar."""
    record = control.Control(TENANT, f"{name}-{at}", "calendar", name, value, "", "user:operator", at, 0, None)
    return Line(Topic.CONTROLS, control_key(record).decode(), control, record, "operator")


def agent_of(agent: Agent, at: int) -> principal.Principal:
    """Return an agent as the directory has it."""
    return _principal(agent.name, "agent", agent.authority, at)._replace(attributes=agent.attributes)


def _principal(name: str, kind: str, owner: str | None, at: int) -> principal.Principal:
    return principal.Principal(TENANT, name, kind, "active", owner, (), {}, (), "directory", at, None)


def known(record: principal.Principal) -> Line:
    """Return who somebody is, ready to be published."""
    return Line(Topic.PRINCIPALS, principal_key(record).decode(), principal, record, "directory")


def mandate_of(agent: Agent, at: int, status: str = "active") -> Line:
    """Return the mandate that an agent acts under, as it stands from `at` on."""
    record = mandate.Mandate(
        tenant=TENANT,
        id=agent.mandate,
        delegator=agent.via or agent.authority,
        delegate=agent.name,
        task=agent.task,
        actions=agent.actions,
        resources=agent.resources,
        limits=(mandate.Limit("amount", BUDGET, BUDGET_S, ("payments.refund",)),) if agent is LEAD else (),
        parent=agent.parent,
        expires_at=0,
        status=status,
        observed_at=at,
        proof=None,
    )
    return Line(Topic.MANDATES, f"{TENANT}/{agent.mandate}", mandate, record, "operator")

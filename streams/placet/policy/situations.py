"""A situation written by hand, as in a pack's tests: what is known and what is asked, made into a Case."""

from typing import Annotated, Any, Literal

from pydantic import Field

from placet.model.case import LABELS, RANKS, Case, MandateRow, PrincipalRow, ResourceRow
from placet.policy.forms import Form, ObligationForm, Text
from placet.policy.samples import INSTANT

Label = Literal["public", "internal", "confidential", "restricted"]
Score = Annotated[int, Field(ge=0, le=100)]


class PrincipalGiven(Form):
    """What is known of a principal; its kind is the part of its id before the colon unless given."""

    kind: str | None = None
    status: Literal["active", "suspended", "revoked"] = "active"
    owner: str | None = None
    groups: list[str] = Field(default=[])
    attributes: dict[str, str] = Field(default={})
    capabilities: list[str] = Field(default=[])
    risk: Score = 0


class MandateGiven(Form):
    """What is known of the last link of the delegation."""

    id: str = "mandate-1"
    delegator: str | None = None
    delegate: str | None = None
    task: str = ""
    depth: Annotated[int, Field(ge=1, le=16)] = 1
    actions: list[str] = Field(default=["*"])
    resources: list[str] = Field(default=["*"])


class ResourceGiven(Form):
    """What is known of the resource."""

    sensitivity: Label | None = None
    owner: str | None = None
    origin: Literal["internal", "external"] | None = None
    categories: list[str] = Field(default=[])


class SessionGiven(Form):
    """The worst of what came back to the session so far."""

    origin: Literal["none", "internal", "external"] = "none"
    sensitivity: Label = "public"
    risk: Score = 0


class AgeGiven(Form):
    """How long ago a fact was observed, and its feed heard; ms."""

    observed_ms: Annotated[int, Field(ge=0)] | None = None
    heard_ms: Annotated[int, Field(ge=0)] | None = None


class Given(Form):
    """What is known. Everything but calendar facts is known, fresh and harmless unless said otherwise.

    `risk` is short for the actor's, `sensitivity` for the resource's; `absent`
    names facts nobody knows, `ages` how old others are, in ms.
    """

    risk: Score | None = None
    sensitivity: Label | None = None
    actor: PrincipalGiven = PrincipalGiven()
    authority: PrincipalGiven = PrincipalGiven()
    mandate: MandateGiven = MandateGiven()
    resource: ResourceGiven = ResourceGiven()
    session: SessionGiven = SessionGiven()
    calendar: dict[str, str] = Field(default={})
    absent: list[str] = Field(default=[])
    ages: dict[str, int | AgeGiven] = Field(default={})


class IntentGiven(Form):
    """What is asked, by whom, for whom. `chain` is authority and actor unless given."""

    actor: str = "agent:ada"
    authority: str = "user:kim"
    action: str
    resource: str = "thing/1"
    purpose: str = ""
    audience: str = ""
    session: str = "session-1"
    arguments: dict[str, Any] = Field(default={})
    emergency: bool = False
    attempt: Annotated[int, Field(ge=1)] = 1
    chain: list[str] | None = None


class Expected(Form):
    """What must come out. `because` names the deciding rules; what is left out is not looked at."""

    effect: Literal["permit", "constrain", "step_up", "defer", "deny"]
    because: list[str] | None = None
    reason: str | None = None
    obligations: list[ObligationForm] | None = None
    granted: dict[str, Any] | None = None
    missing: list[str] | None = None
    claim: Literal["required", "granted"] | None = None


class TestForm(Form):
    """One test of a pack: a sentence, a situation, and what must come out."""

    __test__ = False  # not a test of ours, whatever its name says to pytest

    says: Text
    given: Given = Given()
    intent: IntentGiven
    expect: Expected


class TestsForm(Form):
    """`tests.yaml`: what the pack means, by example."""

    __test__ = False

    tests: Annotated[list[TestForm], Field(min_length=1, max_length=10_000)]


def case_of(given: Given, intent: IntentGiven) -> Case:
    """Return the Case of a situation, at a fixed instant."""
    case = Case()
    case.instant, case.tenant, case.id, case.attempt = INSTANT, "test", bytes(16), intent.attempt
    case.action, case.resource_id, case.purpose = intent.action, intent.resource, intent.purpose
    case.audience, case.emergency, case.session_id = intent.audience, intent.emergency, intent.session
    case.arguments = intent.arguments
    case.actor_id, case.authority_id = intent.actor, intent.authority
    case.actor, case.authority = _principal(intent.actor, given.actor), _principal(intent.authority, given.authority)
    case.actor_risk = given.actor.risk if given.risk is None else given.risk
    case.authority_risk, case.session_risk = given.authority.risk, given.session.risk
    mandate, resource = given.mandate, given.resource
    case.mandate = MandateRow(
        key="",
        id=mandate.id,
        delegator=mandate.delegator or intent.authority,
        delegate=mandate.delegate or intent.actor,
        task=mandate.task,
        actions=tuple(mandate.actions),
        resources=tuple(mandate.resources),
        parent="",
        expires_at=0,
        active=True,
        observed_at=INSTANT,
        partition=0,
        fact=b"",
        depth=mandate.depth,
    )
    label = resource.sensitivity or given.sensitivity or "public"
    case.resource = ResourceRow(
        key="",
        id=intent.resource,
        sensitivity=label,
        rank=RANKS[label],
        owner=resource.owner,
        origin=resource.origin,
        categories=tuple(resource.categories),
        observed_at=INSTANT,
        partition=0,
        facts=(),
    )
    case.session_origin, case.session_rank = given.session.origin, LABELS.index(given.session.sensitivity)
    case.calendar = dict(given.calendar)
    case.chain = tuple(intent.chain or (intent.authority, intent.actor))
    _age(case, given)
    return case


def _principal(id_: str, given: PrincipalGiven) -> PrincipalRow:
    return PrincipalRow(
        key="",
        id=id_,
        kind=given.kind or id_.partition(":")[0],
        status=given.status,
        active=given.status == "active",
        owner=given.owner,
        groups=tuple(given.groups),
        attributes=dict(given.attributes),
        capabilities=frozenset(given.capabilities),
        observed_at=INSTANT,
        partition=0,
        facts=(),
    )


def _age(case: Case, given: Given) -> None:
    """Set when each fact was observed and heard, and take away those nobody knows."""
    names = ["actor", "authority", "actor.risk", "authority.risk", "session.risk", "mandate", "resource"]
    names += [f"calendar.{name}" for name in given.calendar]
    case.observed_at, case.heard_at = dict.fromkeys(names, INSTANT), dict.fromkeys(names, INSTANT)
    for name, age in given.ages.items():
        observed, heard = (age, age) if isinstance(age, int) else (age.observed_ms, age.heard_ms)
        case.observed_at[name] = INSTANT - (observed or 0)
        case.heard_at[name] = INSTANT - (heard or 0)
    for name in given.absent:
        head, _, tail = name.partition(".")
        if head == "calendar":
            case.calendar = {key: value for key, value in case.calendar.items() if key != tail}
        else:
            setattr(case, f"{head}_risk" if tail else head, None)
        case.observed_at.pop(name, None)
        case.heard_at.pop(name, None)

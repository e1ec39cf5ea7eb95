"""The files of a pack as pydantic models: strict types, no unknown keys, bounds on everything."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from placet.policy.shape import INT_MAX

Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
ActionName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+~%=#,\-]{0,255}$")]
ArgumentName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Patterns = Annotated[list[Pattern], Field(min_length=1, max_length=64)]
AcrValue = Annotated[str, StringConstraints(pattern=r"^[\x21\x23-\x5B\x5D-\x7E]{1,128}$")]
"""Of a list that is told with spaces between and in quotes (RFC 6749 §3.3)."""
Amount = Annotated[int, Field(ge=-INT_MAX, le=INT_MAX)]
Scalar = str | int | bool
MINUTE_MS, DAY_MS = 60_000, 86_400_000
EMERGENCY_LEASE_MS_MAX = 5 * MINUTE_MS
UNREVIEWED_MOST = 16
"""Of one agent under one authority: a desk remembers each emergency until it is answered."""


def _ms(at_least: int, at_most: int) -> Any:
    return Field(ge=at_least, le=at_most)


class Form(BaseModel):
    """The base of every form: nothing is coerced, nothing unknown is taken."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ArgumentForm(Form):
    """One argument of an action: type, inclusive bounds, length in code points or members."""

    type: Literal[
        "int",
        "number",
        "string",
        "bool",
        "list<string>",
        "list<int>",
        "list<bool>",
        "map<string, string>",
        "map<string, int>",
        "json",
    ]
    required: bool = True
    min: Amount | None = None
    max: Amount | None = None
    max_length: Annotated[int, Field(ge=0, le=65_536)] | None = None
    pattern: Annotated[str, StringConstraints(max_length=500)] | None = None
    one_of: Annotated[list[Annotated[str, StringConstraints(max_length=256)]], Field(min_length=1)] | None = None


class LeaseForm(Form):
    """How long a grant may wait for its claim, and an execution for its outcome; milliseconds."""

    lease_ms: Annotated[int, _ms(100, DAY_MS)] | None = None
    act_ms_max: Annotated[int, _ms(100, 7 * DAY_MS)] | None = None


class ActionForm(Form):
    """One action: its arguments, what makes it read-only, and its own durations."""

    description: Text | None = None
    arguments: dict[ArgumentName, ArgumentForm] = {}
    read_only: dict[ArgumentName, Scalar] | None = None
    deadline_ms_max: Annotated[int, _ms(1_000, 7 * DAY_MS)] | None = None
    lease: LeaseForm | None = None


class FreshnessForm(Form):
    """How old a fact may be: since it was observed, or since its feed was heard; at least one bound."""

    fact: str
    observed_ms: Annotated[int, _ms(1, 366 * DAY_MS)] | None = None
    heard_ms: Annotated[int, _ms(1, 366 * DAY_MS)] | None = None
    otherwise: Literal["defer", "deny"] = Field("deny", alias="else")

    @model_validator(mode="after")
    def _bounded(self) -> "FreshnessForm":
        if self.observed_ms is None and self.heard_ms is None:
            raise ValueError("name `observed_ms`, `heard_ms` or both")
        return self


class WindowForm(Form):
    """Over what time a limit counts: the mandate's life, or a sliding window in seconds."""

    sliding_s: Annotated[int, Field(ge=1, le=366 * 86_400)] | None = None
    mandate: Literal[True] | None = None

    @model_validator(mode="after")
    def _one(self) -> "WindowForm":
        if (self.sliding_s is None) == (self.mandate is None):
            raise ValueError("name one of `sliding_s` and `mandate: true`")
        return self


class EscalateForm(Form):
    """Who may say yes as well, so many seconds after the intent was asked."""

    after_s: Annotated[int, Field(ge=1, le=7 * 86_400)]
    to: Patterns


class ReviewForm(Form):
    """Who must say yes: how many, of whom, within what time.

    `acr` and `auth_age_s_max` are how, and how lately, each of them must have authenticated (RFC 9470).
    """

    quorum: Annotated[int, Field(ge=1, le=16)]
    eligible: Patterns = Field(alias="from")
    expires_s: Annotated[int, Field(ge=1, le=7 * 86_400)]
    acr: Annotated[list[AcrValue], Field(min_length=1, max_length=16)] | None = None
    auth_age_s_max: Annotated[int, Field(ge=1, le=7 * 86_400)] | None = None


class ApprovalForm(ReviewForm):
    """Who must say yes before; and who may as well where that takes long."""

    escalate: Annotated[list[EscalateForm], Field(max_length=8)] = []


class EmergencyForm(Form):
    """What an emergency may do where people would be asked first: run at once, for a short lease, and be looked at after.

    `unreviewed_max` are the emergencies of one agent that may be unanswered; one that is overdue bars the next in any case.
    """

    lease_ms: Annotated[int, _ms(100, EMERGENCY_LEASE_MS_MAX)]
    review: ReviewForm
    unreviewed_max: Annotated[int, Field(ge=1, le=UNREVIEWED_MOST)] = UNREVIEWED_MOST


class LimitForm(Form):
    """One counted amount: whose, of which actions, what is measured, over what time, how much, and what if it is more."""

    id: Word
    per: Annotated[list[str], Field(min_length=1, max_length=5)]
    on: Patterns
    measure: str = "count"
    window: WindowForm
    max: Annotated[int, Field(ge=0, le=INT_MAX)]
    over: Literal["deny", "step_up", "defer", "constrain"] = "deny"
    approval: ApprovalForm | None = None
    because: Text


class PackForm(Form):
    """`pack.yaml`: what the pack is about, and the bounds its rules share."""

    name: Word
    version: Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+){0,2}$")]
    description: Text
    unsigned_intents: bool = False
    defer_ms_max: Annotated[int, _ms(100, 7 * DAY_MS)] = MINUTE_MS
    lease: LeaseForm = LeaseForm()
    actions: Annotated[dict[ActionName, ActionForm], Field(max_length=1_000)] = {}
    freshness: Annotated[list[FreshnessForm], Field(max_length=100)] = []
    limits: Annotated[list[LimitForm], Field(max_length=100)] = []


class WhoForm(Form):
    """Whom a rule is about; every list that is given must match, by one of its patterns."""

    actor: Patterns | None = None
    authority: Patterns | None = None
    any_in_chain: Patterns | None = None


class LimitObligation(Form):
    """Grant at most `max` of an int argument."""

    argument: str
    max: Amount


class RedactObligation(Form):
    """Grant without these arguments."""

    arguments: Annotated[list[str], Field(min_length=1, max_length=64)]


class ReadOnlyObligation(Form):
    """Grant with the action's own `read_only` values set."""


class CapabilityObligation(Form):
    """Grant only to an executor that has registered this capability; `with` goes to it as it is."""

    name: Word
    parameters: dict[Word, str] = Field({}, alias="with")


class ObligationForm(Form):
    """One obligation: exactly one of the four kinds."""

    limit: LimitObligation | None = None
    redact: RedactObligation | None = None
    read_only: ReadOnlyObligation | None = None
    capability: CapabilityObligation | None = None

    @model_validator(mode="after")
    def _one(self) -> "ObligationForm":
        if sum(part is not None for part in (self.limit, self.redact, self.read_only, self.capability)) != 1:
            raise ValueError("name exactly one of `limit`, `redact`, `read_only` and `capability`")
        return self


class RuleForm(Form):
    """One rule of `rules.yaml`."""

    id: Word
    on: Patterns
    resource: Patterns | None = None
    who: WhoForm | None = None
    when: str | None = None
    effect: Literal["permit", "constrain", "step_up", "defer", "deny"]
    obligations: Annotated[list[ObligationForm], Field(max_length=16)] = []
    approval: ApprovalForm | None = None
    emergency: EmergencyForm | None = None
    claim: Literal["required", "granted"] | None = None
    because: Text
    otherwise: Literal["defer", "deny"] | None = Field(None, alias="else")


class RulesForm(Form):
    """`rules.yaml`: the rules, in the order they are told."""

    rules: Annotated[list[RuleForm], Field(min_length=1, max_length=10_000)]

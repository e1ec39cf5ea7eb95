"""HTTP bodies as strict models: exact types, no unknown fields, identifiers in their profile, bounds on everything."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from placet.errors import PoisonRecord
from placet.faces.sdk.tokens import position_of
from placet.model import strict

ID_HEX = r"^[0-9a-f]{32}$"
DIGEST_HEX = r"^[0-9a-f]{64}$"
LONG_MAX = (1 << 53) - 1


def _word(text: str) -> str:
    try:
        return strict.identifier(text, "it")
    except PoisonRecord as error:
        raise ValueError(str(error)) from None


def _tenant(text: str) -> str:
    if "/" in _word(text):
        raise ValueError("a tenant with a `/`, expected none: keys are spelled `tenant/name`")
    if text in strict.RESERVED:
        raise ValueError(f"a tenant called `{text}`, expected another name: that one begins keys of another kind")
    return text


def _word_or_empty(text: str) -> str:
    return _word(text) if text else text


Word = Annotated[str, AfterValidator(_word)]
Tenant = Annotated[str, AfterValidator(_tenant)]
WordOrEmpty = Annotated[str, AfterValidator(_word_or_empty)]
Id = Annotated[str, Field(pattern=ID_HEX)]
Digest = Annotated[str, Field(pattern=DIGEST_HEX)]
Measure = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
Text = Annotated[str, Field(max_length=4_096)]
Instant = Annotated[int, Field(ge=0, le=LONG_MAX)]
Status = Literal["active", "suspended", "revoked"]


class Body(BaseModel):
    """A body of the HTTP face."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class At(Body):
    """A position in a topic: the last record that must have been read."""

    topic: Annotated[int, Field(ge=1, le=15)]
    partition: Annotated[int, Field(ge=0)]
    offset: Instant


def _at(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    try:
        named = position_of(given)
    except PoisonRecord as error:
        raise ValueError(str(error)) from None
    return At(topic=named.topic, partition=named.partition, offset=named.offset)


AtOrToken = Annotated[At, BeforeValidator(_at)]
"""A position, or the token of one that an answer to who wrote it held."""


class IntentBody(Body):
    """POST /v1/intents. `deadline_ms` is from now; `deadline`, in ms since 1970, wins. `id` is drawn where it is absent."""

    tenant: Tenant
    actor: Word
    authority: WordOrEmpty = ""
    mandate: WordOrEmpty = ""
    action: Word
    resource: Word
    purpose: Text = ""
    session: WordOrEmpty = ""
    after: Annotated[list[Id], Field(max_length=64)] = []
    audience: WordOrEmpty = ""
    arguments: dict[str, Any] = {}
    deadline_ms: Annotated[int, Field(ge=1, le=7 * 86_400_000)] = 60_000
    deadline: Instant = 0
    at_least: Annotated[list[AtOrToken], Field(max_length=64)] = []
    emergency: bool = False
    id: Id | None = None
    attempt: Annotated[int, Field(ge=1, le=1_000)] = 1


class AttemptBody(Body):
    """Which attempt a body is about."""

    tenant: Tenant
    authority: Word
    id: Id
    attempt: Annotated[int, Field(ge=1, le=1_000)] = 1


class WithdrawBody(AttemptBody):
    """POST /v1/withdraw."""

    actor: Word
    reason: Text = ""


class ClaimBody(AttemptBody):
    """POST /v1/claims. `nonce` is drawn by the claimant once per process."""

    granted_digest: Digest
    executor: Word
    nonce: Id


class OutcomeBody(AttemptBody):
    """POST /v1/outcomes."""

    executor: Word
    nonce: Id = "0" * 32
    result: Literal["done", "failed", "refused"]
    ran_digest: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    sensitivity: Literal["", "public", "internal", "confidential", "restricted"] = ""
    origin: Literal["", "internal", "external"] = ""
    detail: Text = ""


class VoteBody(AttemptBody):
    """POST /v1/votes. `arguments` are narrower ones, null for those asked."""

    intent_digest: Digest
    voter: Word
    approve: bool
    reason: Text = ""
    arguments: dict[str, Any] | None = None


class ContextBody(Body):
    """A record of context. `observed_at` is now where it is 0."""

    tenant: Tenant


class RiskBody(ContextBody):
    """POST /v1/context/risk: one thing a feed noticed."""

    subject: Word
    source: Word
    score: Annotated[int, Field(ge=0, le=100)]
    event_id: WordOrEmpty = ""
    event_at: Instant = 0
    half_life_s: Annotated[int, Field(ge=0, le=1 << 30)] = 0
    reason: Text = ""


class SignalBody(ContextBody):
    """POST /v1/context/signal: the claims of one CAEP or RISC event, verified by who posts it."""

    claims: dict[str, Any]
    issuer: Text = ""
    audience: Text = ""


class SensitivityBody(ContextBody):
    """POST /v1/context/sensitivity."""

    resource: Word
    label: Literal["public", "internal", "confidential", "restricted"]
    owner: Word | None = None
    origin: Literal["internal", "external"] | None = None
    categories: Annotated[list[Word], Field(max_length=64)] = []
    source: Word
    observed_at: Instant = 0


class PrincipalBody(ContextBody):
    """POST /v1/context/principal."""

    id: Word
    kind: Literal["user", "agent", "service", "connector", "workflow", "tool"]
    status: Status = "active"
    owner: Word | None = None
    groups: Annotated[list[Word], Field(max_length=256)] = []
    attributes: dict[Word, Text] = {}
    capabilities: Annotated[list[Word], Field(max_length=256)] = []
    source: Word
    observed_at: Instant = 0


class LimitBody(Body):
    """A bound of a mandate on what is counted under it."""

    measure: Measure
    max: Instant
    window_s: Annotated[int, Field(ge=0, le=366 * 86_400)]
    actions: Annotated[list[Text], Field(max_length=64)] = []


class MandateBody(ContextBody):
    """POST /v1/context/mandate."""

    id: Word
    delegator: Word
    delegate: Word
    task: Text = ""
    actions: Annotated[list[Text], Field(min_length=1, max_length=256)]
    resources: Annotated[list[Text], Field(min_length=1, max_length=256)]
    limits: Annotated[list[LimitBody], Field(max_length=64)] = []
    parent: WordOrEmpty = ""
    expires_at: Instant = 0
    status: Status = "active"
    observed_at: Instant = 0


class ControlBody(ContextBody):
    """POST /v1/context/control: a calendar fact. A halt is signed by an operator's own key, not by the gateway's."""

    kind: Literal["calendar"]
    scope: Word
    value: Text = ""
    reason: Text = ""
    expires_at: Instant = 0
    observed_at: Instant = 0


class PackBody(ContextBody):
    """POST /v1/context/pack: the files of a pack by name. It must load and pass its own tests."""

    files: Annotated[dict[str, Annotated[str, Field(max_length=1 << 20)]], Field(min_length=1, max_length=64)]


class ActiveSetBody(ContextBody):
    """POST /v1/context/active-set: the packs that decide from now on. `revision` is the next one where it is 0."""

    digests: Annotated[list[Digest], Field(min_length=1, max_length=64)]
    revision: Instant = 0
    reason: Text = ""

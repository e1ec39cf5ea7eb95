"""What security events say of risk and of accounts: CAEP 1.0, RISC 1.0 and the SET profile of SSF 1.0."""

from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import quote

from placet.context.subjects import name_of, not_understood, pick
from placet.errors import PoisonRecord
from placet.model.codec.risk_signal import RiskSignal
from placet.model.reasons import Reason

CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
RISC = "https://schemas.openid.net/secevent/risc/event-type/"
SSF = "https://schemas.openid.net/secevent/ssf/event-type/"
WINDOW_S = 3600
"""Half life of a risk that is up for a window, s."""
REASON_MOST = 256
SECONDS_MOST = 1 << 43


class Stream(NamedTuple):
    """The stream an event came in on, as its receiver set it up.

    `tenant` comes from here and never from a payload. An empty `issuer` or
    `audience` is not compared. `known` names subjects (see `name_of`);
    `critical` are the members of a subject that must be understood.
    """

    tenant: str
    issuer: str = ""
    audience: str = ""
    known: Mapping[str, str] = {}
    critical: frozenset[str] = frozenset()


class StatusChange(NamedTuple):
    """An account of `subject` is active, suspended or revoked from now on, says `source`. Times in ms."""

    tenant: str
    subject: str
    status: str
    source: str
    observed_at: int
    reason: str


class Heard(NamedTuple):
    """What follows from one event. `ignored` says why nothing does."""

    signals: tuple[RiskSignal, ...] = ()
    changes: tuple[StatusChange, ...] = ()
    ignored: str = ""


class Said(NamedTuple):
    """What an event type means: the aspect it speaks of, a score, how it fades, and what becomes of the account.

    One source of risk is one issuer on one aspect, so a good word on one aspect
    never hides a bad one on another.
    """

    aspect: str
    score: int
    half_life_s: int = 0
    status: str = ""
    prefer: tuple[str, ...] = ("user", "application", "session", "device")


_Fields = Mapping[str, object]
_ON_SESSION = ("session", "user", "application", "device")


def _credential(event: _Fields) -> Said | str:
    change = _one_of(event, "change_type", ("create", "revoke", "update", "delete"))
    _text(event, "credential_type")
    return Said("credential", 70) if change == "revoke" else Said("credential", 50, WINDOW_S)


def _compromise(event: _Fields) -> Said | str:
    _text(event, "credential_type")
    return Said("credential", 90)


def _assurance(event: _Fields) -> Said | str:
    namespace, now = _text(event, "namespace"), _text(event, "current_level")
    direction, before = event.get("change_direction"), event.get("previous_level")
    if direction is None and isinstance(before, str) and namespace.startswith("NIST-") and before[-1:] != now[-1:]:
        direction = "increase" if now[-1:] > before[-1:] else "decrease"
    if direction is None:
        return "it does not say whether the assurance rose or fell"
    if direction not in ("increase", "decrease"):
        raise _malformed("change_direction", direction, "increase or decrease")
    return Said("assurance", 0 if direction == "increase" else 60)


def _device(event: _Fields) -> Said | str:
    _one_of(event, "previous_status", ("compliant", "not-compliant"))
    now = _one_of(event, "current_status", ("compliant", "not-compliant"))
    return Said("device", 0 if now == "compliant" else 70)


_LEVELS = {"LOW": 10, "MEDIUM": 50, "HIGH": 90}
_LEVEL_OF = {"USER": ("user",), "DEVICE": ("device",), "SESSION": ("session",)}


def _level(event: _Fields) -> Said | str:
    whose = _one_of(event, "principal", (*_LEVEL_OF, "TENANT", "ORG_UNIT", "GROUP"))
    score = _LEVELS[_one_of(event, "current_level", tuple(_LEVELS))]
    if whose not in _LEVEL_OF:
        return f"it is the level of a {whose.lower()}, and risk is known of principals and sessions"
    return Said("level", score, prefer=_LEVEL_OF[whose])


_RECOVERY = Said("recovery", 60, WINDOW_S)
_CHOICE = "it is about taking part, not about risk"
_ITSELF = "it is about the stream itself"

EVENTS: dict[str, Said | str | Callable[[_Fields], Said | str]] = {
    CAEP + "session-revoked": Said("session", 100, prefer=_ON_SESSION),
    CAEP + "token-claims-change": "changed claims say nothing of risk by themselves",
    CAEP + "credential-change": _credential,
    CAEP + "assurance-level-change": _assurance,
    CAEP + "device-compliance-change": _device,
    CAEP + "session-established": "a session began",
    CAEP + "session-presented": "a session was used",
    CAEP + "risk-level-change": _level,
    RISC + "account-disabled": Said("account", 100, status="suspended"),
    RISC + "account-purged": Said("account", 100, status="revoked"),
    RISC + "account-enabled": Said("account", 0, status="active"),
    RISC + "account-credential-change-required": Said("credential", 60),
    RISC + "credential-compromise": _compromise,
    RISC + "identifier-changed": "the directory of subjects must learn the new identifier",
    RISC + "identifier-recycled": Said("identifier", 100),
    RISC + "recovery-activated": _RECOVERY,
    RISC + "recovery-information-changed": _RECOVERY,
    RISC + "sessions-revoked": Said("session", 100, WINDOW_S, prefer=("user", "application")),
    RISC + "opt-in": _CHOICE,
    RISC + "opt-out-initiated": _CHOICE,
    RISC + "opt-out-cancelled": _CHOICE,
    RISC + "opt-out-effective": _CHOICE,
    SSF + "verification": _ITSELF,
    SSF + "stream-updated": _ITSELF,
}
"""Every event type that is understood: what it means for risk, why it means nothing, or who tells."""


def hear(claims: Mapping[str, object], stream: Stream, heard_at: int) -> Heard:
    """Return what follows from the claims of one verified SET, heard at `heard_at` ms.

    Events are ordered by their `event_timestamp`, else by `iat`; one from the
    future counts as of `heard_at`, so that it cannot silence what comes after it.
    Unknown types and fields are ignored. Raises PoisonRecord for claims that are
    no SET of one event, or that another issuer or for another audience wrote.
    """
    subject, kind, event = _envelope(claims, stream)
    issuer = _text(claims, "iss")
    if name := not_understood(subject, stream.critical):
        return Heard(ignored=f"the critical subject member `{name}` is not understood")
    if kind not in EVENTS:
        return Heard(ignored=f"the event type `{kind}` is not known")
    row = EVENTS[kind]
    said = row if isinstance(row, Said | str) else row(event)
    if isinstance(said, str):
        return Heard(ignored=said)
    if (chosen := pick(subject, said.prefer)) is None:
        return Heard(ignored="the subject names no principal and no session")
    whom = name_of(*chosen, stream.known, issuer)
    if whom is None:
        return Heard(ignored="the subject is in a format that names no principal and no session")
    at = min(_instant(event, "event_timestamp", _instant(claims, "iat", None)), heard_at)
    source = f"{quote(issuer, safe='._:/@+~=,-')}#{said.aspect}"
    # A session that was revoked stays so; revoking all sessions of somebody does not bar the next one for ever.
    fades = WINDOW_S if said.aspect == "session" and not whom.startswith("session:") else said.half_life_s
    reason = _reason(kind, event)
    signal = RiskSignal(stream.tenant, whom, source, _text(claims, "jti"), said.score, at, fades, reason, None)
    change = StatusChange(stream.tenant, whom, said.status, source, at, reason)
    return Heard((signal,), (change,) if said.status else ())


def _envelope(claims: Mapping[str, object], stream: Stream) -> tuple[Mapping[str, object], str, _Fields]:
    """Return subject, event type and event of the claims (SET profile of SSF 1.0; one event each)."""
    for name in ("sub", "exp"):
        if name in claims:
            raise _malformed(name, claims[name], "no such claim in a security event")
    for name, wanted in (("iss", stream.issuer), ("aud", stream.audience)):
        found = claims.get(name)
        if wanted and wanted != found and not (name == "aud" and isinstance(found, list) and wanted in found):
            raise PoisonRecord(
                f"security event: {name} is `{found}`: the stream is of `{wanted}`", Reason.WRITER_UNPROVED
            )
    if "aud" not in claims:
        raise _malformed("aud", None, "the receiver")
    subject, events = claims.get("sub_id"), claims.get("events")
    if not isinstance(subject, Mapping):
        raise _malformed("sub_id", subject, "a subject identifier")
    if not isinstance(events, Mapping) or len(events) != 1:
        raise _malformed("events", events, "an object with one event")
    kind, event = next(iter(events.items()))
    if not isinstance(event, Mapping):
        raise _malformed(f"events.{kind}", event, "an object")
    _text(claims, "iss"), _text(claims, "jti"), _instant(claims, "iat", None)
    return subject, str(kind), event


def _reason(kind: str, event: _Fields) -> str:
    said = event.get("reason_admin")
    text = said.get("en", next(iter(said.values()), "")) if isinstance(said, Mapping) else event.get("risk_reason", "")
    name = kind.rsplit("/", 1)[-1]
    return (f"{name}: {text}" if text else name)[:REASON_MOST]


def _instant(fields: _Fields, name: str, otherwise: int | None) -> int:
    """Return a NumericDate (RFC 7519 §2: seconds, perhaps with a fraction) in ms."""
    value = fields.get(name)
    if value is None and otherwise is not None:
        return otherwise
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < SECONDS_MOST:
        raise _malformed(name, value, "seconds since 1970")
    return int(value * 1000)


def _text(fields: _Fields, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise _malformed(name, value, "text")
    return value


def _one_of(fields: _Fields, name: str, known: tuple[str, ...]) -> str:
    value = _text(fields, name)
    if value not in known:
        raise _malformed(name, value, f"one of {', '.join(known)}")
    return value


def _malformed(what: str, found: object, expected: str) -> PoisonRecord:
    return PoisonRecord(f"security event: {what} is `{found}`: expected {expected}", Reason.MALFORMED)

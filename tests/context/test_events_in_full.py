"""Security events from end to end: every word of what follows from one, and the bounds of what is taken."""

from typing import Any

import pytest

from placet.context.caep import CAEP, REASON_MOST, RISC, SSF, Heard, StatusChange, Stream, hear
from placet.context.subjects import name_of, not_understood, pick
from placet.errors import PoisonRecord
from placet.model.codec.risk_signal import RiskSignal
from placet.model.reasons import Reason

NOW = 1_800_000_000_000
STREAM = Stream("acme")
IDP = "https://idp.example.com/"
ADA = {"format": "email", "email": "ada@acme"}
TOKEN = {"format": "opaque", "id": "s-1"}
PHONE = {"format": "opaque", "id": "p-1"}
ALL = {
    "format": "complex",
    "user": ADA,
    "session": TOKEN,
    "device": PHONE,
    "application": {"format": "uri", "uri": "x"},
}


def claims(kind: str, subject: Any = ADA, /, **fields: Any) -> dict[str, Any]:
    return {
        "iss": IDP,
        "jti": "e-1",
        "iat": 1_700_000_000,
        "aud": "placet",
        "sub_id": subject,
        "events": {kind: fields},
    }


def told(kind: str, subject: Any = ADA, /, stream: Stream = STREAM, **fields: Any) -> Heard:
    return hear(claims(kind, subject, **fields), stream, NOW)


# event, its subject, its fields; then subject, aspect, score, half life in s
SAID: list[tuple[str, Any, dict[str, Any], str, str, int, int]] = [
    (CAEP + "session-revoked", ALL, {}, "session:s-1", "session", 100, 0),
    (CAEP + "session-revoked", ADA, {}, "user:ada@acme", "session", 100, 3600),
    (CAEP + "session-revoked", TOKEN, {}, "session:s-1", "session", 100, 0),
    (CAEP + "credential-change", ALL, {"credential_type": "pin", "change_type": "revoke"}, "user:ada@acme", "credential", 70, 0),
    *(
        (CAEP + "credential-change", ADA, {"credential_type": "pin", "change_type": word}, "user:ada@acme", "credential", 50, 3600)
        for word in ("create", "update", "delete")
    ),
    (CAEP + "assurance-level-change", ADA, {"namespace": "NIST-AAL", "current_level": "nist-aal2", "previous_level": "nist-aal1"}, "user:ada@acme", "assurance", 0, 0),
    (CAEP + "assurance-level-change", ADA, {"namespace": "RFC", "current_level": "1", "change_direction": "increase"}, "user:ada@acme", "assurance", 0, 0),
    (CAEP + "assurance-level-change", ADA, {"namespace": "RFC", "current_level": "1", "change_direction": "decrease"}, "user:ada@acme", "assurance", 60, 0),
    (CAEP + "device-compliance-change", {"format": "complex", "device": PHONE}, {"previous_status": "compliant", "current_status": "not-compliant"}, "device:p-1", "device", 70, 0),
    (CAEP + "device-compliance-change", {"format": "complex", "device": PHONE}, {"previous_status": "not-compliant", "current_status": "compliant"}, "device:p-1", "device", 0, 0),
    (CAEP + "risk-level-change", ALL, {"principal": "USER", "current_level": "LOW"}, "user:ada@acme", "level", 10, 0),
    (CAEP + "risk-level-change", ALL, {"principal": "DEVICE", "current_level": "MEDIUM"}, "device:p-1", "level", 50, 0),
    (CAEP + "risk-level-change", ALL, {"principal": "SESSION", "current_level": "HIGH"}, "session:s-1", "level", 90, 0),
    (RISC + "account-disabled", ADA, {}, "user:ada@acme", "account", 100, 0),
    (RISC + "account-purged", ADA, {}, "user:ada@acme", "account", 100, 0),
    (RISC + "account-enabled", ADA, {}, "user:ada@acme", "account", 0, 0),
    (RISC + "account-credential-change-required", ADA, {}, "user:ada@acme", "credential", 60, 0),
    (RISC + "credential-compromise", ADA, {"credential_type": "pin"}, "user:ada@acme", "credential", 90, 0),
    (RISC + "identifier-recycled", ADA, {}, "user:ada@acme", "identifier", 100, 0),
    (RISC + "recovery-activated", ADA, {}, "user:ada@acme", "recovery", 60, 3600),
    (RISC + "recovery-information-changed", ADA, {}, "user:ada@acme", "recovery", 60, 3600),
    (RISC + "sessions-revoked", ALL, {}, "user:ada@acme", "session", 100, 3600),
    (RISC + "sessions-revoked", {"format": "complex", "application": {"format": "uri", "uri": "x"}, "session": TOKEN}, {}, "service:x", "session", 100, 3600),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "subject", "fields", "whom", "aspect", "score", "half_life_s"), SAID)
def test_every_kind_of_event_says_this(
    kind: str, subject: Any, fields: dict[str, Any], whom: str, aspect: str, score: int, half_life_s: int
) -> None:
    name = kind.rsplit("/", 1)[-1]
    assert told(kind, subject, **fields).signals == (
        RiskSignal("acme", whom, f"{IDP}#{aspect}", "e-1", score, 1_700_000_000_000, half_life_s, name, None),
    )


@pytest.mark.parametrize(
    ("kind", "status"),
    [("account-disabled", "suspended"), ("account-purged", "revoked"), ("account-enabled", "active")],
)
def test_what_becomes_of_an_account_is_said_beside_its_risk(kind: str, status: str) -> None:
    changes = told(RISC + kind, event_timestamp=1_700_000_001.5, reason_admin={"en": "left"}).changes
    assert changes == (
        StatusChange("acme", "user:ada@acme", status, f"{IDP}#account", 1_700_000_001_500, f"{kind}: left"),
    )


@pytest.mark.parametrize(
    ("kind", "fields", "why"),
    [
        (CAEP + "token-claims-change", {}, "changed claims say nothing of risk by themselves"),
        (CAEP + "session-established", {}, "a session began"),
        (CAEP + "session-presented", {}, "a session was used"),
        (RISC + "identifier-changed", {}, "the directory of subjects must learn the new identifier"),
        *(
            (RISC + f"opt-{word}", {}, "it is about taking part, not about risk")
            for word in ("in", "out-initiated", "out-cancelled", "out-effective")
        ),
        (SSF + "verification", {}, "it is about the stream itself"),
        (SSF + "stream-updated", {}, "it is about the stream itself"),
        *(
            (
                CAEP + "risk-level-change",
                {"principal": crowd, "current_level": "HIGH"},
                f"it is the level of a {crowd.lower()}, and risk is known of principals and sessions",
            )
            for crowd in ("TENANT", "ORG_UNIT", "GROUP")
        ),
        (
            CAEP + "assurance-level-change",
            {"namespace": "NIST-AAL", "current_level": "nist-aal2", "previous_level": "other-2"},
            "it does not say whether the assurance rose or fell",
        ),
        (
            CAEP + "assurance-level-change",
            {"namespace": "own", "current_level": "b2", "previous_level": "b1"},
            "it does not say whether the assurance rose or fell",
        ),
    ],
)
def test_what_says_nothing_of_risk_is_ignored_for_a_reason(kind: str, fields: dict[str, Any], why: str) -> None:
    assert told(kind, **fields) == Heard((), (), why)


def test_a_reason_is_the_kind_and_what_was_said_of_it_in_a_bounded_text() -> None:
    def reason(**fields: Any) -> str:
        return told(RISC + "account-disabled", **fields).signals[0].reason

    assert reason() == "account-disabled"
    assert reason(reason_admin={"en": "left", "de": "ging"}) == "account-disabled: left"
    assert reason(reason_admin={"de": "ging"}) == "account-disabled: ging"
    assert reason(reason_admin={}) == "account-disabled"
    assert reason(risk_reason="seen twice") == "account-disabled: seen twice"
    assert reason(risk_reason="x" * 300) == ("account-disabled: " + "x" * 300)[:256]
    assert REASON_MOST == 256


def test_the_instant_is_the_event_s_own_before_the_set_s_and_never_the_future() -> None:
    def at(**fields: Any) -> int:
        return told(RISC + "account-disabled", **fields).signals[0].event_at

    assert at() == 1_700_000_000_000
    assert at(event_timestamp=0) == 0
    assert at(event_timestamp=1_600_000_000.25) == 1_600_000_000_250
    assert at(event_timestamp=(1 << 43) - 1) == NOW
    with pytest.raises(PoisonRecord, match="event_timestamp"):
        at(event_timestamp=1 << 43)


@pytest.mark.parametrize(
    ("audience", "found", "taken"),
    [("placet", "placet", True), ("placet", ["x", "placet"], True), ("placet", ["x"], False), ("", "any", True)],
)
def test_the_audience_of_a_stream_is_one_of_the_event_s(audience: str, found: Any, taken: bool) -> None:
    said = claims(RISC + "account-disabled") | {"aud": found}
    stream = Stream("acme", issuer=IDP, audience=audience)
    if taken:
        assert hear(said, stream, NOW).signals
        return
    with pytest.raises(PoisonRecord, match=r"aud is .* the stream is of `placet`"):
        hear(said, stream, NOW)


def test_an_issuer_is_one_text_and_no_list() -> None:
    said = claims(RISC + "account-disabled") | {"iss": [IDP]}
    with pytest.raises(PoisonRecord, match="iss is") as refused:
        hear(said, Stream("acme", issuer=IDP), NOW)
    assert refused.value.reason == Reason.WRITER_UNPROVED


NAMES: list[tuple[dict[str, Any], str, str | None]] = [
    ({"format": "account", "uri": "acct:ada@acme"}, "user", "user:acct:ada@acme"),
    ({"format": "email", "email": "ada@acme"}, "user", "user:ada@acme"),
    ({"format": "iss_sub", "iss": IDP, "sub": "ada"}, "user", "user:ada"),
    ({"format": "iss_sub", "iss": "https://other/", "sub": "ada"}, "user", "user:https://other/#ada"),
    ({"format": "opaque", "id": "7"}, "session", "session:7"),
    ({"format": "phone_number", "phone_number": "+1 2"}, "user", "user:+1%202"),
    ({"format": "did", "url": "did:ex:1#2"}, "application", "service:did:ex:1#2"),
    ({"format": "uri", "uri": "https://x/y?z"}, "device", "device:https://x/y%3Fz"),
    ({"format": "jwt_id", "iss": IDP, "jti": "t-1"}, "session", "session:t-1"),
    ({"format": "saml_assertion_id", "issuer": IDP, "assertion_id": "a-1"}, "session", "session:a-1"),
    ({"format": "saml_assertion_id", "issuer": "o", "assertion_id": "a-1"}, "session", "session:o#a-1"),
    ({"subject_type": "email", "email": "ada@acme"}, "user", "user:ada@acme"),
    ({"format": "catalog", "id": "7"}, "user", None),
]


@pytest.mark.parametrize(("subject", "member", "name"), NAMES)
def test_a_subject_is_named_by_its_parts(subject: dict[str, Any], member: str, name: str | None) -> None:
    assert name_of(subject, member, {}, IDP) == name


def test_a_name_is_known_by_its_format_and_all_its_parts() -> None:
    known = {"iss_sub:https://other/ ada": "agent:ada", "email:a@b": "user:a"}
    assert name_of({"format": "iss_sub", "iss": "https://other/", "sub": "ada"}, "user", known, IDP) == "agent:ada"
    listed = [{"format": "catalog"}, {"format": "opaque", "id": "7"}, {"format": "email", "email": "a@b"}]
    assert name_of({"format": "aliases", "identifiers": listed}, "user", known, IDP) == "user:a"
    assert name_of({"format": "aliases", "identifiers": listed[:2]}, "user", known, IDP) == "user:7"
    assert name_of({"format": "aliases", "identifiers": listed[:1]}, "user", known, IDP) is None


@pytest.mark.parametrize(
    ("subject", "says"),
    [
        ("ada", "subject is `ada`: expected an object"),
        ({"format": "aliases", "identifiers": "x"}, "subject.identifiers is `x`: expected a list of identifiers"),
        ({"format": "aliases"}, "subject.identifiers is `None`"),
        ({"format": 7}, "subject.format is `7`: expected the name of a format"),
        ({"format": "email", "email": ""}, "subject.email is ``: expected text in the format `email`"),
        ({"format": "email", "email": 7}, "subject.email is `7`"),
    ],
)
def test_a_subject_that_is_none_is_refused_and_the_place_is_named(subject: object, says: str) -> None:
    with pytest.raises(PoisonRecord) as refused:
        name_of(subject, "user", {}, IDP)
    assert says in str(refused.value)
    assert refused.value.reason == Reason.MALFORMED


def test_a_name_of_256_characters_is_taken_and_one_longer_is_not() -> None:
    longest = "x" * (256 - len("user:"))
    assert name_of({"format": "email", "email": longest}, "user", {}, IDP) == f"user:{longest}"
    with pytest.raises(PoisonRecord, match="a name of at most 256 characters"):
        name_of({"format": "email", "email": longest + "x"}, "user", {}, IDP)


@pytest.mark.parametrize(
    ("subject", "prefer", "chosen"),
    [
        (ALL, ("session", "user"), (TOKEN, "session")),
        (ALL, ("user", "session"), (ADA, "user")),
        ({"format": "complex", "device": PHONE}, ("user", "device"), (PHONE, "device")),
        ({"format": "complex", "group": PHONE}, ("user", "device"), None),
        (ADA, ("session", "user"), (ADA, "user")),
        (TOKEN, ("session", "user"), (TOKEN, "session")),
        ({"format": "jwt_id"}, ("session", "user"), ({"format": "jwt_id"}, "session")),
        ({"format": "saml_assertion_id"}, ("session",), ({"format": "saml_assertion_id"}, "session")),
        ({"subject_type": "opaque"}, ("session",), ({"subject_type": "opaque"}, "session")),
        ({"format": 7}, ("session",), ({"format": 7}, "user")),
        (ADA, ("device", "user"), (ADA, "device")),
    ],
)
def test_an_event_is_about_the_first_it_prefers(subject: dict[str, Any], prefer: tuple[str, ...], chosen: Any) -> None:
    assert pick(subject, prefer) == chosen


@pytest.mark.parametrize(
    ("subject", "critical", "name"),
    [
        ({"format": "complex", "vessel": 1, "boat": 1}, {"vessel", "boat"}, "boat"),
        ({"format": "complex", "vessel": 1}, {"boat"}, ""),
        ({"format": "complex", "tenant": 1, "org_unit": 1, "group": 1}, {"tenant", "org_unit", "group"}, ""),
        (
            {"format": "complex", "user": 1, "application": 1, "session": 1, "device": 1},
            {"user", "application", "session", "device"},
            "",
        ),
        ({"format": "email", "vessel": 1}, {"vessel"}, ""),
    ],
)
def test_only_a_critical_member_of_a_complex_subject_must_be_understood(
    subject: dict[str, Any], critical: set[str], name: str
) -> None:
    assert not_understood(subject, frozenset(critical)) == name


def test_what_is_ignored_for_its_subject_says_so() -> None:
    crowd = {"format": "complex", "group": PHONE}
    assert told(RISC + "account-disabled", crowd) == Heard(ignored="the subject names no principal and no session")
    thing = {"format": "catalog", "id": "7"}
    assert told(RISC + "account-disabled", thing) == Heard(
        ignored="the subject is in a format that names no principal and no session"
    )
    odd = ALL | {"vessel": PHONE}
    assert told(RISC + "account-disabled", odd, stream=Stream("acme", critical=frozenset({"vessel"}))) == Heard(
        ignored="the critical subject member `vessel` is not understood"
    )
    assert told(CAEP + "new") == Heard(ignored=f"the event type `{CAEP}new` is not known")


def test_the_issuer_in_a_source_is_written_so_that_it_is_a_name() -> None:
    said = claims(RISC + "account-disabled") | {"iss": "https://a b/?q=1"}
    assert hear(said, Stream("acme"), NOW).signals[0].source == "https://a%20b/%3Fq=1#account"

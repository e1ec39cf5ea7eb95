"""Security events as their authors published them, and what must follow from each. Source: tests/vectors/ssf."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.context.caep import CAEP, EVENTS, RISC, Stream, hear
from placet.context.subjects import not_understood
from placet.errors import PoisonRecord
from placet.model.reasons import Reason

SSF = Path(__file__).parent.parent / "vectors" / "ssf"
NOW = 1_800_000_000_000
STREAM = Stream("acme")
IDP = "https://idp.example.com"


def published(name: str) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads((SSF / name).read_text())
    return payload


# file, subject, source, score, half life in s, instant in s, status
RISKS = [
    (
        "caep/session-revoked-1.json",
        "session:dMTlD%7C1600802906337.16%7C16008.16",
        "123456789/#session",
        100,
        0,
        1615304991,
        "",
    ),
    (
        "caep/session-revoked-2.json",
        "session:dMTlD%7C1600802906337.16%7C16008.16",
        "123456789/#session",
        100,
        0,
        1615304991,
        "",
    ),
    ("caep/session-revoked-3.json", "user:jane.smith@example.com", "123456789/#session", 100, 3600, 1615304991, ""),
    (
        "framework/session-revoked-1.json",
        "user:https://idp.example.com/3957ea72-1b66-44d6-a044-d805712b9288/#jane.smith@example.com",
        "#session",
        100,
        3600,
        1600975810,
        "",
    ),
    ("caep/credential-change-1.json", "user:jane.smith@example.com", "3456789/#credential", 50, 3600, 1615304991, ""),
    ("caep/assurance-level-change-1.json", "user:jane.smith@example.com", "3456789/#assurance", 0, 0, 1615304991, ""),
    (
        "caep/device-compliance-change-1.json",
        "device:e9297990-14d2-42ec-a4a9-4036db86509a",
        "123456789/#device",
        70,
        0,
        1615304991,
        "",
    ),
    (
        "caep/risk-level-change-1.json",
        "user:https://idp.example.com/3456789/#jane.doe@example.com",
        "123456789/#level",
        10,
        0,
        1615304991,
        "",
    ),
    ("risc/account-disabled-1.json", "user:7375626A656374", "#account", 100, 0, 1508184845, "suspended"),
    ("framework/account-disabled-1.json", "user:+1%20206%20555%200123", "#account", 100, 0, 1520364019, "suspended"),
    ("framework/account-enabled-1.json", "user:foo@example.com", "#account", 0, 0, 1520364019, "active"),
    ("risc/account-credential-change-required-1.json", "user:7375626A656374", "#credential", 60, 0, 1508184845, ""),
    ("risc/credential-compromise-1.json", "user:joe.smith@example.com", "3456790/#credential", 90, 0, 1508184845, ""),
    ("risc/identifier-recycled-1.json", "user:foo@example.com", "#identifier", 100, 0, 1508184845, ""),
]
IGNORED = {
    "caep/token-claims-change-1.json": "claims",
    "caep/token-claims-change-2.json": "claims",
    "caep/token-claims-change-3.json": "claims",
    "caep/session-established-1.json": "began",
    "caep/session-presented-1.json": "used",
    "caep/assurance-level-change-2.json": "rose or fell",
    "risc/identifier-changed-1.json": "new identifier",
    "framework/token-claims-change-1.json": "claims",
    "framework/token-claims-change-2.json": "claims",
    "framework/token-claims-change-3.json": "claims",
    "framework/verification-1.json": "stream itself",
    "framework/verification-2.json": "stream itself",
    "framework/stream-updated-1.json": "stream itself",
}


@pytest.mark.parametrize("row", RISKS, ids=lambda row: row[0])
def test_a_published_event_says_this_of_risk(row: tuple[str, str, str, int, int, int, str]) -> None:
    file, subject, source, score, half_life_s, event_s, status = row
    claims = published(file)
    heard = hear(claims, STREAM, NOW)
    (signal,) = heard.signals
    assert (signal.tenant, signal.subject, signal.source) == ("acme", subject, f"{IDP}/{source}")
    assert (signal.score, signal.half_life_s, signal.event_at) == (score, half_life_s, event_s * 1000)
    assert signal.event_id == claims["jti"]
    assert [change.status for change in heard.changes] == ([status] if status else [])
    assert all(change.subject == subject and change.observed_at == event_s * 1000 for change in heard.changes)
    assert heard.ignored == ""


@pytest.mark.parametrize(("file", "why"), IGNORED.items())
def test_a_published_event_that_says_nothing_of_risk_is_ignored_with_a_reason(file: str, why: str) -> None:
    heard = hear(published(file), STREAM, NOW)
    assert (heard.signals, heard.changes) == ((), ())
    assert why in heard.ignored


def test_every_published_payload_is_in_one_of_the_two_tables() -> None:
    parsed = {str(file.relative_to(SSF)): json.loads(file.read_text()) for file in SSF.glob("*/*.json")}
    payloads = {file for file, content in parsed.items() if isinstance(content, dict) and "events" in content}
    assert len(payloads) == 27
    assert {row[0] for row in RISKS} | set(IGNORED) == payloads


def test_every_published_event_type_is_understood() -> None:
    types = json.loads((SSF / "event-types.json").read_text())
    assert {uri for family in types.values() for uri in family} == set(EVENTS)


def event(kind: str, /, subject: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    whom = subject or {"format": "iss_sub", "iss": f"{IDP}/", "sub": "ada"}
    return {
        "iss": f"{IDP}/",
        "jti": "e-1",
        "iat": 1_700_000_000,
        "aud": "placet",
        "sub_id": whom,
        "events": {kind: fields},
    }


COMPLIANCE = CAEP + "device-compliance-change"
CREDENTIAL = CAEP + "credential-change"
LEVEL = CAEP + "risk-level-change"
ASSURANCE = CAEP + "assurance-level-change"
SCORES = [
    (event(COMPLIANCE, previous_status="not-compliant", current_status="compliant"), 0, 0),
    (event(CREDENTIAL, credential_type="password", change_type="revoke"), 70, 0),
    (event(CREDENTIAL, credential_type="password", change_type="delete"), 50, 3600),
    (event(LEVEL, principal="USER", current_level="HIGH"), 90, 0),
    (event(LEVEL, principal="USER", current_level="MEDIUM"), 50, 0),
    (event(ASSURANCE, namespace="NIST-AAL", current_level="nist-aal1", previous_level="nist-aal2"), 60, 0),
    (event(ASSURANCE, namespace="own", current_level="b", change_direction="decrease"), 60, 0),
    (event(RISC + "account-purged"), 100, 0),
    (event(RISC + "recovery-activated"), 60, 3600),
    (event(RISC + "sessions-revoked"), 100, 3600),
]


@pytest.mark.parametrize(("claims", "score", "half_life_s"), SCORES)
def test_an_event_that_nobody_published_an_example_of(claims: dict[str, Any], score: int, half_life_s: int) -> None:
    (signal,) = hear(claims, STREAM, NOW).signals
    assert (signal.subject, signal.score, signal.half_life_s) == ("user:ada", score, half_life_s)


def test_a_purged_account_is_revoked() -> None:
    (change,) = hear(event(RISC + "account-purged"), STREAM, NOW).changes
    assert change == ("acme", "user:ada", "revoked", f"{IDP}/#account", 1_700_000_000_000, "account-purged")


def test_a_good_word_on_one_aspect_leaves_the_bad_word_on_another() -> None:
    (bad,) = hear(event(RISC + "account-disabled"), STREAM, NOW).signals
    (good,) = hear(event(LEVEL, principal="USER", current_level="LOW"), STREAM, NOW).signals
    assert bad.source != good.source


def test_a_name_that_is_known_goes_before_one_that_is_made() -> None:
    stream = Stream("acme", known={f"iss_sub:{IDP}/ ada": "agent:billing-bot"})
    (signal,) = hear(event(RISC + "account-disabled"), stream, NOW).signals
    assert signal.subject == "agent:billing-bot"


def test_of_several_aliases_the_known_one_is_taken() -> None:
    aliases = {
        "format": "aliases",
        "identifiers": [{"format": "email", "email": "a@b.c"}, {"format": "opaque", "id": "77"}],
    }
    stream = Stream("acme", known={"opaque:77": "user:ada"})
    assert hear(event(RISC + "account-disabled", aliases), stream, NOW).signals[0].subject == "user:ada"
    assert hear(event(RISC + "account-disabled", aliases), STREAM, NOW).signals[0].subject == "user:a@b.c"


def test_an_event_from_the_future_counts_as_of_now() -> None:
    claims = event(RISC + "account-enabled", event_timestamp=1_900_000_000)
    assert hear(claims, STREAM, NOW).signals[0].event_at == NOW


@pytest.mark.parametrize(
    "subject",
    [{"format": "complex", "group": {"format": "opaque", "id": "g"}}, {"format": "catalog_item", "catalog_id": "x"}],
)
def test_a_crowd_or_a_thing_has_no_risk_of_its_own(subject: dict[str, Any]) -> None:
    heard = hear(event(RISC + "account-disabled", subject), STREAM, NOW)
    assert heard.signals == ()
    assert "no principal" in heard.ignored


def test_the_level_of_a_group_is_ignored() -> None:
    assert "group" in hear(event(LEVEL, principal="GROUP", current_level="HIGH"), STREAM, NOW).ignored


def test_an_unknown_type_is_ignored_and_named() -> None:
    assert "event-type/new-one" in hear(event(CAEP + "new-one"), STREAM, NOW).ignored


def test_a_critical_member_that_is_not_understood_discards_the_event() -> None:
    subject = {
        "format": "complex",
        "user": {"format": "email", "email": "a@b.c"},
        "vessel": {"format": "opaque", "id": "1"},
    }
    heard = hear(event(RISC + "account-disabled", subject), Stream("acme", critical=frozenset({"vessel"})), NOW)
    assert (heard.signals, "vessel" in heard.ignored) == ((), True)
    assert hear(event(RISC + "account-disabled", subject), STREAM, NOW).signals[0].subject == "user:a@b.c"
    assert not_understood(subject, frozenset({"user"})) == ""


def without(name: str) -> dict[str, Any]:
    claims = event(RISC + "account-disabled")
    del claims[name]
    return claims


MALFORMED = [
    *((without(name), name) for name in ("iss", "jti", "iat", "aud", "sub_id", "events")),
    (event(RISC + "account-disabled") | {"exp": 1}, "exp"),
    (event(RISC + "account-disabled") | {"sub": "x"}, "sub"),
    (event(RISC + "account-disabled") | {"events": {}}, "events"),
    (event(RISC + "account-disabled") | {"events": {CAEP + "a": {}, CAEP + "b": {}}}, "events"),
    (event(RISC + "account-disabled") | {"events": {CAEP + "a": 7}}, "events"),
    (event(RISC + "account-disabled") | {"iat": True}, "iat"),
    (event(RISC + "account-disabled") | {"iat": float("inf")}, "iat"),
    (event(RISC + "account-disabled", event_timestamp=-1), "event_timestamp"),
    (event(RISC + "account-disabled", {"format": "email"}), "subject.email"),
    (event(RISC + "account-disabled", {"email": "a@b.c"}), "subject.format"),
    (event(RISC + "account-disabled", {"format": "aliases", "identifiers": []}), "identifiers"),
    (event(RISC + "account-disabled", {"format": "email", "email": "x" * 300}), "256"),
    (event(LEVEL, principal="USER", current_level="SEVERE"), "current_level"),
    (event(LEVEL, current_level="LOW"), "principal"),
    (event(CREDENTIAL, credential_type="password", change_type="rotate"), "change_type"),
    (event(COMPLIANCE, current_status="compliant"), "previous_status"),
    (event(ASSURANCE, namespace="NIST-AAL", current_level="a", change_direction="sideways"), "change_direction"),
    (event(RISC + "credential-compromise"), "credential_type"),
]


@pytest.mark.parametrize(("claims", "what"), MALFORMED)
def test_a_malformed_event_is_refused_and_the_place_is_named(claims: dict[str, Any], what: str) -> None:
    with pytest.raises(PoisonRecord, match="security event") as refused:
        hear(claims, STREAM, NOW)
    assert what in str(refused.value)
    assert refused.value.reason == Reason.MALFORMED


@pytest.mark.parametrize("stream", [Stream("acme", issuer="https://other"), Stream("acme", audience="other")])
def test_an_event_of_another_issuer_or_for_another_audience_is_refused(stream: Stream) -> None:
    with pytest.raises(PoisonRecord) as refused:
        hear(event(RISC + "account-disabled"), stream, NOW)
    assert refused.value.reason == Reason.WRITER_UNPROVED


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FILES = sorted({row[0] for row in RISKS} | set(IGNORED))


@given(st.data())
def test_a_payload_with_anything_put_anywhere_is_heard_ignored_or_refused(data: st.DataObject) -> None:
    claims = copy.deepcopy(published(data.draw(st.sampled_from(FILES))))
    place: Any = claims
    while True:
        name = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[name], dict) or not place[name] or data.draw(st.booleans()):
            break
        place = place[name]
    place[name] = data.draw(JSON)
    try:
        heard = hear(claims, STREAM, NOW)
    except PoisonRecord:
        return
    assert all(0 <= signal.score <= 100 and 0 <= signal.event_at <= NOW for signal in heard.signals)
    assert bool(heard.ignored) == (not heard.signals)

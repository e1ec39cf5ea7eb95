"""Chains as `act` claims (RFC 8693 §4.1) and back: the RFC's own examples, a law, and what is no chain."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placet.context.act import claims_of, members_of, read_act
from placet.context.chain import DEPTH_MAX
from placet.errors import PoisonRecord
from placet.model.reasons import Reason

# RFC 8693, figures 5 and 6.
ONE_ACTOR = """
{
  "aud":"https://consumer.example.com",
  "iss":"https://issuer.example.com",
  "exp":1443904177,
  "nbf":1443904077,
  "sub":"user@example.com",
  "act":
  {
    "sub":"admin@example.com"
  }
}
"""
TWO_ACTORS = """
{
  "aud":"https://service26.example.com",
  "iss":"https://issuer.example.com",
  "exp":1443904100,
  "nbf":1443904000,
  "sub":"user@example.com",
  "act":
  {
    "sub":"https://service16.example.com",
    "act":
    {
      "sub":"https://service77.example.com"
    }
  }
}
"""
names = st.from_regex(r"[a-z0-9][a-z0-9:/@.-]{0,20}", fullmatch=True)


def nested(depth: int) -> dict[str, Any]:
    claims: dict[str, Any] = {"sub": "agent:0"}
    for number in range(depth):
        claims = {"sub": f"agent:{number + 1}", "act": claims}
    return claims


def test_the_examples_of_the_rfc_are_read() -> None:
    assert read_act(ONE_ACTOR.encode()) == ("user@example.com", "admin@example.com")
    # The current actor is service16; service77 acted before it.
    assert read_act(TWO_ACTORS.encode()) == (
        "user@example.com",
        "https://service77.example.com",
        "https://service16.example.com",
    )


def test_the_current_actor_is_outermost_and_the_first_most_deeply_nested() -> None:
    assert claims_of(("user:grace", "agent:a", "agent:b")) == {
        "sub": "user:grace",
        "act": {"sub": "agent:b", "act": {"sub": "agent:a"}},
    }
    assert claims_of(("agent:a",)) == {"sub": "agent:a"}


@given(st.lists(names, min_size=1, max_size=DEPTH_MAX + 1))
@settings(max_examples=2_000, deadline=None)
def test_a_chain_comes_back_as_it_went(members: list[str]) -> None:
    assert read_act(json.dumps(claims_of(tuple(members))).encode()) == tuple(members)


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({}, "sub is missing: expected the name of a principal"),
        ({"sub": None}, "sub is missing: expected the name of a principal"),
        ({"sub": 7}, "sub is int: expected the name of a principal"),
        ({"sub": ""}, "sub is '', expected 1 to 256 ASCII characters"),
        ({"sub": "user:a", "act": None}, "act is null: expected an object"),
        ({"sub": "user:a", "act": "agent:b"}, "act is str: expected an object"),
        ({"sub": "user:a", "act": []}, "act is list: expected an object"),
        ({"sub": "user:a", "act": {}}, "act.sub is missing: expected the name of a principal"),
        ({"sub": "user:a", "act": {"sub": "b", "act": None}}, "act.act is null: expected an object"),
        ({"sub": "user:a", "act": {"sub": "b", "act": {"act": {}}}}, "act.act.sub is missing"),
        ({"sub": "user:a", "act": {"sub": "b", "iss": "https://i"}}, "act has `iss`: expected `sub`, and `act` where"),
        ({"sub": "user:a", "act": {"sub": "b", "act": {"sub": "c", "exp": 5}}}, "act.act has `exp`"),
        ({"sub": "user:a", "act": {"sub": "two words"}}, "act.sub is 'two words', expected 1 to 256 ASCII"),
        (nested(DEPTH_MAX + 1), "is deeper than a chain may be: expected at most 8 actors"),
    ],
)
def test_what_is_no_chain_is_refused_by_its_place(claims: dict[str, Any], says: str) -> None:
    with pytest.raises(PoisonRecord) as refused:
        members_of(claims)
    assert says in str(refused.value)
    assert refused.value.reason == Reason.MALFORMED


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b'{"sub":"a","sub":"b"}', "claims: the name 'sub' is given twice in one object"),
        (b'{"sub":"a","act":{"sub":"b","sub":"c"}}', "claims: the name 'sub' is given twice"),
        (b'["a"]', "claims: a JSON list, expected an object"),
        (b'{"sub":', "claims: not JSON at character 7"),
        (b'{"sub":"\xff"}', "claims: byte 8 is not UTF-8"),
        (b'{"act":' * 40 + b"1" + b"}" * 40, "claims: deeper than 32 levels"),
    ],
)
def test_what_is_no_json_object_is_refused(text: bytes, says: str) -> None:
    with pytest.raises(PoisonRecord) as refused:
        read_act(text)
    assert says in str(refused.value)


def test_as_many_actors_as_a_chain_has_links_are_read() -> None:
    assert len(members_of(nested(DEPTH_MAX))) == DEPTH_MAX + 1

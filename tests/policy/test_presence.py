"""Whether what a rule reads is there, said twice: as Python for the generated pass, and as a function; both agree."""

from typing import Any

import pytest

from placet.policy.presence import (
    NEVER,
    Unit,
    age_of,
    fact_source,
    is_missing,
    is_silent,
    part_source,
    silence_source,
)
from placet.policy.rules import Bound
from placet.policy.shape import FACTS
from tests.policy.packs import case

BOTH = Bound(1_000, 500)


@pytest.mark.parametrize(
    ("fact", "source"),
    [
        ("actor", "actor is None"),
        ("mandate", "mandate is None"),
        ("actor.risk", "case.actor_risk is None"),
        ("session.risk", "case.session_risk is None"),
        ("calendar.freeze", "'freeze' not in calendar"),
    ],
)
def test_a_missing_fact_is_asked_for_by_this_python(fact: str, source: str) -> None:
    assert fact_source(fact) == source


@pytest.mark.parametrize("fact", [*FACTS, "calendar.freeze"])
def test_a_fact_is_missing_where_it_is_taken_away_and_only_there(fact: str) -> None:
    there = {"calendar": {"freeze": "on"}}
    assert not is_missing(case(there), fact)
    for absent in (*FACTS, "calendar.freeze"):
        assert is_missing(case(there | {"absent": [absent]}), fact) is (absent == fact)


@pytest.mark.parametrize(
    ("bound", "source"),
    [
        (Bound(), ""),
        (Bound(1_000), "case.observed_at.get('actor', NEVER) < now - 1000"),
        (Bound(None, 500), "case.heard_at.get('actor', NEVER) < now - 500"),
        (BOTH, "case.observed_at.get('actor', NEVER) < now - 1000 or case.heard_at.get('actor', NEVER) < now - 500"),
        (Bound(0), "case.observed_at.get('actor', NEVER) < now - 0"),
    ],
)
def test_silence_is_asked_for_by_this_python(bound: Bound, source: str) -> None:
    assert silence_source(Unit("actor", bound)) == source


@pytest.mark.parametrize(
    ("ages", "bound", "silent"),
    [
        ({"observed_ms": 1_000, "heard_ms": 500}, BOTH, False),
        ({"observed_ms": 1_001, "heard_ms": 500}, BOTH, True),
        ({"observed_ms": 1_000, "heard_ms": 501}, BOTH, True),
        ({"observed_ms": 9_999, "heard_ms": 9_999}, Bound(), False),
        ({"observed_ms": 9_999, "heard_ms": 500}, Bound(None, 500), False),
        ({"observed_ms": 1_000, "heard_ms": 9_999}, Bound(1_000), False),
        ({"observed_ms": 0, "heard_ms": 0}, Bound(0, 0), False),
        ({"observed_ms": 1, "heard_ms": 0}, Bound(0, 0), True),
    ],
)
def test_a_fact_is_silent_past_its_bound(ages: dict[str, int], bound: Bound, silent: bool) -> None:
    aged = case({"ages": {"actor": ages}})
    assert is_silent(aged, "actor", bound) is silent
    source = silence_source(Unit("actor", bound)) or "False"
    assert eval(source, {"case": aged, "now": aged.instant, "NEVER": NEVER}) is silent


def test_a_fact_nobody_ever_gave_is_past_every_bound() -> None:
    unknown = case({"absent": ["resource"]})
    assert is_silent(unknown, "resource", Bound(2**53))
    assert is_silent(unknown, "resource", Bound(None, 2**53))
    assert age_of(unknown, "resource") == {"observed_ms": None, "heard_ms": None}


def test_an_age_is_how_long_ago() -> None:
    aged = case({"ages": {"actor.risk": {"observed_ms": 7, "heard_ms": 3}}})
    assert age_of(aged, "actor.risk") == {"observed_ms": 7, "heard_ms": 3}


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (("resource", "owner"), "resource is not None and not (resource.owner is not None)"),
        (("actor", "attributes", "team"), "actor is not None and not ('team' in actor.attributes)"),
        (("arguments", "note"), "not ('note' in arguments)"),
        (("mandate", "what", "ever"), "mandate is not None and not True"),
    ],
)
def test_an_unset_part_is_asked_for_by_this_python(path: Any, source: str) -> None:
    assert part_source(path) == source

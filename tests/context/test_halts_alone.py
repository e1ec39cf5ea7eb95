"""One halt by itself: what it covers, until when it stands, and which of two words under its name is kept."""

from typing import Any

import pytest

from placet.context.halts import Halt, Halts
from placet.model.codec.intent import Intent

HALT = Halt("acme", "h1", "tenant", 100, 0, "user:root", "why", (0, 5), 110, b"<halt>")
CHAIN = ("user:kim", "agent:mid", "agent:ada")


def intent(**more: Any) -> Intent:
    fields: dict[str, Any] = dict.fromkeys(Intent._fields)
    fields |= {"tenant": "acme", "actor": "agent:ada", "authority": "user:kim", "action": "pay.refund"}
    return Intent(**fields | {"audience": "tool:erp"} | more)


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        ("all", True),
        ("tenant", True),
        ("authority/user:kim", True),
        ("authority/agent:ada", False),
        ("authority/user:lee", False),
        ("agent/agent:ada", True),
        ("agent/agent:mid", True),
        ("agent/user:kim", True),
        ("agent/agent:eve", False),
        ("action/pay.refund", True),
        ("action/pay.*", True),
        ("action/*", True),
        ("action/pay.ref", False),
        ("action/look.*", False),
        ("tool/tool:erp", True),
        ("tool/tool:claims", True),
        ("tool/tool:crm", False),
    ],
)
def test_a_halt_covers_what_its_scope_says(scope: str, covered: bool) -> None:
    halt = HALT._replace(scope=scope)
    assert halt.covers(intent(), CHAIN, "tool:claims") is covered
    # Of another tenant only a halt of all.
    assert halt.covers(intent(tenant="other"), CHAIN, "tool:claims") is (scope == "all")


def test_a_halt_is_of_one_tool_where_it_names_it() -> None:
    halt = HALT._replace(scope="tool/tool:erp")
    assert halt.is_of_tool("acme", "tool:erp")
    assert not halt.is_of_tool("other", "tool:erp")
    assert not halt.is_of_tool("acme", "tool:crm")
    assert not HALT.is_of_tool("acme", "tool:erp")


@pytest.mark.parametrize(("expires_at", "stands"), [(0, True), (501, True), (500, False), (499, False)])
def test_a_halt_stands_until_it_expires(expires_at: int, stands: bool) -> None:
    halts = Halts()
    halt = HALT._replace(expires_at=expires_at)
    assert halts.halt(halt)
    assert halts.standing(500) == ([halt] if stands else [])
    assert halts.missing(halt.key, 500) == (2 if stands else None)


@pytest.mark.parametrize(
    ("graver", "lesser"),
    [
        ({"expires_at": 0}, {"expires_at": 9_000}),
        ({"expires_at": 9_001}, {"expires_at": 9_000}),
        ({"observed_at": 101}, {"observed_at": 100}),
        ({"place": (0, 6)}, {"place": (0, 5)}),
    ],
)
def test_of_a_halt_heard_twice_the_one_that_ends_later_stands(graver: dict[str, Any], lesser: dict[str, Any]) -> None:
    high, low = HALT._replace(**graver), HALT._replace(**lesser)
    halts = Halts()
    assert (halts.halt(low), halts.halt(high), halts.halt(low), halts.halt(high)) == (True, True, False, False)
    assert halts.standing(500) == [high]


def test_nobody_takes_back_what_is_not_said_yet() -> None:
    halts = Halts()
    halts.halt(HALT)
    assert halts.resume(HALT.key, "user:a", 99)
    assert halts.missing(HALT.key, 500) == 2
    assert halts.resume(HALT.key, "user:a", 100)
    assert not halts.resume(HALT.key, "user:a", 100)
    assert not halts.resume(HALT.key, "user:a", 99)
    assert halts.missing(HALT.key, 500) == 1
    assert halts.resume(HALT.key, "user:b", 0)
    assert halts.standing(500) == [HALT]
    assert halts.resume(HALT.key, "user:b", 300)
    assert (halts.standing(500), halts.missing(HALT.key, 500)) == ([], None)


def test_halts_stand_by_tenant_id_and_scope() -> None:
    halts = Halts()
    made = [HALT._replace(id=name, scope=scope) for name, scope in (("b", "tenant"), ("a", "tenant"), ("a", "all"))]
    for halt in made:
        halts.halt(halt)
    assert [(halt.id, halt.scope) for halt in halts.standing(0)] == [("a", "all"), ("a", "tenant"), ("b", "tenant")]
    assert halts.missing(("acme", "c", "tenant"), 0) is None

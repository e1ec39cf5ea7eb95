"""The verbs of `placet mandate` against a running `placet up`: what is granted, narrowed and ended is what the desk then says."""

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from placet.drivers.entropy import SystemEntropy
from placet.drivers.keyfile import ensure_keys
from placet.drivers.settings import Settings
from tests.architecture.house import ROOT
from tests.faces.cli.said import Said, placet
from tests.faces.cli.test_live_verbs import say, up  # noqa: F401  fixtures

TENANTS = count()
ROOT_LINK = "grant root --from user:kim --to agent:mid --action payments.* --resource order/* --limit amount=9000/3600"
LEAF_LINK = (
    "grant leaf --from agent:mid --to agent:ada --action payments.refund --action data.* --resource * --parent root"
)
CHAIN = (
    "publish principal user:kim",
    "publish principal agent:mid",
    "publish principal agent:ada",
    f"mandate {ROOT_LINK} --expires-in 8h",
    f"mandate {LEAF_LINK} --expires-in 9h --limit count=5/0@payments.*",
)
FACTS = (
    "publish principal service:cashier",
    "publish sensitivity order/7 internal",
    "publish risk agent:ada 5",
    "publish risk user:kim 5",
    "publish risk session:s 5",
    "publish calendar books open",
    f"policy push {ROOT / 'policies' / 'payments'}",
    "policy activate payments",
)
ASKED = "--actor agent:ada --authority user:kim --mandate leaf --session s --audience service:cashier"


class Teller:
    """Says verbs for one tenant: each test has its own, and none hears of another."""

    def __init__(self, say: Any, tenant: str) -> None:  # noqa: F811
        self._say = say
        self._tenant = tenant

    def __call__(self, line: str, *more: str) -> Said:
        said: Said = self._say(*line.split(), *more, "--tenant", self._tenant)
        return said

    def refund(self, *more: str) -> Said:
        arguments = ("--arguments", json.dumps({"amount": 900, "currency": "EUR"}))
        return self(f"submit payments.refund order/7 {ASKED}", *arguments, "--json", *more)


@pytest.fixture
def tell(say: Any) -> Teller:  # noqa: F811
    """Return a teller of a tenant of its own, in which a chain of two links is granted."""
    teller = Teller(say, f"tenant-{next(TENANTS)}")
    for line in CHAIN:
        assert teller(line).code == 0, line
    return teller


@pytest.fixture
def ask(tell: Teller) -> Teller:
    """Return a teller in whose tenant a refund under that chain is permitted."""
    for line in FACTS:
        assert tell(line).code == 0, line
    return tell


def test_a_mandate_is_granted_used_at_once_narrowed_and_revoked(ask: Teller) -> None:
    granted = ask("mandate grant more --from user:kim --to agent:ada --action a --resource b", "--json")
    assert granted.json["record"]["status"] == "active"
    assert ask.refund().json["state"] == "granted"
    narrowed = ask("mandate narrow root --resource order/8", "--json")
    assert (narrowed.code, narrowed.json["record"]["resources"]) == (0, ["order/8"])
    assert narrowed.json["record"]["actions"] == ["payments.*"]
    beyond = ask.refund("--at-least", narrowed.json["token"])
    assert (beyond.code, beyond.json["reason"]) == (5, "outside_mandate")
    revoked = ask("mandate revoke root", "--json")
    assert (revoked.json["record"]["status"], revoked.json["below"]) == ("revoked", ["leaf"])
    ended = ask.refund("--at-least", revoked.json["token"])
    assert (ended.code, ended.json["reason"], ended.json["detail"]) == (
        5,
        "chain_broken",
        "mandate `root` is suspended or revoked",
    )


def test_a_name_is_granted_once_unless_it_is_replaced(tell: Teller) -> None:
    again = "mandate grant leaf --from agent:mid --to agent:eve --action * --resource * --parent root"
    refused = tell(again)
    assert (refused.code, "is there already, active, for agent:ada" in refused.err) == (5, True)
    assert tell(again, "--replace").code == 0
    assert tell("mandate show leaf", "--json").json["actor"] == "agent:eve"


def test_what_a_child_claims_beyond_its_parent_is_said_when_it_is_granted(tell: Teller) -> None:
    said = tell("mandate grant wide --from agent:mid --to agent:ada --action * --resource order/7 --parent root")
    assert said.code == 0
    assert said.out.splitlines()[1:] == [
        "  beyond its parent: action `*`: only `payments.*`",
        f"  beyond its parent: ends never: ends at {tell('mandate show root', '--json').json['grants']['expires_at']}",
        "  beyond its parent: limit none on amount: amount=9000/3600",
    ]
    orphan = tell("mandate grant orphan --from agent:x --to agent:y --action a --resource b --parent nobody")
    assert (orphan.code, "grants nothing: mandate `nobody` is not known" in orphan.out) == (0, True)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--action payments.refund --action ledger.*", "action `ledger.*`: nothing of it"),
        ("--resource *", "resource `*`: only `order/*`"),
        ("--expires-in 12h", "ends at 1"),
        ("--expires-in 0", "ends never: ends at 1"),
        ("--limit amount=9001/3600", "limit amount=9001/3600: amount=9000/3600"),
    ],
)
def test_what_would_widen_a_mandate_is_refused_and_named(tell: Teller, options: str, says: str) -> None:
    refused = tell(f"mandate narrow root {options}")
    assert (refused.code, f"root: would be wider: {says}" in refused.err) == (5, True), refused
    assert tell("mandate show root", "--json").json["grants"]["actions"] == ["payments.*"]


def test_limits_of_a_mandate_are_tightened_and_added(tell: Teller) -> None:
    assert tell("mandate narrow root --limit amount=100/3600 --limit count=3/60 --expires-in 1h").code == 0
    assert tell("mandate show root", "--json").json["grants"]["limits"] == ["amount=100/3600", "count=3/60"]


def test_a_suspended_mandate_stops_until_it_is_lifted_and_a_revoked_one_for_good(ask: Teller) -> None:
    suspended = ask("mandate suspend root")
    assert (suspended.code, "with it stop 1 below it: leaf" in suspended.out) == (0, True)
    shown = ask("mandate show leaf", "--json")
    assert (shown.code, shown.json["holds"], shown.json["grants"]) == (5, False, None)
    assert [link["breaks"] for link in shown.json["links"]] == [["it is suspended"], []]
    lifted = ask("mandate suspend root --lift", "--json").json["token"]
    assert ask.refund("--at-least", lifted).json["state"] == "granted"
    assert ask("mandate revoke root").code == 0
    for verb in ("suspend root", "suspend root --lift", "narrow root --action payments.refund"):
        refused = ask(f"mandate {verb}")
        assert (refused.code, "root: is revoked" in refused.err) == (5, True), verb


def test_a_chain_is_drawn_from_its_root_with_what_it_grants_and_what_of_it_does_not(tell: Teller) -> None:
    drawn = tell("mandate show leaf")
    assert drawn.code == 0
    lines = [line.strip(" │├└─") for line in drawn.out.splitlines()]
    assert [line.partition(",")[0] for line in lines] == [
        "user:kim",
        "root to agent:mid active",
        "grants payments.* on order/*",
        "limits amount=9000/3600",
        "leaf to agent:ada active",
        "grants payments.refund on order/*",
        "limits count=5/0 on payments.*",
        "ineffective: action `data.*`: nothing of it",
        "ineffective: resource `*`: only `order/*`",
        lines[9],
        "ineffective: limit none on amount: amount=9000/3600",
        "agent:ada may act for user:kim",
    ]
    assert lines[9].startswith("ineffective: ends at ")


def test_what_breaks_a_chain_is_shown_where_it_does(tell: Teller) -> None:
    tell("publish principal agent:mid --status suspended")
    drawn = tell("mandate show leaf")
    assert drawn.code == 5
    assert drawn.out.count("breaks: `agent:mid` is suspended") == 2
    assert "grants nothing: delegator `agent:mid` is suspended" in drawn.out
    assert tell("mandate show leaf --as-act").code == 5


def test_a_chain_is_shown_as_act_claims(tell: Teller) -> None:
    said = tell("mandate show leaf --as-act")
    assert said.json == {"sub": "user:kim", "act": {"sub": "agent:ada", "act": {"sub": "agent:mid"}}}


def test_what_somebody_gave_and_was_given_is_listed(tell: Teller) -> None:
    tell("mandate revoke root")
    rows = tell("mandate show --of agent:mid", "--json").json
    assert [(row["id"], row["status"], row["breaks"]) for row in rows] == [
        ("leaf", "active", "mandate `root` is suspended or revoked"),
        ("root", "revoked", "mandate `root` is suspended or revoked"),
    ]
    assert [row["id"] for row in tell("mandate show --of agent:ada", "--json").json] == ["leaf"]
    assert "leaf" in tell("mandate show --of agent:ada").out


def test_a_mandate_nobody_granted_cannot_be_changed_or_shown(tell: Teller) -> None:
    for line in ("show none", "revoke none", "suspend none", "narrow none --action a"):
        said = tell(f"mandate {line}")
        assert (said.code, "none: no such mandate of tenant" in said.err) == (1, True), line


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("grant m --from user:a --to agent:b", "expected at least one --action and one --resource"),
        ("grant m --from user:a --to agent:b --action a --resource b --limit x", "expected MEASURE=MAX/WINDOW_S"),
        ("grant m --from user:a --to agent:b --action a --resource b --limit a-b=1/1", "limit 0: measure `a-b`"),
        ("grant m --from user:a --to agent:b --action a --resource b --limit a=1/999999999", "window_s 999999999"),
        ("narrow m", "expected --action, --resource, --limit or --expires-in"),
        ("show", "expected one of ID"),
        ("show m --of user:a", "expected one of ID"),
        ("show --of user:a --as-act", "expected one of ID"),
    ],
)
def test_wrong_usage_says_what_was_expected(capsys: pytest.CaptureFixture[str], line: str, says: str) -> None:
    said = placet(capsys, "mandate", *line.split(), "--data", "a")
    assert (said.code, says in said.err) == (2, True), said


def test_the_verbs_work_on_a_folder_that_nobody_serves(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    ensure_keys(settings.keys_file, settings.secrets_dir, SystemEntropy())
    grant = "mandate grant m --from user:a --to agent:b --action a.* --resource b"
    assert placet(capsys, *grant.split(), "--data", tmp_path).code == 0
    assert placet(capsys, *["mandate", "narrow", "m", "--action", "a.b", "--data"], tmp_path).code == 0
    shown = placet(capsys, *["mandate", "show", "m", "--json", "--data"], tmp_path)
    assert shown.json["links"][0]["claims"]["actions"] == ["a.b"]
    assert shown.json["breaks"] == "actor `agent:b` is not known"

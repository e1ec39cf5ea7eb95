"""Verbs against a running `placet up`: what they publish is heard, what they ask is answered, what they read is there."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from placet.drivers.entropy import SystemEntropy
from placet.drivers.keyfile import add_key, ensure_keys
from placet.drivers.settings import Settings
from placet.faces.cli import records
from placet.faces.gateway.server import Server
from placet.model.reasons import State
from placet.model.topics import Topic
from tests.architecture.house import ROOT
from tests.faces.cli.said import Said, placet

AGENT = ("--actor", "agent:ada", "--authority", "user:kim", "--mandate", "refunds", "--session", "run-1")
REFUND = ("payments.refund", "order/7", "--audience", "service:cashier", *AGENT)
DISABLED = ROOT / "tests" / "vectors" / "ssf" / "risc" / "account-disabled-1.json"
VERIFICATION = ROOT / "tests" / "vectors" / "ssf" / "framework" / "verification-1.json"


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = Settings(data=tmp_path_factory.mktemp("up"), port=0, partitions=2)
    entropy = SystemEntropy()
    ensure_keys(settings.keys_file, settings.secrets_dir, entropy)
    add_key(settings.keys_file, settings.secrets_dir, "agent", "agent:ada", entropy)
    add_key(settings.keys_file, settings.secrets_dir, "operator", "user:second", entropy)
    server = Server(settings)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def say(up: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a verb against the folder of the running server, for tenant acme."""
    for name in [name for name in os.environ if name.startswith("PLACET_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PLACET_TENANT", "acme")
    monkeypatch.setenv("PLACET_DATA", str(up.settings.data))

    def run(*arguments: object) -> Said:
        return placet(capsys, *arguments)

    return run


@pytest.fixture
def known(say: Any, request: pytest.FixtureRequest) -> Any:
    """Say everything the payments pack wants to know, and activate it; once a module."""
    if not hasattr(request.module, "DONE"):
        request.module.DONE = True
        for words in (
            "publish principal user:kim --group support",
            "publish principal agent:ada --owner user:kim --attribute tenure=old",
            "publish principal service:cashier",
            "mandate grant refunds --from user:kim --to agent:ada --action payments.* --resource order/* --expires-in 8h",
            "publish sensitivity order/7 internal --owner user:mo --category shop",
            "publish risk agent:ada 5 --half-life-s 3600",
            "publish risk user:kim 5",
            "publish risk session:run-1 5",
            "publish calendar books open --expires-in 1d",
            f"policy push {ROOT / 'policies' / 'payments'} {ROOT / 'policies' / 'operations'}",
            "policy activate payments --reason first",
        ):
            said = say(*words.split())
            assert (said.code, said.err) == (0, ""), words
            assert "@" in said.out
    return say


def euros(amount: int) -> tuple[str, str]:
    return ("--arguments", json.dumps({"amount": amount, "currency": "EUR"}))


def test_a_permitted_intent_exits_0_and_a_denied_one_5(known: Any) -> None:
    granted = known("submit", *REFUND, *euros(900), "--json")
    assert granted.code == 0
    assert (granted.json["state"], granted.json["effect"], granted.json["rules"]) == (
        "granted",
        "permit",
        ["payments/refund-small"],
    )
    denied = known("submit", "payments.transfer", "account/own/2", *AGENT, *euros(5))
    assert denied.code == 5
    assert "denied" in denied.out


def test_what_a_grant_holds_of_a_limit_is_shown_with_what_is_left(known: Any) -> None:
    assert known("submit", *REFUND, *euros(901), "--json").code == 0
    (row,) = known("limits", "show", "--authority", "user:kim", "--json").json["limits"]
    assert (row["limit"], row["scope"], row["window_s"]) == ("payments/refunds-a-day", "authority", 86_400)
    assert (row["spent"], row["max"]) == (0, 500_000)
    assert row["held"] == row["used"] >= 901
    assert row["left"] == 500_000 - row["used"]
    assert "payments/refunds-a-day" in known("limits", "show", "--authority", "user:kim").out
    nobody = known("limits", "show", "--authority", "user:nobody")
    assert (nobody.code, nobody.out) == (0, "nothing is held or spent of any limit of `user:nobody`\n")


def test_a_refund_over_the_limit_hears_what_would_do_whom_to_ask_and_that_it_waits(known: Any) -> None:
    over = known("submit", *REFUND, *euros(60_000), "--wait", "4s", "--json")
    assert (over.code, over.json["state"]) == (5, "pending")
    told = over.json["refused"]
    assert (told["kind"], told["retry"], told["ask"]) == ("pending", "wait", ["group:finance"])
    assert told["bounds"] == [{"argument": "amount", "comparison": "<=", "value": 50000, "effect": "permit"}]
    drawn = known("show", over.json["id"])
    assert "with amount <= 50000 permit; ask group:finance" in drawn.out
    assert known("withdraw", over.json["id"], "--authority", "user:kim", "--actor", "agent:ada").code == 0
    denied = known("submit", "payments.transfer", "account/own/2", *AGENT, *euros(5))
    assert denied.out.splitlines()[1].startswith('"payments.transfer" on "account/own/2" was refused and must not run.')
    assert known("submit", *REFUND, *euros(900), "--json").json["refused"] is None


def test_an_intent_from_a_file_is_asked_as_it_stands(known: Any, tmp_path: Path) -> None:
    file = tmp_path / "intent.yaml"
    file.write_text(
        "intent: {action: payments.refund, resource: order/7, audience: service:cashier, actor: 'agent:ada', authority: 'user:kim',"
        " mandate: refunds, session: run-1, arguments: {amount: 7, currency: EUR}}\n"
    )
    assert known("submit", "--file", file, "--json").json["effect"] == "permit"
    file.write_text("action: payments.refund\n")
    assert known("submit", "--file", file).code == 3


def test_who_has_no_key_where_one_is_wanted_hears_how_to_get_it(known: Any, tmp_path: Path) -> None:
    pack = Path(shutil.copytree(ROOT / "policies" / "payments", tmp_path / "payments"))
    text = (pack / "pack.yaml").read_text()
    (pack / "pack.yaml").write_text(text.replace("unsigned_intents: true", "unsigned_intents: false"))
    assert known("policy", "push", pack, "--tenant", "strict").code == 0
    assert known("policy", "activate", "payments", "--tenant", "strict").code == 0
    said = known("submit", "payments.quote", "order/7", "--actor", "user:kim", "--tenant", "strict", *euros(5))
    assert said.code == 5
    assert "writer_unproved" in said.out
    assert "next: placet keys new agent --issuer user:kim --tenant strict" in said.err


def test_the_whole_life_of_an_intent_is_shown_with_what_caused_each_step(known: Any) -> None:
    asked = known("submit", *REFUND, *euros(1234), "--json").json
    taken = known("withdraw", asked["id"], "--authority", "user:kim", "--actor", "agent:ada", "--json")
    assert (taken.code, taken.json["state"]) == (0, "withdrawn")
    shown = known("show", asked["id"], "--json")
    assert [entry["record"]["state"] for entry in shown.json["entries"]] == ["granted", "withdrawn"]
    assert [entry["cause"]["name"] for entry in shown.json["entries"]] == ["intent", "withdraw"]
    assert shown.json["entries"][0]["cause"]["record"]["arguments"] == {"amount": 1234, "currency": "EUR"}
    drawn = known("show", asked["id"], "--authority", "user:kim")
    assert [word for word in ("asked", "granted", "withdrawn") if word in drawn.out] == [
        "asked",
        "granted",
        "withdrawn",
    ]
    again = known("withdraw", asked["id"], "--authority", "user:kim", "--actor", "agent:ada")
    assert again.code == 5
    assert "refused: claim_unknown" in again.out


def test_an_intent_nobody_asked_cannot_be_shown_or_settled(known: Any) -> None:
    assert known("show", "00" * 16).code == 1
    said = known("settle", "00" * 16, "done", "--authority", "user:kim")
    assert (said.code, "outcome_unknown" in said.out) == (5, True)


def test_what_an_executor_left_unknown_is_settled_by_a_person(known: Any, up: Server, tmp_path: Path) -> None:
    pack = Path(shutil.copytree(ROOT / "policies" / "payments", tmp_path / "payments"))
    text = (pack / "pack.yaml").read_text()
    (pack / "pack.yaml").write_text(
        text.replace("{lease_ms: 5000, act_ms_max: 10000}", "{lease_ms: 100, act_ms_max: 100}")
    )
    for words in (
        "publish principal agent:ada",
        "publish principal service:cashier",
        "publish risk agent:ada 5",
        "publish risk session:s 5",
        f"policy push {pack}",
        "policy activate payments",
    ):
        assert known(*words.split(), "--tenant", "brief").code == 0, words
    quote = ("payments.quote", "order/7", "--actor", "agent:ada", "--session", "s", "--audience", "service:cashier")
    asked = known("submit", *quote, *euros(5), "--tenant", "brief", "--json").json
    assert (asked["state"], asked["claim_required"]) == ("claimed", False)
    log, at = up.running.stack.log, 0
    while True:
        recs = log.read(Topic.DECISIONS, asked["partition"], at, 500, 1_000)
        found = [record for rec in recs if (record := records.opened(rec)) and record[0] == "verdict"]
        if any(one.state == State.UNKNOWN and one.id.hex() == asked["id"] for _, one in found):
            break
        at = recs[-1].offset + 1 if recs else at
    who = ("--authority", "agent:ada", "--tenant", "brief", "--detail", "seen in the ledger")
    settled = known("settle", asked["id"], "done", *who, "--json")
    assert (settled.code, settled.json["state"], settled.json["reason"]) == (0, "done", "settled")
    assert known("settle", asked["id"], "done", *who).code == 5


def test_a_published_risk_revokes_an_open_grant(known: Any, up: Server) -> None:
    asked = known("submit", *REFUND, *euros(777), "--json").json
    assert known("publish", "risk", "agent:ada", "95", "--source", "siem", "--reason", "impossible travel").code == 0
    followed = known("tail", "--last", "0", "--for", "3s", "--json")  # what is sealed meanwhile may be before or in it
    assert followed.code == 0
    states = [entry["record"]["state"] for entry in known("show", asked["id"], "--json").json["entries"]]
    assert states == ["granted", "revoked"]
    assert known("publish", "risk", "agent:ada", "0", "--source", "siem").code == 0


def test_a_security_event_suspends_the_principal_it_is_about(known: Any) -> None:
    known("publish", "principal", "user:7375626A656374", "--group", "staff")
    said = known("publish", "risk", "--event", DISABLED, "--json")
    assert said.code == 0
    risk, principal = (row["record"] for row in said.json["written"])
    assert (risk["subject"], risk["score"]) == ("user:7375626A656374", 100)
    assert (principal["id"], principal["status"], principal["groups"]) == (
        "user:7375626A656374",
        "suspended",
        ["staff"],
    )


def test_an_event_that_says_nothing_of_risk_is_told_and_a_malformed_one_exits_3(known: Any, tmp_path: Path) -> None:
    said = known("publish", "risk", "--event", VERIFICATION)
    assert (said.code, said.out) == (0, "nothing to publish: it is about the stream itself\n")
    file = tmp_path / "event.json"
    file.write_text('{"iss": "x"}')
    assert known("publish", "risk", "--event", file).code == 3


def test_packs_are_activated_by_name_and_digest_and_rolled_back(known: Any) -> None:
    both = known("policy", "activate", "payments", "operations", "--json").json
    assert both["names"] == ["payments", "operations"]
    first = both["record"]["digests"][0]
    assert known("policy", "activate", first[:12], "--json").json["names"] == ["payments"]
    back = known("policy", "rollback", "--json").json
    assert back["names"] == ["payments", "operations"]
    assert known("policy", "rollback", "--to", "1", "--json").json["names"] == ["payments"]
    assert known("policy", "rollback", "--to", "99").code == 3
    assert known("policy", "activate", "no-such-pack").code == 3


def test_a_pack_that_does_not_load_is_not_pushed(known: Any, tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text("name: x\n")
    said = known("policy", "push", tmp_path, "--json")
    assert (said.code, said.json["pushed"]) == (3, [])


def test_a_pack_that_is_there_is_not_pushed_again_unless_another_of_its_name_came_after(
    known: Any, tmp_path: Path
) -> None:
    old = Path(shutil.copytree(ROOT / "policies" / "payments", tmp_path / "payments"))
    new = Path(shutil.copytree(old, tmp_path / "new"))
    (new / "pack.yaml").write_text((new / "pack.yaml").read_text() + "# newer\n")
    places = [
        known("policy", "push", folder, "--tenant", "twice", "--json").json["pushed"][0]["offset"]
        for folder in (old, old, new, old, old)
    ]
    assert places[0] == places[1] < places[2] < places[3] == places[4]


def test_tail_prints_lines_for_people_and_one_record_a_line_for_programs(known: Any, up: Server) -> None:
    known("submit", *REFUND, *euros(4321))
    lines = known("tail", "--no-follow", "--last", "1000").out.splitlines()
    assert any("granted permit permitted agent:ada payments.refund order/7" in line for line in lines)
    assert not any(" seal " in line for line in lines)
    rows = known(
        "tail", "--no-follow", "--last", "1000", "--action", "payments.*", "--effect", "permit", "--json"
    ).lines
    assert rows
    assert {row["record"]["effect"] for row in rows} == {"permit"}
    assert {row["topic"] for row in rows} == {"placet.decisions"}
    sealed = known("tail", "--no-follow", "--seals", "--last", "1000", "--json").lines
    assert {row["name"] for row in sealed} >= {"seal", "verdict"}
    assert any("risk_signal" in line for line in known("tail", "placet.signals", "--no-follow").out.splitlines())


def test_tail_and_audit_read_over_http_as_well(known: Any, up: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    assert known("tail", "--no-follow", "--url", up.url).code == 0
    said = known("audit", "--url", up.url, "--json")
    assert (said.code, said.json["clean"]) == (0, True)


def test_an_audit_beside_the_running_owner_is_clean(known: Any) -> None:
    said = known("audit")
    assert said.code == 0
    assert "clean: read" in said.out


def test_a_folder_without_a_journal_cannot_be_read(say: Any, tmp_path: Path) -> None:
    assert say("tail", "--data", tmp_path / "none", "--no-follow").code == 1
    said = say("audit", "--data", tmp_path / "none")
    assert said.code == 1
    assert "no pinned keys" in said.err


def test_a_key_is_made_and_pinned_once_per_call(say: Any, tmp_path: Path) -> None:
    said = say("keys", "add", "agent", "agent:bee", "--data", tmp_path, "--json")
    assert said.code == 0
    assert (said.json["purpose"], said.json["issuer"]) == ("agent", "agent:bee")
    pinned = json.loads((tmp_path / "keys.json").read_text())["keys"]
    assert [key["kid"] for key in pinned] == [said.json["kid"]]
    assert (tmp_path / "secrets" / f"{said.json['kid']}.key").stat().st_mode & 0o777 == 0o600
    assert say("keys", "add", "gardener", "agent:bee", "--data", tmp_path).code == 2
    fed = say(
        "keys", "add", "feed", "service:siem", "--source", "edr*", "--source", "siem", "--data", tmp_path, "--json"
    )
    assert (fed.code, fed.json["sources"]) == (0, ["edr*", "siem"])
    assert say("keys", "add", "agent", "agent:bee", "--source", "siem", "--data", tmp_path).code == 2


def test_a_halt_is_said_by_every_desk_and_ends_with_the_word_of_two_operators(known: Any) -> None:
    halted = known("halt", "agent/agent:ada", "--id", "incident-1", "--reason", "pays twice", "--json")
    assert (halted.code, halted.json["halted"], halted.json["partitions"]) == (0, 2, 2)
    denied = known("submit", *REFUND, *euros(901), "--json")
    assert (denied.code, denied.json["reason"]) == (5, "halted")
    first = known("resume", "incident-1", "agent/agent:ada", "--as", "user:operator", "--json")
    assert (first.code, first.json["missing"]) == (5, 1)
    again = known("resume", "incident-1", "agent/agent:ada", "--as", "user:operator")
    assert "1 other operator must say so too" in again.out
    second = known("resume", "incident-1", "agent/agent:ada", "--as", "user:second")
    assert (second.code, "resumed in 2 of 2 partitions" in second.out) == (0, True)
    assert known("submit", *REFUND, *euros(902)).code == 0
    assert known("resume", "incident-1", "agent/agent:ada").code == 2
    assert known("halt", "galaxy").code == 2

"""Approvals at the command line and over HTTP: what waits is listed, answered alone or with its like, and heard."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from placet.drivers.entropy import SystemEntropy
from placet.drivers.keyfile import add_key, ensure_keys
from placet.drivers.settings import Settings
from placet.drivers.tokens import read_tokens
from placet.faces.cli.journal import now_ms
from placet.faces.gateway.server import Server
from tests.faces.cli.said import Said, placet
from tests.support.tokens import identity_file, jwk, token
from tests.support.votes import ASKING

AGENT = ("--actor", "agent:ada", "--authority", "user:grace", "--mandate", "refunds")
PEOPLE = ("user:flo", "user:fay", "user:grace")


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = Settings(data=tmp_path_factory.mktemp("up"), port=0, partitions=2)
    ensure_keys(settings.keys_file, settings.secrets_dir, SystemEntropy())
    for name in PEOPLE:
        add_key(settings.keys_file, settings.secrets_dir, "approver", name, SystemEntropy())
    server = Server(settings)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def say(
    up: Server,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
    request: pytest.FixtureRequest,
) -> Any:
    """Run a verb against the folder of the running server; who is who, and the pack, are said first, once a module."""
    for name in [name for name in os.environ if name.startswith("PLACET_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PLACET_TENANT", "acme")
    monkeypatch.setenv("PLACET_DATA", str(up.settings.data))

    def run(*arguments: object) -> Said:
        return placet(capsys, *arguments)

    if hasattr(request.module, "DONE"):
        return run
    request.module.DONE = True
    for name, text in ASKING.items():
        (tmp_path / name).write_text(text)
    for words in (
        "publish principal user:grace",
        "publish principal agent:ada --owner user:grace",
        "publish principal user:flo --group finance",
        "publish principal user:fay --group finance",
        "mandate grant refunds --from user:grace --to agent:ada --action * --resource * --expires-in 8h",
        f"policy push {tmp_path}",
        "policy activate shop",
    ):
        assert run(*words.split()).code == 0, words
    return run


def ask(say: Any, amount: int, order: str) -> str:
    """Ask for a refund that waits for two people, and return its id."""
    asked = say(
        "submit", "shop.refund", f"order/{order}", *AGENT, "--arguments", json.dumps({"amount": amount}), "--json"
    )
    assert asked.json["state"] == "pending", asked
    return str(asked.json["id"])


def test_what_waits_is_listed_shown_and_approved_by_two(say: Any) -> None:
    asked = ask(say, 9_000, "1")
    (told,) = say("approvals", "list", "--json").json
    assert (told["id"], told["quorum"], told["eligible"], told["voters"]) == (asked, 2, ["group:finance"], [])
    assert (told["arguments"], told["rules"]) == ({"amount": 9_000}, ["shop/people"])
    assert asked in say("approvals", "list").out
    (first,) = say("approvals", "approve", asked, "--as", "user:flo", "--json").json
    assert (first["state"], first["reason"], first["detail"]) == ("pending", "voted", "1 of 2 votes count")
    assert "voters         user:flo" in say("approvals", "show", asked).out
    (granted,) = say(
        "approvals", "approve", asked, "--as", "user:fay", "--arguments", '{"amount": 8000}', "--json"
    ).json
    assert (granted["state"], granted["reason"], granted["arguments"]) == ("granted", "approved", {"amount": 8_000})
    assert say("approvals", "list", "--json").json == []
    assert say("approvals", "show", asked).code == 1


def test_who_answers_for_it_is_refused_and_a_no_is_heard(say: Any) -> None:
    asked = ask(say, 9_000, "2")
    refused = say("approvals", "approve", asked, "--as", "user:grace")
    assert (refused.code, "refused: voter_in_chain, `user:grace` is the authority" in refused.out) == (5, True)
    (denied,) = say("approvals", "reject", asked, "--as", "user:flo", "--reason", "paid twice", "--json").json
    assert (denied["state"], denied["reason"], denied["detail"]) == ("denied", "rejected", "paid twice")


def test_identical_intents_are_one_line_and_answered_together_each_by_its_own_digest(say: Any) -> None:
    alike, other = [ask(say, 9_000, "3") for _ in range(3)], ask(say, 9_001, "3")
    lines = [line for line in say("approvals", "list").out.splitlines() if "order/3" in line]
    assert [line.split()[0:2] for line in lines] == [[alike[0], "+2"], [other, "agent:ada"]]
    shown = say("approvals", "show", alike[1], "--json").json
    assert sorted(shown["alike"]) == sorted({*alike} - {alike[1]})
    answers = say("approvals", "approve", "--all-like", alike[0], "--as", "user:flo", "--json").json
    assert [(one["id"], one["reason"]) for one in answers] == [(one, "voted") for one in alike]
    assert {one["id"]: one["voters"] for one in say("approvals", "list", "--json").json} == {
        **{one: ["user:flo"] for one in alike},
        other: [],
    }
    said = say("approvals", "reject", "--all-like", alike[2], "--as", "user:fay", "--json")
    assert [one["state"] for one in said.json] == ["denied"] * 3
    assert say("approvals", "reject", other, "--as", "user:fay").code == 0


def test_an_inbox_tells_each_change_on_a_line(say: Any) -> None:
    asked = ask(say, 9_000, "4")
    told = say("approvals", "inbox", "--for", "300ms")
    assert [line.split()[:2] for line in told.out.splitlines()] == [["waits:", asked]]
    (line,) = say("approvals", "inbox", "--for", "300ms", "--json").out.splitlines()
    assert [one["id"] for one in json.loads(line)] == [asked]
    assert say("approvals", "reject", asked, "--as", "user:fay").code == 0
    assert say("approvals", "inbox", "--for", "300ms").out == ""


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["approve"], 2, "expected one of ID and --all-like ID"),
        (["approve", "00" * 16], 1, "does not wait for people"),
        (["reject", "soon"], 2, "expected 32 hex digits"),
    ],
)
def test_wrong_usage_says_what_is_expected(say: Any, words: list[str], code: int, says: str) -> None:
    said = say("approvals", *words)
    assert (said.code, says in said.err) == (code, True)


def test_approvals_over_http(say: Any, up: Server) -> None:
    asked = ask(say, 9_000, "5")
    with httpx2.Client(base_url=up.url, headers={"authorization": f"Bearer {up.token}"}, timeout=30) as client:
        (waits,) = client.get("/v1/approvals", params={"tenant": "acme"}).json()["approvals"]
        assert waits["id"] == asked
        assert client.get("/v1/approvals", params={"tenant": "globex"}).json() == {"approvals": [], "reviews": []}
        vote = {name: waits[name] for name in ("tenant", "authority", "id", "attempt", "intent_digest")}
        for name in ("user:flo", "user:fay"):
            assert client.post("/v1/votes", json={**vote, "voter": name, "approve": True}).status_code == 202
        path = f"/v1/intents/acme/user:grace/{asked}"
        found = client.get(path).json()
        while found["state"] == "pending":
            found = client.get(path, params={"wait_ms": 5_000, "after_seq": found["seq"]}).json()
        assert (found["state"], found["approval"]["voters"]) == ("granted", ["user:fay", "user:flo"])
        unkept = client.post("/v1/votes", json={**vote, "voter": "user:sue", "approve": True})
        assert (unkept.status_code, "no private approver key" in unkept.text) == (403, True)


STRONG_RULE = """\
  - {id: wire, because: far, on: [shop.wire], effect: step_up,
     approval: {quorum: 2, from: ["group:finance"], expires_s: 600, acr: [phr], auth_age_s_max: 300}}
"""


def wire(say: Any, tmp_path: Path) -> str:
    """Ask for what waits for people with a stronger proof, once the packs know of it, and return its id."""
    pack = {**ASKING, "rules.yaml": ASKING["rules.yaml"] + STRONG_RULE}
    pack["pack.yaml"] = pack["pack.yaml"].replace("freshness:", "  shop.wire: {}\nfreshness:")
    for name, text in pack.items():
        (tmp_path / name).write_text(text)
    assert say("policy", "push", tmp_path).code == 0
    assert say("policy", "activate", "shop").code == 0
    asked = say("submit", "shop.wire", "account/1", *AGENT, "--json")
    assert asked.json["state"] == "pending", asked
    return str(asked.json["id"])


def test_a_vote_that_wants_stronger_proof_takes_it_from_a_token(say: Any, up: Server, tmp_path: Path) -> None:
    asked = wire(say, tmp_path)
    shown = say("approvals", "show", asked, "--json").json
    assert (shown["acr"], shown["auth_age_s_max"]) == (["phr"], 300)
    assert "auth_age_s_max 300" in say("approvals", "show", asked).out
    refused = say("approvals", "approve", asked, "--as", "user:flo")
    assert (refused.code, 'acr_values="phr", max_age="300"' in refused.out) == (5, True)
    up.settings.identity_file.write_text(identity_file(jwk("OKP", "1")))
    file = tmp_path / "token"
    now = now_ms() // 1000
    for claims, says in (
        ({"sub": "fay"}, "it is of `user:fay` of tenant `acme`: expected `user:flo` of tenant `acme`"),
        ({"exp": 1}, "a token that has expired"),
    ):
        file.write_text(token(acr="phr", auth_time=now, **claims))
        said = say("approvals", "approve", asked, "--as", "user:flo", "--token", file)
        assert (said.code, says in said.err) == (5, True)
    file.write_text(token(acr="phr", auth_time=now) + "\n")
    (first,) = say("approvals", "approve", asked, "--as", "user:flo", "--token", file, "--json").json
    assert (first["state"], first["detail"]) == ("pending", "1 of 2 votes count")
    file.write_text(token(acr="phr", auth_time=now, sub="fay"))
    assert say("approvals", "reject", asked, "--as", "user:fay", "--token", file).code == 0
    assert say("audit").code == 0


def test_a_vote_over_http_takes_its_proof_from_a_token_and_never_from_its_body(
    say: Any, up: Server, tmp_path: Path
) -> None:
    asked = wire(say, tmp_path)
    up.settings.identity_file.write_text(identity_file(jwk("OKP", "1")))
    up.gateway.tokens = read_tokens(up.settings.identity_file)
    now = now_ms() // 1000
    good = token(acr="phr", auth_time=now)
    with httpx2.Client(base_url=up.url, headers={"authorization": f"Bearer {up.token}"}, timeout=30) as client:
        waits = next(one for one in client.get("/v1/approvals").json()["approvals"] if one["id"] == asked)
        vote = {name: waits[name] for name in ("tenant", "authority", "id", "attempt", "intent_digest")}
        body = {**vote, "voter": "user:flo", "approve": True}
        weak = client.post("/v1/votes", json=body)
        assert weak.status_code == 401
        assert weak.headers["www-authenticate"] == (
            'Bearer error="insufficient_user_authentication", '
            'error_description="a vote on this wants stronger proof", acr_values="phr", max_age="300"'
        )
        told = weak.json()
        assert (told["error"], told["acr_values"], told["max_age"]) == ("insufficient_user_authentication", "phr", 300)
        for more in ({"acr": "phr"}, {"auth_time": now * 1000}):
            assert client.post("/v1/votes", json={**body, **more}).status_code == 400
        for given, status in (
            (token(acr="pwd", auth_time=now), 401),
            (token(acr="phr", auth_time=now - 301), 401),
            (token(acr="phr", auth_time=now, sub="fay"), 403),
            (token(acr="phr", auth_time=now, exp=1), 401),
            ("no token", 401),
        ):
            answer = client.post("/v1/votes", json=body, headers={"subject-token": given})
            assert (answer.status_code, answer.json()["where"]) == (status, "header Subject-Token")
        two = client.post("/v1/votes", json=body, headers=[("subject-token", good), ("subject-token", good)])
        assert two.status_code == 400
        assert client.post("/v1/votes", json=body, headers={"subject-token": good}).status_code == 202
        path = f"/v1/intents/acme/user:grace/{asked}"
        found = client.get(path).json()
        while not found["approval"]["voters"]:
            found = client.get(path, params={"wait_ms": 5_000, "after_seq": found["seq"]}).json()
        assert found["approval"]["voters"] == ["user:flo"]


GLASS_RULE = """\
  - {id: fix, because: out, on: [shop.fix], effect: step_up,
     approval: {quorum: 2, from: ["group:finance"], expires_s: 600},
     emergency: {lease_ms: 10000, review: {quorum: 1, from: ["group:finance"], expires_s: LATE}}}
"""


def glass(say: Any, folder: Path, late_s: int) -> None:
    """Let agents break the glass, and people look at it within so many seconds."""
    pack = {**ASKING, "rules.yaml": ASKING["rules.yaml"] + GLASS_RULE.replace("LATE", str(late_s))}
    pack["pack.yaml"] = pack["pack.yaml"].replace("freshness:", "  shop.fix: {}\nfreshness:")
    for name, text in pack.items():
        (folder / name).write_text(text)
    assert say("policy", "push", folder).code == 0
    assert say("policy", "activate", "shop").code == 0


def call(say: Any, *more: str) -> Said:
    """Ask for what waits for people, as an emergency."""
    said: Said = say("submit", "shop.fix", "site/1", *AGENT, "--emergency", "--purpose", "the site is down", *more)
    return said


def test_an_emergency_runs_at_once_and_is_looked_at_afterwards(say: Any, up: Server, tmp_path: Path) -> None:
    glass(say, tmp_path, 600)
    granted = call(say, "--json").json
    assert (granted["state"], granted["reason"]) == ("granted", "emergency")
    (review,) = [one for one in say("approvals", "list", "--json").json if one["kind"] == "review"]
    assert (review["id"], review["state"], review["purpose"]) == (granted["id"], "asked", "the site is down")
    assert review["not_of"] == ["agent:ada", "user:grace"]
    assert "review of shop.fix site/1" in " ".join(say("approvals", "inbox", "--for", "300ms").out.split())
    shown = say("approvals", "show", granted["id"]).out
    assert "not_of         agent:ada, user:grace" in shown
    refused = say("approvals", "approve", granted["id"], "--as", "user:grace")
    assert (refused.code, "voter_in_chain" in refused.out) == (5, True)
    right = say("approvals", "approve", granted["id"], "--as", "user:flo", "--reason", "it was down")
    assert (right.code, right.out) == (
        0,
        f"{granted['id']}: review right, 1 of 1 found it right by user:flo: it was down\n",
    )
    granted = call(say, "--json").json
    (wrong,) = say("approvals", "reject", granted["id"], "--as", "user:fay", "--reason", "it was up", "--json").json
    assert (wrong["kind"], wrong["state"], wrong["by"], wrong["detail"]) == ("review", "wrong", "user:fay", "it was up")
    story = [(one["name"], one["record"]["state"]) for one in say("show", granted["id"], "--json").json["entries"]]
    assert story == [("verdict", "granted"), ("review", "asked"), ("review", "wrong"), ("verdict", "revoked")]
    assert "wrong: 0 of 1 of group:finance found it right; user:fay: it was up" in say("show", granted["id"]).out
    blank = say("submit", "shop.fix", "site/1", *AGENT, "--emergency", "--json").json
    assert (blank["state"], blank["detail"]) == ("pending", "called an emergency, and no purpose says why")
    assert say("approvals", "reject", blank["id"], "--as", "user:fay").code == 0
    assert "review right, 1 of 1 found it right" in say("tail", "--last", "500", "--no-follow").out
    audited = say("audit", "--json").json
    assert audited["clean"]
    assert next(one for one in audited["checks"] if one["name"] == "REVIEWS")["checked"] > 0


def test_an_emergency_that_nobody_looks_at_raises_an_alarm_and_bars_the_next(
    say: Any, up: Server, tmp_path: Path
) -> None:
    glass(say, tmp_path, 1)
    granted = call(say, "--json").json
    with httpx2.Client(base_url=up.url, headers={"authorization": f"Bearer {up.token}"}, timeout=30) as client:
        while not (reviews := client.get("/v1/approvals").json()["reviews"]) or reviews[0]["state"] != "overdue":
            pass  # the desk cuts a batch of its own when a review's time is over
        (review,) = reviews
        assert review["id"] == granted["id"]
        metrics = client.get("/metrics").text
        assert "placet_reviews_overdue 1.0" in metrics
        assert 'placet_reviews_total{state="overdue"} 1.0' in metrics
        assert "OVERDUE" in say("approvals", "list").out
        barred = call(say, "--json")
        assert (barred.code, barred.json["reason"]) == (5, "emergency_barred")
        vote = {name: review[name] for name in ("tenant", "authority", "id", "attempt", "intent_digest")}
        body = {**vote, "voter": "user:flo", "approve": True, "reason": "looked at it late"}
        assert client.post("/v1/votes", json=body).status_code == 202
        while client.get("/v1/approvals").json()["reviews"]:
            pass
        assert "placet_reviews_overdue 0.0" in client.get("/metrics").text
    assert call(say, "--json").json["reason"] == "emergency"
    assert say("audit").code == 0

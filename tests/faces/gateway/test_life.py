"""An intent's whole life over HTTP, as a client without any SDK sees it."""

import json
import threading
from typing import Any

import httpx2
import pytest
from jsonschema import Draft202012Validator

from placet import Agent, Executor, NotBegun, connect, guarded
from placet.drivers.clock import SystemClock
from placet.errors import PoisonRecord
from placet.faces.gateway.problems import of_failure
from placet.faces.gateway.server import Server
from placet.faces.sdk.http import HttpLog
from placet.faces.sdk.sentences import SENTENCES
from placet.model.reasons import Reason, State
from placet.model.topics import Topic
from placet.ports import Message
from tests.architecture.house import ROOT
from tests.faces.shop import until
from tests.support.world import AGENT, EXECUTOR, PACK, PERSON, TENANT

NONCE = "ab" * 16


def asked(client: httpx2.Client, action: str = "shop.refund", **more: Any) -> dict[str, Any]:
    """Submit an intent and return its first answer."""
    body = {
        "tenant": TENANT,
        "actor": AGENT,
        "authority": PERSON,
        "mandate": "m1",
        "action": action,
        "resource": "order/7",
        "audience": EXECUTOR,
        **more,
    }
    told = client.post("/v1/intents", json=body)
    assert told.status_code == 202, told.text
    answer = client.get(told.json()["await"])
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    assert found["intent_digest"] == told.json()["intent_digest"]
    assert found["action_digest"] == told.json()["action_digest"]
    return found


def newest(client: httpx2.Client, answer: dict[str, Any], **query: Any) -> dict[str, Any]:
    path = f"/v1/intents/{answer['tenant']}/{answer['authority']}/{answer['id']}"
    found: dict[str, Any] = client.get(path, params={"wait_ms": 5_000, **query}).json()
    return found


def attempt_of(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: answer[name] for name in ("tenant", "authority", "id", "attempt")}


def claimed(client: httpx2.Client, answer: dict[str, Any], nonce: str = NONCE) -> dict[str, Any]:
    body = {**attempt_of(answer), "granted_digest": answer["granted_digest"], "executor": EXECUTOR, "nonce": nonce}
    told = client.post("/v1/claims", json=body)
    assert told.status_code == 202, told.text
    return newest(client, answer, after_seq=answer["seq"])


def test_submit_await_claim_report(client: httpx2.Client) -> None:
    granted = asked(client, arguments={"amount": 10})
    assert (granted["state"], granted["effect"], granted["rules"]) == ("granted", "permit", ["shop/refund"])
    taken = claimed(client, granted)
    assert (taken["state"], taken["executor"], taken["nonce"]) == ("claimed", EXECUTOR, NONCE)
    report = {
        **attempt_of(granted),
        "executor": EXECUTOR,
        "nonce": NONCE,
        "result": "done",
        "ran_digest": granted["granted_digest"],
        "sensitivity": "internal",
    }
    assert client.post("/v1/outcomes", json=report).status_code == 202
    done = newest(client, granted, after_seq=taken["seq"])
    assert (done["state"], done["result_sensitivity"]) == ("done", "internal")


def test_a_constraint_shows_what_may_run(client: httpx2.Client) -> None:
    answer = asked(client, arguments={"amount": 4_000})
    assert answer["granted_arguments"] == {"amount": 1_000}
    assert answer["obligations"] == [{"kind": "limit", "argument": "amount", "value": "1000"}]


def test_withdrawn(client: httpx2.Client) -> None:
    granted = asked(client, arguments={"amount": 10})
    told = client.post("/v1/withdraw", json={**attempt_of(granted), "actor": AGENT, "reason": "enough"})
    assert told.status_code == 202
    assert newest(client, granted, after_seq=granted["seq"])["state"] == "withdrawn"


def test_the_same_again_hears_the_same_and_another_content_is_refused(client: httpx2.Client) -> None:
    deadline = SystemClock().now_ms() + 60_000
    first = asked(client, id="01" * 16, deadline=deadline, arguments={"amount": 10})
    assert asked(client, id="01" * 16, deadline=deadline, arguments={"amount": 10}) == first
    # What the id stands for stays what it was.
    body = {"tenant": TENANT, "actor": AGENT, "authority": PERSON, "action": "shop.refund", "resource": "order/8"}
    assert client.post("/v1/intents", json={**body, "id": "01" * 16}).status_code == 202
    assert newest(client, first, after_seq=0)["resource"] == "order/7"


def test_a_record_that_can_be_no_intent_is_told_as_refused(client: httpx2.Client) -> None:
    body = {"tenant": TENANT, "actor": AGENT, "action": "shop.refund", "resource": "order/7", "deadline": 1 << 50}
    told = client.post("/v1/intents", json=body).json()
    answer = client.get(told["await"]).json()
    assert (answer["record"], answer["reason"]) == ("refusal", "deadline_too_far")


def test_what_is_refused_says_over_http_what_to_do_about_it(client: httpx2.Client) -> None:
    over = asked(client, arguments={"amount": 60_000})
    told = over["refused"]
    Draft202012Validator(json.loads((ROOT / "schemas" / "refused.schema.json").read_text())).validate(told)
    assert (told["kind"], told["reason"], told["retry"]) == ("over_limit", "no_rule", "changed")
    assert told["bounds"] == [
        {"argument": "amount", "comparison": "<=", "value": 9000, "effect": "step_up"},
        {"argument": "amount", "comparison": "<=", "value": 5000, "effect": "constrain"},
    ]
    assert told["advice"].startswith('"shop.refund" on "order/7" was refused and must not run.')
    waiting = asked(client, arguments={"amount": 6_000})
    assert (waiting["refused"]["kind"], waiting["refused"]["ask"]) == ("pending", ["group:finance"])
    body = {**attempt_of(waiting), "actor": AGENT}
    assert client.post("/v1/withdraw", json=body).status_code == 202
    ended = newest(client, waiting, after_seq=waiting["seq"])
    assert (ended["refused"]["kind"], ended["refused"]["retry"]) == ("ended", "anew")
    granted = asked(client, arguments={"amount": 10})
    assert granted["refused"] is None
    assert claimed(client, granted)["refused"] is None


def test_what_can_be_no_record_is_told_with_its_reason_in_words() -> None:
    told = of_failure(PoisonRecord("intent.actor: expected fewer", Reason.MALFORMED))
    assert told.status == 400
    assert told.body == {
        "what": "intent.actor: expected fewer",
        "where": "body",
        "expected": "a record within its profile",
        "kind": "usage",
        "reason": "malformed",
        "because": SENTENCES[Reason.MALFORMED],
    }


def test_a_signal_revokes_an_open_grant(client: httpx2.Client) -> None:
    granted = asked(client, arguments={"amount": 10}, session="hot")
    risk = {"tenant": TENANT, "subject": AGENT, "source": "siem", "score": 95, "reason": "odd hours"}
    assert client.post("/v1/context/risk", json=risk).status_code == 202
    ended = newest(client, granted, after_seq=granted["seq"])
    assert (ended["state"], ended["reason"]) == ("revoked", "context_changed")
    calm = {**risk, "score": 0}
    assert client.post("/v1/context/risk", json=calm).status_code == 202
    until("calm again", lambda: asked(client, arguments={"amount": 10})["state"] == "granted")


def test_a_calendar_fact_closes_an_action(client: httpx2.Client) -> None:
    freeze = {"tenant": TENANT, "kind": "calendar", "scope": "freeze", "value": "on", "reason": "year end"}
    assert client.post("/v1/context/control", json=freeze).status_code == 202
    until("frozen", lambda: asked(client, arguments={"amount": 10})["state"] == "denied")
    assert client.post("/v1/context/control", json={**freeze, "value": "off"}).status_code == 202
    until("open", lambda: asked(client, arguments={"amount": 10})["state"] == "granted")


def test_a_published_label_ends_a_wait(client: httpx2.Client) -> None:
    waiting = asked(client, "shop.export", resource="table/1", arguments={"rows": 2})
    assert (waiting["state"], waiting["missing"]) == ("deferred", ["resource"])
    label = {"tenant": TENANT, "resource": "table/1", "label": "internal", "source": "dlp"}
    assert client.post("/v1/context/sensitivity", json=label).status_code == 202
    assert newest(client, waiting, after_seq=waiting["seq"])["state"] == "granted"


def test_a_security_event_suspends_a_known_principal(client: httpx2.Client) -> None:
    body = {"tenant": TENANT, "id": "agent:eve", "kind": "agent", "source": "hr", "groups": ["team"]}
    assert client.post("/v1/context/principal", json=body).status_code == 202
    event = {
        "iss": "https://idp.example",
        "jti": "1",
        "iat": 1_700_000_000,
        "aud": "placet",
        "sub_id": {"format": "opaque", "id": "agent:eve"},
        "events": {"https://schemas.openid.net/secevent/risc/event-type/account-disabled": {}},
    }
    told = client.post("/v1/context/signal", json={"tenant": TENANT, "claims": event})
    assert told.status_code == 202, told.text
    assert told.json()["unknown"] or told.json()["written"]


def test_a_bad_event_is_refused_with_what_is_wrong(client: httpx2.Client) -> None:
    told = client.post("/v1/context/signal", json={"tenant": TENANT, "claims": {"events": {}}})
    assert told.status_code == 400
    assert told.json()["what"]


def test_the_tail_tells_what_is_sealed(client: httpx2.Client, server: Server) -> None:
    lines: list[dict[str, Any]] = []
    began, enough = threading.Event(), threading.Event()

    def follow() -> None:
        headers = {"authorization": f"Bearer {server.token}"}
        with (
            httpx2.Client(base_url=server.url, headers=headers) as own,
            own.stream("GET", "/v1/tail", params={"tenant": TENANT}) as answer,
        ):
            for line in answer.iter_lines():
                began.set()
                if line:
                    lines.append(json.loads(line))
                    enough.set()
                    return

    follower = threading.Thread(target=follow)
    follower.start()
    assert began.wait(20)
    answer = asked(client, arguments={"amount": 10})
    assert enough.wait(20)
    follower.join()
    assert lines[0]["id"] == answer["id"]
    assert lines[0]["state"] == "granted"


def test_health_and_metrics(client: httpx2.Client) -> None:
    asked(client, arguments={"amount": 10})
    assert client.get("/livez").json() == {"status": "live"}
    assert client.get("/readyz").json() == {"status": "ready"}
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'placet_intents_total{action_class="shop"}' in answer.text
    assert 'placet_consumer_lag_records{partition="1",topic="placet.intents"} 0.0' in answer.text
    assert "placet_policy_bundle_info{digest=" in answer.text


def test_the_sdk_over_http_guards_a_function(server: Server) -> None:
    with (
        connect(data=server.settings.data) as connection,
        Executor(connection, name=EXECUTOR) as executor,
    ):
        assert isinstance(connection.log, HttpLog)
        agent = Agent(connection, tenant=TENANT, actor=AGENT, authority=PERSON, mandate="m1")

        @guarded(agent=agent, executor=executor, action="shop.refund", resource="order/7")
        def refund(amount: int) -> int:
            return amount

        assert refund(amount=4_000) == 1_000
        answer = agent.ask("shop.refund", "order/7", {"amount": 3}, audience=EXECUTOR)
        assert executor.perform(answer, lambda grant: grant.arguments) == {"amount": 3}
        assert agent.hear(answer).state in (State.CLAIMED, State.DONE)
        with pytest.raises(NotBegun):
            executor.perform(answer, lambda grant: grant.arguments)


def test_an_executor_whose_key_is_elsewhere_is_not_signed_for(client: httpx2.Client) -> None:
    granted = asked(client, arguments={"amount": 10})
    body = {**attempt_of(granted), "granted_digest": "00" * 32, "executor": "service:nobody", "nonce": NONCE}
    told = client.post("/v1/claims", json=body)
    assert told.status_code == 403
    assert "no private executor key of `service:nobody`" in told.json()["what"]


def test_a_raw_log_is_read_and_appended(server: Server, client: httpx2.Client) -> None:
    log = HttpLog(server.url, server.token)
    assert log.partitions(Topic.INTENTS) == 2
    before = log.end(Topic.VOTES, 1)
    assert log.append(Topic.VOTES, 1, [Message(b"k", b"not a vote"), Message(None, None)]) == before
    one, two = log.read(Topic.VOTES, 1, before, 10, 0)
    assert (one.key, one.value, one.offset) == (b"k", b"not a vote", before)
    assert (two.key, two.value, two.offset) == (None, None, before + 1)
    assert log.read(Topic.VOTES, 1, before + 2, 10, 20) == []
    log.close()


def test_a_pack_that_is_there_is_not_written_again(client: httpx2.Client) -> None:
    body = {"tenant": "twice", "files": PACK}
    first, second = (client.post("/v1/context/pack", json=body).json()["written"] for _ in range(2))
    assert first == second


def test_a_mandate_published_over_http_is_used_at_once_by_the_token_of_the_answer(client: httpx2.Client) -> None:
    body = {"tenant": TENANT, "id": "m8", "delegator": PERSON, "delegate": AGENT, "actions": ["*"], "resources": ["*"]}
    (written,) = client.post("/v1/context/mandate", json=body).json()["written"]
    assert written["token"] == f"placet.mandates/{written['partition']}@{written['offset']}"
    answer = asked(client, mandate="m8", arguments={"amount": 10}, at_least=[written["token"]])
    assert (answer if answer["state"] != "deferred" else newest(client, answer, after_seq=answer["seq"]))[
        "state"
    ] == "granted"

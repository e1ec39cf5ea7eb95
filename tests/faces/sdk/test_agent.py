"""An agent hears one answer to what it asks, however often and in whatever way it asks."""

import asyncio
from typing import Any

import pytest

from placet import Agent, NoAnswer
from placet.errors import Corrupted, PoisonRecord, Unavailable
from placet.faces.sdk.connection import Connection
from placet.faces.sdk.outbox import AGAIN_S_MIN
from placet.model.codec import intent as intent_codec
from placet.model.codec import verdict
from placet.model.proof import Signer
from placet.model.reasons import Effect, Reason, State
from placet.model.topics import Topic
from tests.faces.sdk.forgery import RING, Live, Scribe, verdict_of
from tests.faces.shop import Shop, until
from tests.support.memory import CountedEntropy
from tests.support.world import AGENT, PERSON, TENANT


def test_a_permit_says_which_rule_gave_it(shop: Shop, connection: Connection) -> None:
    answer = shop.agent(connection).ask("shop.refund", "order/7", {"amount": 10}, purpose="the customer asked")
    assert answer.granted
    assert (answer.state, answer.effect, answer.rules) == (State.GRANTED, Effect.PERMIT, ("shop/refund",))
    assert answer.expires_at > shop.now()


def test_a_constraint_says_what_may_run(shop: Shop, connection: Connection) -> None:
    answer = shop.agent(connection).ask("shop.refund", "order/7", {"amount": 4_000})
    assert (answer.effect, answer.arguments) == (Effect.CONSTRAIN, b'{"amount":1000}')
    assert [(one.kind, one.argument) for one in answer.obligations] == [("limit", "amount")]


def test_a_missing_fact_is_named_and_its_arrival_is_heard(shop: Shop, connection: Connection) -> None:
    agent = shop.agent(connection)
    answer = agent.ask("shop.export", "table/customers", {"rows": 3}, timeout_ms=300)
    assert (answer.state, answer.missing) == (State.DEFERRED, ("resource",))
    assert answer.waiting
    shop.sensitivity("table/customers", "internal")
    assert agent.hear(answer).state is State.GRANTED


def test_asking_again_hears_the_first_answer(shop: Shop, connection: Connection) -> None:
    agent = shop.agent(connection)
    intent = agent.intent("shop.refund", "order/7", {"amount": 10})
    first = agent.submit(intent)
    # Another process: it was not there when the first answer was given.
    with shop.connect() as other:
        again = shop.agent(other).submit(intent)
    assert again == first
    assert (
        len([one for _, name, one in shop.records(Topic.DECISIONS) if name == "verdict" and one.id == intent.id]) == 1
    )


def test_asking_again_hears_what_has_become_of_it(shop: Shop, connection: Connection) -> None:
    agent = shop.agent(connection)
    intent = agent.intent("shop.refund", "order/7", {"amount": 10})
    first = agent.submit(intent)
    assert agent.withdraw(first, "changed my mind").state is State.WITHDRAWN
    with shop.connect() as other:
        assert shop.agent(other).submit(intent).state is State.WITHDRAWN


def test_another_question_under_an_old_id_is_refused(shop: Shop, connection: Connection) -> None:
    agent = shop.agent(connection)
    first = agent.ask("shop.refund", "order/7", {"amount": 10}, id=bytes(range(16)), deadline=shop.now() + 60_000)
    second = agent.ask("shop.refund", "order/7", {"amount": 11}, id=bytes(range(16)), deadline=shop.now() + 60_000)
    assert first.granted
    assert (second.refusal, second.reason) == (True, Reason.INTENT_ID_REUSED)


def test_a_grant_that_is_revoked_is_heard(shop: Shop, connection: Connection) -> None:
    agent = shop.agent(connection)
    answer = agent.ask("shop.refund", "order/7", {"amount": 10})
    shop.risk(95)
    ended = agent.hear(answer)
    assert (ended.state, ended.reason) == (State.REVOKED, Reason.CONTEXT_CHANGED)


def test_a_refused_record_is_an_answer_with_its_reason(shop: Shop, connection: Connection) -> None:
    answer = shop.agent(connection).ask("shop.refund", "order/7", {"amount": 10}, deadline_ms=10**9)
    assert (answer.refusal, answer.reason, answer.granted) == (True, Reason.DEADLINE_TOO_FAR, False)


def test_a_refusal_of_what_is_not_believed_says_whose_it_is(shop: Shop, connection: Connection) -> None:
    stranger = Signer("nobody-1", AGENT, b"n" * 32)
    agent = Agent(connection, tenant=TENANT, actor=AGENT, authority=PERSON, mandate="m1", signer=stranger)
    answer = agent.ask("shop.refund", "order/7", {"amount": 10}, id=b"i" * 16)
    assert (answer.refusal, answer.reason) == (True, Reason.WRITER_UNPROVED)
    assert (answer.tenant, answer.authority, answer.id, answer.attempt) == (TENANT, PERSON, (b"i" * 16).hex(), 1)


def test_many_ask_at_once_in_one_event_loop(shop: Shop, connection: Connection) -> None:
    agent = shop.agent(connection)

    async def story() -> list[Any]:
        return await asyncio.gather(*(agent.aask("shop.refund", "order/7", {"amount": n}) for n in range(1, 101)))

    answers = asyncio.run(story())
    assert {answer.state for answer in answers} == {State.GRANTED}
    assert len({answer.id for answer in answers}) == 100


def test_async_hearing_and_withdrawing(shop: Shop, connection: Connection) -> None:
    agent = shop.agent(connection)

    async def story() -> None:
        answer = await agent.aask("shop.refund", "order/7", {"amount": 5})
        assert (await agent.awithdraw(answer)).state is State.WITHDRAWN
        assert (await agent.ahear(answer)).state is State.WITHDRAWN

    asyncio.run(story())


@pytest.mark.parametrize(
    ("action", "resource", "arguments", "says"),
    [
        ("shop refund", "order/7", {}, "action"),
        ("shop.refund", "", {}, "resource"),
        ("shop.refund", "order/7", {"amount": float("nan")}, "no RFC 8785 form"),
        ("shop.refund", "order/7", {"amount": 2**60}, "no RFC 8785 form|beyond"),
        ("shop.refund", "order/7", {"note": "e\u0301"}, "NFC"),
        ("shop.refund", "order/7", {"note": "x" * 70_000}, "at most"),
    ],
)
def test_what_can_be_no_intent_is_refused_here(
    action: str, resource: str, arguments: dict[str, Any], says: str
) -> None:
    connection = Connection(Live(), RING)
    agent = Agent(connection, tenant=TENANT, actor=AGENT)
    with pytest.raises(PoisonRecord, match=says):
        agent.ask(action, resource, arguments)
    connection.close()


def test_an_id_sorts_by_time_and_is_a_uuid_of_version_7(shop: Shop, connection: Connection) -> None:
    first, second = (shop.agent(connection).intent("shop.look", "a", {}).id for _ in range(2))
    assert first[6] >> 4 == 7
    assert first[8] >> 6 == 0b10
    assert first[:6] <= second[:6]
    assert first != second


def made(log: Live) -> tuple[Connection, Agent]:
    connection = Connection(log, RING, clock=log.clock, entropy=CountedEntropy())
    return connection, Agent(connection, tenant=TENANT, actor=AGENT, authority=PERSON)


def test_silence_is_said_with_what_may_be_sent_again() -> None:
    log = Live()
    connection, agent = made(log)
    with pytest.raises(NoAnswer, match="may still be decided") as silent:
        agent.ask("shop.refund", "order/7", {"amount": 1}, timeout_ms=50)
    with pytest.raises(NoAnswer):
        agent.submit(silent.value.intent, timeout_ms=50)
    one, two = (rec.value for rec in log.read(Topic.INTENTS, 0, 0, 10, 0))
    assert one == two
    connection.close()


def test_what_no_seal_covers_is_not_heard() -> None:
    log = Live()
    scribe = Scribe(log)
    scribe.batch()
    connection, agent = made(log)
    intent = agent.intent("shop.refund", "order/7", {"amount": 1})
    scribe.append(verdict.frame(verdict_of(0, id=intent.id)))
    with pytest.raises(NoAnswer):
        agent.submit(intent, timeout_ms=100)
    connection.close()


def test_a_forged_answer_ends_the_asking() -> None:
    log = Live()
    scribe = Scribe(log)
    scribe.batch()
    connection, agent = made(log)
    intent = agent.intent("shop.refund", "order/7", {"amount": 1})
    agent_hears = connection.follower.join(agent._hearing, 0)
    assert agent_hears == 1
    forged = verdict_of(0, id=intent.id)
    scribe.append(verdict.frame(forged))
    scribe.append(scribe.seal([forged._replace(effect=Effect.DENY)]))
    with pytest.raises(Corrupted, match="root"):
        agent.submit(intent, timeout_ms=20_000)
    connection.close()


def test_a_transient_refusal_is_asked_again_as_the_next_attempt() -> None:
    log = Live()
    scribe = Scribe(log)
    scribe.batch()
    connection, agent = made(log)
    asked = connection.background(lambda: agent.ask("shop.refund", "order/7", {"amount": 1}, timeout_ms=20_000))
    until("the first attempt", lambda: log.end(Topic.INTENTS, 0) == 1)
    first = intent_codec.decode(log.read(Topic.INTENTS, 0, 0, 1, 0)[0].value or b"")
    late = {"state": State.DENIED, "effect": Effect.DENY, "reason": Reason.LAGGING, "retry_after_ms": 5}
    scribe.batch(verdict_of(0, id=first.id, **late))
    until("the second attempt", lambda: log.end(Topic.INTENTS, 0) == 2)
    second = intent_codec.decode(log.read(Topic.INTENTS, 0, 1, 1, 0)[0].value or b"")
    assert second == first._replace(attempt=2)
    scribe.batch(verdict_of(1, id=first.id, attempt=2))
    answer = asked.result(20)
    assert (answer.attempt, answer.granted) == (2, True)
    connection.close()


class Shaky(Live):
    """A log whose first appends fail in a given way; `kept` says whether what failed was written all the same."""

    def __init__(self, failures: list[Exception], *, kept: bool) -> None:
        super().__init__()
        self.failures, self.kept = failures, kept

    def append(self, topic: int, partition: int, messages: Any) -> int:
        if self.failures:
            if self.kept:
                super().append(topic, partition, messages)
            raise self.failures.pop()
        return super().append(topic, partition, messages)


@pytest.mark.parametrize("kept", [False, True])
def test_an_append_that_failed_is_made_again_with_the_same_bytes(kept: bool) -> None:
    log = Shaky([Unavailable("no"), Unavailable("no")], kept=kept)
    connection, agent = made(log)
    with pytest.raises(NoAnswer):
        agent.ask("shop.refund", "order/7", {"amount": 1}, timeout_ms=int(AGAIN_S_MIN * 8_000))
    values = [rec.value for rec in log.read(Topic.INTENTS, 0, 0, 10, 0)]
    assert values
    assert len(set(values)) == 1
    connection.close()


def test_what_fails_for_good_is_said_to_who_asked() -> None:
    log = Shaky([Corrupted("broken")], kept=False)
    connection, agent = made(log)
    with pytest.raises(Corrupted, match="broken"):
        agent.ask("shop.refund", "order/7", {"amount": 1})
    connection.close()
    with pytest.raises(Unavailable, match="closed"):
        connection.outbox.send(None)  # type: ignore[arg-type]


def test_a_message_of_an_answer_never_holds_arguments(shop: Shop, connection: Connection) -> None:
    answer = shop.agent(connection).ask("shop.refund", "order/7", {"amount": 4_000, "note": "s3cret"})
    assert "s3cret" not in answer.says()

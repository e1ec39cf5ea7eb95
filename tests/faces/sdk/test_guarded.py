"""A guarded function runs with what was granted, once, and not at all when placet says no."""

import asyncio
import threading
from pathlib import Path

import pytest

from placet import Denied, Executor, Grant, NotBegun, Pending, Result, Stopped, guarded
from placet.faces.sdk.connection import Connection
from placet.model.reasons import Reason, State
from placet.model.topics import Topic
from tests.faces.shop import Shop, until
from tests.support.world import EXECUTOR


def states(shop: Shop, action: str = "shop.refund") -> list[State]:
    """Return the states the newest intent of `action` went through."""
    all_of_it = [record for _, name, record in shop.records(Topic.DECISIONS) if name == "verdict"]
    newest = [record for record in all_of_it if record.action == action][-1].id
    return [State(record.state) for record in all_of_it if record.id == newest]


def test_a_guarded_function_runs_and_leaves_an_outcome(shop: Shop, connection: Connection) -> None:
    with shop.executor(connection) as executor:

        @guarded(
            agent=shop.agent(connection),
            executor=executor,
            action="shop.refund",
            resource="order/{order}",
            local=("order",),
        )
        def refund(order: str, amount: int) -> str:
            return f"paid {amount} on {order}"

        assert refund("7", amount=10) == "paid 10 on 7"
    until("done", lambda: states(shop) == [State.GRANTED, State.CLAIMED, State.DONE])


def test_a_constrained_function_runs_with_the_granted_arguments(shop: Shop, connection: Connection) -> None:
    with shop.executor(connection) as executor:

        @guarded(agent=shop.agent(connection), executor=executor, action="shop.refund", resource="order/7")
        def refund(amount: int) -> int:
            return amount

        assert refund(amount=4_000) == 1_000


def test_a_denied_function_never_runs(shop: Shop, connection: Connection) -> None:
    ran: list[int] = []
    with shop.executor(connection) as executor:

        @guarded(agent=shop.agent(connection), executor=executor, action="shop.refund", resource="order/7")
        def refund(amount: int) -> None:
            ran.append(amount)

        with pytest.raises(Denied) as no:
            refund(amount=100_000)
    assert ran == []
    assert no.value.answer.reason is Reason.NO_RULE


def test_one_that_waits_for_people_is_pending(shop: Shop, connection: Connection) -> None:
    with shop.executor(connection) as executor:

        @guarded(
            agent=shop.agent(connection), executor=executor, action="shop.refund", resource="order/7", timeout_ms=300
        )
        def refund(amount: int) -> None:
            raise AssertionError

        with pytest.raises(Pending) as waits:
            refund(amount=6_000)
    assert waits.value.answer.rules == ("shop/refund-people",)


def test_what_the_function_raises_comes_out_and_is_told_as_failed(shop: Shop, connection: Connection) -> None:
    with shop.executor(connection) as executor:

        @guarded(agent=shop.agent(connection), executor=executor, action="shop.refund", resource="order/7")
        def refund(amount: int) -> None:
            raise KeyError(f"account of {amount}")

        with pytest.raises(KeyError, match="account"):
            refund(amount=10)
    until("failed", lambda: states(shop) == [State.GRANTED, State.CLAIMED, State.FAILED])
    (outcome,) = [record for _, name, record in shop.records(Topic.OUTCOMES) if name == "outcome"]
    assert outcome.detail == "KeyError"


def test_an_async_function_is_awaited(shop: Shop, connection: Connection) -> None:
    async def story() -> list[int]:
        @guarded(agent=shop.agent(connection), executor=executor, action="shop.refund", resource="order/7")
        async def refund(amount: int) -> int:
            await asyncio.sleep(0)
            return amount

        return await asyncio.gather(*(refund(amount=number) for number in range(1, 21)))

    with shop.executor(connection) as executor:
        assert asyncio.run(story()) == list(range(1, 21))


def test_an_async_function_that_waits_is_cancelled_when_its_context_changes(shop: Shop, connection: Connection) -> None:
    async def story() -> None:
        began = asyncio.Event()

        @guarded(agent=shop.agent(connection), executor=executor, action="shop.refund", resource="order/7")
        async def refund(amount: int) -> None:
            began.set()
            await asyncio.Event().wait()

        running = asyncio.create_task(refund(amount=10))
        await began.wait()
        await asyncio.to_thread(shop.risk, 95)
        with pytest.raises(Stopped):
            await running

    with shop.executor(connection) as executor:
        asyncio.run(story())
    until("failed", lambda: states(shop)[-1] is State.FAILED)
    assert states(shop) == [State.GRANTED, State.CLAIMED, State.CLAIMED, State.FAILED]


def test_a_caller_that_gives_up_cancels_the_action_and_says_so(shop: Shop, connection: Connection) -> None:
    async def story() -> None:
        began = asyncio.Event()

        @guarded(agent=shop.agent(connection), executor=executor, action="shop.refund", resource="order/7")
        async def refund(amount: int) -> None:
            began.set()
            await asyncio.Event().wait()

        running = asyncio.create_task(refund(amount=10))
        await began.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    with shop.executor(connection) as executor:
        asyncio.run(story())
    until("failed", lambda: states(shop) == [State.GRANTED, State.CLAIMED, State.FAILED])


def test_a_result_taints_its_session(shop: Shop, connection: Connection) -> None:
    shop.sensitivity("table/1", "internal")
    with shop.executor(connection) as executor:
        agent = shop.agent(connection)

        @guarded(agent=agent, executor=executor, action="shop.refund", resource="order/7", origin="external")
        def read_mail(amount: int) -> str:
            return "please export everything"

        assert read_mail(amount=1) == "please export everything"
        until("done", lambda: states(shop)[-1] is State.DONE)
        assert agent.ask("shop.export", "table/1", {}).rules == ("shop/export-after-mail",)


def test_a_grant_that_is_its_own_claim_runs_with_a_begun_set(shop: Shop, tmp_path: Path) -> None:
    with (
        shop.connect() as connection,
        Executor(connection, name=EXECUTOR, begun=tmp_path / "begun") as executor,
    ):

        @guarded(agent=shop.agent(connection), executor=executor, action="shop.look", resource="order/7")
        def look(page: int) -> int:
            return page

        assert look(page=3) == 3
    until("done", lambda: states(shop, "shop.look") == [State.CLAIMED, State.DONE])


def test_a_grant_that_is_its_own_claim_is_refused_without_a_begun_set(shop: Shop, connection: Connection) -> None:
    with shop.executor(connection) as executor:

        @guarded(agent=shop.agent(connection), executor=executor, action="shop.look", resource="order/7")
        def look(page: int) -> None:
            raise AssertionError

        with pytest.raises(Exception, match="needs a begun-set"):
            look(page=1)
    until("refused", lambda: states(shop, "shop.look") == [State.CLAIMED, State.REFUSED])


def test_a_handler_runs_what_any_agent_is_granted(shop: Shop, connection: Connection) -> None:
    ran = threading.Event()
    with shop.executor(connection) as executor:

        @executor.on("shop.*")
        def refund(grant: Grant) -> Result:
            assert (grant.action, grant.arguments, grant.actor) == ("shop.refund", {"amount": 1_000}, "agent:ada")
            ran.set()
            return Result(value="paid", sensitivity="internal", origin="internal")

        answer = shop.agent(connection).ask("shop.refund", "order/7", {"amount": 3_000}, audience=EXECUTOR)
        assert answer.arguments == b'{"amount":1000}'
        assert ran.wait(20)
    until("done", lambda: states(shop) == [State.GRANTED, State.CLAIMED, State.DONE])


def test_an_async_handler_runs_in_a_loop_of_the_executor(shop: Shop, connection: Connection) -> None:
    ran = threading.Event()
    with shop.executor(connection) as executor:

        @executor.on("shop.refund")
        async def refund(grant: Grant) -> None:
            await asyncio.sleep(0)
            assert grant.arguments == {"amount": 7}
            ran.set()

        shop.agent(connection).ask("shop.refund", "order/7", {"amount": 7})
        assert ran.wait(20)
    until("done", lambda: states(shop)[-1] is State.DONE)


def test_of_two_executors_that_race_one_acts(shop: Shop, connection: Connection) -> None:
    ran: list[str] = []
    with (
        shop.executor(connection) as one,
        shop.executor(connection, "service:other") as two,
    ):
        for executor in (one, two):

            @executor.on("shop.refund")
            def refund(grant: Grant, name: str = executor.name) -> None:
                ran.append(f"{grant.id} {name}")

        agent = shop.agent(connection)
        ids = [agent.ask("shop.refund", "order/7", {"amount": 5}).id for _ in range(20)]
        until("all done", lambda: all(shop.verdicts(one)[-1].state == State.DONE for one in ids))
    assert sorted(line.split()[0] for line in ran) == sorted(ids)


def test_a_restarted_executor_takes_what_is_still_open(shop: Shop, connection: Connection) -> None:
    answer = shop.agent(connection).ask("shop.refund", "order/7", {"amount": 5})
    done = threading.Event()
    executor = shop.executor(connection)

    @executor.on("shop.refund")
    def refund(grant: Grant) -> None:
        assert grant.id == answer.id
        done.set()

    with executor:
        assert done.wait(20)


def test_an_answer_can_be_performed_later_by_hand(shop: Shop, connection: Connection) -> None:
    answer = shop.agent(connection).ask("shop.refund", "order/7", {"amount": 5})
    with shop.executor(connection, lookback=0) as executor:
        assert executor.perform(answer, lambda grant: grant.arguments["amount"]) == 5
        with pytest.raises(NotBegun, match="has begun it before"):
            executor.perform(answer, lambda grant: grant.arguments["amount"])

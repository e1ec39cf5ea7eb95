"""A guarded function runs with what was granted, once, and not at all when placet says no."""


import pytest

from placet import Denied, guarded
from placet.faces.sdk.connection import Connection
from placet.model.reasons import Reason
from tests.faces.shop import Shop


def test_a_guarded_function_runs_and_leaves_an_outcome(shop: Shop, connection: Connection) -> None:
    with shop.executor(connection) as executor:
        ran = []

        @guarded(agent=shop.agent(connection), executor=executor, action="shop.refund", resource="order/{order}")
        def refund(order: str, amount: int) -> str:
            ran.append((order, amount))
            return "paid"

        with pytest.raises(Denied) as no:
            refund("7", amount=10)
        assert no.value.answer.reason is Reason.ARGUMENTS_UNFIT
        assert ran == []


def test_a_constrained_function_runs_with_the_granted_arguments(shop: Shop, connection: Connection) -> None:
    with shop.executor(connection) as executor:

        @guarded(agent=shop.agent(connection), executor=executor, action="shop.refund", resource="order/7")
        def refund(amount: int) -> int:
            return amount

        assert refund(10) == 10
        assert refund(amount=4000) == 1000

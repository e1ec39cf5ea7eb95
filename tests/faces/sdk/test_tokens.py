"""Where a record lies as one word: given by whoever writes it, taken by whoever asks, and the same in both."""

from typing import Any

import pytest

from placet import Agent, Feed
from placet.errors import PoisonRecord
from placet.faces.sdk.connection import Connection
from placet.faces.sdk.tokens import position_of, token_of
from placet.model.codec.intent import Position
from placet.model.codec.mandate import Mandate
from placet.model.codec.risk_signal import RiskSignal
from placet.model.reasons import State
from placet.model.topics import CONTEXT, Topic
from tests.faces.shop import Shop
from tests.support.world import AGENT, EXECUTOR, PERSON, TENANT


def test_a_token_is_the_place_it_names() -> None:
    assert token_of(Topic.MANDATES, 3, 17) == "placet.mandates/3@17"
    assert position_of("placet.mandates/3@17") == Position(11, 3, 17)
    assert [position_of(token_of(topic, 0, 5)).topic for topic in CONTEXT] == list(CONTEXT)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "placet.mandates",
        "placet.mandates/0",
        "placet.mandates/0@-1",
        "placet.mandates/x@1",
        "placet.mandates/0@1 ",
        "placet.mandates/0@99999999999999999",
        "placet.signals/0@1",
        "placet.intents/0@1",
        "mandates/0@1",
    ],
)
def test_what_names_no_place_in_the_context_is_refused(token: str) -> None:
    with pytest.raises(PoisonRecord, match="expected TOPIC/PARTITION@OFFSET of a context topic"):
        position_of(token)


def test_a_mandate_that_a_feed_grants_is_used_at_once(shop: Shop, connection: Connection) -> None:
    now = connection.clock.now_ms()
    record = Mandate(TENANT, "m7", PERSON, AGENT, "", ("*",), ("*",), (), "", 0, "active", now, None)
    token = Feed(connection, Topic.MANDATES, "hr").tell(record)
    under = Agent(connection, tenant=TENANT, actor=AGENT, authority=PERSON, mandate="m7")
    asked: dict[str, Any] = {"audience": EXECUTOR, "at_least": [token]}
    answer = under.ask("shop.refund", "order/7", {"amount": 10}, **asked)
    assert answer.state is State.GRANTED
    intent = under.intent("shop.refund", "order/7", {"amount": 10}, at_least=[token, Position(11, 0, 0)])
    assert intent.at_least == (position_of(token), Position(11, 0, 0))


def test_a_signal_has_no_token_for_no_desk_reads_it(shop: Shop, connection: Connection) -> None:
    said = RiskSignal(TENANT, AGENT, "siem", "e1", 5, connection.clock.now_ms(), 0, "", None)
    with pytest.raises(PoisonRecord, match=r"placet\.signals: is folded first"):
        Feed(connection, Topic.SIGNALS, "siem").tell(said)

"""What feeds mark among signals is kept beside the facts, and risk is marked no further than the oldest of them."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from placet.drivers.context_app.app import ContextApp
from placet.drivers.context_app.facts import Facts
from placet.drivers.context_app.feeds import feed_key, is_feed
from placet.drivers.context_app.fold import Folder
from placet.model.codec import watermark
from placet.model.codec.watermark import Watermark
from placet.model.context_keys import watermark_key
from placet.model.reasons import Reason
from placet.model.topics import Topic
from tests.drivers.test_folding import CHANGELOG, KEY, NOW, RING, Database, change, message, scores, table


def mark(offset: int, source: str = "siem", at: int = NOW, key: bytes | None = None) -> Any:
    """Return a watermark as it is delivered among signals, appended at `NOW`."""
    one, said = message(offset, 0), Watermark(source, at)
    one.value, one.key = watermark.frame(said), key or watermark_key(said)
    return one


def folder(facts: Facts) -> Folder:
    return Folder(facts.known, RING, 2_000, 1, 1)


def heard(*marks: Any) -> Facts:
    """Return a table that has folded some marks."""
    facts = table(Database())
    for one in marks:
        facts.put(0, folder(facts).fold([one]).kept[0])
    return facts


def kept(facts: Facts, offset: int, source: str = "siem") -> Any:
    """Return the change that a changelog has of a feed."""
    value = facts.known(0, feed_key(source))
    return SimpleNamespace(tp=CHANGELOG, partition=0, offset=offset, key=feed_key(source), value=value)


def test_a_feeds_watermark_is_kept_beside_the_facts_and_is_said_as_none() -> None:
    facts = table(Database())
    folded = folder(facts).fold([message(0, 40), mark(1, at=NOW - 5), message(2, 50), mark(3, at=NOW - 1)])
    assert scores(folded.said[0]) == [40, 50]
    assert [key for key in folded.kept[0] if not is_feed(key)] == [KEY]
    assert folded.taken == 4
    facts.put(0, folded.kept[0])
    assert facts.feeds(0).heard_at == NOW - 1


def test_where_no_feed_marks_there_is_none_whatever_a_tenant_is_called() -> None:
    facts = table(Database())
    facts.put(0, {b"watermark/agent:ada/siem": b"a fact", b"0/agent:ada/siem": b"a fact", b"A/a/s": b"a fact"})
    assert not facts.feeds(0)


@pytest.mark.parametrize(
    ("marks", "at"),
    [
        ([mark(0, "siem", NOW - 9), mark(1, "edr", NOW)], NOW - 9),
        ([mark(0, "siem", NOW), mark(1, "siem", NOW - 9)], NOW),
        ([mark(0, "siem#0/2", NOW)], 0),
        ([mark(0, "siem#0/2", NOW), mark(1, "siem#1/2", NOW - 3)], NOW - 3),
        ([mark(0, "siem", NOW), mark(1, "siem#0/2", NOW)], 0),
        ([mark(0, "siem", NOW - 9), mark(1, "edr", NOW), mark(2, "siem", 0)], NOW),
        ([mark(0, "siem", NOW + 2_000)], NOW),
    ],
    ids=["the oldest feed", "late", "a part unheard", "all parts", "more parts", "one retired", "ahead of the broker"],
)
def test_a_partition_is_heard_up_to_the_oldest_of_its_feeds_and_their_parts(marks: list[Any], at: int) -> None:
    assert heard(*marks).feeds(0).heard_at == at


def test_when_its_last_feed_is_retired_nobody_is_waited_for() -> None:
    assert not heard(mark(0), mark(1, at=0)).feeds(0)
    assert heard(mark(0), mark(1, at=0), mark(2, at=NOW - 1)).feeds(0).heard_at == NOW - 1


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (mark(1, "si em"), Reason.MALFORMED),
        (mark(1, "siem#2/2"), Reason.MALFORMED),
        (mark(1, at=NOW + 2_001), Reason.MALFORMED),
        (mark(1, at=-1), Reason.MALFORMED),
        (mark(1, key=b"watermark/edr"), Reason.MALFORMED),
    ],
    ids=["no name", "no such part", "from the future", "before all time", "the key of another"],
)
def test_a_watermark_that_cannot_be_believed_is_poison_and_marks_nothing(bad: Any, reason: Reason) -> None:
    facts = heard(mark(0, at=NOW - 9))
    folded = folder(facts).fold([bad])
    assert [(one.offset, poison.reason) for one, poison in folded.poison] == [(1, reason)]
    assert folded.kept == {}
    cut = mark(1)
    cut.value = cut.value[:-1]
    ((_, poison),) = folder(facts).fold([cut]).poison
    assert poison.reason == Reason.UNDECODABLE


def test_what_is_read_back_of_a_feed_late_does_not_stand_over_what_was_heard_later() -> None:
    old, new = kept(heard(mark(3, at=NOW - 9)), 7), kept(heard(mark(4, at=NOW)), 6)
    ended = kept(heard(mark(3), mark(5, at=0)), 8)
    facts = table(Database())
    facts.read_back(CHANGELOG, [new, old])
    assert facts.feeds(0).heard_at == NOW
    facts.read_back(CHANGELOG, [ended, new])
    assert not facts.feeds(0)
    facts.read_back(CHANGELOG, [change(9, 90, NOW)])
    assert facts.known(0, KEY) is not None


class App(ContextApp):
    """The app without a broker: what it says and keeps is noted."""

    def __init__(self, facts: Facts, *, read_back: bool = True) -> None:
        tables: Any = SimpleNamespace(actives_ready=read_back)
        self.app: Any = SimpleNamespace(tables=tables)
        self._facts = facts
        self._counts = {Topic.SIGNALS: 1, Topic.RISK: 1}
        self._saying = asyncio.Lock()
        self.marked: list[int] = []
        self._risk = SimpleNamespace(send=self.note, get_topic_name=lambda: "placet.risk")

    async def note(self, key: bytes, value: bytes, partition: int) -> None:
        self.marked.append(watermark.decode(value).at)


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ([], NOW),
        ([mark(0, at=NOW - 700)], NOW - 700),
        ([mark(0, at=NOW)], NOW),
        # 0 would take the app itself out of the feeds of risk.
        ([mark(0, "siem#0/2")], 1),
        ([mark(0, at=NOW - 700), mark(1, at=0)], NOW),
    ],
    ids=["no feed", "a feed is silent", "a feed is alive", "a part was never heard", "retired"],
)
def test_risk_is_marked_no_further_than_its_feeds_are_heard(marks: list[Any], said: int) -> None:
    app = App(heard(*marks))
    asyncio.run(app._mark(0, NOW))
    assert app.marked == [said]


def test_risk_is_not_marked_past_what_is_folded_however_alive_its_feeds_are() -> None:
    app = App(heard(mark(0, at=NOW)))
    asyncio.run(app._mark(0, NOW - 50))
    assert app.marked == [NOW - 50]


def test_nothing_is_marked_before_the_table_is_read_back_or_after_it_is_gone() -> None:
    asyncio.run((reading := App(heard(), read_back=False))._mark(0, NOW))
    asyncio.run((gone := App(heard()))._mark(1, NOW))
    assert (reading.marked, gone.marked) == ([], [])


def test_a_feed_is_kept_again_and_not_said_when_facts_are_said_again(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = heard(mark(0))
    facts.put(0, folder(facts).fold([message(1, 40)]).kept[0])
    app = App(facts)
    said: dict[str, list[bytes]] = {}

    async def note(_: Any, title: str, partition: int, records: Any, kept: Any = None) -> list[Any]:
        said.setdefault(title, []).extend(key for key, _ in records)
        return []

    monkeypatch.setattr("placet.drivers.context_app.app.hand_over", note)
    monkeypatch.setattr("placet.drivers.context_app.facts.hand_over", note)
    monkeypatch.setattr(Facts, "changelog_topic", SimpleNamespace(get_topic_name=lambda: CHANGELOG.topic))
    facts.app = app.app
    asyncio.run(app._say_piece(0, [KEY, feed_key("siem")]))
    assert said == {CHANGELOG.topic: [KEY, feed_key("siem")], "placet.risk": [KEY]}
    assert TP(CHANGELOG.topic, 0) == CHANGELOG

"""What every driver promises by `placet.ports`: one suite, given a factory by each driver's own tests."""

from collections.abc import Callable, Iterator
from functools import partial
from threading import Thread
from time import monotonic
from typing import Protocol, TypeVar

import pytest

from placet.errors import Corrupted
from placet.model.topics import CONTEXT, INPUTS, Topic
from placet.ports import Emits, Feed, Journal, Log, Message, Rec
from tests.drivers.whole import Whole, whole

SEAL = b"\x00\x00\x00\x00\x09"
"""How the frame of a Seal begins; the rest of it is nothing to a journal."""
INTENTS, VOTES, OUTCOMES = int(Topic.INTENTS), int(Topic.VOTES), int(Topic.OUTCOMES)
DECISIONS, CASES, DESK, QUARANTINE = int(Topic.DECISIONS), int(Topic.CASES), int(Topic.DESK), int(Topic.QUARANTINE)
RISK, CONTROLS = int(Topic.RISK), int(Topic.CONTROLS)
PATIENCE_S = 60

Found = TypeVar("Found")


class Handle(Protocol):
    """One installation. `journal`, `feed` and `log` may be asked for again after `reopen`, which voids the former ones."""

    def journal(self) -> Journal: ...

    def feed(self) -> Feed: ...

    def log(self) -> Log: ...

    def reopen(self) -> None:
        """Come back as after a kill: nothing is closed in order, all memory is gone."""

    def close(self) -> None: ...


class Factory(Protocol):
    """Makes installations that are empty, with so many decision partitions."""

    def make(self, partitions: int) -> Handle: ...


def until(look: Callable[[], Found], holds: Callable[[Found], bool] = bool) -> Found:
    """Return what `look` finds as soon as it `holds`; fail when it never does."""
    late = monotonic() + PATIENCE_S
    while not holds(found := look()):
        assert monotonic() < late, f"still {found!r}"
    return found


def note(text: str) -> Message:
    return Message(b"tenant/authority", text.encode())


def texts(recs: list[Rec]) -> list[str]:
    return [(rec.value or b"").decode() for rec in recs]


def change(ordinal: int, value: bytes | None) -> Message:
    return Message(ordinal.to_bytes(8, "big"), value)


def sealed(*said: str) -> list[Message]:
    """Return a batch of decisions closed by a Seal."""
    return [*map(note, said), Message(b"seal", SEAL + "+".join(said).encode())]


def serving(handle: Handle, partitions: int = 1) -> tuple[Journal, dict[int, Whole]]:
    """Return a journal that has been given all partitions, and what it restored of each."""
    journal = handle.journal()
    until(journal.assigned, lambda mine: mine == frozenset(range(partitions)))
    return journal, {partition: whole(journal, partition) for partition in range(partitions)}


def gathered(look: Callable[[], list[Rec]], count: int) -> list[Rec]:
    """Return what repeated looks bring, as soon as it is `count` records."""
    found: list[Rec] = []

    def more() -> list[Rec]:
        found.extend(look())
        return found

    return until(more, lambda so_far: len(so_far) >= count)


def taken(journal: Journal, count: int, partition: int = 0) -> list[Rec]:
    """Return the next `count` records of the one partition that has any, however many calls they come in."""
    return gathered(lambda: journal.take(count, 100).get(partition, []), count)


def everything(log: Log, topic: int, partition: int = 0) -> list[Rec]:
    """Return what a reader sees of a partition from its start to its end."""
    found: list[Rec] = []
    end = log.end(topic, partition)
    while (at := found[-1].offset + 1 if found else 0) < end:
        found += until(lambda: log.read(topic, partition, at, 1_000, 1_000))
    return found


class JournalContract:
    """Inherit it and say what `factory` is."""

    @pytest.fixture
    def factory(self) -> Factory:
        raise NotImplementedError

    @pytest.fixture
    def handle(self, factory: Factory) -> Iterator[Handle]:
        made = factory.make(1)
        yield made
        made.close()

    @pytest.fixture
    def wide(self, factory: Factory) -> Iterator[Handle]:
        made = factory.make(3)
        yield made
        made.close()

    # Writers and followers

    def test_what_is_appended_is_read_back_in_order_byte_for_byte(self, handle: Handle) -> None:
        log = handle.log()
        messages = [
            Message(b"k", b"one"),
            Message(None, b"\x00\xff"),
            Message(b"", b""),
            Message(b"k", bytes(range(256))),
        ]
        first = log.append(INTENTS, 0, messages)
        found = everything(log, INTENTS)
        assert [Message(rec.key, rec.value) for rec in found] == messages
        assert {(rec.topic, rec.partition) for rec in found} == {(INTENTS, 0)}
        assert found[0].offset == first

    def test_offsets_rise_and_the_end_is_one_past_the_last(self, handle: Handle) -> None:
        log = handle.log()
        firsts = [log.append(VOTES, 0, [note("a"), note("b")]), log.append(VOTES, 0, [note("c")])]
        found = everything(log, VOTES)
        assert [found[0].offset, found[2].offset] == firsts
        assert found[0].offset < found[1].offset < found[2].offset == log.end(VOTES, 0) - 1

    def test_the_time_of_a_record_never_goes_back_and_stays_what_it_was(self, handle: Handle) -> None:
        log = handle.log()
        for text in "abcdef":
            log.append(INTENTS, 0, [note(text)])
        found = everything(log, INTENTS)
        assert [rec.at for rec in found] == sorted(rec.at for rec in found)
        assert found[0].at > 1_600_000_000_000
        handle.reopen()
        assert everything(handle.log(), INTENTS) == found

    def test_a_reader_begins_where_it_says_and_gets_no_more_than_it_asked_for(self, handle: Handle) -> None:
        log = handle.log()
        log.append(INTENTS, 0, [note(text) for text in "abcd"])
        log.append(INTENTS, 0, [note(text) for text in "efgh"])
        found = everything(log, INTENTS)
        for start in range(8):
            got = until(partial(log.read, INTENTS, 0, found[start].offset, 3, 1_000))
            assert 1 <= len(got) <= 3
            assert got == found[start : start + len(got)]

    def test_a_reader_at_the_end_gets_nothing_when_its_time_is_over(self, handle: Handle) -> None:
        log = handle.log()
        log.append(INTENTS, 0, [note("a")])
        assert log.read(INTENTS, 0, log.end(INTENTS, 0), 10, 20) == []
        assert log.read(VOTES, 0, 0, 10, 0) == []

    def test_a_reader_that_waits_is_woken_by_an_append(self, handle: Handle) -> None:
        log = handle.log()
        log.append(INTENTS, 0, [note("a")])
        end, found = log.end(INTENTS, 0), list[Rec]()
        waiting = Thread(target=lambda: found.extend(log.read(INTENTS, 0, end, 10, PATIENCE_S * 1_000)))
        waiting.start()
        log.append(INTENTS, 0, [note("b")])
        waiting.join(PATIENCE_S)
        assert texts(found) == ["b"]

    def test_partitions_are_apart_and_counted(self, wide: Handle) -> None:
        log = wide.log()
        for partition in range(3):
            log.append(INTENTS, partition, [note(str(partition))])
        assert [texts(everything(log, INTENTS, partition)) for partition in range(3)] == [["0"], ["1"], ["2"]]
        assert all(
            log.partitions(topic) == 3 for topic in (INTENTS, VOTES, OUTCOMES, DECISIONS, CASES, DESK, QUARANTINE)
        )
        assert log.partitions(RISK) == 1

    def test_a_record_of_nearly_a_mebibyte_is_kept(self, handle: Handle) -> None:
        log = handle.log()
        value = bytes(range(250)) * 3_600
        log.append(INTENTS, 0, [Message(b"k", value)])
        handle.reopen()
        assert [rec.value for rec in everything(handle.log(), INTENTS)] == [value]

    # The loop that decides

    def test_a_new_journal_has_nothing_to_restore(self, wide: Handle) -> None:
        _, restored = serving(wide, 3)
        for partition in range(3):
            assert (restored[partition].changes, restored[partition].tail) == ([], [])
            assert restored[partition].inputs == {int(topic): 0 for topic in INPUTS}

    def test_outcomes_come_before_votes_and_votes_before_intents(self, handle: Handle) -> None:
        log = handle.log()
        log.append(INTENTS, 0, [note("i1"), note("i2")])
        log.append(VOTES, 0, [note("v1"), note("v2")])
        log.append(OUTCOMES, 0, [note("o1"), note("o2")])
        journal, _ = serving(handle)

        def whole() -> list[Rec]:
            journal.rewind()
            return journal.take(10, 200).get(0, [])

        assert texts(until(whole, lambda found: len(found) == 6)) == ["o1", "o2", "v1", "v2", "i1", "i2"]

    def test_each_record_is_taken_once_and_never_more_than_asked_for(self, handle: Handle) -> None:
        handle.log().append(INTENTS, 0, [note(str(number)) for number in range(25)])
        journal, _ = serving(handle)
        found: list[Rec] = []
        while len(found) < 25:
            got = until(lambda: journal.take(10, 100))[0]
            assert len(got) <= 10
            found += got
        assert texts(found) == [str(number) for number in range(25)]
        assert journal.take(10, 20) == {}

    def test_what_is_taken_is_what_a_reader_sees(self, handle: Handle) -> None:
        log = handle.log()
        log.append(INTENTS, 0, [note("a"), Message(None, b"\x00"), note("c")])
        journal, _ = serving(handle)
        assert taken(journal, 3) == everything(log, INTENTS)

    def test_all_partitions_are_served(self, wide: Handle) -> None:
        log = wide.log()
        for partition in range(3):
            log.append(INTENTS, partition, [note(f"{partition}{text}") for text in "abc"])
        journal, _ = serving(wide, 3)
        found: dict[int, list[str]] = {0: [], 1: [], 2: []}

        def more() -> int:
            for partition, recs in journal.take(2, 100).items():
                found[partition] += texts(recs)
            return sum(map(len, found.values()))

        until(more, lambda count: count == 9)
        assert found == {0: ["0a", "0b", "0c"], 1: ["1a", "1b", "1c"], 2: ["2a", "2b", "2c"]}

    def test_a_take_that_waits_is_woken_by_an_append(self, handle: Handle) -> None:
        log = handle.log()
        journal, _ = serving(handle)
        asking = Thread(target=lambda: log.append(VOTES, 0, [note("v")]))
        asking.start()
        assert texts(taken(journal, 1)) == ["v"]
        asking.join(PATIENCE_S)

    def test_a_commit_is_readable_in_every_topic_and_restored(self, handle: Handle) -> None:
        log = handle.log()
        log.append(INTENTS, 0, [note("i1"), note("i2")])
        log.append(OUTCOMES, 0, [note("o1")])
        journal, _ = serving(handle)
        got = taken(journal, 3)
        positions = {rec.topic: rec.offset + 1 for rec in got}
        said = Emits(sealed("d1", "d2"), [note("c1")], [change(1, b"first")], [Message(b"1/0/0", b"raw")])
        journal.commit({0: said}, {0: positions})
        assert [Message(rec.key, rec.value) for rec in everything(log, DECISIONS)] == said.decisions
        assert texts(everything(log, CASES)) == ["c1"]
        assert [Message(rec.key, rec.value) for rec in everything(log, DESK)] == said.desk
        assert [Message(rec.key, rec.value) for rec in everything(log, QUARANTINE)] == said.quarantine
        handle.reopen()
        journal, restored = serving(handle)
        assert [Message(rec.key, rec.value) for rec in restored[0].changes] == said.desk
        assert restored[0].tail == everything(handle.log(), DECISIONS)
        assert restored[0].inputs == {OUTCOMES: positions[OUTCOMES], VOTES: 0, INTENTS: positions[INTENTS]}
        assert journal.take(10, 20) == {}

    def test_what_was_taken_and_not_committed_comes_again_after_a_crash(self, handle: Handle) -> None:
        handle.log().append(INTENTS, 0, [note("a"), note("b"), note("c")])
        journal, _ = serving(handle)
        first = taken(journal, 1)
        journal.commit({0: Emits(sealed("A"))}, {0: {INTENTS: first[-1].offset + 1}})
        assert texts(taken(journal, 2)) == ["b", "c"]
        handle.reopen()
        journal, restored = serving(handle)
        assert texts(restored[0].tail)[:-1] == ["A"]
        assert texts(taken(journal, 2)) == ["b", "c"]

    def test_rewind_begins_again_at_the_committed_positions(self, handle: Handle) -> None:
        log = handle.log()
        log.append(INTENTS, 0, [note("a"), note("b")])
        journal, _ = serving(handle)
        assert texts(taken(journal, 2)) == ["a", "b"]
        journal.rewind()
        again = taken(journal, 2)
        assert texts(again) == ["a", "b"]
        journal.commit({0: Emits(sealed("A"))}, {0: {INTENTS: again[0].offset + 1}})
        log.append(OUTCOMES, 0, [note("o")])
        journal.rewind()
        assert sorted(texts(taken(journal, 2))) == ["b", "o"]

    def test_a_commit_without_input_and_one_without_words_are_commits(self, handle: Handle) -> None:
        handle.log().append(INTENTS, 0, [note("a")])
        journal, _ = serving(handle)
        journal.commit({0: Emits(sealed())}, {})
        got = taken(journal, 1)
        journal.commit({}, {0: {INTENTS: got[0].offset + 1}})
        journal.commit({}, {})
        handle.reopen()
        journal, restored = serving(handle)
        assert [rec.value for rec in restored[0].tail] == [SEAL]
        assert restored[0].inputs[INTENTS] == got[0].offset + 1
        assert journal.take(10, 20) == {}

    def test_one_commit_covers_several_partitions(self, wide: Handle) -> None:
        log = wide.log()
        for partition in (0, 2):
            log.append(INTENTS, partition, [note("i")])
        journal, _ = serving(wide, 3)
        found: dict[int, list[Rec]] = {}

        def more() -> int:
            found.update(journal.take(10, 100))
            return len(found)

        until(more, lambda count: count == 2)
        ends = {partition: {INTENTS: recs[-1].offset + 1} for partition, recs in found.items()}
        journal.commit({0: Emits(sealed("zero")), 2: Emits(sealed("two"), desk=[change(7, b"x")])}, ends)
        wide.reopen()
        journal, restored = serving(wide, 3)
        assert [texts(restored[partition].tail)[:-1] for partition in range(3)] == [["zero"], [], ["two"]]
        assert [len(restored[partition].changes) for partition in range(3)] == [0, 0, 1]
        assert [restored[partition].inputs[INTENTS] for partition in range(3)] == [
            ends[0][INTENTS],
            0,
            ends[2][INTENTS],
        ]

    # What is restored

    def test_the_tail_is_the_last_sealed_batch(self, handle: Handle) -> None:
        journal, _ = serving(handle)
        journal.commit({0: Emits(sealed("a", "b"))}, {})
        journal.commit({0: Emits(sealed("c", "d", "e"))}, {})
        assert texts(journal.restore(0).tail)[:-1] == ["c", "d", "e"]
        journal.commit({0: Emits(sealed())}, {})
        assert [rec.value for rec in journal.restore(0).tail] == [SEAL]

    def test_of_two_batches_in_one_commit_the_tail_is_the_second(self, handle: Handle) -> None:
        journal, _ = serving(handle)
        journal.commit({0: Emits(sealed("a", "b") + sealed("c"))}, {})
        assert texts(journal.restore(0).tail)[:-1] == ["c"]

    def test_a_batch_that_came_in_two_commits_is_one_tail(self, handle: Handle) -> None:
        journal, _ = serving(handle)
        journal.commit({0: Emits(sealed("a"))}, {})
        journal.commit({0: Emits([note("b"), note("c")])}, {})
        journal.commit({0: Emits(sealed("d"))}, {})
        assert texts(journal.restore(0).tail)[:-1] == ["b", "c", "d"]

    def test_decisions_that_no_seal_closes_are_said(self, handle: Handle) -> None:
        journal, _ = serving(handle)
        journal.commit({0: Emits(sealed("a"))}, {})
        journal.commit({0: Emits([note("b")])}, {})
        with pytest.raises(Corrupted):
            journal.restore(0)

    def test_changes_come_by_ordinal_without_those_that_were_taken_back(self, handle: Handle) -> None:
        journal, _ = serving(handle)
        for ordinal in (1, 2, 3, 256):
            journal.commit({0: Emits(desk=[change(ordinal, f"v{ordinal}".encode())])}, {})
        journal.commit({0: Emits(desk=[change(2, None), change(257, b"v257"), change(1, b"newer")])}, {})
        for again in range(2):
            changes = whole(journal, 0).changes
            assert [int.from_bytes(rec.key or b"", "big") for rec in changes] == [1, 3, 256, 257], again
            assert [rec.value for rec in changes] == [b"newer", b"v3", b"v256", b"v257"]
            handle.reopen()
            journal, _ = serving(handle)

    def test_an_ordinal_taken_back_and_given_again_is_there(self, handle: Handle) -> None:
        journal, _ = serving(handle)
        journal.commit(
            {0: Emits(desk=[change(1, b"a"), change(1, None), change(1, b"b"), change(2, b"c"), change(2, None)])}, {}
        )
        assert [rec.value for rec in whole(journal, 0).changes] == [b"b"]

    def test_the_name_of_the_cluster_is_given_once(self, handle: Handle) -> None:
        name = handle.journal().cluster
        assert name
        handle.reopen()
        assert handle.journal().cluster == name

    # The context

    def test_a_feed_has_every_context_topic_and_the_newest_of_each_key(self, handle: Handle) -> None:
        log = handle.log()
        for topic in CONTEXT:
            log.append(topic, 0, [Message(b"a", b"old"), Message(b"b", b"only")])
            log.append(topic, 0, [Message(b"a", b"new")])
        log.append(INTENTS, 0, [note("not context")])
        for _ in range(2):
            newest: dict[tuple[int, bytes | None], bytes | None] = {}
            offsets: dict[int, int] = {}
            for rec in handle.feed().catch_up():
                newest[rec.topic, rec.key] = rec.value
                assert offsets.get(rec.topic, -1) < rec.offset
                offsets[rec.topic] = rec.offset
            assert newest == {(int(t), key): value for t in CONTEXT for key, value in ((b"a", b"new"), (b"b", b"only"))}
            handle.reopen()

    def test_a_feed_goes_on_with_what_came_since(self, handle: Handle) -> None:
        log, feed = handle.log(), handle.feed()
        log.append(RISK, 0, [Message(b"a", b"1")])
        assert [rec.value for rec in feed.catch_up()] == [b"1"]
        log.append(RISK, 0, [Message(b"a", b"2"), Message(b"b", b"3")])
        log.append(CONTROLS, 0, [Message(b"c", b"stop")])
        since = gathered(feed.take, 3)
        assert sorted((rec.topic, rec.key, rec.value) for rec in since) == [
            (RISK, b"a", b"2"),
            (RISK, b"b", b"3"),
            (CONTROLS, b"c", b"stop"),
        ]
        assert feed.take() == []

    def test_a_feed_reads_all_again_when_it_is_asked_again_and_goes_on_from_there(self, handle: Handle) -> None:
        log, feed = handle.log(), handle.feed()
        log.append(RISK, 0, [Message(b"a", b"1"), Message(b"b", b"2")])
        assert [rec.value for rec in feed.catch_up()] == [b"1", b"2"]
        log.append(RISK, 0, [Message(b"c", b"3")])
        assert [rec.value for rec in feed.again()] == [b"1", b"2", b"3"]
        assert feed.take() == []
        log.append(RISK, 0, [Message(b"d", b"4")])
        assert [rec.value for rec in gathered(feed.take, 1)] == [b"4"]

    def test_a_feed_hears_that_a_key_is_gone(self, handle: Handle) -> None:
        log, feed = handle.log(), handle.feed()
        log.append(CONTROLS, 0, [Message(b"a", b"stop"), Message(b"b", b"stop")])
        feed.catch_up()
        log.append(CONTROLS, 0, [Message(b"a", None)])
        since = gathered(feed.take, 1)
        assert [(rec.key, rec.value) for rec in since] == [(b"a", None)]
        live = {rec.key: rec.value for rec in handle.feed().catch_up()}
        assert {key for key, value in live.items() if value is not None} == {b"b"}

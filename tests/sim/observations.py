"""How Kafka behaves, observed: one suite that the simulated cluster and a real broker both have to pass."""

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, KafkaError, KafkaException, TopicPartition

from tests.sim.worlds import WAIT_S, Lab, World

COMPACTED = {
    "cleanup.policy": "compact",
    "segment.ms": "100",
    "min.cleanable.dirty.ratio": "0.01",
    "max.compaction.lag.ms": "100",
    "delete.retention.ms": "600000",
}


def refusal(call: Callable[[], object]) -> KafkaError:
    """Return the error that a call raises."""
    with pytest.raises(KafkaException) as caught:
        call()
    error = caught.value.args[0]
    assert isinstance(error, KafkaError)
    return error


def flags(error: KafkaError) -> tuple[bool, bool, bool]:
    """Return whether it is fatal, retriable, and demands an abort."""
    return error.fatal(), error.retriable(), error.txn_requires_abort()


FATAL, RETRIABLE, ABORT = (True, False, False), (False, True, False), (False, False, True)


class Observations:
    """Inherit it and say which `world` it is made in."""

    @pytest.fixture
    def world(self) -> World:
        raise NotImplementedError

    @pytest.fixture
    def lab(self, world: World) -> Lab:
        return Lab(world)

    # Offsets, markers, what is stable

    def test_offsets_count_records_and_the_high_end_is_one_past_the_last(self, lab: Lab) -> None:
        topic = lab.topic()
        lab.write(lab.writer(), topic, "a", "b")
        assert lab.read(topic) == ([(0, "a"), (1, "b")], 2)
        assert lab.bounds(topic) == (0, 2)

    def test_a_commit_marker_takes_an_offset_and_is_never_read(self, lab: Lab) -> None:
        topic, one = lab.topic(), lab.transactor()
        lab.write(one, topic, "a", "b")
        one.commit_transaction(WAIT_S)
        one.begin_transaction()
        lab.write(one, topic, "c")
        one.commit_transaction(WAIT_S)
        lab.until(lambda: lab.bounds(topic) == (0, 5))
        assert lab.read(topic) == ([(0, "a"), (1, "b"), (3, "c")], 5)

    def test_an_abort_marker_takes_an_offset_and_nothing_before_it_is_read(self, lab: Lab) -> None:
        topic, one = lab.topic(), lab.transactor()
        lab.write(one, topic, "a", "b")
        one.abort_transaction(WAIT_S)
        lab.until(lambda: lab.bounds(topic) == (0, 3))
        assert lab.read(topic) == ([], 3)
        assert lab.read(topic, committed=False) == ([(0, "a"), (1, "b")], 3)

    def test_an_open_transaction_holds_the_stable_end_while_the_true_end_moves_on(self, lab: Lab) -> None:
        topic, one = lab.topic(), lab.transactor()
        lab.write(lab.writer(), topic, "a")
        lab.write(one, topic, "b")
        lab.write(lab.writer(), topic, "c")
        assert lab.bounds(topic, committed=True) == (0, 1)
        assert lab.bounds(topic, committed=False) == (0, 3)
        one.abort_transaction(WAIT_S)

    def test_a_reader_of_what_is_committed_meets_its_end_at_the_stable_end(self, lab: Lab) -> None:
        topic, one = lab.topic(), lab.transactor()
        lab.write(lab.writer(), topic, "a")
        lab.write(one, topic, "b")
        lab.write(lab.writer(), topic, "c")
        assert lab.read(topic) == ([(0, "a")], 1)
        assert lab.read(topic, committed=False) == ([(0, "a"), (1, "b"), (2, "c")], 3)
        one.commit_transaction(WAIT_S)
        lab.until(lambda: lab.read(topic)[1], lambda end: end == 4)
        assert lab.read(topic) == ([(0, "a"), (1, "b"), (2, "c")], 4)

    def test_of_two_transactions_the_first_to_begin_holds_back_the_second(self, lab: Lab) -> None:
        topic, first, second = lab.topic(), lab.transactor("1"), lab.transactor("2")
        lab.write(first, topic, "a")
        lab.write(second, topic, "b")
        second.commit_transaction(WAIT_S)
        assert lab.read(topic) == ([], 0)
        first.abort_transaction(WAIT_S)
        lab.until(lambda: lab.read(topic)[1], lambda end: end == 4)
        assert lab.read(topic) == ([(1, "b")], 4)

    def test_a_transaction_that_wrote_nothing_leaves_no_marker(self, lab: Lab) -> None:
        topic, one = lab.topic(), lab.transactor()
        one.commit_transaction(WAIT_S)
        one.begin_transaction()
        one.abort_transaction(WAIT_S)
        assert lab.bounds(topic) == (0, 0)

    def test_the_end_is_told_once_and_again_when_it_has_moved(self, lab: Lab) -> None:
        topic, reader = lab.topic(), lab.reader()
        assert lab.fetch(reader, topic) == ([], 0)
        assert reader.poll(0.3) is None
        lab.write(lab.writer(), topic, "a")
        assert lab.until(lambda: reader.poll(0.2), lambda got: got is not None).value() == b"a"
        end = lab.until(lambda: reader.poll(0.2), lambda got: got is not None)
        assert (end.error().code(), end.offset()) == (KafkaError._PARTITION_EOF, 1)

    def test_the_end_moves_on_by_a_marker_alone(self, lab: Lab) -> None:
        topic, one, reader = lab.topic(), lab.transactor(), lab.reader()
        lab.write(one, topic, "a")
        assert lab.fetch(reader, topic) == ([], 0)
        one.abort_transaction(WAIT_S)
        end = lab.until(lambda: reader.poll(0.2), lambda got: got is not None)
        assert (end.error().code(), end.offset()) == (KafkaError._PARTITION_EOF, 2)

    def test_a_reader_stands_one_past_the_marker_it_never_saw(self, lab: Lab) -> None:
        topic, one, reader = lab.topic(), lab.transactor(), lab.reader()
        lab.write(one, topic, "a")
        one.commit_transaction(WAIT_S)
        lab.until(lambda: lab.fetch(reader, topic), lambda got: got == ([(0, "a")], 2))
        assert reader.get_watermark_offsets(TopicPartition(topic, 0), WAIT_S) == (0, 2)

    def test_records_carry_the_brokers_time(self, lab: Lab) -> None:
        topic = lab.topic()
        lab.write(lab.writer(), topic, "a", "b")
        reader = lab.reader()
        reader.assign([TopicPartition(topic, 0, 0)])
        stamps = [lab.until(lambda: reader.poll(0.2), lambda got: got is not None).timestamp() for _ in "ab"]
        assert [kind for kind, _ in stamps] == [TIMESTAMP_LOG_APPEND_TIME] * 2
        assert 1_600_000_000_000 < stamps[0][1] <= stamps[1][1]

    # Epochs and fencing

    def test_who_takes_an_id_over_aborts_what_its_owner_left_open(self, lab: Lab) -> None:
        topic, first = lab.topic(), lab.transactor()
        lab.write(first, topic, "a")
        lab.transactor(begun=False)
        lab.until(lambda: lab.bounds(topic) == (0, 2))
        assert lab.read(topic) == ([], 2)

    def test_whose_id_was_taken_over_is_fenced_at_its_commit(self, lab: Lab) -> None:
        topic, first = lab.topic(), lab.transactor()
        lab.write(first, topic, "a")
        lab.transactor(begun=False)
        error = refusal(lambda: first.commit_transaction(WAIT_S))
        assert (error.code(), flags(error)) == (KafkaError._FENCED, FATAL)
        error = refusal(first.begin_transaction)
        assert flags(error) == FATAL

    def test_whose_id_was_taken_over_is_fenced_when_it_sends_positions(self, lab: Lab) -> None:
        topic, first, member = lab.topic(), lab.transactor(), lab.member("m")
        heard: list[tuple[str, list[int]]] = []
        lab.joined(member, topic, heard)
        lab.heard(member, until=lambda: bool(heard))
        lab.transactor(begun=False)
        position = TopicPartition(topic, 0, 1)
        error = refusal(lambda: first.send_offsets_to_transaction([position], member.consumer_group_metadata(), WAIT_S))
        assert (error.code(), flags(error)) == (KafkaError._FENCED, FATAL)
        assert member.committed([position], WAIT_S)[0].offset == -1001

    def test_what_a_fenced_producer_sends_is_never_read(self, lab: Lab) -> None:
        topic, first = lab.topic(), lab.transactor()
        second = lab.transactor()
        first.produce(topic, b"zombie", b"k", 0)
        assert flags(refusal(lambda: first.commit_transaction(WAIT_S))) == FATAL
        lab.write(second, topic, "a")
        second.commit_transaction(WAIT_S)
        lab.until(lambda: lab.read(topic)[0])
        assert [text for _, text in lab.read(topic)[0]] == ["a"]

    def test_a_transaction_past_its_time_is_aborted_and_its_owner_cannot_commit(self, lab: Lab) -> None:
        topic, one = lab.topic(), lab.transactor(timeout_ms=1_000)
        lab.write(one, topic, "a")
        lab.until(lambda: lab.bounds(topic)[1], lambda end: end == 2)
        assert lab.read(topic) == ([], 2)
        assert flags(refusal(lambda: one.commit_transaction(WAIT_S))) == FATAL

    def test_after_an_abort_the_same_producer_goes_on(self, lab: Lab) -> None:
        topic, one = lab.topic(), lab.transactor()
        lab.write(one, topic, "a")
        one.abort_transaction(WAIT_S)
        one.begin_transaction()
        lab.write(one, topic, "b")
        one.commit_transaction(WAIT_S)
        lab.until(lambda: lab.read(topic)[1], lambda end: end == 4)
        assert lab.read(topic) == ([(2, "b")], 4)

    def test_nothing_is_sent_outside_of_a_transaction_by_who_has_transactions(self, lab: Lab) -> None:
        topic, one = lab.topic(), lab.transactor(begun=False)
        assert refusal(lambda: one.produce(topic, b"a", b"k", 0)).code() == KafkaError._STATE

    def test_a_record_larger_than_the_client_allows_is_refused_at_once(self, lab: Lab) -> None:
        topic, one = lab.topic(), lab.transactor()
        error = refusal(lambda: one.produce(topic, bytes(1_000_001), b"k", 0))
        assert error.code() == KafkaError.MSG_SIZE_TOO_LARGE
        lab.write(one, topic, "a")
        one.commit_transaction(WAIT_S)
        lab.until(lambda: lab.read(topic)[0], lambda found: found == [(0, "a")])

    def test_a_record_larger_than_the_topic_allows_makes_the_transaction_fail(self, lab: Lab) -> None:
        topic, one = lab.topic(config={"max.message.bytes": "1000"}), lab.transactor()
        one.produce(topic, bytes(range(256)) * 8, b"k", 0)
        assert flags(refusal(lambda: one.commit_transaction(WAIT_S))) == ABORT
        one.abort_transaction(WAIT_S)
        assert lab.read(topic)[0] == []

    # Groups and positions

    def served(self, lab: Lab, topic: str, instance: str = "m", group: str = "g") -> Any:
        """Return a member that has been given partition 0."""
        member, heard = lab.member(instance, group), list[tuple[str, list[int]]]()
        lab.joined(member, topic, heard)
        lab.heard(member, until=lambda: any(what == "assign" for what, _ in heard))
        return member

    def test_a_position_nobody_committed_is_none(self, lab: Lab) -> None:
        topic = lab.topic()
        assert lab.member("m").committed([TopicPartition(topic, 0)], WAIT_S)[0].offset == -1001

    def test_a_position_sent_in_a_transaction_is_pending_until_that_ends(self, lab: Lab) -> None:
        topic, one = lab.topic(), lab.transactor()
        member = self.served(lab, topic)
        position = TopicPartition(topic, 0, 7)
        one.send_offsets_to_transaction([position], member.consumer_group_metadata(), WAIT_S)
        error = refusal(lambda: member.committed([position], 0.5))
        assert error.code() == KafkaError._TIMED_OUT
        one.commit_transaction(WAIT_S)
        assert member.committed([position], WAIT_S)[0].offset == 7

    def test_a_position_of_an_aborted_transaction_is_as_it_was(self, lab: Lab) -> None:
        topic, one = lab.topic(), lab.transactor()
        member = self.served(lab, topic)
        for offset, end in ((3, one.commit_transaction), (9, one.abort_transaction)):
            position = TopicPartition(topic, 0, offset)
            one.send_offsets_to_transaction([position], member.consumer_group_metadata(), WAIT_S)
            end(WAIT_S)
            if offset == 3:
                one.begin_transaction()
        assert member.committed([TopicPartition(topic, 0)], WAIT_S)[0].offset == 3

    def test_records_and_positions_of_a_transaction_come_together(self, lab: Lab) -> None:
        topic, out, one = lab.topic(), lab.topic(), lab.transactor()
        member = self.served(lab, topic)
        lab.write(one, out, "a")
        position = TopicPartition(topic, 0, 5)
        one.send_offsets_to_transaction([position], member.consumer_group_metadata(), WAIT_S)
        one.commit_transaction(WAIT_S)
        assert member.committed([position], WAIT_S)[0].offset == 5
        assert [text for _, text in lab.until(lambda: lab.read(out)[0])] == ["a"]

    def test_a_takeover_drops_positions_that_were_pending(self, lab: Lab) -> None:
        topic, one = lab.topic(), lab.transactor()
        member = self.served(lab, topic)
        position = TopicPartition(topic, 0, 7)
        one.send_offsets_to_transaction([position], member.consumer_group_metadata(), WAIT_S)
        lab.transactor(begun=False)
        assert member.committed([position], WAIT_S)[0].offset == -1001

    def test_who_has_left_the_group_commits_no_position(self, lab: Lab) -> None:
        topic, one = lab.topic(), lab.transactor()
        member = self.served(lab, topic, instance="")
        self_known = member.consumer_group_metadata()
        other, heard = lab.member(), list[tuple[str, list[int]]]()
        member.close()
        lab.joined(other, topic, heard)
        lab.heard(other, until=lambda: bool(heard))
        position = TopicPartition(topic, 0, 1)
        error = refusal(lambda: one.send_offsets_to_transaction([position], self_known, WAIT_S))
        assert (error.code(), flags(error)) == (KafkaError.UNKNOWN_MEMBER_ID, ABORT)
        one.abort_transaction(WAIT_S)
        assert other.committed([position], WAIT_S)[0].offset == -1001

    def test_an_older_generation_commits_no_position(self, lab: Lab) -> None:
        topic, one = lab.topic(2), lab.transactor()
        first, second = lab.member("1"), lab.member("2")
        heard: dict[str, list[tuple[str, list[int]]]] = {"1": [], "2": []}
        lab.joined(first, topic, heard["1"])
        lab.heard(first, until=lambda: ("assign", [0, 1]) in heard["1"])
        before = first.consumer_group_metadata()
        lab.joined(second, topic, heard["2"])
        lab.heard(first, second, until=lambda: ("assign", [1]) in heard["2"] and ("assign", [0]) in heard["1"])
        position = TopicPartition(topic, 0, 1)
        error = refusal(lambda: one.send_offsets_to_transaction([position], before, WAIT_S))
        assert (error.code(), flags(error)) == (KafkaError.ILLEGAL_GENERATION, ABORT)
        one.abort_transaction(WAIT_S)
        one.begin_transaction()
        one.send_offsets_to_transaction([position], first.consumer_group_metadata(), WAIT_S)
        one.commit_transaction(WAIT_S)
        assert first.committed([position], WAIT_S)[0].offset == 1

    def test_a_second_member_gets_its_range_after_the_first_gave_all_back(self, lab: Lab) -> None:
        topic, first, second = lab.topic(3), lab.member("1"), lab.member("2")
        one, two = list[tuple[str, list[int]]](), list[tuple[str, list[int]]]()
        lab.joined(first, topic, one)
        lab.heard(first, until=lambda: bool(one))
        lab.joined(second, topic, two)
        lab.heard(first, second, until=lambda: len(one) == 3 and bool(two))
        assert one == [("assign", [0, 1, 2]), ("revoke", [0, 1, 2]), ("assign", [0, 1])]
        assert two == [("assign", [2])]

    def test_a_static_member_that_comes_back_has_its_partitions_without_a_rebalance(self, lab: Lab) -> None:
        topic, one = lab.topic(2), lab.transactor()
        first, other, again = lab.member("1"), lab.member("2"), lab.member("1")
        heard: dict[str, list[tuple[str, list[int]]]] = {"1": [], "2": [], "again": []}
        lab.joined(first, topic, heard["1"])
        lab.joined(other, topic, heard["2"])
        lab.heard(first, other, until=lambda: ("assign", [0]) in heard["1"] and ("assign", [1]) in heard["2"])
        told = list(heard["2"])
        first.close()
        lab.joined(again, topic, heard["again"])
        lab.heard(again, other, until=lambda: bool(heard["again"]))
        assert heard["again"] == [("assign", [0])]
        assert heard["2"] == told
        position = TopicPartition(topic, 1, 4)
        one.send_offsets_to_transaction([position], other.consumer_group_metadata(), WAIT_S)
        one.commit_transaction(WAIT_S)
        assert again.committed([position], WAIT_S)[0].offset == 4

    def test_of_two_members_with_one_instance_id_the_first_is_fenced(self, lab: Lab) -> None:
        topic, one = lab.topic(), lab.transactor()
        first = self.served(lab, topic, "m")
        before = first.consumer_group_metadata()
        second = self.served(lab, topic, "m")
        error = lab.heard(first, until=lambda: False)[0]
        assert error.code() == KafkaError._FATAL
        assert "fenced" in error.str()
        position = TopicPartition(topic, 0, 1)
        error = refusal(lambda: one.send_offsets_to_transaction([position], before, WAIT_S))
        assert (error.code(), flags(error)) == (KafkaError.FENCED_INSTANCE_ID, ABORT)
        one.abort_transaction(WAIT_S)
        assert second.committed([position], WAIT_S)[0].offset == -1001

    def test_positions_without_a_generation_are_taken_by_a_group_that_is_empty(self, lab: Lab) -> None:
        topic, one, nobody = lab.topic(), lab.transactor(), lab.member("m")
        position = TopicPartition(topic, 0, 6)
        one.send_offsets_to_transaction([position], nobody.consumer_group_metadata(), WAIT_S)
        one.commit_transaction(WAIT_S)
        assert nobody.committed([position], WAIT_S)[0].offset == 6

    def test_a_member_told_nothing_else_begins_at_the_groups_position(self, lab: Lab) -> None:
        topic, one = lab.topic(), lab.transactor()
        lab.write(lab.writer(), topic, "a", "b", "c")
        member = lab.member("m")
        one.send_offsets_to_transaction([TopicPartition(topic, 0, 2)], member.consumer_group_metadata(), WAIT_S)
        one.commit_transaction(WAIT_S)
        member.subscribe([topic])
        found = lab.until(lambda: member.poll(0.2), lambda got: got is not None)
        assert (found.error(), found.value()) == (None, b"c")

    # What is kept

    def test_a_group_without_a_position_is_told_so_where_no_default_is_allowed(self, lab: Lab) -> None:
        topic, member = lab.topic(), lab.member("m")
        member.subscribe([topic])
        found = lab.until(lambda: member.poll(0.2), lambda got: got is not None)
        assert found.error().code() == KafkaError._AUTO_OFFSET_RESET

    def test_a_position_past_the_end_is_an_error(self, lab: Lab) -> None:
        topic = lab.topic()
        lab.write(lab.writer(), topic, "a")
        assert refusal(lambda: lab.read(topic, start=9)).code() == KafkaError._AUTO_OFFSET_RESET

    def test_deleted_records_raise_the_low_end_and_are_missed(self, lab: Lab) -> None:
        topic = lab.topic()
        lab.write(lab.writer(), topic, "a", "b", "c")
        admin = lab.admin()
        for answer in admin.delete_records([TopicPartition(topic, 0, 2)]).values():
            answer.result(WAIT_S)
        assert lab.bounds(topic) == (2, 3)
        assert lab.read(topic, start=2) == ([(2, "c")], 3)
        assert refusal(lambda: lab.read(topic, start=1)).code() == KafkaError._AUTO_OFFSET_RESET

    def test_compaction_keeps_the_last_of_each_key_where_it_was(self, lab: Lab) -> None:
        topic = lab.topic(config=COMPACTED)
        lab.write(lab.writer(), topic, "a1", "b1", "a2", "a3", "b2")
        lab.world.compacted(topic)
        found = [text for text in lab.read(topic)[0] if text[1] != "filler"]
        assert found == [(3, "a3"), (4, "b2")]
        assert lab.bounds(topic)[0] == 0
        assert lab.read(topic, start=1)[0][0] == (3, "a3")

    def test_compaction_takes_no_record_for_one_that_was_aborted(self, lab: Lab) -> None:
        topic, one = lab.topic(config=COMPACTED), lab.transactor()
        lab.write(lab.writer(), topic, "a1", "a2")
        lab.write(one, topic, "a3")
        one.abort_transaction(WAIT_S)
        lab.world.compacted(topic)
        found = [text for text in lab.read(topic)[0] if text[1] != "filler"]
        assert found == [(1, "a2")]

    def test_a_tombstone_outlives_the_compaction_that_takes_its_record(self, lab: Lab) -> None:
        topic, writer = lab.topic(config=COMPACTED), lab.writer()
        lab.write(writer, topic, "a1")
        writer.produce(topic, None, b"a", 0)
        lab.write(writer, topic, "b1")
        lab.world.compacted(topic)
        found = [text for text in lab.read(topic)[0] if text[1] != "filler"]
        assert found == [(1, ""), (2, "b1")]

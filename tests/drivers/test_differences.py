"""How a topic that stands is brought to what the one table says, and what of it is left to a person."""

import pytest

from placet.drivers.kafka.differences import Mend, Shape, differences, settings_of
from placet.model.topics import SPECS, Topic

WHOLE = (Topic.MANDATES, Topic.CONTROLS, Topic.POLICIES, Topic.KEYS)


@pytest.mark.parametrize("topic", WHOLE)
def test_what_operators_say_is_kept_whole_and_for_ever(topic: Topic) -> None:
    settings = settings_of(SPECS[topic], 3)
    assert (settings["cleanup.policy"], settings["retention.ms"]) == ("delete", "-1")


@pytest.mark.parametrize(
    ("topic", "policy", "mend"),
    [
        *((topic, "compact", Mend.SET) for topic in WHOLE),
        (Topic.DECISIONS, "compact", Mend.SET),
        (Topic.INTENTS, "compact", Mend.REFUSE),  # what is deleted by age would be, at once
        (Topic.KEYS, "compact,delete", Mend.REFUSE),
        (Topic.PRINCIPALS, "delete", Mend.REFUSE),
        (Topic.DESK, "delete", Mend.REFUSE),
    ],
)
def test_a_topic_goes_from_compaction_to_being_kept_and_not_the_other_way(
    topic: Topic, policy: str, mend: Mend
) -> None:
    spec = SPECS[topic]
    there = Shape(1, 1, {**settings_of(spec, 1), "cleanup.policy": policy})
    (found,) = differences(spec, topic.title, there, partitions=1, replication=1)
    assert (found.setting, found.mend) == ("cleanup.policy", mend)


@pytest.mark.parametrize("topic", [Topic.PRINCIPALS, Topic.SENSITIVITY])
def test_what_is_written_over_a_principal_or_a_label_is_seen_for_a_week_before_it_takes_anything(topic: Topic) -> None:
    settings = settings_of(SPECS[topic], 3)
    week, day = 604_800_000, 86_400_000
    assert (settings["min.compaction.lag.ms"], settings["max.compaction.lag.ms"]) == (str(week), str(week + day))
    before = {**settings, "min.compaction.lag.ms": "0", "max.compaction.lag.ms": str(day)}
    found = differences(SPECS[topic], topic.title, Shape(1, 3, before), partitions=1, replication=3)
    assert {one.mend for one in found} == {Mend.SET}


def test_the_key_of_an_erased_case_is_kept_no_longer_than_a_day() -> None:
    there = Shape(1, 1, {**settings_of(SPECS[Topic.DESK], 1), "max.compaction.lag.ms": "3600000"})
    (found,) = differences(SPECS[Topic.DESK], "placet.desk", there, partitions=1, replication=1)
    assert found.mend is Mend.REFUSE


def test_a_topic_that_was_compacted_and_is_aged_is_kept_for_ever_in_the_same_step() -> None:
    spec = SPECS[Topic.CONTROLS]
    there = Shape(1, 1, {**settings_of(spec, 1), "cleanup.policy": "compact", "retention.ms": "604800000"})
    found = differences(spec, spec.topic.title, there, partitions=1, replication=1)
    assert {one.setting: one.mend for one in found} == {"cleanup.policy": Mend.SET, "retention.ms": Mend.SET}

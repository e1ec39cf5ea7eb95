"""What is said in one batch stands in the order of its causes, however much of it is read ahead and written at once."""

from placet.decision.desk import AHEAD
from placet.decision.voice import SLICE
from placet.model.codec import decode_any, seal
from placet.model.codec import intent as intent_codec
from placet.model.keys import key_of
from placet.model.reasons import Reason
from placet.model.topics import Topic
from placet.ports import Message
from tests.support.world import PERSON, TENANT, World

FAULTY = b"\x00junk"


def test_each_record_is_answered_in_its_turn_whatever_is_read_and_written_beside_it() -> None:
    world = World()
    world.step()
    key = key_of(TENANT, PERSON)
    # Faulty records where a slice begins, ends and goes on.
    faulty = {0, 7, AHEAD - 1, AHEAD, SLICE + 9, 2 * SLICE + 1}
    values = [
        FAULTY if number in faulty else intent_codec.frame(world.intent())
        for number in range(2 * max(AHEAD, SLICE) + 5)
    ]
    asked = world.memory.append(Topic.INTENTS, 0, [Message(key, value) for value in values])
    start = world.memory.end(Topic.DECISIONS, 0)
    world.loop.step(0)
    said = [rec.value or b"" for rec in world.memory.read(Topic.DECISIONS, 0, start, 500, 0)]
    *answers, closed = [decode_any(value) for value in said]
    assert said[-1][:5] == seal.HEADER
    assert [answer.seq for answer in answers] == list(range(closed.seq_from, closed.seq_to))
    assert [answer.cause_offset - asked for answer in answers] == list(range(len(values)))
    undecodable = {number for number, answer in enumerate(answers) if answer.reason == Reason.SCHEMA_UNKNOWN}
    assert undecodable == faulty

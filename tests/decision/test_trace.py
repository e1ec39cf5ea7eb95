"""What is said of a record belongs to the trace the record came with, and nothing else of the batch does."""

from placet.model.codec import intent as intent_codec
from placet.model.keys import key_of
from placet.model.topics import Topic
from placet.ports import Message
from tests.support.world import PERSON, TENANT, World

# The example of W3C Trace Context §3.2.3.
TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_verdict_belongs_to_the_trace_of_its_intent() -> None:
    world = World()
    world.step()
    key = key_of(TENANT, PERSON)
    traced, plain, poison = (intent_codec.frame(world.intent()), intent_codec.frame(world.intent()), b"\x00junk")
    messages = [Message(key, plain), Message(key, traced, TRACE), Message(key, plain), Message(key, poison, TRACE)]
    world.memory.append(Topic.INTENTS, 0, messages)
    start = world.memory.end(Topic.DECISIONS, 0)
    world.loop.step(0)
    said = world.memory.read(Topic.DECISIONS, 0, start, 9, 0)
    # A verdict, the traced one, the repeat of the first, the traced refusal, and the Seal over all.
    assert [rec.trace for rec in said] == [None, TRACE, None, TRACE, None]

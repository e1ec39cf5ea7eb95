"""Context read back for a face: keys on record count, what desks refuse does not, and nobody's ring is touched."""

from placet.faces.heard import heard, newest_principal
from placet.model.codec import principal
from placet.model.codec.principal import Principal
from placet.model.proof import Signer
from placet.model.topics import Topic
from tests.support.world import AGENT, TENANT, World


def test_a_status_that_is_said_again_takes_nothing_from_what_nobody_proved() -> None:
    world = World()
    at = world.clock.now + 1
    forged = Principal(TENANT, AGENT, "agent", "active", None, ("finance",), {}, (), "idp", at, None)
    world.context(Topic.PRINCIPALS, principal.frame(forged))
    known = newest_principal(world.memory, world.keys, TENANT, AGENT)
    assert known is not None
    assert (known.groups, known.source) == ((), "test")
    assert newest_principal(world.memory, world.keys, "globex", AGENT) is None


def test_what_a_key_on_record_signed_is_read_back_and_the_readers_ring_stays_as_it_was() -> None:
    world, own = World(), Signer("own-1", "user:own", b"4" * 32)
    world.operator, root = own, world.operator
    world.publish_mandate(id="m2")
    world.put_key(own, "operator", by=root)
    known = heard(world.memory, world.keys, (Topic.MANDATES,))
    assert set(known.mandates) == {f"M:{TENANT}/m1", f"M:{TENANT}/m2"}
    assert world.keys.known == {}

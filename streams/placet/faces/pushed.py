"""Whether a pack is there already, as the newest of its name: pushed again it would say nothing new."""

from placet.errors import PoisonRecord
from placet.model.codec import BY_HEADER, HEADERS
from placet.model.codec.pack import Pack
from placet.model.context_keys import pack_key
from placet.model.keys import partition_of
from placet.model.proof import KeyRing
from placet.model.topics import Topic
from placet.ports import Log, Rec

READ_MOST, READ_MS = 500, 5_000


def find_pushed(log: Log, ring: KeyRing, wanted: Pack) -> Rec | None:
    """Return the record under which a pack lies, signed by an operator; None where it is not there.

    None also where another pack of its name was pushed after it: a name means
    the one that was pushed last. Blocks for its reads.
    """
    key = pack_key(wanted)
    name = key[: key.rindex(b"/") + 1]
    partition = partition_of(key, log.partitions(Topic.POLICIES))
    offset, end, found = 0, log.end(Topic.POLICIES, partition), None
    while offset < end and (recs := log.read(Topic.POLICIES, partition, offset, READ_MOST, READ_MS)):
        for rec in recs:
            if (rec.key or b"").startswith(name):
                found = rec if _holds(rec, ring, wanted) else None
        offset = recs[-1].offset + 1
    return found


def _holds(rec: Rec, ring: KeyRing, wanted: Pack) -> bool:
    """Whether a record is the pack that is wanted: its files, and an operator's proof of them."""
    value = rec.value
    if value is None or value[:5] not in HEADERS["pack"]:
        return False
    try:
        reader = BY_HEADER[value[:5]]
        said, end = reader.decode_signed(value)
        ring.verify(
            "pack", reader.FINGERPRINT, value[5:end], said.proof, ("operator",), said.tenant, rec.at, lasts=True
        )
    except PoisonRecord:
        return False
    return (said.tenant, said.digest, said.files) == (wanted.tenant, wanted.digest, wanted.files)

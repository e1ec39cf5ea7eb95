"""What the fold of one partition's decisions remembers of attempts, as the desk must remember it too."""

import struct
from collections.abc import Iterator
from operator import itemgetter

from placet.faces.auditor.hashes import sha256
from placet.faces.auditor.records import Fields
from placet.faces.auditor.table import ASKED

ROW = struct.Struct(">QQHH20s20s")
"""seq of the first answer, deadline in ms, attempt, flags, the first 20 bytes of both digests; big-endian."""
CLAIM = struct.Struct(">q20s")
"""What follows a ROW for each claim: a hash of executor and nonce, and the first 20 bytes of the digest granted.

An id may be given to another intent after its deadline: claims of the earlier one stay, newest first.
"""
TRANSIENT_FLAG = 1
DIGEST_CUT = 20
BUCKET_MS = 2 * 3_600_000


NINE = ("id", "attempt", "tenant", "actor", "authority", "mandate", "action", "resource", "purpose")
nine = itemgetter(*NINE)
"""Return the fields an intent and its verdicts share."""


ABOUT = ("tenant", "authority", "actor", "mandate", "action", "audience")
"""Of what an attempt asks, what a halt or a revocation may be about."""


class Row:
    """An unpacked ROW with the claims that follow it."""

    __slots__ = ("_claims", "action_digest", "attempt", "deadline", "flags", "intent_digest", "seq")

    def __init__(self, packed: bytes) -> None:
        fields = ROW.unpack_from(packed)
        self.seq, self.deadline, self.attempt, self.flags, self.intent_digest, self.action_digest = fields
        self._claims = tuple(CLAIM.iter_unpack(packed[ROW.size :]))

    def granted_to(self, executor: str, nonce: bytes) -> list[bytes]:
        """Return the cut digests that this executor claimed, under this nonce or under none."""
        claimants = (hash((executor, nonce)), hash((executor, b"")))
        return [granted for claimant, granted in self._claims if claimant in claimants]


class Attempt:
    """One attempt that has not come to its end, as its newest record leaves it."""

    __slots__ = (
        "act_ms_max",
        "action_digest",
        "arguments",
        "asked",
        "asked_at",
        "asked_offset",
        "audience",
        "claim_required",
        "deadline",
        "emergency",
        "executor",
        "expires_at",
        "granted_digest",
        "intent_digest",
        "kid",
        "nine",
        "nonce",
        "seq",
        "session",
        "slot",
        "state",
        "stopped",
        "votes",
    )

    def __init__(self, slot: bytes, said: Fields) -> None:
        self.slot = slot
        self.asked = {name: said[name] for name in ABOUT}
        self.state = ASKED
        self.seq: int = said["seq"]
        self.nine = nine_of(said)
        self.intent_digest: bytes = said["intent_digest"]
        self.action_digest: bytes = said["action_digest"]
        self.asked_offset: int = said["asked_offset"]
        self.asked_at: int = said["asked_at"]
        self.audience: str = said["audience"]
        self.deadline: int = said["deadline"]
        self.arguments: bytes | None = None
        self.session: str | None = None
        self.kid = ""
        self.emergency: bool | None = None
        self.granted_digest = b""
        self.claim_required = False
        self.act_ms_max = 0
        self.expires_at = 0
        self.executor = ""
        self.nonce = b""
        self.stopped = False
        self.votes: dict[str, tuple[bytes, Fields]] = {}


class Memory:
    """Every attempt of a partition until its deadline has passed, and those that are open whole."""

    def __init__(self) -> None:
        self.open: dict[bytes, Attempt] = {}
        self._buckets: dict[int, dict[bytes, bytes]] = {}

    def find(self, slot: bytes) -> bytes | None:
        """Return the packed row of a slot, or None."""
        for bucket in self._buckets.values():
            row = bucket.get(slot)
            if row is not None:
                return row
        return None

    def put(self, slot: bytes, said: Fields, *, transient: bool) -> None:
        """Remember the first answer to an attempt, before what is known of an earlier one under the same id."""
        known = [row for bucket in self._buckets.values() if (row := bucket.pop(slot, None)) is not None]
        row = ROW.pack(
            said["seq"],
            said["deadline"],
            said["attempt"],
            TRANSIENT_FLAG if transient else 0,
            said["intent_digest"][:DIGEST_CUT],
            said["action_digest"][:DIGEST_CUT],
        )
        claims = b"".join(row[ROW.size :] for row in known)
        self._buckets.setdefault(said["deadline"] // BUCKET_MS, {})[slot] = row + claims

    def refused(self, slot: bytes) -> None:
        """Remember that an attempt that was open came to a transient refusal."""
        for bucket in self._buckets.values():
            if slot in bucket:
                seq, deadline, attempt, _, *digests = ROW.unpack_from(bucket[slot])
                packed = ROW.pack(seq, deadline, attempt, TRANSIENT_FLAG, *digests)
                bucket[slot] = packed + bucket[slot][ROW.size :]

    def claim(self, slot: bytes, said: Fields) -> None:
        """Remember who claimed an attempt, and what."""
        for bucket in self._buckets.values():
            if slot in bucket:
                who = hash((said["executor"], said["nonce"]))
                row, claim = bucket[slot], CLAIM.pack(who, said["granted_digest"][:DIGEST_CUT])
                bucket[slot] = row[: ROW.size] + claim + row[ROW.size :]

    def forget(self, instant: int) -> None:
        """Drop what lies wholly before `instant`."""
        for number in [number for number in self._buckets if (number + 1) * BUCKET_MS <= instant]:
            del self._buckets[number]

    def rows(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every remembered slot with its packed row."""
        for bucket in self._buckets.values():
            yield from ((slot, row[: ROW.size]) for slot, row in bucket.items())


def nine_of(said: Fields) -> int:
    """Return a hash of the nine fields an intent and its verdicts share, salted for this process."""
    return hash(nine(said))


def slot_of(tenant: str, authority: str, id_: bytes, attempt: int) -> bytes:
    """Return the 16 bytes an attempt is kept under: of SHA-256 of `tenant/authority`, 0x00, id and attempt (2 bytes)."""
    return sha256(f"{tenant}/{authority}".encode() + b"\x00" + id_ + (attempt & 0xFFFF).to_bytes(2, "big"))[:16]

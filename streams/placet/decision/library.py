"""Which packs decide for a tenant: packs as they were pushed, and the pointer that moves only to good ones."""

from placet.errors import PoisonRecord
from placet.model.codec import HEADERS, Signed, active_set, hearers_of, pack
from placet.model.codec.active_set import ActiveSet
from placet.model.codec.pack import Pack as Pushed
from placet.model.context_keys import active_set_key, check_place, pack_key
from placet.model.proof import KeyRing
from placet.model.reasons import Reason
from placet.policy.cases import run_tests
from placet.policy.diagnostics import PackError
from placet.policy.evaluate import PolicySet
from placet.policy.pack import Pack, load_pack
from placet.ports import Rec

WATERMARKS = HEADERS["watermark"]
SET = "K:"
"""Prefix of the index key that a change of a tenant's active set touches."""
WAITING_MOST = 64
"""Pointers of a tenant that wait for their packs; of more the newest."""


class Library:
    """Packs by tenant and digest, and each tenant's active set.

    A pack that does not load, or fails its own tests, is refused and never
    becomes active; the last good set goes on deciding. A pointer to what is
    not here is refused too, and takes effect once its packs have come: what is
    active is the newest pointer whose packs are all here, in whatever order
    compaction leaves them.
    """

    def __init__(self, keys: KeyRing, partitions: int = 1) -> None:
        self._keys = keys
        self._partitions = partitions
        self.forget()
        self._folds = hearers_of("pack", self._push) | hearers_of("active_set", self._activate)

    def forget(self) -> None:
        """Hold no pack and no pointer: all are folded again."""
        self._packs: dict[tuple[str, bytes], Pack] = {}
        self._revisions: dict[str, int] = {}
        self._waiting: dict[str, dict[int, tuple[bytes, ...]]] = {}
        self.active: dict[str, PolicySet] = {}

    def fold(self, rec: Rec) -> str | None:
        """Take a pack or a pointer; return the index key touched, or None. Raise PoisonRecord where it is refused."""
        value = rec.value
        if value is None:
            raise PoisonRecord("a record without a value: what was said is not taken back so", Reason.UNDECODABLE)
        if value[:5] in WATERMARKS:
            return None
        fold = self._folds.get(value[:5])
        if fold is None:
            raise PoisonRecord("no policy record has this schema", Reason.SCHEMA_UNKNOWN)
        return fold(rec, value)

    def _push(self, rec: Rec, value: bytes, reader: Signed = pack) -> str | None:
        pushed: Pushed
        pushed, end = reader.decode_signed(value)
        self._proved("pack", reader.FINGERPRINT, value[5:end], pushed, rec.at)
        check_place(rec.partition, rec.key, pack_key(pushed), self._partitions)
        place = (pushed.tenant, pushed.digest)
        if place in self._packs:
            return None
        try:
            loaded = load_pack({file.name: file.text for file in pushed.files})
        except PackError as error:
            raise PoisonRecord(f"pack `{pushed.name}` does not load: {error}", Reason.MALFORMED) from None
        if loaded.digest != pushed.digest:
            raise PoisonRecord(f"pack `{pushed.name}`: its digest is not that of its files", Reason.MALFORMED)
        failed = [result.says for result in run_tests(loaded) if not result.passed]
        if failed:
            raise PoisonRecord(f"pack `{pushed.name}` fails its own test `{failed[0]}`", Reason.MALFORMED)
        self._packs[place] = loaded
        for revision, digests in sorted(self._waiting.get(pushed.tenant, {}).items(), reverse=True):
            if not self._missing(pushed.tenant, digests):
                return self._move(pushed.tenant, revision, digests)
        return None

    def _activate(self, rec: Rec, value: bytes, reader: Signed = active_set) -> str | None:
        pointer: ActiveSet
        pointer, end = reader.decode_signed(value)
        self._proved("active_set", reader.FINGERPRINT, value[5:end], pointer, rec.at)
        check_place(rec.partition, rec.key, active_set_key(pointer), self._partitions)
        if pointer.revision <= self._revisions.get(pointer.tenant, -1):
            return None
        missing = self._missing(pointer.tenant, pointer.digests)
        if missing:
            self._wait(pointer.tenant, pointer.revision, pointer.digests)
            name = missing[0].hex()[:12]
            raise PoisonRecord(f"active set names pack `{name}`, which is not here or not good", Reason.MALFORMED)
        return self._move(pointer.tenant, pointer.revision, pointer.digests)

    def _proved(self, name: str, fingerprint: bytes, unsigned: bytes, said: Pushed | ActiveSet, at: int) -> None:
        self._keys.verify(name, fingerprint, unsigned, said.proof, ("operator",), said.tenant, at, lasts=True)

    def _missing(self, tenant: str, digests: tuple[bytes, ...]) -> list[bytes]:
        return [digest for digest in digests if (tenant, digest) not in self._packs]

    def _wait(self, tenant: str, revision: int, digests: tuple[bytes, ...]) -> None:
        waiting = self._waiting.setdefault(tenant, {})
        # Of two that say the same revision the first stands, as it would with its packs here.
        waiting.setdefault(revision, digests)
        if len(waiting) > WAITING_MOST:
            del waiting[min(waiting)]

    def _move(self, tenant: str, revision: int, digests: tuple[bytes, ...]) -> str:
        self.active[tenant] = PolicySet.of([self._packs[tenant, digest] for digest in digests])
        self._revisions[tenant] = revision
        waiting = self._waiting.get(tenant, {})
        self._waiting[tenant] = {later: packs for later, packs in waiting.items() if later > revision}
        return f"{SET}{tenant}"

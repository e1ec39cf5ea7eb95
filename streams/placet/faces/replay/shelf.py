"""The packs of a journal as they were put into service: found by the digest of their set, and by what was active when."""

from collections.abc import Iterable
from itertools import combinations

from placet.decision.library import WATERMARKS
from placet.errors import PoisonRecord
from placet.model.codec import HEADERS, decode_known
from placet.model.codec.active_set import ActiveSet
from placet.model.codec.pack import Pack as Pushed
from placet.model.topics import Topic
from placet.policy.diagnostics import PackError
from placet.policy.evaluate import PolicySet, digest_of
from placet.policy.pack import Pack, load_pack
from placet.ports import Rec

PACKS, POINTERS = HEADERS["pack"], HEADERS["active_set"]
SEARCHED_MOST = 12
"""Of a tenant's newest packs so many are put together where a set has no pointer any more."""
Marks = dict[tuple[int, int], tuple[int, int]]


class Shelf:
    """All packs and pointers on record, by tenant. One that does not load is as one that is not there."""

    def __init__(self, policies: Iterable[Rec]) -> None:
        self._files: dict[str, dict[bytes, dict[str, str]]] = {}
        self._pointers: dict[str, list[tuple[ActiveSet, int, int]]] = {}
        self._packs: dict[tuple[str, bytes], Pack | None] = {}
        self._sets: dict[tuple[str, bytes], PolicySet | None] = {}
        for rec in policies:
            header = (rec.value or b"")[:5]
            if rec.value is None or header in WATERMARKS or header not in PACKS | POINTERS:
                continue
            try:
                said = decode_known(rec.value)
            except PoisonRecord:
                continue
            if isinstance(said, Pushed):
                files = {file.name: file.text for file in said.files}
                self._files.setdefault(said.tenant, {})[said.digest] = files
            else:
                self._pointers.setdefault(said.tenant, []).append((said, rec.partition, rec.offset))

    @property
    def tenants(self) -> tuple[str, ...]:
        """Return whoever has packs, in order."""
        return tuple(sorted(self._files))

    def find(self, tenant: str, digest: bytes) -> PolicySet | None:
        """Return a set by its digest, or None where it or one of its packs is not there."""
        place = tenant, digest
        if place not in self._sets:
            digests = self._digests_of(tenant, digest)
            self._sets[place] = None if digests is None else self._made(tenant, digests)
        return self._sets[place]

    def at(self, tenant: str, marks: Marks) -> PolicySet | None:
        """Return what was active for a tenant once the policies were read up to `marks`, or None."""
        heard = [
            pointer
            for pointer, partition, offset in self._pointers.get(tenant, ())
            if offset < marks.get((Topic.POLICIES, partition), (0, 0))[0]
        ]
        newest = max(heard, key=lambda pointer: pointer.revision, default=None)
        return None if newest is None else self._made(tenant, newest.digests)

    def versions(self, tenant: str) -> list[tuple[ActiveSet, int, int]]:
        """Return a tenant's pointers, each with its partition and offset, by revision."""
        return sorted(self._pointers.get(tenant, ()), key=lambda one: one[0].revision)

    def _made(self, tenant: str, digests: tuple[bytes, ...]) -> PolicySet | None:
        packs = [self._pack(tenant, digest) for digest in digests]
        whole = [pack for pack in packs if pack is not None]
        if len(whole) < len(packs):
            return None
        made = PolicySet.of(whole)
        known = self._sets.get((tenant, made.digest))
        return known or self._sets.setdefault((tenant, made.digest), made) or made

    def _digests_of(self, tenant: str, digest: bytes) -> tuple[bytes, ...] | None:
        for pointer, _, _ in reversed(self._pointers.get(tenant, ())):
            if digest_of(pointer.digests) == digest:
                return pointer.digests
        held = tuple(self._files.get(tenant, ()))[-SEARCHED_MOST:]
        for size in range(4):
            for digests in combinations(held, size):
                if digest_of(digests) == digest:
                    return digests
        return None

    def _pack(self, tenant: str, digest: bytes) -> Pack | None:
        place = tenant, digest
        if place not in self._packs:
            self._packs[place] = self._load(self._files.get(tenant, {}).get(digest), digest)
        return self._packs[place]

    @staticmethod
    def _load(files: dict[str, str] | None, digest: bytes) -> Pack | None:
        if files is None:
            return None
        try:
            pack = load_pack(files)
        except PackError:
            return None
        return pack if pack.digest == digest else None

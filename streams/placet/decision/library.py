"""Which packs decide for a tenant: packs as they were pushed, and the pointer that moves only to good ones."""

from placet.errors import PoisonRecord
from placet.model.codec import HEADERS, Signed, active_set, hearers_of, pack
from placet.model.codec.active_set import ActiveSet
from placet.model.codec.pack import Pack as Pushed
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


class Library:
    """Packs by tenant and digest, and each tenant's active set.

    A pack that does not load, or fails its own tests, is refused and never
    becomes active; the last good set goes on deciding.
    """

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        self._packs: dict[tuple[str, bytes], Pack] = {}
        self._revisions: dict[str, int] = {}
        self.active: dict[str, PolicySet] = {}
        self._folds = hearers_of("pack", self._push) | hearers_of("active_set", self._activate)

    def fold(self, rec: Rec) -> str | None:
        """Take a pack or a pointer; return the index key touched, or None. Raise PoisonRecord where it is refused."""
        value = rec.value
        if value is None or value[:5] in WATERMARKS:
            return None
        fold = self._folds.get(value[:5])
        if fold is None:
            raise PoisonRecord("no policy record has this schema", Reason.SCHEMA_UNKNOWN)
        return fold(value)

    def _push(self, value: bytes, reader: Signed = pack) -> str | None:
        pushed: Pushed
        pushed, end = reader.decode_signed(value)
        self._keys.verify("pack", reader.FINGERPRINT, value[5:end], pushed.proof, ("operator",), pushed.tenant)
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
        return None

    def _activate(self, value: bytes, reader: Signed = active_set) -> str | None:
        pointer: ActiveSet
        pointer, end = reader.decode_signed(value)
        self._keys.verify("active_set", reader.FINGERPRINT, value[5:end], pointer.proof, ("operator",), pointer.tenant)
        if pointer.revision <= self._revisions.get(pointer.tenant, -1):
            return None
        packs = [self._packs.get((pointer.tenant, digest)) for digest in pointer.digests]
        missing = [digest.hex()[:12] for digest, known in zip(pointer.digests, packs, strict=True) if known is None]
        if missing:
            raise PoisonRecord(f"active set names pack `{missing[0]}`, which is not here or not good", Reason.MALFORMED)
        self.active[pointer.tenant] = PolicySet.of([known for known in packs if known is not None])
        self._revisions[pointer.tenant] = pointer.revision
        return f"{SET}{pointer.tenant}"

"""Candidate packs in the place of those of the same name, in whichever set a verdict was decided under."""

from collections.abc import Mapping, Sequence

from placet.policy.evaluate import PolicySet
from placet.policy.pack import Pack, load_pack

Files = Mapping[str, str]


class Candidate:
    """Packs to be tried. `alone` they are the whole set, else they replace packs of their name, or join the set."""

    def __init__(self, packs: Sequence[Files], *, alone: bool = False) -> None:
        self._packs = [load_pack(files) for files in packs]
        self._alone = alone
        self._made: dict[bytes, PolicySet] = {}

    @property
    def digests(self) -> list[str]:
        """Return the digests of the packs, as hex."""
        return [pack.digest.hex() for pack in self._packs]

    def instead_of(self, active: PolicySet) -> PolicySet:
        """Return the set that decides in the place of `active`."""
        made = self._made.get(active.digest)
        if made is None:
            made = self._made[active.digest] = PolicySet.of(self._put(list(active.packs)))
        return made

    def _put(self, packs: list[Pack]) -> list[Pack]:
        if self._alone:
            return self._packs
        named = {pack.name: pack for pack in self._packs}
        return [named.pop(pack.name, pack) for pack in packs] + list(named.values())

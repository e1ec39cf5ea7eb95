"""What all partitions of one journal share in a replay, and which packs decide there."""

from typing import Any, NamedTuple

from placet.decision.settings import DeskSettings
from placet.faces.replay.known import Recalled
from placet.faces.replay.opened import CaseKeys
from placet.faces.replay.shelf import Shelf
from placet.model.proof import KeyRing
from placet.policy.evaluate import PolicySet


class Settled(NamedTuple):
    """What all partitions of one journal share."""

    keys: CaseKeys
    shelf: Shelf
    ring: KeyRing
    settings: DeskSettings
    partitions: int


class Active(dict[str, PolicySet]):
    """The active sets by tenant: the one a case names, else the one that was read by then."""

    def __init__(self, shelf: Shelf, tables: Recalled) -> None:
        super().__init__()
        self._shelf = shelf
        self._tables = tables

    def get(self, tenant: str, default: Any = None) -> Any:
        """Return the set that decides for a tenant, or None."""
        found = super().get(tenant)
        return self._shelf.at(tenant, self._tables.marks) or default if found is None else found


class Packs:
    """What a judge takes for its library."""

    def __init__(self, active: Active) -> None:
        self.active = active

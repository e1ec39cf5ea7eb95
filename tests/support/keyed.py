"""The key a record is appended under in tests: its own where it has one, else one that is nobody's."""

from placet.errors import PoisonRecord
from placet.model.context_keys import key_of_value


def keyed(value: bytes | None, otherwise: str = "nobody's") -> bytes:
    """Return the key of a context record as its writer would give it; `otherwise` where no reader can read it."""
    try:
        return key_of_value(value)
    except PoisonRecord:
        return otherwise.encode()

"""The key of each context record: made of all that tells it from another, so that compaction replaces it by its own news only.

No two things have one key: a tenant holds no `/` and is not called `watermark`,
and of what follows only one part holds a `/` as it is.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from placet.errors import PoisonRecord
from placet.model.codec import READERS
from placet.model.codec.active_set import ActiveSet
from placet.model.codec.control import Control
from placet.model.codec.key import Key
from placet.model.codec.mandate import Mandate
from placet.model.codec.pack import Pack
from placet.model.codec.principal import Principal
from placet.model.codec.risk import Risk
from placet.model.codec.risk_signal import RiskSignal
from placet.model.codec.sensitivity import Sensitivity
from placet.model.codec.watermark import Watermark
from placet.model.keys import partition_of
from placet.model.reasons import Reason


def principal_key(said: Principal) -> bytes:
    """Return the key of what one source says of a principal."""
    return f"{said.tenant}/{said.id}/{_one(said.source)}".encode()


def risk_key(said: Risk | RiskSignal) -> bytes:
    """Return the key of what one source says of a subject's risk."""
    return f"{said.tenant}/{said.subject}/{_one(said.source)}".encode()


def signal_key(said: RiskSignal) -> bytes:
    """Return the key of a signal: its partition is where the subject's risk is folded."""
    return f"{said.tenant}/{said.subject}".encode()


def sensitivity_key(said: Sensitivity) -> bytes:
    """Return the key of what one source says of a resource."""
    return f"{said.tenant}/{said.resource}/{_one(said.source)}".encode()


def mandate_key(said: Mandate) -> bytes:
    """Return the key of a mandate."""
    return f"{said.tenant}/{said.id}".encode()


def control_key(said: Control) -> bytes:
    """Return the key of an operator's word.

    A calendar fact is replaced by the next of its name. A halt, or a word that
    one may end, is replaced by nothing but itself: not by another operator's,
    nor by one of another scope or that ends sooner.
    """
    if said.kind == "calendar":
        return f"{said.tenant}/calendar/{said.scope}".encode()
    named = f"{_one(said.id)}/{said.scope}/{_one(said.by)}"
    return f"{said.tenant}/{said.kind}/{named}/{said.observed_at}/{said.expires_at}".encode()


def pack_key(said: Pack) -> bytes:
    """Return the key of a pack: one for each of its contents."""
    return f"{said.tenant}/{said.name}/{said.digest.hex()}".encode()


def active_set_key(said: ActiveSet) -> bytes:
    """Return the key of a pointer: one for each revision and what it points to, so that a rollback finds it."""
    names = sha256(b"".join(said.digests)).hexdigest()
    return f"{said.tenant}/active/{said.revision:012d}/{names}".encode()


def key_key(said: Key) -> bytes:
    """Return the key of what one operator says of a key, which is replaced by nothing but itself.

    An older word, written again, would else compact away that a key was retired, or is compromised.
    """
    by = _one(said.proof.kid) if said.proof else ""
    return f"{said.tenant}/{said.kid}/{said.observed_at}/{said.compromised_at}/{by}".encode()


def watermark_key(said: Watermark) -> bytes:
    """Return the key of a feed's watermark, which no tenant's key begins as. It lies in every partition."""
    return f"watermark/{said.source}".encode()


KEYS: dict[bytes, tuple[Callable[[bytes], Any], Callable[[Any], bytes]]] = {
    reader.HEADER: (reader.decode, key)
    for name, key in (
        ("principal", principal_key),
        ("risk", risk_key),
        ("risk_signal", signal_key),
        ("sensitivity", sensitivity_key),
        ("mandate", mandate_key),
        ("control", control_key),
        ("pack", pack_key),
        ("active_set", active_set_key),
        ("key", key_key),
        ("watermark", watermark_key),
    )
    for reader in READERS[name]
}


def key_of_value(value: bytes | None) -> bytes:
    """Return the key under which a context record or a signal belongs; raise PoisonRecord for anything else."""
    if value is None:
        raise PoisonRecord("a record without a value", Reason.UNDECODABLE)
    known = KEYS.get(value[:5])
    if known is None:
        raise PoisonRecord("no context record has this schema", Reason.SCHEMA_UNKNOWN)
    decode, key = known
    return key(decode(value))


def check_key(found: bytes | None, expected: bytes) -> None:
    """Raise PoisonRecord where a record lies under a key that is not its own: it would take another's place."""
    if found != expected:
        shown = "no key" if found is None else f"key `{found[:64].decode('ascii', 'replace')}`"
        raise PoisonRecord(f"{shown}: expected `{expected[:200].decode('utf-8', 'replace')}`", Reason.MALFORMED)


def check_place(partition: int, found: bytes | None, expected: bytes, partitions: int) -> None:
    """Raise PoisonRecord where a record lies under a key that is not its own, or in a partition that is not its key's."""
    check_key(found, expected)
    home = partition_of(expected, partitions) if partitions > 1 else 0
    if partition != home:
        raise PoisonRecord(f"in partition {partition}: its key lies in {home}", Reason.WRONG_PARTITION)


def _one(name: str) -> str:
    """Return a name as one part of a key: with no `/` of its own."""
    return name.replace("%", "%25").replace("/", "%2F")

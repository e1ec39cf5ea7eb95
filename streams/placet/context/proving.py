"""Who may say what of the context: whose signature a record needs, and in whose name its key speaks."""

from placet.errors import PoisonRecord
from placet.model.codec import Signed
from placet.model.codec.control import Control
from placet.model.codec.mandate import Mandate
from placet.model.codec.principal import Principal
from placet.model.codec.sensitivity import Sensitivity
from placet.model.proof import KeyRing
from placet.model.reasons import Reason
from placet.ports import Rec

SAYS_WHO, SAYS_WHAT = ("directory", "operator"), ("feed", "operator")
"""What a key is for that proves who somebody is, and one that proves what a resource holds."""
ORDERS = ("operator",)


def by_operator(ring: KeyRing, name: str, reader: Signed, rec: Rec, end: int, heard: Mandate | Control) -> str:
    """Return the operator who signed a record, which stands where it was appended before its key fell."""
    unsigned = (rec.value or b"")[5:end]
    return ring.verify(name, reader.FINGERPRINT, unsigned, heard.proof, ORDERS, heard.tenant, rec.at, lasts=True)


def by_source(ring: KeyRing, name: str, reader: Signed, rec: Rec, end: int, heard: Principal | Sensitivity) -> None:
    """Raise PoisonRecord where no key for such records, that speaks for the source it names, signed a record."""
    purposes = SAYS_WHO if isinstance(heard, Principal) else SAYS_WHAT
    proof, tenant, source = heard.proof, heard.tenant, heard.source
    ring.verify(name, reader.FINGERPRINT, (rec.value or b"")[5:end], proof, purposes, tenant, rec.at, lasts=True)
    if proof is None or not ring.speaks_as(proof.kid, source, tenant):
        ring.miss(tenant, "" if proof is None else proof.kid)
        raise PoisonRecord(f"source `{source[:64]}` is not one its key speaks for", Reason.WRITER_UNPROVED)

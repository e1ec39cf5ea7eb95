"""Who a witness is, and which logs it witnesses: its key lies in its own folder, for its owner alone."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from placet.drivers.entropy import SystemEntropy
from placet.drivers.keyfile import KEY_BYTES, read_secret, write_secret
from placet.provenance.cosignature import Cosigner
from placet.provenance.notes import Verifier

KEY: Final = "secrets/witness.key"


@dataclass(slots=True)
class WitnessIdentity:
    """A witness's key under its name, and the keys of the logs it witnesses, by origin."""

    cosigner: Cosigner
    logs: dict[str, list[Verifier]] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path, name: str) -> "WitnessIdentity":
        """Return who lives in `folder`, its key made where there is none; raise ValueError where no key can have `name`."""
        path = folder / KEY
        if not path.exists():
            write_secret(path, SystemEntropy().draw(KEY_BYTES))
        return cls(Cosigner(name, Ed25519PrivateKey.from_private_bytes(read_secret(path))))

    @property
    def vkey(self) -> str:
        """Return the verifier key, as a policy names a witness."""
        return self.cosigner.vkey

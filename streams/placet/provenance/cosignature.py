"""Cosignatures (C2SP tlog-cosignature): a witness's word that a checkpoint goes on from all it had seen of that log."""

from struct import Struct
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from placet.provenance.notes import ED25519, Ed25519Verifier, NoteSignature, expect_name, key_id_of, read_vkey, vkey_of

COSIGNATURE: Final = 0x04
_TIME: Final = Struct(">Q")
_SIZE: Final = _TIME.size + 64
_TIME_MAX: Final = (1 << 63) - 1


class Cosigner:
    """The private key of a witness, with its name."""

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self.name = expect_name(name)
        self._private = private
        self._key = bytes([COSIGNATURE]) + private.public_key().public_bytes_raw()
        self.key_id = key_id_of(name, self._key)

    @property
    def vkey(self) -> str:
        """Return the verifier key, as a policy names a witness."""
        return vkey_of(self.name, self._key)

    def cosign(self, text: str, at_s: int) -> NoteSignature:
        """Return the line under a checkpoint's text, signed at `at_s`, seconds since 1970."""
        signature = self._private.sign(_signed(text, at_s))
        return NoteSignature(self.name, self.key_id, _TIME.pack(at_s) + signature)


class CosignatureVerifier:
    """The public key of a witness, with its name."""

    def __init__(self, name: str, public: bytes) -> None:
        self.name = expect_name(name)
        self.key_id = key_id_of(name, bytes([COSIGNATURE]) + public)
        self.public = public
        self._public = Ed25519PublicKey.from_public_bytes(public)

    @classmethod
    def read(cls, vkey: str) -> "CosignatureVerifier":
        """Return the key in the text NAME+HEX+BASE64; raise ValueError where it is none, or not a cosigner's."""
        name, key = read_vkey(vkey)
        if key[0] != COSIGNATURE or len(key) != 33:
            raise ValueError(f"verifier key `{name}`: algorithm {key[0]}, expected a cosigner's, {COSIGNATURE}")
        return cls(name, key[1:])

    def verify(self, text: str, signature: bytes) -> bool:
        if len(signature) != _SIZE or (at_s := time_of(signature)) > _TIME_MAX:
            return False
        try:
            self._public.verify(signature[_TIME.size :], _signed(text, at_s))
        except InvalidSignature:
            return False
        return True


def time_of(signature: bytes) -> int:
    """Return when a cosignature was made, seconds since 1970."""
    return int(_TIME.unpack_from(signature)[0])


def verifier_of(vkey: str) -> Ed25519Verifier | CosignatureVerifier:
    """Return the key of a log or of a witness, as its algorithm says; raise ValueError where it is neither."""
    _, key = read_vkey(vkey)
    if key[0] not in (ED25519, COSIGNATURE):
        raise ValueError(f"`{vkey}`: algorithm {key[0]}, known are {ED25519} and {COSIGNATURE}")
    return CosignatureVerifier.read(vkey) if key[0] == COSIGNATURE else Ed25519Verifier.read(vkey)


def _signed(text: str, at_s: int) -> bytes:
    return f"cosignature/v1\ntime {at_s}\n{text}".encode()

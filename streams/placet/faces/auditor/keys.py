"""Pinned public keys, and what is proved with them: seals, and the writers of claims and outcomes."""

import base64
from collections.abc import Mapping
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from placet.faces.auditor.hashes import leaf_hash, root_by_path, sha256
from placet.faces.auditor.records import Fields, Record

SIGNATURE_SIZE = 64
REMEMBERED_MAX = 4_096
IV_SIZE = 12


class Pinned(NamedTuple):
    """One key that is known, of the pinned key file or on record."""

    issuer: str
    purpose: str
    raw: bytes
    tenant: str = ""
    sources: tuple[str, ...] = ()

    @classmethod
    def of(cls, said: Fields) -> "Pinned":
        """Return the key that a record puts on record."""
        return cls(said["issuer"], said["purpose"], said["public"], said["tenant"], tuple(said["sources"]))

    def may_name(self, source: str) -> bool:
        """Return whether this key proves what is said in the name of a source: an operator's of any."""
        if self.purpose == "operator" or source == self.issuer:
            return True
        return any(source.startswith(one[:-1]) if one.endswith("*") else source == one for one in self.sources)

    @property
    def public(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.raw)


class Keys:
    """The pinned key file, `{"keys": [{kid, issuer, purpose, public}]}`. An unknown kid proves nothing."""

    def __init__(self, file: Mapping[str, Any]) -> None:
        self.file = {
            entry["kid"]: Pinned(
                entry["issuer"],
                entry["purpose"],
                base64.b64decode(entry["public"]),
                entry.get("tenant", ""),
                tuple(entry.get("sources", ())),
            )
            for entry in file["keys"]
        }
        self._proved: dict[tuple[bytes, int, bytes, bytes], bool] = {}

    def seal_fault(self, seal: Record) -> str:
        """Return why a seal's signature does not hold, or an empty text."""
        kid = seal.fields["kid"]
        pinned = self.file.get(kid)
        if pinned is None or pinned.purpose != "seal":
            return f"signed with `{kid}`, which is not pinned for seals"
        signed = b"placet/seal/1" + seal.fingerprint + seal.payload[:-SIGNATURE_SIZE]
        return "" if _verified(pinned.public, seal.fields["signature"], signed) else f"the signature of `{kid}` fails"

    def proved_by(self, record: Record, pinned: Pinned) -> str:
        """Return why a key does not prove the writer of a record that has a proof, or an empty text."""
        proof = record.fields["proof"]
        kid = proof["kid"]
        if pinned.tenant and pinned.tenant != record.fields["tenant"]:
            return f"`{kid}` is of tenant `{pinned.tenant}`"
        if pinned.issuer != proof["issuer"]:
            return f"`{kid}` belongs to `{pinned.issuer}`, not to `{proof['issuer']}`"
        data = b"placet/%b/1" % record.name.encode() + record.fingerprint + record.unsigned
        root = root_by_path(leaf_hash(data), proof["index"], proof["size"], proof["path"])
        if root is None or not self._signed(pinned, proof, root):
            return f"the signature of `{kid}` does not cover it"
        return ""

    def _signed(self, pinned: Pinned, proof: Fields, root: bytes) -> bool:
        place = (pinned.raw, proof["size"], root, proof["signature"])
        known = self._proved.get(place)
        if known is None:
            signed = b"placet/batch/1" + proof["size"].to_bytes(4, "big") + root
            known = _verified(pinned.public, proof["signature"], signed)
            if len(self._proved) >= REMEMBERED_MAX:
                self._proved.clear()
            self._proved[place] = known
        return known


def _verified(public: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        public.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


class CaseKeys:
    """The data keys of authorities, opened with the key-encryption key, to read cases with."""

    def __init__(self, kek: bytes | None) -> None:
        self._wrapping = AESGCM(kek) if kek else None
        self._opened: dict[tuple[str, bytes], tuple[AESGCM, bytes]] = {}
        self._holders: set[str] = set()

    @property
    def available(self) -> bool:
        """Whether there is a key-encryption key at all."""
        return self._wrapping is not None

    def learn(self, row: Fields) -> str:
        """Take one wrapped data key; return why it does not open, or an empty text."""
        if self._wrapping is None:
            return ""
        wrapped = row["wrapped"]
        try:
            key = self._wrapping.decrypt(
                wrapped[:IV_SIZE], wrapped[IV_SIZE:], b"placet/data-key/1" + row["key"].encode()
            )
            self._opened[row["key"], row["key_id"]] = (AESGCM(key), row["salt"])
            self._holders.add(row["key"])
        except Exception as error:  # noqa: BLE001  InvalidTag, or a key of a wrong size: it does not open
            return f"the data key of `{row['key']}` does not open ({type(error).__name__})"
        return ""

    def differs(self, case: Fields) -> bool:
        """Whether a case names a data key that its authority never had, though it has one."""
        key = f"{case['tenant']}/{case['authority']}"
        return key in self._holders and (key, case["data_key"]) not in self._opened

    def knows(self, case: Fields) -> bool:
        """Whether the data key of a case is there; it is not once the case was erased."""
        return (f"{case['tenant']}/{case['authority']}", case["data_key"]) in self._opened

    def read(self, case: Fields) -> tuple[bytes, bytes] | None:
        """Return the bytes of a case's body and their commitment, or None where it does not open."""
        cipher, salt = self._opened[f"{case['tenant']}/{case['authority']}", case["data_key"]]
        place = case["partition"].to_bytes(4, "big") + case["seq"].to_bytes(8, "big")
        try:
            body = cipher.decrypt(case["nonce"], case["ciphertext"], b"placet/case/1" + place)
        except Exception:  # noqa: BLE001  InvalidTag, or too short to hold a tag
            return None
        return body, sha256(salt + body)

"""Cases under lock: a data key and a salt per authority, wrapped by the one key-encryption key."""

import struct
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from placet.context.facts import sized
from placet.errors import Corrupted
from placet.model.codec.desk_change import DataKey
from placet.ports import Entropy

PLACE = struct.Struct(">IQ")
COUNTER = struct.Struct(">I")
KEY_SIZE, ID_SIZE, SALT_SIZE, NONCE_SIZE, PREFIX_SIZE = 32, 16, 32, 12, 8


class Lock:
    """The opened data key of one authority; `owner` is its tenant and its name, as a Case begins."""

    __slots__ = ("cipher", "key_id", "owner", "salt")

    def __init__(self, key: bytes, cipher: AESGCM, key_id: bytes, salt: bytes) -> None:
        tenant, _, authority = key.partition(b"/")
        self.owner = sized(tenant) + sized(authority)
        self.cipher = cipher
        self.key_id = key_id
        self.salt = salt


class Vault:
    """Data keys by `tenant/authority`, in UTF-8, made at the first intent of an authority.

    A nonce is 8 bytes drawn anew for each batch and a counter of 4: one key
    never sees a pair twice, also when a batch is brought again.
    """

    def __init__(self, key_encryption_key: bytes) -> None:
        self._wrapping = AESGCM(key_encryption_key)
        self._locks: dict[bytes, Lock] = {}
        self.made: list[DataKey] = []
        self._prefix = b""
        self._count = 0

    def begin(self, entropy: Entropy) -> None:
        """Start a batch with a nonce prefix of its own."""
        self._entropy = entropy
        self._prefix = entropy.draw(PREFIX_SIZE)
        self._count = 0
        self.made = []

    def lock_of(self, key: bytes) -> Lock:
        """Return the data key of `key`, a new one if it has none."""
        lock = self._locks.get(key)
        return self._make(key) if lock is None else lock

    def encrypt(self, lock: Lock, partition: int, seq: int, body: bytes) -> tuple[bytes, bytes]:
        """Return the nonce and AES-256-GCM of a case body, bound to its place among the decisions."""
        self._count += 1
        nonce = self._prefix + COUNTER.pack(self._count)
        return nonce, lock.cipher.encrypt(nonce, body, b"placet/case/1" + PLACE.pack(partition, seq))

    def _make(self, key: bytes) -> Lock:
        secret = self._entropy.draw(KEY_SIZE + ID_SIZE + SALT_SIZE + NONCE_SIZE)
        data_key, rest = secret[:KEY_SIZE], secret[KEY_SIZE:]
        key_id, salt, nonce = rest[:ID_SIZE], rest[ID_SIZE : ID_SIZE + SALT_SIZE], rest[ID_SIZE + SALT_SIZE :]
        wrapped = nonce + self._wrapping.encrypt(nonce, data_key, b"placet/data-key/1" + key)
        lock = self._locks[key] = Lock(key, AESGCM(data_key), key_id, salt)
        self.made.append(DataKey(key=key.decode(), key_id=key_id, wrapped=wrapped, salt=salt))
        return lock

    def take(self, row: DataKey) -> None:
        """Open a data key that was made before; raise Corrupted where the key-encryption key does not fit."""
        key = row.key.encode()
        aad = b"placet/data-key/1" + key
        try:
            data_key = self._wrapping.decrypt(row.wrapped[:NONCE_SIZE], row.wrapped[NONCE_SIZE:], aad)
        except InvalidTag:
            raise Corrupted(f"data key of `{row.key}` does not open with this key-encryption key") from None
        self._locks[key] = Lock(key, AESGCM(data_key), row.key_id, row.salt)

    def drop(self) -> None:
        """Forget the data keys made since `begin`."""
        for row in self.made:
            del self._locks[row.key.encode()]
        self.made = []


def commitment(salt: bytes, body: bytes) -> bytes:
    """Return what a verdict says of its case: SHA-256 of the authority's salt and the case body."""
    return sha256(salt + body).digest()

"""Signed notes (C2SP signed-note): a text, and lines under it by which keys that have names vouch for it."""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = 0x01
NOTE_BYTES_MAX = 1_000_000
SIGNATURES_MOST = 100
"""C2SP signed-note: a reader takes at least 16 signatures, and may refuse more."""
_DASH = "— "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class Signer(Protocol):
    """What signs notes under a name."""

    name: str
    key_id: bytes

    def sign(self, text: str) -> bytes:
        """Return the signature of a text that ends in a newline."""
        ...


class Verifier(Protocol):
    """What knows the key of a name."""

    name: str
    key_id: bytes

    def verify(self, text: str, signature: bytes) -> bool:
        """Say whether the signature, without the key id before it, is that of the text."""
        ...


class NoteSignature(NamedTuple):
    """One line under a note. `signature` is what follows the key id."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """Return the line, newline included."""
        return f"{_DASH}{self.name} {b64encode(self.key_id + self.signature).decode()}\n"


class Note(NamedTuple):
    """A note that at least one known key vouches for; `unknown` are the lines of keys nobody here knows."""

    text: str
    signatures: tuple[NoteSignature, ...]
    unknown: tuple[NoteSignature, ...]


class Ed25519Signer:
    """A private key with a name."""

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self.name = expect_name(name)
        self._private = private
        self._key = bytes([ED25519]) + private.public_key().public_bytes_raw()
        self.key_id = key_id_of(name, self._key)

    @property
    def vkey(self) -> str:
        """Return the verifier key, as `placet ledger checkpoint --vkey` prints it."""
        return vkey_of(self.name, self._key)

    def sign(self, text: str) -> bytes:
        return self._private.sign(text.encode())


class Ed25519Verifier:
    """A public key with a name."""

    def __init__(self, name: str, public: bytes) -> None:
        self.name = expect_name(name)
        self.key_id = key_id_of(name, bytes([ED25519]) + public)
        self._public = Ed25519PublicKey.from_public_bytes(public)

    @classmethod
    def read(cls, vkey: str) -> "Ed25519Verifier":
        """Return the key in the text NAME+HEX+BASE64; raise ValueError where it is none, or of another algorithm."""
        name, key = read_vkey(vkey)
        if key[0] != ED25519 or len(key) != 33:
            raise ValueError(f"verifier key `{name}`: algorithm {key[0]} over {len(key) - 1} bytes, expected Ed25519")
        return cls(name, key[1:])

    def verify(self, text: str, signature: bytes) -> bool:
        try:
            self._public.verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


def key_id_of(name: str, key: bytes) -> bytes:
    """Return the four bytes that name a key; `key` begins with the byte of its algorithm."""
    return sha256(name.encode() + b"\n" + key).digest()[:4]


def vkey_of(name: str, key: bytes) -> str:
    """Return the verifier key in text; `key` begins with the byte of its algorithm."""
    return f"{name}+{key_id_of(name, key).hex()}+{b64encode(key).decode()}"


def read_vkey(vkey: str) -> tuple[str, bytes]:
    """Return name and key, the byte of its algorithm first; raise ValueError where the id is not that of both."""
    name, _, rest = vkey.partition("+")
    given, _, encoded = rest.partition("+")
    key = _decoded(encoded)
    if not name or key is None or len(key) < 2 or key_id_of(expect_name(name), key).hex() != given:
        raise ValueError(f"`{vkey}` is no verifier key: expected NAME+KEY-ID+KEY")
    return name, key


def expect_name(name: str) -> str:
    """Return `name`; raise ValueError where no key can have it: empty, or with a space, a `+` or a control character."""
    if not name or any(sign.isspace() or sign == "+" or sign < " " for sign in name):
        raise ValueError(f"`{name}` is no name of a key: expected one without spaces and `+`")
    return name


def sign(text: str, signers: Iterable[Signer], others: Sequence[NoteSignature] = ()) -> str:
    """Return the note of `text`, signed by all `signers` after the lines of `others`; a key that signs anew replaces its line.

    Raise ValueError where the text does not end in a newline, or holds a control character.
    """
    if not text.endswith("\n") or _CONTROL.search(text):
        raise ValueError("the text of a note ends in a newline and holds no control character besides")
    made = [NoteSignature(signer.name, signer.key_id, signer.sign(text)) for signer in signers]
    fresh = {one[:2] for one in made}
    return text + "\n" + "".join(one.line for one in (*(o for o in others if o[:2] not in fresh), *made))


def split(data: bytes) -> tuple[str, list[NoteSignature]]:
    """Return the text of a note and its signatures, none of them verified; raise ValueError where it is no note."""
    if len(data) > NOTE_BYTES_MAX:
        raise ValueError(f"a note of {len(data)} bytes, expected {NOTE_BYTES_MAX} at most")
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise ValueError("a note that is not UTF-8") from None
    text, blank, lines = whole.rpartition("\n\n")
    if _CONTROL.search(whole) or not blank or not lines.endswith("\n"):
        raise ValueError("no note: expected text without control characters, a blank line, and signatures")
    found = [_signature(line) for line in lines[:-1].split("\n")]
    if len(found) > SIGNATURES_MOST:
        raise ValueError(f"a note with {len(found)} signatures, expected {SIGNATURES_MOST} at most")
    return text + "\n", found


def _signature(line: str) -> NoteSignature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    signature = _decoded(encoded)
    if not line.startswith(_DASH) or signature is None or len(signature) < 5:
        raise ValueError(f"`{line[:80]}` is no signature of a note")
    return NoteSignature(expect_name(name), signature[:4], signature[4:])


def verify(data: bytes, known: Sequence[Verifier]) -> Note:
    """Return a note that a known key vouches for.

    A key nobody here knows is passed over. Raise ValueError where it is no note, a
    known key's signature is wrong, two known keys share a name and an id, or none
    of the known keys signed.
    """
    text, lines = split(data)
    good: dict[tuple[str, bytes], NoteSignature] = {}
    unknown: dict[NoteSignature, None] = {}
    for line in lines:
        place = line[:2]
        keys = [verifier for verifier in known if (verifier.name, verifier.key_id) == place]
        if not keys:
            unknown[line] = None
        elif len(keys) > 1:
            raise ValueError(f"two known keys are `{line.name}+{line.key_id.hex()}`")
        elif place not in good:
            if not keys[0].verify(text, line.signature):
                raise ValueError(f"the signature of `{line.name}+{line.key_id.hex()}` is wrong")
            good[place] = line
    if not good:
        raise ValueError("no known key signed this note")
    return Note(text, tuple(good.values()), tuple(unknown))


def _decoded(text: str) -> bytes | None:
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        return None
    # One signature has one text: bits past the last byte are zero.
    return data if b64encode(data).decode() == text else None

"""The pinned keys: public ones in one file everybody may read, private ones in a folder only their owner may."""

import base64
import binascii
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from placet.errors import Corrupted, Unavailable
from placet.model.pinned import NAMING
from placet.model.proof import KeyRing, PinnedKey, Signer
from placet.ports import Entropy
from placet.provenance.seal import SealKey

Purpose = Literal["seal", "operator", "executor", "agent", "approver", "feed", "directory"]
Kid = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._\-]{0,127}$")]
KEY_BYTES = 32
KEK_NAME = "kek"
FIRST_KEYS: tuple[tuple[Purpose, str], ...] = (
    ("seal", "service:desk"),
    ("operator", "user:operator"),
    ("feed", "service:feed"),
    ("directory", "service:directory"),
    ("executor", "service:executor"),
)
"""What a new folder starts with: purpose and issuer."""


class KeyEntry(BaseModel):
    """One pinned public key: who holds it, the one thing it may sign, and of which tenant (empty: of all).

    A feed or a directory speaks as its issuer, and as the `sources` listed; a last `*` stands for any rest.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    kid: Kid
    issuer: Annotated[str, Field(min_length=1, max_length=256)]
    purpose: Purpose
    public: str
    tenant: Annotated[str, Field(max_length=256)] = ""
    sources: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=256)], ...], Field(max_length=256)] = ()

    @field_validator("public")
    @classmethod
    def _is_a_key(cls, text: str) -> str:
        _key_bytes(text, "public key")
        return text

    @property
    def raw(self) -> bytes:
        """Return the 32 bytes of the Ed25519 public key."""
        return _key_bytes(self.public, "public key")

    @property
    def pinned(self) -> PinnedKey:
        """Return the key as verifiers take it."""
        return PinnedKey(self.kid, self.issuer, self.purpose, self.raw, self.tenant, self.sources)


class KeyFile(BaseModel):
    """`keys.json`: every key this installation believes. A kid that is not in it is refused, and nothing is fetched."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    version: Literal[1] = 1
    keys: list[KeyEntry]

    def ring(self) -> KeyRing:
        """Return the keys as verifiers take them."""
        return KeyRing([entry.pinned for entry in self.keys])


class Keys:
    """The pinned keys of one installation, and those private keys this process may use.

    `pinned` is the file of public keys; `secrets` the folder of private ones,
    `<kid>.key` each, and `kek`, all base64 of 32 bytes; `<kid>.json` beside one
    describes a key that is on record and not pinned. A secret that others
    could read or write is refused, and no message ever holds one.
    """

    def __init__(self, pinned: Path, secrets: Path) -> None:
        self.pinned = pinned
        self.secrets = secrets
        self.file = read_keys(pinned)
        self.ring = self.file.ring()

    def signer(self, purpose: Purpose, issuer: str | None = None, source: str | None = None) -> Signer:
        """Return the signer of the newest key of `purpose` (of `issuer`; one that speaks as `source`) whose private half lies here.

        Raises `Unavailable` when there is none.
        """
        for entry in (*described(self.secrets), *reversed(self.file.keys)):
            speaks = source is None or entry.pinned.speaks_as(source)
            if entry.purpose == purpose and issuer in (None, entry.issuer) and speaks:
                path = self.secrets / f"{entry.kid}.key"
                if path.exists():
                    return self._signer(entry, path)
        whose = (f" of `{issuer}`" if issuer else "") + (f" that speaks as `{source}`" if source else "")
        raise Unavailable(
            f"{self.secrets}: no private {purpose} key{whose}; `placet keys add` or `placet keys new` makes one"
        )

    def kek(self) -> bytes:
        """Return the key-encryption key of the cases, 32 bytes."""
        return read_secret(self.secrets / KEK_NAME)

    def seal_key(self) -> SealKey:
        """Return what a desk seals with; raise `Unavailable` when no private seal key lies here."""
        signer = self.signer("seal")
        return SealKey(
            signer.kid, Ed25519PrivateKey.from_private_bytes(read_secret(self.secrets / f"{signer.kid}.key"))
        )

    def _signer(self, entry: KeyEntry, path: Path) -> Signer:
        signer = Signer(entry.kid, entry.issuer, read_secret(path))
        if signer.public != entry.raw:
            raise Corrupted(f"{path}: is not the private half of `{entry.kid}` in {self.pinned}, or beside it")
        return signer


def read_keys(path: Path) -> KeyFile:
    """Return the pinned keys of `path`. Raise `Corrupted` when it is not a key file, or two keys share a kid."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise Unavailable(f"{path}: no pinned keys: copy those that `placet up` or `placet keys init` made") from None
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}") from error
    try:
        keys = KeyFile.model_validate_json(text)
    except ValidationError as error:
        raise Corrupted(f"{path}: {_first(error)}") from None
    kids = [entry.kid for entry in keys.keys]
    twice = {kid for kid in kids if kids.count(kid) > 1}
    if twice:
        raise Corrupted(f"{path}: kid `{min(twice)}` stands twice; every key has its own")
    return keys


def read_secret(path: Path) -> bytes:
    """Return the 32 bytes of a secret. Raise `Corrupted` when others may read or write the file or its folder."""
    try:
        for place in (path, path.parent):
            mode = stat.S_IMODE(place.stat().st_mode)
            if mode & 0o077:
                wanted = "0600" if place is path else "0700"
                raise Corrupted(f"{place}: mode {mode:04o} lets others at a secret; expected {wanted}")
        text = path.read_text("ascii")
    except FileNotFoundError:
        raise Unavailable(f"{path}: no such secret") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable(f"{path}: cannot be read ({type(error).__name__})") from None
    try:
        return _key_bytes(text.strip(), "secret")
    except ValueError as error:
        raise Corrupted(f"{path}: {error}") from None


def write_secret(path: Path, raw: bytes) -> None:
    """Write a secret nobody else can read, durably. An existing file is never replaced."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.b64encode(raw))
        file.flush()
        os.fsync(file.fileno())


def write_keys(path: Path, keys: KeyFile) -> None:
    """Write `keys` over `path` durably: a reader sees the old file or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    with staged.open("wb") as file:
        file.write(keys.model_dump_json(indent=2).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    staged.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def add_key(
    pinned: Path,
    secrets: Path,
    purpose: Purpose,
    issuer: str,
    entropy: Entropy,
    tenant: str = "",
    sources: tuple[str, ...] = (),
) -> KeyEntry:
    """Make a key pair for `issuer`, keep its private half in `secrets`, pin its public half, and return that.

    With a `tenant` it signs for that one alone; a feed or a directory speaks as its issuer and as `sources`.
    Processes that are running know it after their next start.
    """
    known = read_keys(pinned).keys if pinned.exists() else []
    made = _made(secrets, purpose, issuer, [key.kid for key in known], entropy)
    entry = made.model_copy(update={"tenant": tenant, "sources": sources})
    write_keys(pinned, KeyFile(keys=[*known, entry]))
    return entry


def make_key(
    secrets: Path, purpose: Purpose, issuer: str, entropy: Entropy, tenant: str, sources: tuple[str, ...]
) -> KeyEntry:
    """Make a key pair, keep its private half in `secrets`, and return the public one, which is neither pinned nor on record."""
    made = _made(secrets, purpose, issuer, [], entropy)
    return made.model_copy(update={"tenant": tenant, "sources": sources})


def describe(secrets: Path, entry: KeyEntry) -> None:
    """Let this host sign with a key that is on record, where its private half lies here."""
    if (secrets / f"{entry.kid}.key").exists():
        descriptor = os.open(secrets / f"{entry.kid}.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(entry.model_dump_json(indent=2).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def described(secrets: Path) -> list[KeyEntry]:
    """Return the keys on record whose private halves lie in `secrets`, the newest first. Raise `Corrupted` for no description."""
    found = []
    for path in secrets.glob("*.json"):
        try:
            found.append((path.stat().st_mtime_ns, KeyEntry.model_validate_json(path.read_bytes())))
        except ValidationError as error:
            raise Corrupted(f"{path}: {_first(error)}") from None
        except OSError as error:
            raise Unavailable(f"{path}: {error.strerror}") from error
    return [entry for _, entry in sorted(found, key=lambda one: (one[0], one[1].kid), reverse=True)]


def ensure_keys(
    pinned: Path,
    secrets: Path,
    entropy: Entropy,
    wanted: Iterable[tuple[Purpose, str]] = FIRST_KEYS,
    desks: Path | None = None,
) -> Keys:
    """Return the keys of an installation; on its first start they are made.

    What only desks may hold, the seal key and the key-encryption key, goes to
    `desks` where that is given: whoever holds the rest can neither seal nor read cases.

    Crash here: the pinned file is written last. Restart makes new private
    keys, and those without a pinned half are never used.
    """
    if not pinned.exists():
        kek = (desks or secrets) / KEK_NAME
        if not kek.exists():
            write_secret(kek, entropy.draw(KEY_BYTES))
        entries: list[KeyEntry] = []
        for purpose, issuer in wanted:
            folder = desks if desks is not None and purpose == "seal" else secrets
            made = _made(folder, purpose, issuer, [entry.kid for entry in entries], entropy)
            # Gateway and command line sign with it for every source they let in.
            entries.append(made.model_copy(update={"sources": ("*",)}) if purpose in NAMING else made)
        write_keys(pinned, KeyFile(keys=entries))
    return Keys(pinned, secrets)


def _made(secrets: Path, purpose: Purpose, issuer: str, taken: list[str], entropy: Entropy) -> KeyEntry:
    stem = re.sub(r"[^A-Za-z0-9.\-]+", "-", issuer).strip("-.") or "key"
    raw = entropy.draw(KEY_BYTES)
    public = Ed25519PrivateKey.from_private_bytes(raw).public_key().public_bytes_raw()
    # The tail is of the key itself: a key made again after a crash never meets its predecessor's file.
    kid = f"{purpose}-{stem[:80]}-{public[:4].hex()}"
    if kid in taken:
        raise Unavailable(f"{secrets}: kid `{kid}` is taken; try again")
    write_secret(secrets / f"{kid}.key", raw)
    return KeyEntry(kid=kid, issuer=issuer, purpose=purpose, public=base64.b64encode(public).decode())


def _key_bytes(text: str, what: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"{what} is not base64") from None
    if len(raw) != KEY_BYTES:
        raise ValueError(f"{what} has {len(raw)} bytes, expected {KEY_BYTES}")
    return raw


def _first(error: ValidationError) -> str:
    """Say the first thing wrong and where, without the input: it may be a secret in the wrong file."""
    what = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in what["loc"]) or "file"
    return f"`{where}` {what['msg'].lower()}"

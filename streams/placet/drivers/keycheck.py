"""What can be wrong with the keys of an installation: the pinned file, the private halves, and who may touch them."""

import stat
from collections.abc import Iterator
from pathlib import Path

from placet.drivers.finding import Finding, fault, warning
from placet.drivers.keyfile import KEK_NAME, KeyFile, Keys, read_keys, read_secret
from placet.errors import PlacetError

ADD = "`placet keys add` makes one"


def key_findings(pinned: Path, secrets: Path) -> list[Finding]:
    """Return all that is wrong with the pinned keys of `pinned` and the private ones of `secrets`.

    Nothing secret stands in a finding.
    """
    try:
        file = read_keys(pinned)
    except PlacetError as error:
        told = str(error).removeprefix(f"{pinned}: ")
        return [fault("keys-unreadable", str(pinned), told, "a file of pinned keys", "copy it from where it was made")]
    return [*_pinned(pinned, file), *_private(pinned, secrets)]


def _pinned(pinned: Path, file: KeyFile) -> Iterator[Finding]:
    mode = stat.S_IMODE(pinned.stat().st_mode)
    if mode & 0o022:
        next_ = f"chmod 0644 {pinned}: whoever writes it says who is believed"
        yield fault("keys-writable", str(pinned), f"mode {mode:04o} lets others write it", "0644", next_)
    for purpose, why in (
        ("seal", "no answer of a desk could be verified"),
        ("operator", "no pack, mandate or control would be taken"),
    ):
        if not any(entry.purpose == purpose for entry in file.keys):
            yield fault("key-purpose", str(pinned), f"no key of purpose `{purpose}`", "at least one", f"{ADD}: {why}")
    if not any(entry.purpose == "feed" for entry in file.keys):
        next_ = f"{ADD}, or leave it so where no signals come"
        yield warning("key-purpose", str(pinned), "no key of purpose `feed`", "one for each feed", next_)
    if not any(entry.purpose == "directory" for entry in file.keys):
        next_ = f"{ADD}, or leave it so where operators alone say who is active"
        yield warning("key-purpose", str(pinned), "no key of purpose `directory`", "one for each directory", next_)
    by_public: dict[str, set[str]] = {}
    for entry in file.keys:
        by_public.setdefault(entry.public, set()).add(entry.purpose)
    for entry in file.keys:
        purposes = by_public.pop(entry.public, set())
        if len(purposes) > 1:
            told = f"`{entry.kid}` is one key for {' and '.join(sorted(purposes))}"
            next_ = f"{ADD} for each purpose: a signature must say what it is for"
            yield fault("key-reused", str(pinned), told, "one purpose a key", next_)


def _private(pinned: Path, secrets: Path) -> Iterator[Finding]:
    if not secrets.is_dir():
        next_ = "copy it here with mode 0700 where a worker runs; elsewhere say --no-secrets"
        yield fault("secrets-missing", str(secrets), "no such folder", "the private keys of this host", next_)
        return
    mode = stat.S_IMODE(secrets.stat().st_mode)
    if mode & 0o077:
        told = f"mode {mode:04o} lets others in"
        yield fault("secret-open", str(secrets), told, "0700", f"chmod 0700 {secrets}, and make its keys anew")
        return
    for path in sorted(secrets.iterdir()):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            told = f"mode {mode:04o} lets others read it"
            yield fault("secret-open", str(path), told, "0600", f"chmod 0600 {path}, and make that key anew")
            return
    keys = Keys(pinned, secrets)
    try:
        keys.seal_key()
    except PlacetError as error:
        next_ = "copy the private half here, or make a key: a worker cannot seal without one"
        yield fault("seal-key", str(secrets), str(error), "the private half of a pinned seal key", next_)
    try:
        read_secret(secrets / KEK_NAME)
    except PlacetError as error:
        told = str(error).removeprefix(f"{secrets / KEK_NAME}: ")
        next_ = "copy the one the cases were encrypted with: another opens none of them"
        yield fault("kek", str(secrets / KEK_NAME), told, "the key-encryption key, 32 bytes", next_)

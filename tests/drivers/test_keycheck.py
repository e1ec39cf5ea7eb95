"""The doctor's look at the keys: who may touch them, what they are for, and that both halves belong together."""

from collections.abc import Callable
from pathlib import Path

import pytest

from placet.drivers.entropy import SystemEntropy
from placet.drivers.keycheck import key_findings
from placet.drivers.keyfile import KeyFile, ensure_keys, read_keys, write_keys

Plant = Callable[[Path], None]


def without(purpose: str) -> Plant:
    def plant(home: Path) -> None:
        kept = [entry for entry in read_keys(home / "keys.json").keys if entry.purpose != purpose]
        write_keys(home / "keys.json", KeyFile(keys=kept))

    return plant


def reuse(home: Path) -> None:
    keys = read_keys(home / "keys.json").keys
    operator = next(entry for entry in keys if entry.purpose == "operator")
    again = operator.model_copy(update={"kid": "again", "purpose": "approver"})
    write_keys(home / "keys.json", KeyFile(keys=[*keys, again]))


def swap(home: Path) -> None:
    seal = next((home / "secrets").glob("seal-*.key"))
    operator = next((home / "secrets").glob("operator-*.key"))
    seal.write_bytes(operator.read_bytes())


def seal_key(home: Path) -> Path:
    return next((home / "secrets").glob("seal-*.key"))


@pytest.mark.parametrize(
    ("plant", "code", "grave"),
    [
        (lambda home: (home / "keys.json").unlink(), "keys-unreadable", True),
        (lambda home: (home / "keys.json").write_text("{"), "keys-unreadable", True),
        (lambda home: (home / "keys.json").chmod(0o666), "keys-writable", True),
        (lambda home: seal_key(home).chmod(0o644), "secret-open", True),
        (lambda home: (home / "secrets").chmod(0o755), "secret-open", True),
        (lambda home: seal_key(home).unlink(), "seal-key", True),
        (swap, "seal-key", True),
        (lambda home: (home / "secrets" / "kek").unlink(), "kek", True),
        (lambda home: (home / "secrets" / "kek").write_text("short"), "kek", True),
        (without("operator"), "key-purpose", True),
        (without("feed"), "key-purpose", False),
        (without("directory"), "key-purpose", False),
        (reuse, "key-reused", True),
        (lambda home: (home / "secrets").rename(home / "elsewhere"), "secrets-missing", True),
    ],
)
def test_what_is_wrong_with_keys_is_found(tmp_path: Path, plant: Plant, code: str, grave: bool) -> None:
    ensure_keys(tmp_path / "keys.json", tmp_path / "secrets", SystemEntropy())
    assert key_findings(tmp_path / "keys.json", tmp_path / "secrets") == []
    secret = seal_key(tmp_path).read_text()
    plant(tmp_path)
    [found] = key_findings(tmp_path / "keys.json", tmp_path / "secrets")
    assert (found.code, found.grave) == (code, grave)
    assert secret not in f"{found} {found.next}"

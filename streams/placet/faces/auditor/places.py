"""Where a context record lies: under the key of what it says, or no reader takes it."""

from placet.faces.auditor.hashes import murmur2, sha256
from placet.faces.auditor.records import Fields
from placet.ports import Rec

PARTS: dict[str, tuple[str, ...]] = {
    "principal": ("tenant", "id", "source"),
    "risk": ("tenant", "subject", "source"),
    "sensitivity": ("tenant", "resource", "source"),
    "mandate": ("tenant", "id"),
}
"""The fields that a key is made of, by record."""


def in_place(rec: Rec, name: str, said: Fields, partitions: int) -> bool:
    """Whether a record lies under its own key, where compaction replaces it by its own news only, and in that key's partition."""
    if name == "watermark":
        return rec.key == f"watermark/{said['source']}".encode()  # it lies in every partition
    if name == "control":
        parts = ["calendar", said["scope"]] if said["kind"] == "calendar" else _of_a_halt(said)
        parts.insert(0, said["tenant"])
    elif name == "key":
        by = _plain(said["proof"]["kid"]) if said["proof"] else ""
        parts = [said["tenant"], said["kid"], str(said["observed_at"]), str(said["compromised_at"]), by]
    elif name in PARTS:
        parts = [_plain(said[field]) if field == "source" else said[field] for field in PARTS[name]]
    elif name == "pack":
        parts = [said["tenant"], said["name"], said["digest"].hex()]
    elif name == "active_set":
        parts = [said["tenant"], "active", f"{said['revision']:012d}", sha256(b"".join(said["digests"])).hex()]
    else:
        return True
    key = "/".join(parts).encode()
    return rec.key == key and rec.partition == (murmur2(key) & 0x7FFFFFFF) % partitions


def _of_a_halt(said: Fields) -> list[str]:
    name, by = _plain(said["id"]), _plain(said["by"])
    return [said["kind"], name, said["scope"], by, str(said["observed_at"]), str(said["expires_at"])]


def odd_tenant(tenant: str) -> bool:
    """Whether no tenant is called so: its keys would be spelled as another's, or as a watermark's."""
    return "/" in tenant or tenant == "watermark"


def _plain(name: str) -> str:
    return name.replace("%", "%25").replace("/", "%2F")

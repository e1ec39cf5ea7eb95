"""Policy packs as they were published: their files read as plain data, and their digests."""

import json
from itertools import combinations
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from placet.faces.auditor.hashes import sha256
from placet.faces.auditor.records import Fields, Schemas, Unreadable
from placet.ports import Rec

SEARCHED_MAX = 16
LEASE_MS, ACT_MS_MAX, DEFER_MS_MAX = 30_000, 300_000, 60_000
EFFECTS = {"permit": 1, "constrain": 2, "step_up": 3, "defer": 4, "deny": 5}
Plain = dict[str, Any]


class Argument(NamedTuple):
    """One declared argument of an action; bounds that are None do not bound."""

    name: str
    type: str
    required: bool
    min: int | None
    max: int | None
    max_length: int | None
    pattern: str | None
    one_of: tuple[str, ...]


class Action(NamedTuple):
    """One declared action of a pack."""

    arguments: tuple[Argument, ...]
    read_only: tuple[tuple[str, str], ...] | None
    lease_ms: int
    act_ms_max: int


class Pack:
    """One pack, without any of the checks that were made when it was loaded."""

    def __init__(self, files: dict[str, str]) -> None:
        head, rules = _yaml(files["pack.yaml"]), _yaml(files["rules.yaml"])
        self.name: str = head["name"]
        self.unsigned_intents: bool = head.get("unsigned_intents", False)
        self.defer_ms_max: int = head.get("defer_ms_max", DEFER_MS_MAX)
        lease = head.get("lease") or {}
        self.lease_ms: int = lease.get("lease_ms") or LEASE_MS
        self.act_ms_max: int = lease.get("act_ms_max") or ACT_MS_MAX
        self.actions = {name: self._action(said or {}) for name, said in (head.get("actions") or {}).items()}
        self.freshness: dict[str, Plain] = {entry["fact"]: entry for entry in head.get("freshness") or ()}
        self.limits: list[Plain] = head.get("limits") or []
        self.rules: list[Plain] = rules["rules"]

    def _action(self, said: Plain) -> Action:
        lease = said.get("lease") or {}
        fixed = said.get("read_only")
        return Action(
            tuple(_argument(name, form) for name, form in sorted((said.get("arguments") or {}).items())),
            None if fixed is None else tuple(sorted((name, json.dumps(value)) for name, value in fixed.items())),
            lease.get("lease_ms") or self.lease_ms,
            lease.get("act_ms_max") or self.act_ms_max,
        )


def _argument(name: str, form: Plain) -> Argument:
    return Argument(
        name,
        form["type"],
        form.get("required", True),
        form.get("min"),
        form.get("max"),
        form.get("max_length"),
        form.get("pattern"),
        tuple(form.get("one_of") or ()),
    )


def digest_of(files: dict[str, str]) -> bytes:
    """Return a pack's digest: SHA-256 of "placet/pack/1", then by name each file's name and text, each after its length."""
    said = b"placet/pack/1"
    for name, text in sorted(files.items()):
        for part in (name.encode(), text.encode()):
            said += len(part).to_bytes(8, "big") + part
    return sha256(said)


def set_digest_of(digests: tuple[bytes, ...]) -> bytes:
    """Return the digest of a set of packs: SHA-256 of "placet/set/1" and the packs' digests, sorted."""
    return sha256(b"placet/set/1" + b"".join(sorted(digests)))


class Shelf:
    """All packs and sets that were published, by tenant and digest. Faulty ones are passed over."""

    def __init__(self, policies: list[Rec], schemas: Schemas) -> None:
        self._files: dict[str, dict[bytes, dict[str, str]]] = {}
        self._sets: dict[tuple[str, bytes], tuple[bytes, ...]] = {}
        self._made: dict[tuple[str, bytes], Pack] = {}
        for rec in policies:
            try:
                record = schemas.open(rec.value)
            except Unreadable:
                continue
            if record.name == "pack":
                self._push(record.fields)
            elif record.name == "active_set":
                digests = tuple(record.fields["digests"])
                self._sets[record.fields["tenant"], set_digest_of(digests)] = digests

    def _push(self, said: Fields) -> None:
        files = {file["name"]: file["text"] for file in said["files"]}
        if digest_of(files) == said["digest"]:
            self._files.setdefault(said["tenant"], {})[said["digest"]] = files

    def find(self, tenant: str, set_digest: bytes) -> list[Pack] | None:
        """Return the packs of a set in their order, or None where one of them, or the set, is no longer there.

        A set whose pointer was compacted away is looked for among all small sets of the tenant's packs.
        """
        held = self._files.get(tenant, {})
        digests = self._sets.get((tenant, set_digest))
        if digests is None:
            digests = self._search(tuple(held), set_digest)
            if digests is None:
                return None
            self._sets[tenant, set_digest] = digests
        return None if any(digest not in held for digest in digests) else [self._pack(tenant, one) for one in digests]

    def _search(self, held: tuple[bytes, ...], set_digest: bytes) -> tuple[bytes, ...] | None:
        for size in range(4):
            for digests in combinations(held[-SEARCHED_MAX:], size):
                if set_digest_of(digests) == set_digest:
                    return digests
        return None

    def _pack(self, tenant: str, digest: bytes) -> Pack:
        made = self._made.get((tenant, digest))
        if made is None:
            made = self._made[tenant, digest] = Pack(self._files[tenant][digest])
        return made


def _yaml(text: str) -> Any:
    return _plain(YAML(typ="safe", pure=True).compose(text))


def _plain(node: Node) -> Any:
    """Return a node as plain data: integers, booleans and null as YAML 1.2 has them, all else text."""
    if isinstance(node, MappingNode):
        return {key.value: _plain(value) for key, value in node.value}
    if isinstance(node, SequenceNode):
        return [_plain(item) for item in node.value]
    assert isinstance(node, ScalarNode)
    kind = str(node.tag).rpartition(":")[2]
    if kind == "int":
        return int(node.value)
    if kind == "bool":
        return node.value.lower() == "true"
    return None if kind == "null" else str(node.value)

"""The signature check of `KeyRing` against Wycheproof, and its pinned answers where there is no single right one."""

import json
from pathlib import Path
from typing import Any

import pytest

from placet.errors import PoisonRecord
from placet.model.proof import KeyRing, PinnedKey

VECTORS = Path(__file__).parents[1] / "vectors" / "wycheproof"
GROUPS = json.loads((VECTORS / "ed25519_test.json").read_text("utf-8"))["testGroups"]
CCTV = json.loads((VECTORS / "cctv-ed25519" / "ed25519vectors.json").read_text("utf-8"))


def accepted(public: str, message: bytes, signature: str) -> bool:
    keys = KeyRing([PinnedKey("k", "i", "seal", bytes.fromhex(public))])
    try:
        return keys.check("k", message, bytes.fromhex(signature), {"seal"}) == "i"
    except PoisonRecord:
        return False


@pytest.mark.parametrize("group", GROUPS, ids=[group["publicKey"]["pk"][:8] for group in GROUPS])
def test_wycheproof(group: dict[str, Any]) -> None:
    for case in group["tests"]:
        found = accepted(group["publicKey"]["pk"], bytes.fromhex(case["msg"]), case["sig"])
        assert found is (case["result"] == "valid"), (case["tcId"], case["comment"])


def test_wycheproof_is_whole() -> None:
    results = [case["result"] for group in GROUPS for case in group["tests"]]
    assert (results.count("valid"), results.count("invalid")) == (88, 63)


def test_points_of_low_order_are_taken_as_go_and_openssl_take_them() -> None:
    """Any verifier of the same proofs must answer alike: refused with a non-canonical R or a low-order residue."""
    answers = [accepted(case["key"], case["msg"].encode(), case["sig"]) for case in CCTV]
    refusing = {"non_canonical_R", "low_order_residue"}
    assert answers == [not refusing & set(case["flags"] or ()) for case in CCTV]
    assert (len(answers), sum(answers)) == (914, 208)

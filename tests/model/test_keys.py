"""Kafka's murmur2 against published hashes, and the keys it is taken of."""

import json
from pathlib import Path
from typing import Any

import pytest

from placet.model.keys import key_of, murmur2, partition_of

CASES = json.loads((Path(__file__).parents[1] / "vectors" / "murmur2" / "cases.json").read_text("utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=[case["key_hex"][:24] or "empty" for case in CASES])
def test_a_key_falls_where_the_java_client_puts_it(case: dict[str, Any]) -> None:
    key = bytes.fromhex(case["key_hex"])
    assert murmur2(key) == case["to_positive"]
    assert {count: partition_of(key, int(count)) for count in case["partition"]} == case["partition"]


def test_all_cases_are_there() -> None:
    assert len(CASES) == 20


def test_a_key_is_tenant_and_authority() -> None:
    assert key_of("acme", "user:ada") == b"acme/user:ada"

"""A stand of one partition, and one of four, on the broker that all tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from broker import Broker
from tests.drivers.kafka.stand import Stand


@pytest.fixture
def stand(broker: Broker, tmp_path: Path) -> Iterator[Stand]:
    made = Stand(broker.bootstrap, tmp_path)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def wide(broker: Broker, tmp_path: Path) -> Iterator[Stand]:
    made = Stand(broker.bootstrap, tmp_path, partitions=4)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def bare(broker: Broker, tmp_path: Path) -> Iterator[Stand]:
    made = Stand(broker.bootstrap, tmp_path, apply=False)
    try:
        yield made
    finally:
        made.close()

"""A running shop for each test of the SDK."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from placet.faces.sdk.connection import Connection
from tests.faces.shop import Shop, open_shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(tmp_path / "data") as opened:
        yield opened


@pytest.fixture
def connection(shop: Shop) -> Iterator[Connection]:
    with shop.connect() as opened:
        yield opened

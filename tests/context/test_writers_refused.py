"""A record of a key that is refused says which of its fields is at fault, and what was expected of it."""

from typing import Any

import pytest

from placet.errors import PoisonRecord
from placet.model.proof import KID_MOST
from tests.context.test_writers import BOT, said, tables


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"tenant": "a b"}, "tenant"),
        ({"tenant": "a/b"}, "tenant `a/b`: expected no `/` in it"),
        ({"issuer": ""}, "issuer"),
        ({"kid": ""}, "kid"),
        ({"kid": "a/b"}, f"kid `a/b`: expected at most {KID_MOST} characters without `/`"),
        ({"kid": "k" * (KID_MOST + 1)}, f"kid `{'k' * 64}`: expected at most {KID_MOST} characters without `/`"),
        ({"purpose": "anything"}, "purpose `anything`: expected one of "),
        ({"public": bytes(31)}, "a public key of 31 bytes, expected 32"),
        ({"purpose": "feed", "sources": ("a b",)}, "source"),
        ({"sources": ("siem",)}, "sources of a key for `agent`: only a feed or a directory names them"),
        ({"not_before": 9, "not_after": 8}, "key `bot-1`: ends before it begins, or an instant below 0"),
        ({"not_before": -1}, "key `bot-1`: ends before it begins, or an instant below 0"),
    ],
)
def test_what_is_wrong_with_a_key_is_named(more: dict[str, Any], says: str) -> None:
    with pytest.raises(PoisonRecord) as refused:
        tables().fold(said(BOT, **more))
    assert str(refused.value).startswith(says)

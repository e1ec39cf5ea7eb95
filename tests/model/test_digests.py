"""Digests against their definitions, spelled anew."""

import hashlib
from typing import Any

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from placet.model.codec import intent
from placet.model.digests import action_digest, intent_digest
from tests.model.records import avro_bytes, records


@given(records("intent"))
def test_an_intents_digest_is_of_its_schema_and_its_payload_without_proof(plain: dict[str, Any]) -> None:
    alone = avro_bytes("intent", {**plain, "proof": None})
    assert alone[-1:] == b"\x00"
    expected = hashlib.sha256(b"placet/intent/1" + intent.FINGERPRINT + alone[:-1]).digest()
    framed = b"\x00\x00\x00\x00\x01" + avro_bytes("intent", plain)
    _, proof_at = intent.decode_signed(framed)
    assert intent_digest(framed[5:proof_at]) == expected


def test_an_actions_digest_spelled_by_hand() -> None:
    text = (
        b'placet/action/1{"action":"payments.refund","actor":"agent:bot","arguments":{"amount":90000},'
        b'"audience":"","authority":"user:ada","resource":"order/7","tenant":"acme"}'
    )
    made = action_digest("acme", "user:ada", "agent:bot", "", "payments.refund", "order/7", b'{"amount":90000}')
    assert made == hashlib.sha256(text).digest()


WORDS = st.text(max_size=8) | st.sampled_from(['a","tenant":"b', "\\", '"', "\x7f", "\n", "é", "\u2028", "agent:ada"])


@given(st.fixed_dictionaries(dict.fromkeys(("tenant", "authority", "actor", "audience", "action", "resource"), WORDS)))
def test_an_actions_digest_is_of_its_canonical_form_whatever_the_words(words: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {"amount": 3, "to": ["é", None]}
    expected = hashlib.sha256(b"placet/action/1" + rfc8785.dumps({**words, "arguments": arguments})).digest()
    assert action_digest(**words, arguments=rfc8785.dumps(arguments)) == expected

"""What the auditor remembers under an id that is given to another intent once the deadline of the first has passed."""

from typing import Any

import pytest

from placet.faces.auditor.attempts import BUCKET_MS, Memory, Row, slot_of
from placet.faces.auditor.lives import Lives
from placet.faces.auditor.report import Report

SLOT = slot_of("acme", "user:grace", b"i" * 16, 1)
EARLIER, LATER = bytes([1]) * 32, bytes([2]) * 32


def answered(memory: Memory, seq: int, deadline: int) -> None:
    said = {"seq": seq, "deadline": deadline, "attempt": 1, "intent_digest": bytes(32), "action_digest": bytes(32)}
    memory.put(SLOT, said, transient=False)


def claim(memory: Memory, executor: str, nonce: bytes, granted: bytes) -> None:
    memory.claim(SLOT, {"executor": executor, "nonce": nonce, "granted_digest": granted})


def known(memory: Memory) -> Row:
    packed = memory.find(SLOT)
    assert packed is not None
    return Row(packed)


# The deadlines lie in one bucket, in one after the other, and far from each other.
@pytest.mark.parametrize("after", [1, BUCKET_MS, 9 * BUCKET_MS])
def test_the_later_intent_is_what_is_known_and_claims_of_the_earlier_stay(after: int) -> None:
    memory = Memory()
    answered(memory, 7, 1_000)
    claim(memory, "service:shop", b"n", EARLIER)
    answered(memory, 9, 1_000 + after)
    assert (known(memory).seq, known(memory).deadline) == (9, 1_000 + after)
    assert known(memory).granted_to("service:shop", b"n") == [EARLIER[:20]]
    claim(memory, "service:shop", b"n", LATER)
    assert known(memory).granted_to("service:shop", b"n") == [LATER[:20], EARLIER[:20]]
    assert known(memory).granted_to("service:shop", b"m") == []
    assert known(memory).granted_to("service:other", b"n") == []
    assert [slot for slot, _ in memory.rows()] == [SLOT]


def test_a_grant_that_is_a_claim_is_held_under_no_nonce() -> None:
    memory = Memory()
    answered(memory, 0, 1_000)
    claim(memory, "service:shop", b"", EARLIER)
    assert known(memory).granted_to("service:shop", b"any") == [EARLIER[:20]]


@pytest.mark.parametrize(
    ("executor", "ran", "expected"),
    [
        ("service:shop", EARLIER, []),
        ("service:shop", LATER, ["`service:shop` did something else than it was given leave to do"]),
        ("service:other", EARLIER, ["`service:other` did what nobody gave it leave to do"]),
    ],
    ids=["its own", "another's digest", "another executor"],
)
def test_word_of_an_earlier_intent_is_held_against_its_own_claim(
    executor: str, ran: bytes, expected: list[str]
) -> None:
    """Told twice, and heard the second time when its id was another's already."""
    report = Report()
    lives = Lives(0, report)
    answered(lives.memory, 7, 1_000)
    claim(lives.memory, "service:shop", b"n", EARLIER)
    answered(lives.memory, 9, 9_000)
    outcome: dict[str, Any] = {
        "tenant": "acme",
        "authority": "user:grace",
        "id": b"i" * 16,
        "attempt": 1,
        "executor": executor,
        "nonce": b"n",
        "ran_digest": ran,
        "finished_at": 500,
    }
    lives.unfounded(outcome, 5_000, 3)
    assert [one.text for one in report["V11"].shown] == expected

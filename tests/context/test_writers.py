"""Keys on record: who may put them there, when they prove what, and that no order of reading changes what is believed."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placet.context.tables import Tables
from placet.errors import PoisonRecord
from placet.model.codec import key as key_codec
from placet.model.codec.key import Key, Proof
from placet.model.pinned import PinnedKey
from placet.model.proof import KeyRing, Signer
from placet.model.reasons import Reason
from placet.model.topics import Topic
from placet.ports import Rec
from tests.support.keyed import keyed

ROOT, SECOND = Signer("root", "user:root", b"r" * 32), Signer("second", "user:second", b"s" * 32)
OF_ACME, OF_GLOBEX = Signer("acme-op", "user:ada", b"a" * 32), Signer("globex-op", "user:gil", b"g" * 32)
PUT = Signer("put-op", "user:put", b"p" * 32)
BOT, NEXT = Signer("bot-1", "agent:bot", b"b" * 32), Signer("bot-2", "agent:bot", b"c" * 32)
STRANGER = Signer("stranger", "user:root", b"x" * 32)
SKEW = 5
PINNED = (
    ROOT.pinned("operator"),
    SECOND.pinned("operator"),
    OF_ACME.pinned("operator")._replace(tenant="acme"),
    OF_GLOBEX.pinned("operator")._replace(tenant="globex"),
    BOT.pinned("agent")._replace(kid="file-bot"),
)


def said(signer: Signer, by: Signer = ROOT, at: int = 100, purpose: str = "agent", **more: Any) -> Rec:
    """Return the record in which `by` says of `signer`'s key what the fields say, appended at `at`."""
    fields = {
        "tenant": "acme",
        "kid": signer.kid,
        "issuer": signer.issuer,
        "purpose": purpose,
        "public": signer.public,
        "sources": (),
        "not_before": 0,
        "not_after": 0,
        "compromised_at": 0,
        "observed_at": at,
        **more,
    }
    record = Key(proof=None, **fields)
    (proof,) = by.sign_batch("key", key_codec.FINGERPRINT, [key_codec.encode_unsigned(record)])
    value = key_codec.frame(record._replace(proof=Proof(*proof)))
    return Rec(Topic.KEYS, 0, at, at, keyed(value), value)


def tables(*records: Rec) -> Tables:
    """Return what is known once `records` were read; what is refused is passed over."""
    made = Tables(KeyRing(PINNED, SKEW))
    for rec in records:
        hear(made, rec)
    return made


def hear(made: Tables, rec: Rec) -> Reason | None:
    try:
        made.fold(rec)
    except PoisonRecord as poison:
        return Reason(poison.reason)
    return None


def proves(made: Tables, signer: Signer, at: int, tenant: str = "acme", lasts: bool = False) -> Reason | None:
    """Return why a record that `signer` signed, appended at `at`, proves nothing, or None where it does."""
    (proof,) = signer.sign_batch("intent", b"f" * 32, [b"said"])
    purposes = ("agent", "operator")
    try:
        made.keys.verify("intent", b"f" * 32, b"said", proof, purposes, tenant, at, lasts=lasts)
    except PoisonRecord as poison:
        return Reason(poison.reason)
    return None


def test_a_key_on_record_proves_its_tenants_writers_and_no_others() -> None:
    made = tables(said(BOT))
    assert proves(made, BOT, 200) is None
    assert proves(made, BOT, 200, "globex") is Reason.WRITER_UNPROVED
    assert proves(tables(said(BOT, tenant="")), BOT, 200, "globex") is None


@pytest.mark.parametrize(
    ("rec", "why"),
    [
        (said(BOT, OF_ACME), None),
        (said(BOT, OF_GLOBEX), Reason.TENANT_MISMATCH),
        (said(BOT, OF_ACME, tenant=""), Reason.TENANT_MISMATCH),
        (said(BOT, STRANGER), Reason.WRITER_UNPROVED),
        (said(BOT, Signer("root", "user:root", b"x" * 32)), Reason.WRITER_UNPROVED),
        (said(BOT, Signer("file-bot", "agent:bot", b"b" * 32)), Reason.WRITER_UNPROVED),
        (said(PUT, OF_ACME, purpose="operator"), None),
        (said(BOT, purpose="seal"), Reason.MALFORMED),
        (said(BOT, purpose="anything"), Reason.MALFORMED),
        (said(BOT, public=bytes(31)), Reason.MALFORMED),
        (said(BOT, kid="a/b"), Reason.MALFORMED),
        (said(BOT, kid="k" * 129), Reason.MALFORMED),
        (said(BOT, tenant="a/b"), Reason.MALFORMED),
        (said(BOT, sources=("siem",)), Reason.MALFORMED),
        (said(BOT, purpose="feed", sources=("siem", "edr*")), None),
        (said(BOT, not_before=9, not_after=8), Reason.MALFORMED),
        (said(BOT, not_before=-1), Reason.MALFORMED),
        (said(BOT, observed_at=100 + 60_001), Reason.MALFORMED),
        (said(BOT, compromised_at=100 + 60_001), Reason.MALFORMED),
        (said(BOT, kid="file-bot"), Reason.WRITER_UNPROVED),  # it is pinned for every tenant
        (said(BOT, kid="file-bot", tenant="", not_after=300), None),
        (said(ROOT, SECOND, tenant="", purpose="operator"), Reason.MALFORMED),  # the file alone says when it signs
        (said(BOT, kid="file-bot", tenant="", compromised_at=50), None),
        (said(NEXT, kid="file-bot", tenant="", compromised_at=50), Reason.WRITER_UNPROVED),
        (said(BOT)._replace(key=b"acme/bot-1"), Reason.MALFORMED),
        (said(BOT)._replace(topic=Topic.MANDATES), Reason.SCHEMA_UNKNOWN),
    ],
)
def test_no_record_of_a_key_widens_who_signed_it(rec: Rec, why: Reason | None) -> None:
    made = tables()
    before = (dict(made.keys.known), dict(made.keys.fallen))
    assert hear(made, rec) is why
    if why is not None:
        assert (made.keys.known, made.keys.fallen) == before


def test_an_operator_on_record_puts_keys_of_its_tenant_but_no_operators() -> None:
    made = tables(said(PUT, purpose="operator"))
    assert hear(made, said(BOT, PUT, 101)) is None
    assert hear(made, said(NEXT, PUT, 101, tenant="globex")) is Reason.WRITER_UNPROVED
    assert hear(made, said(NEXT, PUT, 101, tenant="")) is Reason.WRITER_UNPROVED
    assert hear(made, said(NEXT, PUT, 101, purpose="operator")) is Reason.WRITER_UNPROVED
    assert set(made.keys.known) == {("acme", "put-op"), ("acme", "bot-1")}


@pytest.mark.parametrize(
    ("at", "why"),
    [
        (100 - SKEW - 1, Reason.WRITER_UNPROVED),
        (100 - SKEW, None),
        (100, None),
        (200, None),
        (200 + SKEW, None),
        (200 + SKEW + 1, Reason.WRITER_UNPROVED),
    ],
)
def test_a_key_signs_in_its_time_by_the_append_time_give_or_take_the_skew(at: int, why: Reason | None) -> None:
    assert proves(tables(said(BOT, not_before=100, not_after=200)), BOT, at) is why


def test_the_newest_word_of_a_key_stands_and_an_older_one_written_again_does_not_undo_it() -> None:
    first, retired = said(BOT), said(BOT, at=150, not_after=300)
    again = first._replace(offset=9, at=900)
    for order in permutations((first, retired, again)):
        assert proves(tables(*order), BOT, 400) is Reason.WRITER_UNPROVED
        assert proves(tables(*order), BOT, 300) is None


@given(order=st.permutations([said(BOT), said(BOT, at=150, compromised_at=120), said(BOT, at=160)]))
@settings(deadline=None)
def test_a_compromise_is_never_taken_back(order: list[Rec]) -> None:
    made = tables(*order)
    assert proves(made, BOT, 110) is Reason.KEY_COMPROMISED
    assert proves(made, BOT, 200) is Reason.KEY_COMPROMISED


def test_of_two_instants_of_a_compromise_the_earlier_stands() -> None:
    made = tables(said(BOT), said(BOT, at=150, compromised_at=120), said(BOT, at=151, compromised_at=90))
    assert made.keys.fallen["acme", "bot-1"].since == 90


def test_context_stands_that_was_appended_before_its_key_fell() -> None:
    made = tables(said(OF_ACME, SECOND, 300, "operator", compromised_at=200))
    assert proves(made, OF_ACME, 199, lasts=True) is None
    assert proves(made, OF_ACME, 200, lasts=True) is Reason.KEY_COMPROMISED
    assert proves(made, OF_ACME, 199) is Reason.KEY_COMPROMISED


def test_what_a_thief_put_on_record_falls_with_the_key_and_what_came_before_stands() -> None:
    before, by_thief = said(BOT, OF_ACME, 100), said(NEXT, OF_ACME, 250)
    fell = said(OF_ACME, SECOND, 300, "operator", compromised_at=200)
    for order in permutations((before, by_thief, fell)):
        made = tables(*order)
        assert proves(made, BOT, 400) is None
        assert proves(made, NEXT, 260) is not None
        assert made.keys.fallen["acme", "bot-2"].fact == made.keys.fallen["acme", "acme-op"].fact


def test_a_pinned_key_is_given_an_end_on_record_and_a_thief_gives_it_none() -> None:
    file_bot, fell = (
        Signer("file-bot", "agent:bot", b"b" * 32),
        said(SECOND, ROOT, 90, "operator", tenant="", compromised_at=80),
    )
    ended = said(BOT, ROOT, kid="file-bot", tenant="", not_after=300)
    assert proves(tables(ended), file_bot, 305) is None
    assert proves(tables(ended), file_bot, 306) is Reason.WRITER_UNPROVED
    by_thief = said(BOT, SECOND, kid="file-bot", tenant="", not_after=110)
    for order in ((fell, by_thief), (by_thief, fell)):
        assert proves(tables(*order), file_bot, 306) is None


def test_two_operators_that_accuse_each_other_both_fall() -> None:
    mine = said(ROOT, SECOND, 100, "operator", tenant="", compromised_at=50)
    yours = said(SECOND, ROOT, 100, "operator", tenant="", compromised_at=50)
    for order in ((mine, yours), (yours, mine)):
        assert set(tables(*order).keys.fallen) == {("", "root"), ("", "second")}


STORY = [
    said(PUT, ROOT, 100, "operator"),
    said(PUT, ROOT, 160, "operator", not_after=400),
    said(BOT, PUT, 110),
    said(BOT, ROOT, 120, not_after=500),
    said(NEXT, PUT, 310),
    said(PUT, SECOND, 350, "operator", compromised_at=300),
    said(NEXT, ROOT, 360, compromised_at=355),
    said(STRANGER, PUT, 450),
    said(ROOT, SECOND, 370, "operator", tenant="", compromised_at=365),
    said(BOT, ROOT, 380, not_after=900),
]


@given(order=st.permutations(STORY), twice=st.lists(st.sampled_from(STORY), max_size=3))
@settings(max_examples=300, deadline=None)
def test_what_is_believed_does_not_depend_on_the_order_of_reading(order: list[Rec], twice: list[Rec]) -> None:
    expected, made = tables(*STORY).keys, tables(*order, *twice).keys
    assert {place: known[0] + known[2:] for place, known in made.known.items()} == {
        place: known[0] + known[2:] for place, known in expected.known.items()
    }
    assert made.fallen == expected.fallen


def test_the_story_ends_as_reckoned_by_hand() -> None:
    made = tables(*STORY).keys
    # `bot-1` as root said at 120: the word of 380 comes after root fell, at 365. `put-op` fell at 300, before it said
    # anything of `bot-2`; `stranger` was put there past the time of `put-op`, and after that fell as well.
    assert {place: known.not_after for place, known in made.known.items()} == {
        ("acme", "put-op"): 400,
        ("acme", "bot-1"): 500,
    }
    assert {place: fallen.since for place, fallen in made.fallen.items()} == {
        ("", "root"): 365,
        ("acme", "put-op"): 300,
        ("acme", "bot-2"): 310,
        ("acme", "stranger"): 450,
    }


def test_a_key_waits_for_the_operator_who_signed_it() -> None:
    made = tables()
    assert hear(made, said(BOT, PUT, 110)) is Reason.WRITER_UNPROVED
    assert proves(made, BOT, 200) is Reason.WRITER_UNPROVED
    assert hear(made, said(PUT, ROOT, 100, "operator")) is None
    assert proves(made, BOT, 200) is None


def test_a_flood_of_unknown_signers_is_remembered_only_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("placet.context.writers.WAITING_MOST", 3)
    made = tables(*(said(BOT, Signer(f"no-{number}", "user:no", b"n" * 32)) for number in range(9)))
    assert len(made.writers._waiting) == 3


def test_words_of_one_key_are_remembered_only_so_far_the_newest_and_the_earliest_fall(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("placet.context.writers.SAID_MOST", 2)
    made = tables(*(said(BOT, at=100 + number, not_after=1000 + number) for number in range(5)))
    assert made.keys.known["acme", "bot-1"].not_after == 1004
    for number in (30, 20, 25):
        hear(made, said(BOT, at=200, compromised_at=number))
    assert made.keys.fallen["acme", "bot-1"].since == 20


def test_a_change_touches_one_key_and_one_of_operators_touches_all() -> None:
    made = tables()
    assert made.fold(said(BOT)) == "Y:acme/bot-1"
    assert made.fold(said(BOT)) is None
    assert made.fold(said(BOT, at=150, compromised_at=120)) == "Y:acme/bot-1"
    assert made.fold(said(PUT, purpose="operator")) == "Z:acme/put-op"


def test_the_tree_of_one_tenants_batch_proves_nothing_under_another_tenants_key_of_that_name() -> None:
    theirs = Signer("bot-1", "agent:bot", b"z" * 32)
    made = tables(said(BOT), said(theirs, tenant="globex"))
    assert proves(made, BOT, 200) is None
    assert proves(made, BOT, 200, "globex") is Reason.WRITER_UNPROVED
    assert proves(made, theirs, 200, "globex") is None


def test_a_pinned_key_needs_32_bytes_and_a_purpose() -> None:
    with pytest.raises(ValueError, match="31 bytes"):
        KeyRing([PinnedKey("k", "i", "agent", bytes(31))])

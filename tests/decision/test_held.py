"""Desk changes read without reading their leases: each is found where it lies, whatever is in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.decision.held import hold, key_in, leases_of
from placet.errors import PoisonRecord
from placet.model.codec import desk_change
from placet.model.codec import intent as intent_codec
from placet.model.codec.desk_change import Bucket, DataKey, DeskChange, Held, Lease, Meter, Session
from placet.model.codec.intent import Intent

INTENT = Intent(*(bytes(16), 1, *("x",) * 8, (), "", b"{}", 0, (), False, None))
name = st.text(st.sampled_from("ab/:"), min_size=1, max_size=256)


@given(st.binary(min_size=16, max_size=16), st.integers(1, 65_535), name, name, name)
def test_the_key_of_an_intent_is_found_without_reading_the_rest(
    id_: bytes, attempt: int, tenant: str, actor: str, authority: str
) -> None:
    intent = INTENT._replace(id=id_, attempt=attempt, tenant=tenant, actor=actor, authority=authority)
    assert key_in(intent_codec.frame(intent)) == f"{tenant}/{authority}".encode()


long = st.integers(-(2**63), 2**63 - 1)
small = st.integers(-(2**31), 2**31 - 1)
few = st.binary(max_size=200)
leases = st.builds(
    Lease,
    slot=st.binary(min_size=16, max_size=16),
    seq=long,
    state=small,
    effect=small,
    reason=small,
    intent=st.sampled_from([b"", b"i" * 63, b"i" * 64, b"i" * 8_191, b"i" * 8_192]),
    asked_offset=long,
    asked_at=long,
    until=long,
    granted_digest=st.sampled_from([b"", bytes(32), b"other"]),
    granted_arguments=st.none() | few,
    claim_required=st.booleans(),
    act_ms_max=small,
    expires_at=long,
    set_digest=st.sampled_from([b"", bytes(range(32))]),
    executor=st.text(max_size=100),
    nonce=st.sampled_from([b"", bytes(16), b"n"]),
    stopped=st.booleans(),
    wanted=st.one_of(st.just(b""), st.binary(min_size=8, max_size=8), few),
    votes=st.lists(few, max_size=3).map(tuple),
    holds=st.lists(
        st.builds(
            Held,
            limit=st.text(max_size=20),
            scope=st.text(max_size=100),
            amount=long,
            phase=small,
            window_ms=long,
            last=long,
        ),
        max_size=3,
    ).map(tuple),
)
meters = st.builds(
    Meter,
    key=st.text(max_size=20),
    limit=st.text(max_size=20),
    scope=st.text(max_size=20),
    seq=long,
    window_ms=long,
    buckets=st.lists(st.builds(Bucket, last=long, amount=long), max_size=3).map(tuple),
)
changes = st.builds(
    DeskChange,
    partition=small,
    ordinal=long,
    seq_to=long,
    instant=long,
    settled=few,
    closed=few,
    opened=st.lists(leases, max_size=4).map(tuple),
    data_keys=st.just(()) | st.just((DataKey("acme/user:bob", bytes(16), b"wrapped", bytes(32)),)),
    sessions=st.just(()) | st.just((Session("acme/user:bob/s", 1, 2, 3, 4),)),
    meters=st.lists(meters, max_size=2).map(tuple),
)


@given(changes)
def test_what_is_held_is_what_the_codec_reads(change: DeskChange) -> None:
    held = hold(desk_change.frame(change))
    assert held[:6] == change[:6]
    assert (held.data_keys, held.sessions, held.meters) == (change.data_keys, change.sessions, change.meters)
    assert [slot for slot, _ in held.opened] == [lease.slot for lease in change.opened]
    assert tuple(leases_of(raw for _, raw in held.opened)) == change.opened


@given(changes, st.data())
def test_a_change_cut_short_is_refused(change: DeskChange, data: st.DataObject) -> None:
    value = desk_change.frame(change)
    with pytest.raises(PoisonRecord):
        hold(value[: data.draw(st.integers(0, len(value) - 1))])


def test_what_is_no_desk_change_is_refused() -> None:
    with pytest.raises(PoisonRecord, match="expected its framing"):
        hold(b"\0\0\0\0\x0b" + bytes(9))


def test_more_leases_than_are_read_at_once_come_in_their_order() -> None:
    lease = Lease(bytes(16), 0, 4, 1, 0, b"i", 0, 0, 0, b"", None, True, 0, 0, b"", "", b"", False, (), (), b"")
    many = [lease._replace(seq=number) for number in range(2_500)]
    held = hold(desk_change.frame(DeskChange(0, 0, 0, 0, b"", b"", tuple(many), (), (), ())))
    assert [one.seq for one in leases_of(raw for _, raw in held.opened)] == list(range(2_500))

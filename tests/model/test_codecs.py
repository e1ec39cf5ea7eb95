"""The generated codecs against fastavro, and against everything that is not a record."""

import json
import subprocess
import sys
from typing import Any

import fastavro.schema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placet.errors import PoisonRecord
from placet.model.codec import BY_ID, BY_NAME, active_set, decode_any, intent, open_frame, principal, verdict, vote
from placet.model.codec import quarantined as quarantined_codec
from placet.model.codec import watermark as watermark_codec
from placet.model.reasons import Reason
from tests.model.records import (
    NAMES,
    PARSED,
    SCHEMAS,
    SOURCES,
    avro_bytes,
    avro_value,
    codec,
    plain_of,
    records,
    tuple_of,
)

IDS = json.loads((SCHEMAS / "ids.json").read_text("utf-8"))
PROVED = [name for name in NAMES if SOURCES[name]["fields"][-1]["name"] == "proof"]
FEW = settings(max_examples=30)


def refused(name: str, payload: bytes) -> PoisonRecord:
    with pytest.raises(PoisonRecord) as caught:
        codec(name).decode(payload, 0)
    assert caught.value.reason == Reason.UNDECODABLE
    return caught.value


@pytest.mark.parametrize("name", NAMES)
@FEW
@given(data=st.data())
def test_a_codec_writes_the_bytes_of_fastavro_and_reads_them_back(name: str, data: st.DataObject) -> None:
    plain = data.draw(records(name))
    record, payload = tuple_of(name, plain), avro_bytes(name, plain)
    assert codec(name).encode(record) == payload
    assert codec(name).frame(record) == b"\x00" + codec(name).SCHEMA_ID.to_bytes(4, "big") + payload
    read = codec(name).decode(payload, 0)
    assert read == record
    assert plain_of(read) == avro_value(name, payload)
    assert decode_any(codec(name).frame(record)) == record


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=5)
@given(data=st.data())
def test_every_truncation_and_every_longer_record_is_refused(name: str, data: st.DataObject) -> None:
    payload = avro_bytes(name, data.draw(records(name)))
    # A long payload is cut at its ends and at 500 places between.
    for size in {*range(min(len(payload), 200)), *range(0, len(payload), 1 + len(payload) // 500), len(payload) - 1}:
        refused(name, payload[:size])
    refused(name, payload + b"\x00")


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=5)
@given(data=st.data())
def test_a_flipped_bit_is_refused_or_is_another_record_with_those_very_bytes(name: str, data: st.DataObject) -> None:
    payload = avro_bytes(name, data.draw(records(name)))
    places = data.draw(st.sets(st.integers(0, len(payload) - 1), max_size=60)) | set(range(min(len(payload), 40)))
    for place in places:
        for bit in range(8):
            _read_or_refuse(name, payload[:place] + bytes([payload[place] ^ 1 << bit]) + payload[place + 1 :])


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40)
@given(payload=st.binary(max_size=120))
def test_bytes_of_no_kind_are_refused_or_are_a_record_with_those_very_bytes(name: str, payload: bytes) -> None:
    _read_or_refuse(name, payload)


def _read_or_refuse(name: str, payload: bytes) -> None:
    try:
        record = codec(name).decode(payload, 0)
    except PoisonRecord as fault:
        refusal = fault
    else:
        assert codec(name).encode(record) == payload
        assert plain_of(record) == avro_value(name, payload)
        return
    assert refusal.reason == Reason.UNDECODABLE
    assert str(refusal).startswith(f"{name}.")


WRONG_LONGS = {
    "zero in two bytes": ("8000", "watermark.at at byte 2: expected an integer in its shortest form"),
    "sixty-five bits": ("ffffffffffffffffff02", "watermark.at at byte 2: expected an integer of at most 64 bits"),
    "eleven bytes": ("8080808080808080808001", "watermark.at at byte 2: expected an integer of at most 10 bytes"),
    "no end": ("ffff", "watermark.at at byte 2: the record ends after 4 bytes, expected more"),
    "an instant in seven bytes": (
        "8080808080" + "8000",
        "watermark.at at byte 2: expected an integer in its shortest form",
    ),
}


@pytest.mark.parametrize(("tail", "says"), WRONG_LONGS.values(), ids=WRONG_LONGS.keys())
def test_an_integer_has_one_spelling(tail: str, says: str) -> None:
    assert says in str(refused("watermark", b"\x02a" + bytes.fromhex(tail)))


@pytest.mark.parametrize(
    ("tail", "number"),
    [
        ("ffffffffffffffffff01", -(2**63)),
        ("feffffffffffffffff01", 2**63 - 1),
        ("01", -1),
        ("7f", -64),
        ("8001", 64),
        ("808080808040", 2**40),
        ("808080808041", 2**40 + 2**34),
    ],
)
def test_an_integer_is_zigzag(tail: str, number: int) -> None:
    payload = b"\x02a" + bytes.fromhex(tail)
    assert watermark_codec.decode(payload, 0) == ("a", number)
    assert watermark_codec.encode(watermark_codec.Watermark("a", number)) == payload


WRONG_STRINGS = {
    "a negative length": ("0161", "watermark.source at byte 0: expected a length that is not negative"),
    "a negative length of two bytes": ("ff0161", "watermark.source at byte 0: expected a length that is not negative"),
    "longer than the record": ("d00f61", "expected at most the 1 bytes that are left, found a length of 1000"),
    "not UTF-8": ("02ff00", "watermark.source at byte 0: a string that is not UTF-8"),
    "a surrogate in UTF-8": ("06eda08000", "watermark.source at byte 0: a string that is not UTF-8"),
    "nothing at all": ("", "watermark.source at byte 0: the record ends after 0 bytes, expected more"),
    "a byte too many": ("02610000", "expected the end of the record, found 1 more bytes"),
}


@pytest.mark.parametrize(("payload", "says"), WRONG_STRINGS.values(), ids=WRONG_STRINGS.keys())
def test_a_string_is_measured_and_utf8(payload: str, says: str) -> None:
    assert says in str(refused("watermark", bytes.fromhex(payload)))


@pytest.mark.parametrize("index", ["04", "01", "8200", "8000", "03"])
def test_a_union_index_is_0_or_1(index: str) -> None:
    record = quarantined_codec.Quarantined(1, 0, 9, 5, 10, "", None, None)
    payload = quarantined_codec.encode(record)
    assert payload.endswith(b"\x00\x00\x00")
    fault = refused("quarantined", payload[:-1] + bytes.fromhex(index))
    assert "quarantined.value" in str(fault)
    assert "expected a union index of 0 or 1" in str(fault)


def test_an_int_has_32_bits_read_and_written() -> None:
    rest = quarantined_codec.encode(quarantined_codec.Quarantined(0, 0, 9, 5, 10, "", None, None))[1:]
    assert quarantined_codec.decode(bytes.fromhex("ffffffff0f") + rest, 0).topic == -(2**31)
    assert "at most 32 bits" in str(refused("quarantined", bytes.fromhex("8080808010") + rest))
    for wrong in (2**31, -(2**31) - 1):
        with pytest.raises(PoisonRecord, match="32 bits") as caught:
            quarantined_codec.encode(quarantined_codec.Quarantined(wrong, 0, 9, 5, 10, "", None, None))
        assert caught.value.reason == Reason.MALFORMED
    for wrong in (2**63, -(2**63) - 1):
        with pytest.raises(PoisonRecord, match="64 bits"):
            watermark_codec.encode(watermark_codec.Watermark("a", wrong))


def test_a_boolean_is_one_bit() -> None:
    payload = vote.encode(vote.Vote("t", "a", bytes(16), 1, bytes(32), "v", False, "", None, 0, "", 0, None))
    at = 4 + 16 + 1 + 32 + 2
    assert vote.decode(payload[:at] + b"\x01" + payload[at + 1 :], 0).approve
    assert "vote.approve at byte 55: expected a boolean of 0 or 1" in str(
        refused("vote", payload[:at] + b"\x02" + payload[at + 1 :])
    )


DIGEST = bytes(range(32))


@pytest.mark.parametrize(
    ("digests", "says"),
    [
        (b"\x02" + DIGEST + b"\x02" + DIGEST + b"\x00", "expected one block, and its end"),
        (b"\x01\x40" + DIGEST + b"\x00", "expected a count that is not negative"),
        (b"\x04" + DIGEST + b"\x00", "expected at most 1 elements in the bytes that are left, found 2"),
        (b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01" + DIGEST, "found 9223372036854775807"),
        (b"\x80\x00" + DIGEST, "expected an integer in its shortest form"),
    ],
    ids=["two blocks", "a block with its size", "more than there are", "more than memory", "none, in two bytes"],
)
def test_an_array_is_one_block_of_as_many_as_there_are(digests: bytes, says: str) -> None:
    whole = active_set.encode(active_set.ActiveSet("t", 1, (DIGEST,), "", 0, None))
    one = b"\x02" + DIGEST + b"\x00"
    assert whole.count(one) == 1
    fault = refused("active_set", whole.replace(one, digests))
    assert "active_set.digests" in str(fault)
    assert says in str(fault)


def test_a_map_has_each_key_once() -> None:
    plain = principal.Principal("t", "i", "agent", "active", None, (), {"a": "1"}, (), "s", 0, None)
    whole = principal.encode(plain)
    one = b"\x02\x02a\x021\x00"
    assert whole.count(one) == 1
    two = whole.replace(one, b"\x04\x02a\x021\x02b\x022\x00")
    assert principal.decode(two, 0).attributes == {"a": "1", "b": "2"}
    assert "expected a key once" in str(refused("principal", whole.replace(one, b"\x04\x02a\x021\x02a\x022\x00")))


def test_what_does_not_fit_its_field_is_not_written() -> None:
    good = intent.Intent(bytes(16), 1, "t", "a", "u", "", "x", "r", "p", "", (), "", b"{}", 0, (), False, None)
    for wrong in (
        good._replace(id=bytes(15)),
        good._replace(after=(bytes(16), bytes(17))),
        good._replace(purpose="\ud800"),
        good._replace(proof=intent.Proof("\udfff", "k", 0, 1, b"", bytes(64))),
    ):
        with pytest.raises(PoisonRecord) as caught:
            intent.encode(wrong)
        assert caught.value.reason == Reason.MALFORMED
        assert str(caught.value).startswith("intent")


@pytest.mark.parametrize("name", PROVED)
@FEW
@given(data=st.data())
def test_what_is_signed_is_the_payload_before_the_proof(name: str, data: st.DataObject) -> None:
    plain = data.draw(records(name))
    record = tuple_of(name, plain)
    framed = codec(name).frame(record)
    read, proof_at = codec(name).decode_signed(framed)
    assert read == record
    assert framed[5:proof_at] == codec(name).encode_unsigned(record)
    assert framed[5:proof_at] + b"\x00" == avro_bytes(name, {**plain, "proof": None})


@FEW
@given(asked=records("intent"), answered=records("verdict"))
def test_a_verdict_begins_with_the_bytes_of_its_intent(asked: dict[str, Any], answered: dict[str, Any]) -> None:
    nine = [each["name"] for each in SOURCES["intent"]["fields"][:9]]
    answered = {**answered, **{name: asked[name] for name in nine}}
    framed = intent.frame(tuple_of("intent", asked))
    read, head_at, proof_at = intent.decode_parts(framed)
    assert (read, proof_at) == intent.decode_signed(framed)
    record = tuple_of("verdict", answered)
    rest = record._asdict()
    for name in nine:
        del rest[name]
    for name in ("granted_arguments", "rules", "missing", "obligations", "approval", "holds", "bounds", "ask"):
        rest[name] = getattr(verdict, f"encode_{name}")(rest[name])
    assert verdict.splice(framed[5:head_at], **rest) == avro_bytes("verdict", answered)


def test_the_first_nine_fields_of_verdict_and_intent_are_the_same() -> None:
    heads = [[(each["name"], each["type"]) for each in SOURCES[name]["fields"][:9]] for name in ("intent", "verdict")]
    assert heads[0] == heads[1]


@pytest.mark.parametrize("name", NAMES)
def test_ids_and_fingerprints_are_those_of_the_schemas(name: str) -> None:
    form = fastavro.schema.to_parsing_canonical_form(PARSED[name])
    expected = fastavro.schema.fingerprint(form, "SHA-256")
    assert codec(name).FINGERPRINT.hex() == expected
    newest = max(int(number) for number, row in IDS.items() if row["name"] == name)
    assert newest == codec(name).SCHEMA_ID
    assert IDS[str(newest)]["fingerprint"] == expected
    assert json.loads((SCHEMAS / "history" / name / f"{newest}.avsc").read_text("utf-8")) == SOURCES[name]


def test_ids_are_the_ones_that_were_given_out() -> None:
    first = (
        "intent withdraw vote claim outcome verdict repeat refusal seal case case_body desk_change quarantined "
        "principal mandate risk_signal risk sensitivity control pack active_set watermark"
    )
    assert [IDS[str(number)]["name"] for number in range(1, 23)] == first.split()
    assert {number: name for name, module in BY_NAME.items() for number in [module.SCHEMA_ID]} == {
        number: open_frame(module.HEADER)[0] for number, module in BY_ID.items()
    }


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", Reason.UNDECODABLE),
        (b"\x00\x00\x00\x01", Reason.UNDECODABLE),
        (b"\x01\x00\x00\x00\x01", Reason.UNDECODABLE),
        (b'{"tenant":"acme"}', Reason.UNDECODABLE),
        (b"\x00\x00\x00\x00\x00", Reason.SCHEMA_UNKNOWN),
        (b"\x00\xff\xff\xff\xff", Reason.SCHEMA_UNKNOWN),
        (b"\x00\x00\x00\x00\x01", Reason.UNDECODABLE),
    ],
)
def test_a_value_without_a_known_frame_is_refused(value: bytes, reason: Reason) -> None:
    with pytest.raises(PoisonRecord) as caught:
        decode_any(value)
    assert caught.value.reason == reason


def test_the_codecs_are_what_the_schemas_give() -> None:
    run = subprocess.run(
        [sys.executable, str(SCHEMAS.parent / "ops" / "codegen" / "generate.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (0, ""), run.stdout + run.stderr

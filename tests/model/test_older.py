"""Records of an older version: read in their present form, as strictly as any, and proved over the bytes they came in."""

import io
import json
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placet.model import codec as present
from placet.model.codec import intent
from placet.model.digests import intent_digest
from placet.model.proof import Signer
from placet.model.reasons import Reason
from tests.model.records import PARSED, SOURCES, avro_bytes, plain_of, records, tuple_of
from tests.support.release import ASKED, KNOWN, SAID, Release, released

WRITTEN: dict[str, dict[str, Any]] = {
    "intent": {"hint": "none"},
    "withdraw": {"by_hand": False},
    "vote": {"weight": 1},
    "claim": {"place": None},
    "outcome": {"cost": 0},
    "principal": {"labels": ("new",)},
    "mandate": {"tags": {"made": "here"}},
    "risk": {"model": ""},
    "risk_signal": {"model": ""},
    "sensitivity": {"score": -1},
    "control": {"ticket": b"\xff"},
    "pack": {"signed_off": True},
    "active_set": {"pilot": None},
    "watermark": {"lag": 0},
    **{name: {"note": ""} for name in SAID},
}
PROVED = sorted(name for name in WRITTEN if SOURCES[name]["fields"][-1]["name"] == "proof")
FEW = settings(max_examples=10)


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return released(tmp_path_factory.mktemp("later"), {**ASKED, **KNOWN}, SAID)


@pytest.mark.parametrize("name", sorted(WRITTEN))
@FEW
@given(data=st.data())
def test_an_older_record_is_read_in_its_present_form_with_defaults(
    later: Release, name: str, data: st.DataObject
) -> None:
    written = tuple_of(name, data.draw(records(name)))
    value = present.BY_NAME[name].frame(written)
    read = later.module("model.codec").decode_any(value)
    assert read._asdict() == {**written._asdict(), **WRITTEN[name]}
    assert type(read) is getattr(later.module("model.codec").BY_NAME[name], type(written).__name__)
    assert later.module("model.codec").decode_as(name, value) == read


@pytest.mark.parametrize("name", sorted(WRITTEN))
@settings(max_examples=4)
@given(data=st.data())
def test_an_older_record_cut_short_or_with_more_behind_it_is_undecodable(
    later: Release, name: str, data: st.DataObject
) -> None:
    value = present.BY_NAME[name].frame(tuple_of(name, data.draw(records(name))))
    errors, codec = later.module("errors"), later.module("model.codec")
    for broken in (*(value[:end] for end in range(5, len(value))), value + b"\x00"):
        with pytest.raises(errors.PoisonRecord) as caught:
            codec.decode_any(broken)
        assert caught.value.reason == Reason.UNDECODABLE


def test_an_id_that_was_never_given_out_is_unknown(later: Release) -> None:
    codec, ids = later.module("model.codec"), json.loads((later.folder / "schemas" / "ids.json").read_text("utf-8"))
    unknown = b"\x00" + (max(map(int, ids)) + 1).to_bytes(4, "big")
    with pytest.raises(later.module("errors").PoisonRecord) as caught:
        codec.decode_any(unknown + b"anything")
    assert caught.value.reason == Reason.SCHEMA_UNKNOWN
    assert codec.decode_as("intent", unknown) is None


def test_a_record_of_a_later_release_is_unknown_to_this_one(later: Release) -> None:
    name = "intent"
    header = later.module("model.codec").BY_NAME[name].HEADER
    with pytest.raises(Exception, match="no schema with id") as caught:
        present.decode_any(header + bytes(100))
    assert caught.value.reason == Reason.SCHEMA_UNKNOWN  # type: ignore[attr-defined]
    assert present.decode_as(name, header + bytes(100)) is None


@pytest.mark.parametrize("name", PROVED)
@FEW
@given(data=st.data())
def test_a_proof_holds_over_the_bytes_it_was_made_over_and_not_over_the_present_form(
    later: Release, name: str, data: st.DataObject
) -> None:
    signer, written = Signer("k", "service:w", b"k" * 32), tuple_of(name, data.draw(records(name)))
    codec = present.BY_NAME[name]
    (proof,) = signer.sign_batch(name, codec.FINGERPRINT, [codec.encode_unsigned(written)])  # type: ignore[attr-defined]
    value = codec.frame(written._replace(proof=codec.Proof(*proof)))  # type: ignore[attr-defined]
    reader = later.module("model.codec").BY_HEADER[value[:5]]
    ring = later.module("model.proof").KeyRing([signer.pinned("agent")])
    read, end = reader.decode_signed(value)
    assert ring.verify(name, reader.FINGERPRINT, value[5:end], read.proof, ("agent",), "acme", 0) == "service:w"
    now = later.module("model.codec").BY_NAME[name]
    for fingerprint, unsigned in (
        (now.FINGERPRINT, now.encode_unsigned(read)),
        (reader.FINGERPRINT, now.encode_unsigned(read)),
        (now.FINGERPRINT, value[5:end]),
    ):
        with pytest.raises(later.module("errors").PoisonRecord) as caught:
            ring.verify(name, fingerprint, unsigned, read.proof, ("agent",), "acme", 0)
        assert caught.value.reason == Reason.WRITER_UNPROVED


@FEW
@given(plain=records("intent"))
def test_the_digest_of_an_older_intent_is_the_one_its_writer_knows(later: Release, plain: dict[str, Any]) -> None:
    written = tuple_of("intent", plain)
    value = present.BY_NAME["intent"].frame(written)
    reader = later.module("model.codec").BY_HEADER[value[:5]]
    _, head, end = reader.decode_parts(value)
    assert (head, end) == intent.decode_parts(value)[1:]
    digest = later.module("model.digests").intent_digest(value[5:end], reader.FINGERPRINT)
    assert digest == intent_digest(intent.encode_unsigned(written))


def _everything(fields: list[dict[str, Any]]) -> None:
    """Let go of a field of records, rename one, widen two, and add one of each kind that a default can have."""
    found = {field["name"]: field for field in fields}
    fields.remove(found["limits"])
    found["task"].update(name="errand", aliases=["task"])
    found["parent"]["type"] = ["null", "string"]
    found["status"]["type"] = "bytes"
    link = {
        "type": "record",
        "name": "Link",
        "fields": [{"name": "at", "type": "long"}, {"name": "by", "type": "string", "default": "nobody"}],
    }
    more = (
        ("where", {"type": "fixed", "name": "Where", "size": 2}, "\u0000\u00ff"),
        ("link", link, {"at": 7}),
        ("links", {"type": "array", "items": "Link"}, [{"at": 1, "by": "x"}, {"at": 2}]),
        ("counts", {"type": "map", "values": "int"}, {"a": -1, "it's": 2}),
        ("maybe", ["null", "Link"], None),
        ("says", "string", 'a "quoted" word\n'),
    )
    fields[2:2] = [{"name": name, "type": kind, "default": default} for name, kind, default in more]


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return released(tmp_path_factory.mktemp("changed"), {"mandate": _everything})


@given(plain=records("mandate"))
def test_every_change_that_is_taken_is_read_as_avro_resolves_it(changed: Release, plain: dict[str, Any]) -> None:
    schema = fastavro.parse_schema(json.loads((changed.folder / "schemas" / "mandate.avsc").read_text("utf-8")))
    payload = avro_bytes("mandate", plain)
    expected: Any = fastavro.schemaless_reader(io.BytesIO(payload), PARSED["mandate"], schema)
    read = changed.module("model.codec").decode_any(present.BY_NAME["mandate"].HEADER + payload)
    # fastavro gives a default as JSON has it; the specification says what becomes of bytes, and of a record's own ones.
    defaults = {
        "where": b"\x00\xff",
        "link": {"at": 7, "by": "nobody"},
        "links": [{"at": 1, "by": "x"}, {"at": 2, "by": "nobody"}],
    }
    assert plain_of(read) == {**expected, **defaults}

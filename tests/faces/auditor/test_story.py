"""An honest journal, written by hand, is clean; the report says what was looked at, and what could not be."""

import io
import json
from typing import Any

import fastavro

from placet.faces.auditor import audit
from placet.faces.auditor.history import History
from placet.faces.auditor.keys import Keys
from placet.faces.auditor.known import Known
from placet.faces.auditor.records import Schemas
from placet.faces.auditor.report import SHOWN_MAX, Check
from placet.model.topics import Topic
from tests.faces.auditor.hand import KEK, KEYS, OTHER, PARSED, T0, Shelf, blank, frame, signed
from tests.faces.auditor.story import Story, tell


def test_an_honest_story_is_clean() -> None:
    report = audit(tell().write(), KEYS, KEK)
    assert {c.name: c.shown for c in report.checks.values() if c.shown} == {}
    assert report.clean
    assert dict(report.read) == {"verdict": 11, "seal": 7, "case": 7, "refusal": 2, "repeat": 1, "quarantined": 1}
    # b is unknown, and the second attempt of f is granted.
    assert report.opened == 2
    counts = {check.name: check.checked for check in report.checks.values()}
    # Seven seals, seven cases, six first answers; five records say `claimed` or tell an outcome; four grants were made.
    assert (counts["SEALS"], counts["V5"], counts["V4"], counts["V11"], counts["V12"]) == (7, 7, 6, 5, 4)
    # Nobody limits or halts anything in it, nobody votes or calls an emergency, and nobody says that it was left alone.
    assert {name for name, count in counts.items() if not count} == {"V7", "V9", "V18", "V19", "REVIEWS"}
    # Nothing is missing; four grants were made and two claims taken, all of them in time.
    assert counts["V10"] == 6
    # Its mandate is signed by nobody, so nothing is known of what that limits.
    assert {check.name for check in report.checks.values() if check.unchecked} == {"V7"}


def test_without_the_key_cases_stay_closed_and_that_is_said() -> None:
    report = audit(tell().write(), KEYS, None)
    assert report.clean
    assert report["V5"].checked == 0
    assert report["V5"].unchecked == {"there is no key-encryption key to open cases with": 7}


def test_an_erased_authority_is_counted_as_not_checked() -> None:
    shelf = tell().write()
    shelf.topics[Topic.DESK, 0].pop(0)
    report = audit(shelf, KEYS, KEK)
    assert report.clean
    assert report["V5"].unchecked == {"the data key of its authority is gone: erased": 7}


def test_a_sample_of_none_decides_nothing_again() -> None:
    report = audit(tell().write(), KEYS, KEK, sample=0)
    assert report.clean
    assert (report["V5"].checked, report["WRITERS"].checked) == (0, 0)
    assert report["V5"].unchecked == {"not in the sample": 7}
    assert report.sampled == "about 0 of 21"


def test_what_came_after_the_last_seal_is_owed_nothing_yet() -> None:
    story = tell()
    story.again("a")
    report = audit(story.write(), KEYS, KEK)
    assert report.clean
    assert report["V1"].unchecked == {"not yet decided when the last seal was written": 1}


def test_of_what_was_left_alone_everything_asked_is_decided() -> None:
    story = tell()
    report = audit(story.write(), KEYS, KEK, drained=True)
    assert (report.clean, report["V18"].checked) == (True, 1)
    story.again("a")
    report = audit(story.shelf, KEYS, KEK, drained=True)
    assert [found.text for found in report["V18"].shown] == ["ends with 1 records not decided"]


def test_an_outcome_told_again_is_no_second_act() -> None:
    story = tell()
    story.refuse(Topic.OUTCOMES, story.report("a"), 700, "a")
    story.end()
    story.inputs[-2:] = story.inputs[-1:]
    report = audit(story.write(), KEYS, KEK)
    assert report.clean
    assert report["V11"].checked == 6


def test_records_past_their_retention_are_counted_as_not_checked() -> None:
    shelf = tell().write()
    del shelf.topics[Topic.INTENTS, 0][:2]
    report = audit(shelf, KEYS, KEK)
    assert report.clean
    assert report["V3"].unchecked == {"the cited record is past its retention": 2}
    assert report["V2"].unchecked == {"the cited intent cannot be read": 2}


def test_compacted_context_is_counted_as_not_checked() -> None:
    shelf = tell().write()
    shelf.topics[Topic.SENSITIVITY, 0].clear()
    shelf.put(Topic.SENSITIVITY, b"k", None)
    shelf.put(Topic.SENSITIVITY, b"k", None)
    del shelf.topics[Topic.SENSITIVITY, 0][0]
    report = audit(shelf, KEYS, KEK)
    assert report.clean
    assert report["V5"].unchecked == {"a cited context record is compacted away": 7}


def older(story: Story, topic: Topic, role: str, name: str, **more: Any) -> None:
    """Put a record into the context, within every cut, that stands behind the one that was used."""
    fields = fastavro.schemaless_reader(io.BytesIO(story.facts[role]["value"][5:]), PARSED[name], None)
    assert isinstance(fields, dict)
    story.shelf.put(topic, None, frame(name, {**fields, **more}))
    for cut in (story.cut, *(case["cut"] for case in story.cases.values())):
        for mark in cut:
            mark["offset"] += mark["topic"] == topic


def test_what_stands_behind_what_was_used_is_not_overlooked() -> None:
    story = tell()
    older(story, Topic.RISK, "actor.risk", "risk", event_at=T0 - 3_600_001, score=100)
    older(story, Topic.RISK, "actor.risk", "risk", score=101)
    older(story, Topic.SENSITIVITY, "resource", "sensitivity", label="cosmic", observed_at=T0 + 1)
    older(story, Topic.PRINCIPALS, "actor", "principal", status="asleep", observed_at=T0 + 1)
    quiet = frame("watermark", {"source": "siem", "at": T0})
    for cut in (story.cut, *(case["cut"] for case in story.cases.values())):
        for mark in cut:
            mark["offset"] += mark["topic"] == Topic.RISK
    story.shelf.put(Topic.RISK, None, quiet)
    # Nobody signed this revocation, so no reader takes it.
    older(story, Topic.MANDATES, "mandate", "mandate", status="revoked", observed_at=T0 + 1)
    report = audit(story.write(), KEYS, KEK)
    # Three of them no reader takes, and nobody refused them.
    unrefused = [(one.topic, one.offset) for one in report["V1"].shown]
    assert unrefused == [("placet.risk", 2), ("placet.sensitivity", 1), ("placet.principals", 3)]
    assert [c.name for c in report.checks.values() if c.shown] == ["V1"]


def test_a_record_written_twice_is_not_overlooked_when_the_first_is_compacted_away() -> None:
    story = tell()
    older(story, Topic.PRINCIPALS, "actor", "principal")
    shelf = story.write()
    del shelf.topics[Topic.PRINCIPALS, 0][0]
    report = audit(shelf, KEYS, KEK)
    assert report.clean
    assert report["V5"].unchecked == {"a cited context record is compacted away": 7}


def known_in(shelf: Shelf, keys: dict[str, Any]) -> Known:
    schemas = Schemas()
    return Known(shelf, schemas, History(shelf, schemas, Keys(keys), 2_000))


def test_a_calendar_fact_that_is_over_is_not_overlooked() -> None:
    shelf = Shelf()
    pinned = [*KEYS["keys"], {**KEYS["keys"][2], "kid": "op-1", "issuer": "user:root", "purpose": "operator"}]
    said = {**blank("control"), "tenant": "acme", "kind": "calendar", "scope": "freeze", "expires_at": T0 + 5}
    shelf.put(Topic.CONTROLS, None, signed("control", said, "op-1", "user:root", OTHER))
    known = known_in(shelf, {"keys": pinned})
    subject, cut = ("control", "acme", "freeze"), {(int(Topic.CONTROLS), 0): (1, T0)}
    assert known.overlooked(subject, {}, cut, T0 + 4) is not None
    assert known.overlooked(subject, {}, cut, T0 + 5) is None
    assert known.overlooked(subject, {"": (0, 0)}, cut, T0) is None
    assert known.overlooked(subject, {}, {}, T0) is None


def test_what_claims_to_be_from_far_ahead_or_spells_another_tenant_is_never_overlooked() -> None:
    shelf = Shelf()
    said = {**blank("risk"), "tenant": "acme", "subject": "agent:ada", "score": 1, "event_at": T0}
    for over in ({"event_at": T0 + 60_000}, {"event_at": T0 + 60_001}, {"tenant": "acme/agent:ada", "subject": "x"}):
        shelf.put(Topic.RISK, None, frame("risk", {**said, **over}), at=T0)
    known, cut = known_in(shelf, KEYS), {(int(Topic.RISK), 0): (3, T0)}
    newest = known.overlooked(("risk", "acme", "agent:ada"), {}, cut, T0)
    assert newest is not None
    assert newest.offset == 0
    assert known.overlooked(("risk", "acme/agent:ada", "x"), {}, cut, T0) is None


def test_progress_is_told_up_to_the_end() -> None:
    heard: list[tuple[int, int]] = []
    audit(tell().write(), KEYS, KEK, progress=lambda done, total: heard.append((done, total)))
    assert heard[-1] == (21, 21)
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)


def test_the_report_is_plain_data_with_the_place_of_every_violation() -> None:
    story = tell()
    story.batches[1][4][1]["reason"] = 420
    report = json.loads(json.dumps(audit(story.write(), KEYS, KEK).to_dict()))
    assert report["clean"] is False
    found = next(check for check in report["checks"] if check["name"] == "V5")
    assert found["violated"] == 1
    # The empty seal stands at offset 0, the four answers before it at 1 to 4.
    assert found["violations"] == [
        {
            "topic": "placet.decisions",
            "partition": 0,
            "offset": 5,
            "text": "reason is 420, decided again it is 410",
        }
    ]


def test_of_many_violations_the_first_are_shown_and_all_are_counted() -> None:
    check = Check("V1", "one answer")
    for offset in range(100):
        check.fail(Topic.DECISIONS, 0, offset, "no")
    assert (check.violated, [v.offset for v in check.shown]) == (100, list(range(SHOWN_MAX)))

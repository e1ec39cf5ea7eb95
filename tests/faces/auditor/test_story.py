"""An honest journal, written by hand, is clean; the report says what was looked at, and what could not be."""

import json

from placet.faces.auditor import audit
from placet.faces.auditor.report import SHOWN_MAX, Check
from placet.model.topics import Topic
from tests.faces.auditor.hand import KEK, KEYS
from tests.faces.auditor.story import tell


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
    assert all(counts.values())
    assert not any(check.unchecked for check in report.checks.values())


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

"""One folder has one owner, is made whole or not at all, and says what it is."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from placet.drivers.clock import SystemClock
from placet.drivers.embedded import open_owner
from placet.errors import Corrupted, PlacetError, Unavailable
from placet.model.topics import Topic
from placet.ports import Emits, Message
from tests.drivers.embedded.folder import SMALL, Folder, outcome
from tests.drivers.whole import whole

CLOCK = SystemClock()


def test_a_second_owner_in_this_process_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    first = open_owner(folder, CLOCK, SMALL)
    with pytest.raises(
        Unavailable, match=f"{folder}: another process .* owns this journal; .*--url.*audit, show or tail"
    ):
        open_owner(folder, CLOCK, SMALL)
    first.log().append(Topic.INTENTS, 0, [Message(b"k", b"v")])
    first.close()
    second = open_owner(folder, CLOCK, SMALL)
    assert second.log().end(Topic.INTENTS, 0) == 1
    second.close()


def test_a_second_owner_in_another_process_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    first = open_owner(folder, CLOCK, SMALL)
    script = (
        "import sys; from pathlib import Path; from placet.drivers.clock import SystemClock\n"
        "from placet.drivers.embedded import open_owner\n"
        "from placet.errors import Unavailable\n"
        "try: open_owner(Path(sys.argv[1]), SystemClock())\n"
        "except Unavailable as failure: print(failure)\n"
    )
    said = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True)
    assert said.stdout.startswith(f"{folder}: another process")
    first.close()


def test_a_folder_is_made_with_its_parents_and_an_empty_one_is_used(tmp_path: Path) -> None:
    for folder in (tmp_path / "a" / "b" / "journal", tmp_path / "empty"):
        if folder.name == "empty":
            folder.mkdir()
        open_owner(folder, CLOCK, SMALL).close()
        assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".")] == []
        open_owner(folder, CLOCK, SMALL).close()


def test_a_draft_left_by_a_crash_is_in_nobodys_way(tmp_path: Path) -> None:
    draft = tmp_path / ".journal.0badc0de"
    draft.mkdir()
    (draft / "CURRENT").write_bytes(b"MANI")
    owner = open_owner(tmp_path / "journal", CLOCK, SMALL)
    assert owner.log().end(1, 0) == 0
    owner.close()


def test_partitions_and_name_stay_what_they_were_at_birth(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    open_owner(folder, CLOCK, replace(SMALL, partitions=3, cluster="first")).close()
    owner = open_owner(folder, CLOCK, replace(SMALL, partitions=5, cluster="second"))
    assert owner.cluster == "first"
    assert owner.journal().assigned() == {0, 1, 2}
    assert [owner.log().partitions(topic) for topic in (Topic.INTENTS, Topic.DESK, Topic.RISK)] == [3, 3, 1]
    owner.close()


def test_two_folders_draw_different_names(tmp_path: Path) -> None:
    names = set()
    for name in "ab":
        owner = open_owner(tmp_path / name, CLOCK, SMALL)
        names.add(owner.cluster)
        owner.close()
    assert len(names) == 2


def test_what_is_no_journal_is_not_made_one(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(Corrupted, match="CURRENT: missing; expected a journal, or an empty folder"):
        open_owner(tmp_path, CLOCK, SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("place", ["notes.txt", "notes.txt/journal"])
def test_a_file_in_the_place_of_a_folder_is_said(tmp_path: Path, place: str) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(Unavailable, match=str(tmp_path / place)):
        open_owner(tmp_path / place, CLOCK, SMALL)


def test_after_close_every_view_says_so_and_who_waits_is_woken(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "journal")
    log, journal, feed = folder.log(), folder.journal(), folder.feed()
    heard: list[PlacetError | list[object]] = []
    waiting = [
        Thread(target=lambda: heard.append(outcome(lambda: log.read(Topic.INTENTS, 0, 0, 1, 60_000)))),
        Thread(target=lambda: heard.append(outcome(lambda: folder.journal().take(1, 60_000)))),
    ]
    for thread in waiting:
        thread.start()
    folder.close()
    for thread in waiting:
        thread.join(60)
    heard += [
        outcome(lambda: log.append(Topic.INTENTS, 0, [Message(b"k", b"v")])),
        outcome(lambda: log.end(Topic.INTENTS, 0)),
        outcome(lambda: whole(journal, 0)),
        outcome(lambda: journal.commit({}, {})),
        outcome(feed.take),
        outcome(feed.catch_up),
    ]
    assert [type(failure) for failure in heard] == [Unavailable] * 8


def test_a_closed_view_leaves_the_folder_to_the_others(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "journal")
    log, journal, feed = folder.log(), folder.journal(), folder.feed()
    for view in (log, journal, feed):
        view.close()
    failures = [outcome(lambda: log.end(Topic.INTENTS, 0)), outcome(lambda: journal.take(1, 0)), outcome(feed.take)]
    assert [type(failure) for failure in failures] == [Unavailable] * 3
    assert folder.log().append(Topic.INTENTS, 0, [Message(b"k", b"v")]) == 0
    folder.close()


@pytest.mark.parametrize(("topic", "partition"), [(Topic.INTENTS, 1), (Topic.INTENTS, -1), (Topic.RISK, 1), (99, 0)])
def test_a_topic_or_partition_that_is_not_there_is_said(tmp_path: Path, topic: int, partition: int) -> None:
    folder = Folder(tmp_path / "journal")
    for call in (
        lambda: folder.log().append(topic, partition, [Message(b"k", b"v")]),
        lambda: folder.log().read(topic, partition, 0, 1, 0),
        lambda: folder.log().end(topic, partition),
    ):
        with pytest.raises(Unavailable, match=f"{folder.path}: no "):
            call()
    folder.close()


@pytest.mark.parametrize("position", [0, 3])
def test_positions_that_go_back_or_past_the_end_are_refused_before_anything_is_written(
    tmp_path: Path, position: int
) -> None:
    folder = Folder(tmp_path / "journal")
    folder.log().append(Topic.INTENTS, 0, [Message(b"k", b"v")] * 2)
    journal = folder.journal()
    journal.commit({0: Emits([Message(b"seal", b"\x00\x00\x00\x00\x09")])}, {0: {Topic.INTENTS: 1}})
    with pytest.raises(
        Corrupted, match=f"placet.intents/0: asked to commit position {position}; committed is 1, the end is 2"
    ):
        journal.commit({}, {0: {Topic.INTENTS: position}})
    folder.reopen()
    assert folder.journal().restore(0).inputs[Topic.INTENTS] == 1
    folder.close()

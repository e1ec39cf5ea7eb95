"""A reader beside the owner sees whole batches, catches up, and leaves the folder alone."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest

from placet.drivers.embedded import open_reader
from placet.errors import Unavailable
from placet.model.topics import Topic
from placet.ports import Emits, Message, Rec
from tests.drivers.embedded.folder import SMALL, Folder, outcome

DECISIONS, CASES, INTENTS = int(Topic.DECISIONS), int(Topic.CASES), int(Topic.INTENTS)
SEAL = Message(b"seal", b"\x00\x00\x00\x00\x09")


def batch(number: int, size: int = 9) -> Emits:
    decisions = [Message(b"k", b"%d.%d" % (number, at) * 100) for at in range(size)]
    return Emits([*decisions, SEAL], [Message(b"k", b"case")] * (size + 1))


def test_a_reader_sees_what_the_owner_commits(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "journal")
    folder.log().append(INTENTS, 0, [Message(b"k", b"i")])
    reader = open_reader(folder.path, SMALL)
    assert reader.cluster == folder.owner.cluster
    assert (reader.partitions(DECISIONS), reader.end(INTENTS, 0), reader.end(DECISIONS, 0)) == (1, 1, 0)
    assert reader.read(DECISIONS, 0, 0, 10, 0) == []
    folder.journal().commit({0: batch(0)}, {0: {INTENTS: 1}})
    assert reader.read(DECISIONS, 0, 0, 100, 0) == folder.log().read(DECISIONS, 0, 0, 100, 0)
    assert reader.read(DECISIONS, 0, 8, 1, 0) == folder.log().read(DECISIONS, 0, 8, 1, 0)
    assert (reader.end(DECISIONS, 0), reader.inputs(0)) == (10, {INTENTS: 1})
    reader.close()
    folder.close()


def test_a_reader_that_waits_hears_of_a_commit(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "journal")
    reader = open_reader(folder.path, SMALL)
    found: list[Rec] = []
    waiting = Thread(target=lambda: found.extend(reader.read(DECISIONS, 0, 0, 100, 60_000)))
    waiting.start()
    folder.journal().commit({0: batch(0)}, {})
    waiting.join(60)
    assert len(found) == 10
    reader.close()
    folder.close()


def test_a_reader_never_sees_part_of_a_batch_while_files_come_and_go(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "journal", replace(SMALL, write_buffer_bytes=1 << 16, wal_bytes_max=1 << 16))
    journal, log = folder.journal(), folder.log()
    reader = open_reader(folder.path, SMALL)
    over = Event()
    ends: list[tuple[int, int]] = []
    found: list[Rec] = []

    def follow() -> None:
        while not over.is_set() or reader.end(DECISIONS, 0) > len(found):
            ends.append((reader.end(DECISIONS, 0), reader.end(CASES, 0)))
            found.extend(reader.read(DECISIONS, 0, len(found), 33, 5))

    following = Thread(target=follow)
    following.start()
    for number in range(150):
        journal.commit({0: batch(number)}, {})
        log.append(Topic.RISK, 0, [Message(b"%d" % (number % 7), b"x" * 900)])
    over.set()
    following.join(120)
    assert not following.is_alive()
    assert len(list(folder.path.glob("*.sst"))) > 1
    assert all(decisions % 10 == cases % 10 == 0 and decisions <= cases for decisions, cases in ends)
    assert found == log.read(DECISIONS, 0, 0, 10_000, 0)
    assert len(found) == 1_500
    assert {rec.key: rec.offset for rec in reader.read(Topic.RISK, 0, 0, 1_000, 0)} == {
        b"%d" % (number % 7): number for number in range(143, 150)
    }
    reader.close()
    folder.close()


def test_a_reader_outlives_its_owner_and_follows_the_next(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "journal")
    folder.journal().commit({0: batch(0)}, {})
    reader = open_reader(folder.path, SMALL)
    folder.close()
    assert reader.end(DECISIONS, 0) == 10
    again = Folder(folder.path)
    again.journal().commit({0: batch(1)}, {})
    assert reader.read(DECISIONS, 0, 0, 100, 0) == again.log().read(DECISIONS, 0, 0, 100, 0)
    assert reader.end(DECISIONS, 0) == 20
    again.close()
    reader.close()


def test_a_folder_without_an_owner_is_read_and_left_as_it_was(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "journal")
    folder.journal().commit({0: batch(0)}, {})
    folder.reopen()
    image = shutil.copytree(folder.path, tmp_path / "image")
    folder.close()
    before = {path.name: path.read_bytes() for path in image.iterdir()}
    reader = open_reader(image, SMALL)
    assert len(reader.read(DECISIONS, 0, 0, 100, 0)) == 10
    reader.close()
    assert {path.name: path.read_bytes() for path in image.iterdir()} == before


def test_another_process_reads_beside_the_owner(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "journal")
    folder.journal().commit({0: batch(0)}, {})
    script = (
        "import sys; from pathlib import Path; from placet.drivers.embedded import open_reader\n"
        "reader = open_reader(Path(sys.argv[1]))\n"
        "print(len(reader.read(4, 0, 0, 100, 0)), flush=True); sys.stdin.readline()\n"
        "print(len(reader.read(4, 0, 10, 100, 60_000))); reader.close()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(folder.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "10\n"
        folder.journal().commit({0: batch(1)}, {})
        assert other.communicate("go on\n", timeout=60)[0] == "10\n"
    assert other.returncode == 0
    folder.close()


def test_a_reader_writes_nothing(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "journal")
    reader = open_reader(folder.path, SMALL)
    with pytest.raises(Unavailable, match=r"opened for reading, cannot append 1 records to placet.intents/0; .*--url"):
        reader.append(INTENTS, 0, [Message(b"k", b"v")])
    reader.close()
    assert isinstance(outcome(lambda: reader.end(INTENTS, 0)), Unavailable)
    folder.close()


def test_where_there_is_no_journal_a_reader_makes_none(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=f"{tmp_path / 'journal'}: no journal here"):
        open_reader(tmp_path / "journal")
    assert list(tmp_path.iterdir()) == []

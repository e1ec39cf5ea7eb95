"""The begun-set says yes once, ever, whatever happens to the process between two words."""

from pathlib import Path

import pytest

from placet.errors import Corrupted, Unavailable
from placet.faces.sdk.begun import KEEP_MS, MAGIC, BegunSet

GRANT = ("acme", "user:bob", bytes(16), 1)
NOW = 1_700_000_000_000


def test_a_grant_is_begun_once(tmp_path: Path) -> None:
    with BegunSet(tmp_path / "begun", NOW) as begun:
        assert begun.begin(*GRANT, NOW + 1)
        assert not begun.begin(*GRANT, NOW + 1)
        assert begun.begin("acme", "user:bob", bytes(16), 2, NOW + 1)


def test_the_next_process_knows_what_the_last_one_began(tmp_path: Path) -> None:
    with BegunSet(tmp_path / "begun", NOW) as begun:
        assert begun.begin(*GRANT, NOW + 1)
    with BegunSet(tmp_path / "begun", NOW) as begun:
        assert not begun.begin(*GRANT, NOW + 1)


def test_two_processes_never_share_one(tmp_path: Path) -> None:
    with BegunSet(tmp_path / "begun", NOW), pytest.raises(Unavailable, match="another executor process"):
        BegunSet(tmp_path / "begun", NOW)


@pytest.mark.parametrize("cut", range(1, 28))
def test_a_torn_row_is_one_that_was_never_begun(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "begun"
    with BegunSet(path, NOW) as begun:
        assert begun.begin(*GRANT, NOW + 1)
        assert begun.begin("acme", "user:eve", bytes(16), 1, NOW + 1)
    path.write_bytes(path.read_bytes()[:-cut])
    with BegunSet(path, NOW) as begun:
        assert not begun.begin(*GRANT, NOW + 1)
        assert begun.begin("acme", "user:eve", bytes(16), 1, NOW + 1)
    with BegunSet(path, NOW) as begun:
        assert not begun.begin("acme", "user:eve", bytes(16), 1, NOW + 1)


@pytest.mark.parametrize("size", range(len(MAGIC)))
def test_a_file_torn_at_its_birth_is_born_again(tmp_path: Path, size: int) -> None:
    path = tmp_path / "begun"
    path.write_bytes(MAGIC[:size])
    with BegunSet(path, NOW) as begun:
        assert begun.begin(*GRANT, NOW + 1)
    assert path.read_bytes().startswith(MAGIC)


def test_a_changed_row_in_the_middle_is_said(tmp_path: Path) -> None:
    path = tmp_path / "begun"
    with BegunSet(path, NOW) as begun:
        assert begun.begin(*GRANT, NOW + 1)
        assert begun.begin("acme", "user:eve", bytes(16), 1, NOW + 1)
    data = bytearray(path.read_bytes())
    data[len(MAGIC) + 3] ^= 1
    path.write_bytes(data)
    with pytest.raises(Corrupted, match="checksum"):
        BegunSet(path, NOW)


def test_another_file_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "begun"
    path.write_text("my notes of last week")
    with pytest.raises(Corrupted, match="is not a begun-set"):
        BegunSet(path, NOW)
    assert path.read_text() == "my notes of last week"


def test_what_ended_a_day_ago_is_forgotten_and_the_file_shrinks(tmp_path: Path) -> None:
    path = tmp_path / "begun"
    with BegunSet(path, NOW) as begun:
        assert begun.begin(*GRANT, NOW)
        assert begun.begin("acme", "user:eve", bytes(16), 1, NOW + KEEP_MS)
    size = path.stat().st_size
    with BegunSet(path, NOW + KEEP_MS) as begun:
        assert not begun.begin("acme", "user:eve", bytes(16), 1, NOW + KEEP_MS)
        assert path.stat().st_size < size
        with pytest.raises(Unavailable):
            BegunSet(path, NOW)


def test_nobody_else_reads_it(tmp_path: Path) -> None:
    with BegunSet(tmp_path / "begun", NOW):
        assert (tmp_path / "begun").stat().st_mode & 0o077 == 0


def test_it_keeps_from_where_on_it_knows(tmp_path: Path) -> None:
    with BegunSet(tmp_path / "begun", NOW) as begun:
        assert (begun.born(0, 70), begun.born(1, 0)) == (70, 0)
    with BegunSet(tmp_path / "begun", NOW + 2 * KEEP_MS) as begun:
        assert (begun.born(0, 900), begun.born(1, 900), begun.born(2, 900)) == (70, 0, 900)

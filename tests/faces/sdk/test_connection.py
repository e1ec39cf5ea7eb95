"""How a connection is found: one way at a time, the running owner first, and never a token to a stranger."""

import json
import os
from pathlib import Path

import pytest

from placet import Agent, connect, wiring
from placet.drivers.settings import Settings
from placet.errors import Corrupted, Unavailable, Unsure
from placet.faces.sdk.connection import alive, http_file
from placet.model.reasons import Reason
from tests.faces.shop import settings_of, until


@pytest.mark.parametrize("ways", [{}, {"data": "d", "url": "u"}, {"url": "u", "bootstrap": "b"}])
def test_exactly_one_way_is_taken(ways: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="expected exactly one"):
        connect(**ways)  # type: ignore[arg-type]


def test_a_folder_nobody_owns_is_served_in_this_process(tmp_path: Path) -> None:
    for _ in range(2):
        with connect(data=tmp_path, settings=settings_of(tmp_path)) as connection:
            answer = Agent(connection, tenant="acme", actor="agent:ada").ask("shop.look", "order/7", {})
            assert answer.reason is Reason.PACK_MISSING
    assert not (tmp_path / "http.json").exists()


def test_what_a_process_that_is_gone_left_behind_is_passed_over(tmp_path: Path) -> None:
    gone = 2**22 - 1
    assert not alive(gone)
    (tmp_path / "http.json").write_text(json.dumps({"url": "http://127.0.0.1:9", "token": "t", "pid": gone}))
    with connect(data=tmp_path, settings=settings_of(tmp_path)) as connection:
        assert connection.log.partitions(1) == 2


def test_an_http_file_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "http.json").write_text('{"url": "x"}')
    with pytest.raises(Unavailable, match="is not what `placet up` wrote"):
        http_file(tmp_path / "http.json")
    assert alive(os.getpid())


def test_a_url_without_a_token_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no token"):
        connect(url="http://127.0.0.1:9", settings=Settings(data=tmp_path))


def test_a_url_without_pinned_keys_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no pinned keys"):
        connect(url="http://127.0.0.1:9", token="t", settings=Settings(data=tmp_path))


def test_a_cluster_that_is_not_named_is_said() -> None:
    with pytest.raises(Unavailable, match="PLACET_BOOTSTRAP"):
        wiring.cluster(Settings())


def test_two_owners_of_one_folder_never_are(tmp_path: Path) -> None:
    stack = wiring.embedded(settings_of(tmp_path))
    with pytest.raises(Unavailable):
        wiring.embedded(settings_of(tmp_path))
    stack.close()
    stack.close()
    wiring.embedded(settings_of(tmp_path)).close()


@pytest.mark.parametrize("failure", [Corrupted("two roots"), Unsure("lost"), RuntimeError("a bug")])
def test_what_ends_the_loop_is_kept_for_who_waits(
    tmp_path: Path, failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = wiring.embedded(settings_of(tmp_path))

    def broken(*_: object) -> None:
        raise failure

    monkeypatch.setattr(stack.journal, "commit", broken)
    running = wiring.serve(stack)
    assert running.ended.wait(20)
    assert str(failure) in str(running.failure)
    assert not running.live()
    assert not running.ready()
    running.stop()


def test_a_loop_that_could_not_commit_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = wiring.embedded(settings_of(tmp_path))
    commit, left = stack.journal.commit, [1, 1, 1]

    def shaky(*args: object) -> None:
        if left:
            left.pop()
            raise Unavailable("the disk is full")
        commit(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(stack.journal, "commit", shaky)
    running = wiring.serve(stack)
    until("it serves", running.ready)
    assert left == []
    assert running.failure is None
    running.stop()

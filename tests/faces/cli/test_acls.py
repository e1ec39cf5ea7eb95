"""`placet acls`: rights a person can read before anybody has them."""

import pytest

from tests.faces.cli.said import placet

Caps = pytest.CaptureFixture[str]


def test_the_rights_of_a_role_can_be_read_without_a_cluster(capsys: Caps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACET_PREFIX", "eu.")
    said = placet(capsys, "acls", "show", "--role", "approver", "--as", "User:{role}.eu", "--json")
    assert said.code == 0
    assert said.json == [
        {
            "principal": "User:approver.eu",
            "kind": "topic",
            "name": "eu.placet.votes",
            "pattern": "literal",
            "operation": "write",
        }
    ]
    assert "eu.placet.decisions" in placet(capsys, "acls", "show").out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show", "--role", "king"], "`king` is none: expected one of agent"),
        (["show", "--as", "placet"], "`placet` is no principal"),
        (["apply", "--bootstrap", "127.0.0.1:1", "--as", "User:all"], "gives one principal several roles"),
        (["apply"], "--bootstrap is missing"),
    ],
)
def test_wrong_usage_is_told_before_any_cluster_is_asked(
    arguments: list[str], says: str, capsys: Caps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PLACET_BOOTSTRAP", raising=False)
    said = placet(capsys, "acls", *arguments)
    assert said.code == 2
    assert says in said.err

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
        (["show", "--tenant", "acme", "--role", "worker"], "`worker` is none that is held for one tenant"),
        (["show", "--tenant", "acme", "--as", "User:{role}"], "expected `{tenant}` in it"),
        (["show", "--as", "User:{tenant}-{role}"], "expected `{tenant}` in it with --tenant, and only then"),
        (["show", "--tenant", "a/b"], "expected no `/` in it"),
        (["show", "--tenant", "watermark"], "that name is kept"),
    ],
)
def test_wrong_usage_is_told_before_any_cluster_is_asked(
    arguments: list[str], says: str, capsys: Caps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PLACET_BOOTSTRAP", raising=False)
    said = placet(capsys, "acls", *arguments)
    assert said.code == 2
    assert says in said.err


def test_the_rights_of_a_tenants_principals_touch_nothing_that_workers_write(capsys: Caps) -> None:
    said = placet(capsys, "acls", "show", "--tenant", "acme", "--json").json
    rights = said["rights"]
    assert {right["principal"] for right in rights} == {
        f"User:placet-acme-{role}"
        for role in ("agent", "approver", "executor", "feed", "classifier", "identity", "operator")
    }
    # Whoever held a worker's transactional id could fence it off, and whoever wrote its topics could answer for it.
    assert {right["kind"] for right in rights} == {"topic", "group"}
    written = {right["name"] for right in rights if right["operation"] == "write"}
    assert not written & {"placet.decisions", "placet.cases", "placet.desk", "placet.quarantine", "placet.risk"}
    assert {right["operation"] for right in rights} == {"read", "write"}
    assert [one.split(":")[0] for one in said["cannot"]] == [
        "a right is to a whole topic",
        "who may read a topic reads what is of all tenants in it",
        "no right bounds how much is written",
    ]
    assert "what these rights cannot do" in placet(capsys, "acls", "show", "--tenant", "acme").out

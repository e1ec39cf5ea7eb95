"""Keys on record by verbs: made, put there, rotated, revoked and listed, and what a running desk believes then."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from placet.drivers.entropy import SystemEntropy
from placet.drivers.keyfile import add_key, described, ensure_keys
from placet.drivers.settings import Settings
from placet.faces.gateway.server import Server
from tests.faces.cli.said import Said, placet


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = Settings(data=tmp_path_factory.mktemp("up"), port=0, partitions=1)
    ensure_keys(settings.keys_file, settings.secrets_dir, SystemEntropy())
    server = Server(settings)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def say(up: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in [name for name in os.environ if name.startswith("PLACET_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PLACET_DATA", str(up.settings.data))
    return lambda *arguments: placet(capsys, *arguments)


def listed(say: Any) -> dict[str, Any]:
    return {one["kid"]: one for one in say("keys", "list", "--json").json}


def new(say: Any, issuer: str, *more: object) -> Any:
    said: Said = say("keys", "new", "agent", "--issuer", issuer, "--tenant", "acme", *more, "--json")
    assert (said.code, said.err) == (0, "")
    return said.json


def test_a_new_key_is_on_record_and_this_host_signs_with_it(say: Any, up: Server) -> None:
    made = new(say, "agent:ada", "--not-after", "2099-01-01T00:00:00Z")
    assert made["recorded"]["topic"] == "placet.keys"
    row = listed(say)[made["kid"]]
    assert (row["state"], row["tenant"], row["pinned"], row["issuer"]) == ("valid", "acme", False, "agent:ada")
    assert row["not_after"] == 4_070_908_800_000
    assert next(entry.kid for entry in described(up.settings.secrets_dir)) == made["kid"]
    secret = up.settings.secrets_dir / f"{made['kid']}.key"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert secret.with_suffix(".json").stat().st_mode & 0o777 == 0o600
    # What it signs is proved: the desk gets past the writer, to what no pack allows.
    asked = say(
        "submit",
        "any.thing",
        "order/1",
        "--actor",
        "agent:ada",
        "--authority",
        "agent:ada",
        "--tenant",
        "acme",
        "--wait",
        "60s",
        "--json",
    )
    assert (asked.code, asked.json["reason"]) == (5, "pack_missing")


def test_a_key_is_rotated_with_overlap(say: Any) -> None:
    old = new(say, "agent:bee")
    said = say("keys", "rotate", old["kid"], "--overlap", "30m", "--json")
    assert (said.code, said.json["replaces"], said.json["issuer"]) == (0, old["kid"], "agent:bee")
    rows = listed(say)
    before, after = rows[old["kid"]], rows[said.json["kid"]]
    assert (before["state"], after["state"], after["tenant"], after["purpose"]) == ("valid", "valid", "acme", "agent")
    assert before["not_after"] - after["not_before"] == 30 * 60_000
    again = say("keys", "rotate", old["kid"], "--overlap", "1h")
    assert again.code == 0
    assert listed(say)[old["kid"]]["not_after"] == before["not_after"]  # an end is never put off by a rotation


def test_a_key_is_revoked_for_good(say: Any) -> None:
    made = new(say, "agent:cid")
    said = say("keys", "revoke", made["kid"], "--compromised-at", "2h", "--json")
    assert said.code == 0
    row = listed(say)[made["kid"]]
    assert (row["state"], row["compromised_at"]) == ("compromised", said.json["compromised_at"])
    rotated = say("keys", "rotate", made["kid"])
    assert (rotated.code, "it has no overlap" in rotated.err) == (5, True)
    asked = say(
        "submit",
        "any.thing",
        "o",
        "--actor",
        "agent:cid",
        "--authority",
        "agent:cid",
        "--tenant",
        "acme",
        "--wait",
        "60s",
        "--json",
    )
    assert (asked.code, asked.json.get("reason")) == (5, "key_compromised")


def test_a_pinned_key_is_revoked_on_record_and_an_operators_is_not_rotated_there(say: Any, up: Server) -> None:
    rows = listed(say)
    operator = next(kid for kid, row in rows.items() if row["purpose"] == "operator")
    seal = next(kid for kid, row in rows.items() if row["purpose"] == "seal")
    feed = next(kid for kid, row in rows.items() if row["purpose"] == "feed")
    for words in (("rotate", operator), ("rotate", seal), ("revoke", seal)):
        assert say("keys", *words).code == 5, words
    assert say("keys", "revoke", feed).code == 0
    assert listed(say)[feed]["state"] == "compromised"


def test_a_key_made_elsewhere_is_put_on_record_by_an_operator(
    say: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, up: Server
) -> None:
    monkeypatch.delenv("PLACET_DATA")
    monkeypatch.setenv("PLACET_SECRETS", str(tmp_path / "secrets"))
    made = new(say, "agent:far")
    assert "recorded" not in made
    assert described(tmp_path / "secrets") == []
    monkeypatch.delenv("PLACET_SECRETS")
    monkeypatch.setenv("PLACET_DATA", str(up.settings.data))
    file = tmp_path / "far.json"
    file.write_text(json.dumps(made))
    assert say("keys", "put", file).code == 0
    assert listed(say)[made["kid"]]["issuer"] == "agent:far"
    assert not (up.settings.secrets_dir / f"{made['kid']}.json").exists()
    file.write_text(json.dumps({**made, "public": "x"}))
    assert say("keys", "put", file).code == 3
    file.write_text(json.dumps({**made, "purpose": "seal"}))
    assert say("keys", "put", file).code == 2


def test_an_operator_of_one_tenant_gives_keys_of_that_tenant_only(say: Any, tmp_path: Path) -> None:
    data = tmp_path / "own"
    ensure_keys(data / "keys.json", data / "secrets", SystemEntropy())
    add_key(data / "keys.json", data / "secrets", "operator", "user:own", SystemEntropy(), "globex")
    new_of = ("keys", "new", "agent", "--issuer", "agent:x", "--data", data, "--as", "user:own")
    refused = say(*new_of, "--tenant", "acme")
    assert (refused.code, "may not say this" in refused.err) == (5, True)
    assert say(*new_of).code == 5
    assert say(*new_of, "--tenant", "globex").code == 0


@pytest.mark.parametrize(
    "words",
    [
        "new seal --issuer service:desk",
        "new gardener --issuer a",
        "new agent --issuer a --source siem",
        "new agent --issuer a --tenant a/b",
        "new agent --issuer a --not-after soon",
        "new agent --issuer a --not-before 2h --not-after 1h",
        "new agent --issuer a --not-after 2026-11-27T14:00:00",
        "rotate nobody",
        "rotate nobody --overlap soon",
        "revoke nobody",
    ],
)
def test_what_does_not_fit_is_wrong_usage_and_makes_nothing(say: Any, up: Server, words: str) -> None:
    before = sorted(up.settings.secrets_dir.iterdir())
    assert say("keys", *words.split()).code == 2
    assert sorted(up.settings.secrets_dir.iterdir()) == before

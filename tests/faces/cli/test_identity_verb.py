"""`placet identity`: what the rules of a file say of an id and of a token's claims."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.faces.cli.said import placet
from tests.support.tokens import OKP, jwk, signed

RULES = {
    "version": 1,
    "spiffe": [{"trust_domain": "example.org", "path": "agents"}],
    "issuers": [{"issuer": "https://okta.example", "audiences": ["placet"], "kind": "user", "tenant": "acme"}],
}
CLAIMS = {"iss": "https://okta.example", "aud": "placet", "exp": 4_070_908_800, "sub": "ada"}
ID = "spiffe://example.org/agents/acme/bot"


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    for name in [name for name in os.environ if name.startswith("PLACET_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PLACET_DATA", str(tmp_path))
    (tmp_path / "identity.json").write_text(json.dumps(RULES))
    (tmp_path / "claims.json").write_text(json.dumps(CLAIMS))
    return lambda *arguments: placet(capsys, "identity", *arguments)


def test_an_id_and_claims_are_told_as_who_they_are(say: Any, tmp_path: Path) -> None:
    assert say(ID, "--json").json == {"tenant": "acme", "principal": ID}
    said = say("--claims", tmp_path / "claims.json")
    assert (said.code, said.out) == (0, "user:ada of tenant acme\n")


def test_nobody_is_refused(say: Any, tmp_path: Path) -> None:
    assert say("spiffe://other.example/agents/acme/bot").code == 5
    (tmp_path / "claims.json").write_text(json.dumps({**CLAIMS, "aud": "elsewhere"}))
    said = say("--claims", tmp_path / "claims.json")
    assert (said.code, "expected one for placet" in said.err) == (5, True)


def test_wrong_usage_and_faulty_files_are_said(say: Any, tmp_path: Path) -> None:
    claims = tmp_path / "claims.json"
    assert say().code == 2
    assert say(ID, "--claims", claims).code == 2
    for text in ("[]", "{"):
        claims.write_text(text)
        assert say("--claims", claims).code == 2
    rules = tmp_path / "rules.json"
    assert say(ID, "--rules", rules).code == 1
    for told in ({**RULES, "more": 1}, {**RULES, "issuers": [*RULES["issuers"], *RULES["issuers"]]}):  # type: ignore[misc]
        rules.write_text(json.dumps(told))
        assert say(ID, "--rules", rules).code == 3


def test_a_token_is_verified_by_the_keys_that_are_pinned(say: Any, tmp_path: Path) -> None:
    issuers = [{**RULES["issuers"][0], "jwks": [jwk("OKP", "k")]}]  # type: ignore[index]
    (tmp_path / "identity.json").write_text(json.dumps({**RULES, "issuers": issuers}))
    (tmp_path / "token.jwt").write_text(signed({"alg": "EdDSA", "kid": "k"}, CLAIMS, OKP.sign) + "\n")
    assert say("--token", tmp_path / "token.jwt", "--json").json == {"tenant": "acme", "principal": "user:ada"}
    forged = signed({"alg": "EdDSA", "kid": "k"}, CLAIMS, Ed25519PrivateKey.generate().sign)
    (tmp_path / "token.jwt").write_text(forged)
    said = say("--token", tmp_path / "token.jwt")
    assert (said.code, "the signature of the token is not one of the key it names" in said.err) == (5, True)
    assert say(ID, "--token", tmp_path / "token.jwt").code == 2

"""Tokens: what is believed of one that a key of its own issuer signed, and every way in which nothing is."""

import json
from pathlib import Path
from typing import Any

import pytest

from placet.context.identity import Who
from placet.drivers.tokens import Shown, Tokens, read_tokens
from placet.errors import Corrupted, PoisonRecord
from placet.model.reasons import Reason
from tests.support.tokens import CLAIMS, b64, identity_file, jwk, signature, token

NOW = 1_760_000_000_000
FLO = Who("acme", "user:flo")


def tokens_of(folder: Path, text: str) -> Tokens:
    path = folder / "identity.json"
    path.write_text(text)
    return read_tokens(path)


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return tokens_of(tmp_path, identity_file(jwk("OKP", "1"), jwk("EC", "2"), jwk("RSA", "3")))


@pytest.mark.parametrize(("alg", "kid"), [("EdDSA", "1"), ("ES256", "2"), ("RS256", "3"), ("PS256", "3")])
def test_a_token_that_its_issuer_signed_says_who_how_and_when(tokens: Tokens, alg: str, kid: str) -> None:
    said = token(alg, kid, acr="phr", auth_time=1_759_999_900)
    assert tokens.read(said, NOW, 0) == Shown(FLO, "phr", 1_759_999_900_000)
    assert tokens.read(token(alg, kid), NOW, 0) == Shown(FLO, "", 0)


def changed(said: str) -> str:
    """Return a token whose claims were changed after it was signed."""
    head, _, rest = said.partition(".")
    body = json.dumps({**CLAIMS, "acr": "phr"}).encode()
    return f"{head}.{b64(body)}.{rest.partition('.')[2]}"


def unsigned() -> str:
    head, body = json.dumps({"alg": "none", "kid": "1"}).encode(), json.dumps(dict(CLAIMS)).encode()
    return f"{b64(head)}.{b64(body)}."


def twice() -> str:
    """Return a token whose claims name their subject twice."""
    body = json.dumps(dict(CLAIMS)).encode()[:-1] + b', "sub": "fay"}'
    signed = f"{b64(json.dumps({'alg': 'EdDSA', 'kid': '1'}).encode())}.{b64(body)}"
    return f"{signed}.{b64(signature('EdDSA', signed.encode()))}"


REFUSED: dict[str, tuple[str, str]] = {
    "changed": (changed(token()), "the signature of the token is not one of the key it names"),
    "unsigned": (unsigned(), "alg `none`: expected EdDSA of key `1`"),
    "another algorithm": (token(header={"alg": "HS256"}), "alg `HS256`: expected EdDSA of key `1`"),
    "another key's algorithm": (token("RS256", "2"), "alg `RS256`: expected ES256 of key `2`"),
    "an unknown key": (token(kid="9"), "no key `9` of the issuer `https://login.example` is on file"),
    "no key named, of three": (token(kid=None), "no key `None` of the issuer"),
    "another issuer's": (
        token(iss="https://evil.example"),
        "no key `1` of the issuer `https://evil.example` is on file",
    ),
    "nobody's": (token(iss=7), "no key `1` of the issuer `` is on file"),
    "for somebody else": (token(aud="elsewhere"), "a token for elsewhere, expected one for placet"),
    "expired": (token(exp=NOW // 1000), "a token that has expired"),
    "critical": (token(header={"crit": ["b64"]}), "a token with `crit`"),
    "a subject given twice": (twice(), "the claims of the token"),
    "a time as text": (token(auth_time="now"), "claim `auth_time`: expected whole seconds"),
    "a time that is true": (token(auth_time=True), "claim `auth_time`: expected whole seconds"),
    "an early time": (token(auth_time=-1), "claim `auth_time`: expected whole seconds"),
    "ways as a list": (token(acr=["phr"]), "claim `acr`: expected a text"),
    "two parts": ("a.b", "a token of 3 characters: expected three parts"),
    "padding": (token() + "=", "the signature of the token: not base64url"),
    "no base64": ("!.!.!", "the header of the token: not base64url"),
    "too long": ("a" * 20_000 + "..", "a token of 20002 characters"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_proves_nothing_is_refused(tokens: Tokens, kind: str) -> None:
    said, why = REFUSED[kind]
    with pytest.raises(PoisonRecord) as refused:
        tokens.read(said, NOW, 0)
    assert refused.value.reason == Reason.WRITER_UNPROVED
    assert why in str(refused.value)


def test_the_only_key_of_an_issuer_need_not_be_named(tmp_path: Path) -> None:
    assert tokens_of(tmp_path, identity_file(jwk("OKP", "1"))).read(token(kid=None), NOW, 0).who == FLO


def test_without_a_file_or_without_keys_no_token_is_believed(tmp_path: Path) -> None:
    for tokens in (read_tokens(tmp_path / "none.json"), tokens_of(tmp_path, identity_file())):
        with pytest.raises(PoisonRecord, match="is on file"):
            tokens.read(token(), NOW, 0)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ([{**jwk("OKP", "1"), "d": "secret"}], "a private key: expected its public part alone"),
        ([jwk("OKP", "1"), jwk("EC", "1")], "two keys have one `kid`"),
        ([jwk("RSA", "1", 1_024)], "key `1`: 1024 bits: expected 2048 or more"),
        ([{**jwk("OKP", "1"), "crv": "X25519"}], "OKP X25519: expected OKP Ed25519, EC P-256 or RSA"),
        ([{**jwk("EC", "1"), "y": jwk("EC", "1")["x"]}], "issuer `https://login.example`"),
        ([{**jwk("OKP", "1"), "x": "#"}], "key `1`: `x` is not base64url"),
        ([{**jwk("OKP", "1"), "alg": "RS256"}], "key `1`: alg `RS256` is not one of a key of this kind"),
    ],
)
def test_a_faulty_key_is_named(tmp_path: Path, keys: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(Corrupted) as faulty:
        tokens_of(tmp_path, identity_file(*keys))
    assert says in str(faulty.value)

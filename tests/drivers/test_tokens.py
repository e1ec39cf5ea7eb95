"""Tokens: what is believed of one that a key of its own issuer signed, and every way in which nothing is."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from placet.context.identity import Who
from placet.drivers.tokens import Shown, Tokens, read_tokens
from placet.errors import Corrupted, PoisonRecord
from placet.model.reasons import Reason
from tests.support.tokens import CLAIMS, OKP, b64, identity_file, jwk, signature, signed, token

NOW = 1_760_000_000_000
FLO = Who("acme", "user:flo")
GOOD = {"alg": "EdDSA", "kid": "1"}
OTHER = Ed25519PrivateKey.from_private_bytes(b"u" * 32)
WORKLOADS = {
    "spiffe": [{"trust_domain": name, "tenant": "acme"} for name in ("example.org", "shop.example")],
    "issuers": [
        {
            "issuer": "https://spire.example",
            "audiences": ["placet"],
            "kind": "spiffe",
            "trust_domains": ["example.org"],
            "jwks": [{**jwk("OKP", "spire"), "x": b64(OTHER.public_key().public_bytes_raw())}],
        }
    ],
}
WORKLOAD = {**CLAIMS, "iss": "https://spire.example", "sub": "spiffe://example.org/till"}
OF_SPIRE = {"alg": "EdDSA", "kid": "spire"}


def tokens_of(folder: Path, text: str) -> Tokens:
    path = folder / "identity.json"
    path.write_text(text)
    return read_tokens(path)


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    file = json.loads(identity_file({**jwk("OKP", "1"), "use": "sig"}, jwk("EC", "2"), jwk("RSA", "3")))
    file["issuers"] += WORKLOADS["issuers"]
    return tokens_of(tmp_path, json.dumps({**file, "spiffe": WORKLOADS["spiffe"]}))


@pytest.mark.parametrize(("alg", "kid"), [("EdDSA", "1"), ("ES256", "2"), ("RS256", "3"), ("PS256", "3")])
def test_a_token_that_its_issuer_signed_says_who_how_and_when(tokens: Tokens, alg: str, kid: str) -> None:
    said = token(alg, kid, acr="phr", auth_time=1_759_999_900)
    assert tokens.read(said, NOW, 0) == Shown(FLO, "phr", 1_759_999_900_000)
    assert tokens.read(token(alg, kid), NOW, 0) == Shown(FLO, "", 0)


def test_a_workload_is_its_own_id(tokens: Tokens) -> None:
    said = signed(OF_SPIRE, WORKLOAD, OTHER.sign)
    assert tokens.read(said, NOW, 0).who == Who("acme", "spiffe://example.org/till")


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
    data = f"{b64(json.dumps(GOOD).encode())}.{b64(body)}"
    return f"{data}.{b64(OKP.sign(data.encode()))}"


PUBLIC = OKP.public_key().public_bytes_raw()
REFUSED: dict[str, tuple[str, str]] = {
    "changed": (changed(token()), "the signature of the token is not one of the key it names"),
    "unsigned": (unsigned(), "alg `none`: expected EdDSA of key `1`"),
    "another algorithm": (token(header={"alg": "HS256"}), "alg `HS256`: expected EdDSA of key `1`"),
    "the public key as a secret": (
        signed({**GOOD, "alg": "HS256"}, CLAIMS, lambda data: hmac.digest(PUBLIC, data, hashlib.sha256)),
        "alg `HS256`: expected EdDSA of key `1`",
    ),
    "a stranger's": (signed(GOOD, CLAIMS, OTHER.sign), "the signature of the token is not one of the key it names"),
    "a signature with more behind it": (
        signed({"alg": "ES256", "kid": "2"}, CLAIMS, lambda data: signature("ES256", data) + b"x"),
        "the signature of the token is not one of the key it names",
    ),
    "another key's algorithm": (token("RS256", "2"), "alg `RS256`: expected ES256 of key `2`"),
    "an unknown key": (token(kid="9"), "no key `9` of the issuer `https://login.example` is on file"),
    "no key named, of three": (token(kid=None), "no key `None` of the issuer"),
    "another issuer's": (
        token(iss="https://evil.example"),
        "no key `1` of the issuer `https://evil.example` is on file",
    ),
    "by the key of another issuer": (
        signed(OF_SPIRE, CLAIMS, OTHER.sign),
        "no key `spire` of the issuer `https://login.example` is on file",
    ),
    "in the name of another issuer": (
        signed(GOOD, WORKLOAD, OKP.sign),
        "no key `1` of the issuer `https://spire.example` is on file",
    ),
    "of a workload of another's domain": (
        signed(OF_SPIRE, {**WORKLOAD, "sub": "spiffe://shop.example/till"}, OTHER.sign),
        "`spiffe://shop.example/till` is not of a trust domain that its issuer speaks for",
    ),
    "several issuers'": (token(iss=["https://login.example"]), "no key `1` of the issuer `` is on file"),
    "a list of claims": (
        signed(GOOD, [dict(CLAIMS)], OKP.sign),
        "the claims of the token: a JSON list, expected an object",
    ),
    "a deep one": (token(deep=[[[[[[[[[]]]]]]]]]), "the claims of the token"),
    "nobody's": (token(iss=7), "no key `1` of the issuer `` is on file"),
    "for somebody else": (token(aud="elsewhere"), "a token for elsewhere, expected one for placet"),
    "expired": (token(exp=NOW // 1000), "a token that has expired"),
    "critical": (token(header={"crit": ["b64"]}), "a token with `crit`"),
    "a subject given twice": (twice(), "the claims of the token"),
    "a time as text": (token(auth_time="now"), "claim `auth_time`: expected whole seconds"),
    "a time that is true": (token(auth_time=True), "claim `auth_time`: expected whole seconds"),
    "an early time": (token(auth_time=-1), "claim `auth_time`: expected whole seconds"),
    "ways as a list": (token(acr=["phr"]), "claim `acr`: expected a text"),
    "four parts": ("a.b.c.d", "a token of 7 characters: expected three parts"),
    "an empty part": ("e30..c", "the claims of the token"),
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
        ([{"kty": "oct", "kid": "1", "k": "AAAA"}], "a private key: expected its public part alone"),
        ([{"kty": "oct", "kid": "1"}], "jwks.0.kty` input should be 'okp', 'ec' or 'rsa'"),
        ([{**jwk("OKP", "1"), "use": "enc"}], "jwks.0.use` input should be 'sig'"),
        ([{**jwk("OKP", "1"), "kid": ""}], "jwks.0.kid`"),
        ([jwk("OKP", "1"), jwk("EC", "1")], "two keys have one `kid`"),
        ([jwk("RSA", "1", 1_024)], "key `1`: 1024 bits: expected 2048 or more"),
        ([{**jwk("OKP", "1"), "crv": "X25519"}], "OKP X25519: expected OKP Ed25519, EC P-256 or RSA"),
        ([{**jwk("EC", "1"), "crv": "P-384"}], "EC P-384: expected OKP Ed25519, EC P-256 or RSA"),
        ([{**jwk("OKP", "1"), "x": "AQ"}], "issuer `https://login.example`"),
        ([{**jwk("OKP", "1"), "x": ""}], "issuer `https://login.example`"),
        ([{**jwk("EC", "1"), "y": jwk("EC", "1")["x"]}], "issuer `https://login.example`"),
        ([{**jwk("OKP", "1"), "x": "#"}], "key `1`: `x` is not base64url"),
        ([{**jwk("OKP", "1"), "alg": "RS256"}], "key `1`: alg `RS256` is not one of a key of this kind"),
    ],
)
def test_a_faulty_key_is_named(tmp_path: Path, keys: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(Corrupted) as faulty:
        tokens_of(tmp_path, identity_file(*keys))
    assert says in str(faulty.value)

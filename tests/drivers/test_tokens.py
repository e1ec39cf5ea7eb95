"""Signed tokens: whose key signed what, and everything that must not pass for that."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from placet.context.identity import Who
from placet.drivers.identityfile import read_tokens
from placet.drivers.tokens import Tokens
from placet.errors import Corrupted, PoisonRecord

NOW = 1_760_000_000_000
OKTA, SPIRE = "https://okta.example", "https://spire.example"
ED = Ed25519PrivateKey.from_private_bytes(b"t" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"u" * 32)
EC = ec.derive_private_key(7, ec.SECP256R1())
RSA = rsa.generate_private_key(65_537, 2_048)
SMALL = rsa.generate_private_key(65_537, 1_024)
CLAIMS: dict[str, Any] = {"iss": OKTA, "aud": "placet", "exp": NOW // 1000 + 60, "sub": "ada"}


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def okp(kid: str, key: Ed25519PrivateKey) -> dict[str, str]:
    return {"kid": kid, "kty": "OKP", "crv": "Ed25519", "x": b64(key.public_key().public_bytes_raw())}


def of_rsa(kid: str, key: rsa.RSAPrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    return {"kid": kid, "kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}


POINT = EC.public_key().public_numbers()
KEYS = [
    okp("ed", ED),
    {"kid": "p256", "kty": "EC", "crv": "P-256", "x": number(POINT.x), "y": number(POINT.y), "use": "sig"},
    of_rsa("rsa", RSA),
]
FILE: dict[str, Any] = {
    "version": 1,
    "spiffe": [{"trust_domain": "example.org", "tenant": "acme"}, {"trust_domain": "shop.example", "tenant": "acme"}],
    "issuers": [
        {"issuer": OKTA, "audiences": ["placet"], "kind": "user", "tenant": "acme", "keys": KEYS},
        {
            "issuer": SPIRE,
            "audiences": ["placet"],
            "kind": "spiffe",
            "trust_domains": ["example.org"],
            "keys": [okp("spire", OTHER)],
        },
    ],
}


def token(head: dict[str, Any], claims: Any, sign: Any) -> str:
    signed = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(claims).encode())}"
    return f"{signed}.{b64(sign(signed.encode()))}"


def by_ec(signed: bytes) -> bytes:
    r, s = decode_dss_signature(EC.sign(signed, ec.ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def by_rsa(signed: bytes) -> bytes:
    return RSA.sign(signed, padding.PKCS1v15(), SHA256())


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    (tmp_path / "identity.json").write_text(json.dumps(FILE))
    return read_tokens(tmp_path / "identity.json", 2_000)


@pytest.mark.parametrize(
    ("head", "sign"),
    [
        ({"alg": "EdDSA", "kid": "ed"}, ED.sign),
        ({"alg": "ES256", "kid": "p256"}, by_ec),
        ({"alg": "RS256", "kid": "rsa", "typ": "JWT"}, by_rsa),
    ],
)
def test_a_token_of_a_pinned_key_is_its_subject(tokens: Tokens, head: dict[str, Any], sign: Any) -> None:
    assert tokens.who(token(head, CLAIMS, sign), NOW) == Who("acme", "user:ada")


GOOD = {"alg": "EdDSA", "kid": "ed"}
OF_SPIRE = {"alg": "EdDSA", "kid": "spire"}
WORKLOAD = {**CLAIMS, "iss": SPIRE, "sub": "spiffe://example.org/till"}
PUBLIC = ED.public_key().public_bytes_raw()


def test_a_workload_is_its_own_id(tokens: Tokens) -> None:
    assert tokens.who(token(OF_SPIRE, WORKLOAD, OTHER.sign), NOW) == Who("acme", "spiffe://example.org/till")


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (token({"alg": "none", "kid": "ed"}, CLAIMS, lambda _: b"x"), "signed by `none`, expected EdDSA"),
        (
            token({"alg": "HS256", "kid": "ed"}, CLAIMS, lambda one: hmac.digest(PUBLIC, one, hashlib.sha256)),
            "signed by `HS256`, expected EdDSA",
        ),
        (token({"alg": "ES256", "kid": "ed"}, CLAIMS, by_ec), "expected EdDSA"),
        (token(GOOD, CLAIMS, OTHER.sign), "the signature is not by key `ed`"),
        (token({"alg": "ES256", "kid": "p256"}, CLAIMS, lambda one: by_ec(one) + b"x"), "not by key `p256`"),
        (token({"alg": "EdDSA"}, CLAIMS, ED.sign), "no key `None` of the issuer"),
        (token({"alg": "EdDSA", "kid": "spire"}, CLAIMS, OTHER.sign), "no key `spire` of the issuer"),
        (token(GOOD, WORKLOAD, ED.sign), "no key `ed` of the issuer"),
        (token(GOOD, {**CLAIMS, "iss": "https://nobody.example"}, ED.sign), "is pinned"),
        (token(GOOD, {**CLAIMS, "iss": [OKTA]}, ED.sign), "is pinned"),
        (token({**GOOD, "crit": ["b64"]}, CLAIMS, ED.sign), "asks for what is not known"),
        (token(GOOD, [CLAIMS], ED.sign), "expected an object"),
        (token(GOOD, {**CLAIMS, "exp": NOW // 1000 - 2}, ED.sign), "has expired"),
        (token(GOOD, {**CLAIMS, "aud": "elsewhere"}, ED.sign), "expected one for placet"),
        (token(OF_SPIRE, {**WORKLOAD, "sub": "spiffe://shop.example/till"}, OTHER.sign), "not of a trust domain"),
        ("a.b", "three parts"),
        ("a.b.c.d", "three parts"),
        ("a..c", "three parts"),
        ("a.b!.c", "three parts"),
        ("x" * 20_000 + ".b.c", "three parts"),
    ],
)
def test_what_proves_nobody_is_nobody(tokens: Tokens, said: str, says: str) -> None:
    with pytest.raises(PoisonRecord, match=says):
        tokens.who(said, NOW)


def test_claims_that_were_changed_or_that_say_a_thing_twice_are_nobodys(tokens: Tokens) -> None:
    head, _, signature = token(GOOD, CLAIMS, ED.sign).split(".")
    with pytest.raises(PoisonRecord, match="not by key"):
        tokens.who(f"{head}.{b64(json.dumps({**CLAIMS, 'sub': 'root'}).encode())}.{signature}", NOW)
    more = json.dumps(CLAIMS)[:-1].encode() + b', "sub": "root"}'
    twice = f"{head}.{b64(more)}"
    with pytest.raises(PoisonRecord, match="the claims of the token"):
        tokens.who(f"{twice}.{b64(ED.sign(twice.encode()))}", NOW)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ([{**okp("ed", ED), "d": b64(b"t" * 32)}], "is a secret"),
        ([{"kid": "k", "kty": "oct", "k": "AAAA"}], "is a secret"),
        ([{**okp("ed", ED), "use": "enc"}], "not for signatures"),
        ([{**okp("ed", ED), "kid": ""}], "without `kid`"),
        ([{"kid": "k", "kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}], "expected an Ed25519"),
        ([{"kid": "k", "kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ"}], "identity.json"),
        ([{"kid": "k", "kty": "OKP", "crv": "Ed25519", "x": "AQ"}], "identity.json"),
        ([{"kid": "k", "kty": "OKP", "crv": "Ed25519"}], "expected base64url"),
        ([of_rsa("k", SMALL)], "1024 bits"),
        ([okp("ed", ED), okp("ed", OTHER)], "a kid stands twice"),
    ],
)
def test_a_file_with_keys_that_are_none_is_refused_at_the_start(tmp_path: Path, keys: list[Any], says: str) -> None:
    issuer = {**FILE["issuers"][0], "keys": keys}
    (tmp_path / "identity.json").write_text(json.dumps({**FILE, "issuers": [issuer]}))
    with pytest.raises(Corrupted, match=says):
        read_tokens(tmp_path / "identity.json", 0)

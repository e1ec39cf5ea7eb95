"""An issuer of tokens: its keys of each kind, their public parts as JWK, and tokens signed with them."""

import base64
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

ISSUER = "https://login.example"
CLAIMS: Mapping[str, Any] = {"iss": ISSUER, "aud": "placet", "sub": "flo", "exp": 4_070_908_800}
OKP = Ed25519PrivateKey.from_private_bytes(b"i" * 32)
CURVE = ec.derive_private_key(0x1234567890ABCDEF, ec.SECP256R1())


@cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    """Return a key of so many bits, the same each time."""
    return rsa.generate_private_key(65_537, bits)


def b64(raw: bytes) -> str:
    """Return bytes in base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _b64(number: int, size: int) -> str:
    return b64(number.to_bytes(size, "big"))


def jwk(kind: str, kid: str, bits: int = 2_048) -> dict[str, str]:
    """Return the public part of the issuer's key of a kind."""
    if kind == "OKP":
        return {"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": b64(OKP.public_key().public_bytes_raw())}
    if kind == "EC":
        point = CURVE.public_key().public_numbers()
        return {"kty": "EC", "crv": "P-256", "kid": kid, "x": _b64(point.x, 32), "y": _b64(point.y, 32)}
    numbers = rsa_key(bits).public_key().public_numbers()
    return {"kty": "RSA", "kid": kid, "n": _b64(numbers.n, bits // 8), "e": _b64(numbers.e, 3)}


def signature(alg: str, data: bytes) -> bytes:
    """Return the issuer's signature over `data`, as RFC 7518 has it."""
    if alg == "EdDSA":
        return OKP.sign(data)
    if alg == "ES256":
        r, s = decode_dss_signature(CURVE.sign(data, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    if alg == "RS256":
        return rsa_key(2_048).sign(data, padding.PKCS1v15(), SHA256())
    return rsa_key(2_048).sign(data, padding.PSS(padding.MGF1(SHA256()), 32), SHA256())


def token(alg: str = "EdDSA", kid: str | None = "1", header: Mapping[str, Any] | None = None, **claims: Any) -> str:
    """Return a token of the issuer; a claim of None is left out."""
    head = {"alg": alg, **({} if kid is None else {"kid": kid}), **(header or {})}
    body = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    signed = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(body).encode())}"
    return f"{signed}.{b64(signature(alg, signed.encode()))}"


def identity_file(*keys: Mapping[str, str], **more: Any) -> str:
    """Return an identity.json in which the issuer's people are the tenant's users."""
    issuer = {"issuer": ISSUER, "audiences": ["placet"], "kind": "user", "tenant": "acme", "jwks": list(keys), **more}
    return json.dumps({"version": 1, "issuers": [issuer]})

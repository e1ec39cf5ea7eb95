"""Signed tokens (JWT, RFC 7519; JWT-SVID): whose they are, by the pinned keys of their issuers and the rules of who is who.

The algorithm is that of the key and never the token's choice. No key is
fetched: a kid that no rule pins is refused.
"""

import base64
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from placet.context.identity import Identities, Who
from placet.errors import PoisonRecord
from placet.model import strict
from placet.model.reasons import Reason

TOKEN_MOST = 16_384
RSA_BITS_LEAST = 2_048
COORDINATE = 32
_PART = re.compile(r"[A-Za-z0-9_\-]+")
Public = Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey


class TokenKey(NamedTuple):
    """A public key of an issuer, and the one algorithm it verifies (RFC 7518 §3.1, RFC 8037)."""

    kid: str
    algorithm: str
    public: Public

    @classmethod
    def of(cls, jwk: Mapping[str, Any]) -> "TokenKey":
        """Return the key in a JWK (RFC 7517); raise ValueError for a private one, another kind, or one without a `kid`."""
        kid = jwk.get("kid")
        if not isinstance(kid, str) or not kid:
            raise ValueError("a key without `kid`")
        if "d" in jwk or "k" in jwk:
            raise ValueError(f"key `{kid[:64]}` is a secret: expected its public half")
        if jwk.get("use", "sig") != "sig":
            raise ValueError(f"key `{kid[:64]}` is not for signatures")
        kind = (jwk.get("kty"), jwk.get("crv"))
        if kind == ("OKP", "Ed25519"):
            return cls(kid, "EdDSA", Ed25519PublicKey.from_public_bytes(_raw(jwk, "x")))
        if kind == ("EC", "P-256"):
            point = ec.EllipticCurvePublicNumbers(_number(jwk, "x"), _number(jwk, "y"), ec.SECP256R1())
            return cls(kid, "ES256", point.public_key())
        if kind == ("RSA", None):
            public = rsa.RSAPublicNumbers(_number(jwk, "e"), _number(jwk, "n")).public_key()
            if public.key_size < RSA_BITS_LEAST:
                raise ValueError(f"key `{kid[:64]}` has {public.key_size} bits: expected at least {RSA_BITS_LEAST}")
            return cls(kid, "RS256", public)
        raise ValueError(f"key `{kid[:64]}`: expected an Ed25519, a P-256 or an RSA key")

    def holds(self, signature: bytes, signed: bytes) -> bool:
        """Return whether this key made the signature of `signed`."""
        try:
            if isinstance(self.public, Ed25519PublicKey):
                self.public.verify(signature, signed)
            elif isinstance(self.public, rsa.RSAPublicKey):
                self.public.verify(signature, signed, padding.PKCS1v15(), SHA256())
            else:
                if len(signature) != 2 * COORDINATE:
                    return False
                halves = (int.from_bytes(signature[at : at + COORDINATE], "big") for at in (0, COORDINATE))
                self.public.verify(encode_dss_signature(*halves), signed, ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True


class Tokens:
    """Who somebody is by a token: its signature, its claims, and the one table of who is who."""

    def __init__(self, identities: Identities, keys: Mapping[str, Mapping[str, TokenKey]], skew_ms_max: int) -> None:
        self._identities = identities
        self._keys = keys
        self._skew_ms_max = skew_ms_max

    def who(self, token: str, at: int) -> Who:
        """Return the principal that a token proves at `at`, ms; raise PoisonRecord where it proves nobody."""
        parts = token.split(".")
        if len(token) > TOKEN_MOST or len(parts) != 3 or not all(_PART.fullmatch(one) for one in parts):
            _refuse("no signed token of three parts")
        head, claims = _json(parts[0], "header"), _json(parts[1], "claims")
        if "crit" in head:
            _refuse("a token that asks for what is not known here")
        issuer, kid = claims.get("iss"), head.get("kid")
        key = self._keys.get(issuer if isinstance(issuer, str) else "", {}).get(kid if isinstance(kid, str) else "")
        if key is None:
            _refuse(f"no key `{str(kid)[:64]}` of the issuer `{str(issuer)[:128]}` is pinned")
        if head.get("alg") != key.algorithm:
            _refuse(f"a token signed by `{str(head.get('alg'))[:16]}`, expected {key.algorithm}")
        if not key.holds(_decoded(parts[2]), f"{parts[0]}.{parts[1]}".encode()):
            _refuse(f"the signature is not by key `{key.kid[:64]}`")
        return self._identities.of_claims(claims, at, self._skew_ms_max)


def _json(part: str, what: str) -> Mapping[str, Any]:
    try:
        return strict.parse(_decoded(part), most_bytes=TOKEN_MOST, depth=8, keys=256)
    except PoisonRecord as fault:
        _refuse(f"the {what} of the token: {str(fault).removeprefix('arguments: ')}")


def _decoded(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        _refuse("a part of the token is not base64url")


def _raw(jwk: Mapping[str, Any], name: str) -> bytes:
    text = jwk.get(name)
    if not isinstance(text, str) or not _PART.fullmatch(text):
        raise ValueError(f"`{name}` of a key: expected base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(jwk: Mapping[str, Any], name: str) -> int:
    return int.from_bytes(_raw(jwk, name), "big")


def _refuse(says: str) -> NoReturn:
    raise PoisonRecord(says, Reason.WRITER_UNPROVED)

"""Tokens of the issuers in `identity.json`: believed where a key of their own issuer signed them (RFC 7515, 7519, 8725)."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from placet.context.identity import Identities, Who
from placet.drivers.identityfile import IdentityFile, JwkEntry, read_identity_file
from placet.errors import Corrupted, PoisonRecord
from placet.model import strict
from placet.model.reasons import Reason

TOKEN_BYTES_MAX = 16_384
RSA_BITS_MIN = 2_048
ACR_MAX = 128
ES256_SIZE = 64
Check = Callable[[bytes, bytes], None]
"""Raises InvalidSignature where a signature (first) does not cover some bytes."""


class Key(NamedTuple):
    """A public key of an issuer, and what it checks by the name of the algorithm (RFC 7518 §3.1)."""

    kid: str
    checks: Mapping[str, Check]


class Shown(NamedTuple):
    """Who a token is of, how they authenticated (empty: not said), and when, ms since 1970 (0: not said)."""

    who: Who
    acr: str
    auth_time: int


class Tokens:
    """Reads tokens. An issuer without keys has none that is believed, and no key is ever fetched."""

    def __init__(self, identities: Identities, keys: Mapping[str, Sequence[Key]]) -> None:
        self._identities = identities
        self._keys = keys

    def read(self, token: str, at: int, skew_ms_max: int) -> Shown:
        """Return what a JWS in compact form proves at `at` (ms); raise PoisonRecord where it proves nothing."""
        if not token.isascii() or len(token) > TOKEN_BYTES_MAX or token.count(".") != 2:
            _refuse(f"a token of {len(token)} characters: expected three parts in base64url, {TOKEN_BYTES_MAX} at most")
        signed, _, signature = token.rpartition(".")
        head, _, body = signed.partition(".")
        header, claims = _json(head, "header"), _json(body, "claims")
        issuer = claims.get("iss")
        check = self._check_of(issuer if isinstance(issuer, str) else "", header)
        try:
            check(_bytes(signature, "signature"), signed.encode())
        except (InvalidSignature, ValueError):
            _refuse("the signature of the token is not one of the key it names")
        who = self._identities.of_claims(claims, at, skew_ms_max)
        return Shown(who, _acr(claims), _auth_time(claims))

    def _check_of(self, issuer: str, header: Mapping[str, Any]) -> Check:
        if "crit" in header:
            _refuse("a token with `crit`: expected one that wants nothing beyond RFC 7515")
        keys, kid = self._keys.get(issuer, ()), header.get("kid")
        found = [key for key in keys if key.kid == kid] if kid is not None else list(keys)
        if len(found) != 1:
            _refuse(f"no key `{str(kid)[:64]}` of the issuer `{issuer[:128]}` is on file")
        check = found[0].checks.get(str(header.get("alg")))
        if check is None:
            _refuse(
                f"alg `{str(header.get('alg'))[:16]}`: expected {' or '.join(found[0].checks)} of key `{found[0].kid}`"
            )
        return check


def read_tokens(path: Path) -> Tokens:
    """Return what reads tokens by the file at `path`: none is believed without one. Raise `Corrupted` for a faulty one."""
    if not path.exists():
        return Tokens(Identities(), {})
    file: IdentityFile = read_identity_file(path)
    keys: dict[str, list[Key]] = {}
    for entry in file.issuers:
        try:
            keys[entry.issuer] = [_key(jwk) for jwk in entry.jwks]
        except ValueError as error:
            raise Corrupted(f"{path}: issuer `{entry.issuer}`: {error}") from None
        if len({key.kid for key in keys[entry.issuer]}) != len(entry.jwks):
            raise Corrupted(f"{path}: issuer `{entry.issuer}`: two keys have one `kid`")
    try:
        return Tokens(file.identities(), keys)
    except ValueError as error:
        raise Corrupted(f"{path}: {error}") from None


def _key(jwk: JwkEntry) -> Key:
    """Return the public key of a JWK (RFC 7517, RFC 8037); raise ValueError where it is none that may be used."""
    checks: dict[str, Check]
    if jwk.kty == "OKP" and jwk.crv == "Ed25519":
        checks = {"EdDSA": Ed25519PublicKey.from_public_bytes(_raw(jwk, "x")).verify}
    elif jwk.kty == "EC" and jwk.crv == "P-256":
        checks = {"ES256": _es256(_number(jwk, "x"), _number(jwk, "y"))}
    elif jwk.kty == "RSA":
        checks = _rsa(rsa.RSAPublicNumbers(_number(jwk, "e"), _number(jwk, "n")).public_key(), jwk.kid)
    else:
        raise ValueError(f"key `{jwk.kid}`: {jwk.kty} {jwk.crv}: expected OKP Ed25519, EC P-256 or RSA")
    if jwk.alg:
        checks = {name: check for name, check in checks.items() if name == jwk.alg}
    if not checks:
        raise ValueError(f"key `{jwk.kid}`: alg `{jwk.alg}` is not one of a key of this kind")
    return Key(jwk.kid, checks)


def _es256(x: int, y: int) -> Check:
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()

    def check(signature: bytes, data: bytes) -> None:
        if len(signature) != ES256_SIZE:
            raise InvalidSignature
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        public.verify(encode_dss_signature(r, s), data, ec.ECDSA(SHA256()))

    return check


def _rsa(public: rsa.RSAPublicKey, kid: str) -> dict[str, Check]:
    if public.key_size < RSA_BITS_MIN:
        raise ValueError(f"key `{kid}`: {public.key_size} bits: expected {RSA_BITS_MIN} or more")
    pss = padding.PSS(padding.MGF1(SHA256()), SHA256.digest_size)
    return {
        "RS256": lambda signature, data: public.verify(signature, data, padding.PKCS1v15(), SHA256()),
        "PS256": lambda signature, data: public.verify(signature, data, pss, SHA256()),
    }


def _raw(jwk: JwkEntry, name: str) -> bytes:
    try:
        return _decoded(getattr(jwk, name))
    except (ValueError, binascii.Error):
        raise ValueError(f"key `{jwk.kid}`: `{name}` is not base64url") from None


def _number(jwk: JwkEntry, name: str) -> int:
    return int.from_bytes(_raw(jwk, name), "big")


def _decoded(text: str) -> bytes:
    """Return base64url without padding as bytes, of one spelling only (RFC 7515 §2)."""
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if base64.urlsafe_b64encode(raw).rstrip(b"=") != text.encode():
        raise ValueError
    return raw


def _bytes(text: str, what: str) -> bytes:
    try:
        return _decoded(text)
    except (ValueError, binascii.Error):
        _refuse(f"the {what} of the token: not base64url")


def _json(text: str, what: str) -> dict[str, Any]:
    try:
        said = strict.parse(_bytes(text, what))
    except PoisonRecord as error:
        _refuse(f"the {what} of the token: {str(error).removeprefix('arguments: ')}")
    if not isinstance(said, dict):
        _refuse(f"the {what} of the token: expected a JSON object")
    return said


def _acr(claims: Mapping[str, Any]) -> str:
    acr = claims.get("acr", "")
    if not isinstance(acr, str) or len(acr) > ACR_MAX or not acr.isprintable():
        _refuse(f"claim `acr`: expected a text of {ACR_MAX} characters at most")
    return acr


def _auth_time(claims: Mapping[str, Any]) -> int:
    at = claims.get("auth_time", 0)
    if isinstance(at, bool) or not isinstance(at, int) or not 0 <= at < 10**11:
        _refuse("claim `auth_time`: expected whole seconds since 1970")
    return at * 1000


def _refuse(says: str) -> NoReturn:
    raise PoisonRecord(says, Reason.WRITER_UNPROVED)

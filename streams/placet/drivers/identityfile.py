"""`identity.json`: which trust domains and issuers are believed, and who their workloads and people are here."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from placet.context.identity import Domain, Identities, Issuer
from placet.errors import Corrupted, Unavailable

Text = Annotated[str, Field(max_length=256)]
Kind = Literal["spiffe", "user", "agent", "service", "connector", "workflow", "tool"]


class DomainEntry(BaseModel):
    """What SPIFFE ids of a trust domain are; see `context.identity.Domain`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    trust_domain: Text
    tenant: Text = ""
    path: Text = ""


class JwkEntry(BaseModel):
    """A public key that an issuer signs tokens with (RFC 7517). What a JWK may say besides is passed over."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)

    kty: Literal["OKP", "EC", "RSA"]
    kid: Annotated[str, Field(min_length=1, max_length=256)]
    alg: Text = ""
    crv: Text = ""
    x: Text = ""
    y: Text = ""
    n: Annotated[str, Field(max_length=2048)] = ""
    e: Text = ""

    @model_validator(mode="before")
    @classmethod
    def _public(cls, given: Any) -> Any:
        if isinstance(given, dict) and "d" in given:
            raise ValueError("a private key: expected its public part alone")
        return given


class IssuerEntry(BaseModel):
    """What tokens of an issuer say; see `context.identity.Issuer`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    issuer: Annotated[str, Field(min_length=1, max_length=1024)]
    audiences: list[Text]
    kind: Kind
    tenant: Text = ""
    tenant_claim: Text = ""
    tenants: dict[str, str] = {}
    subject: Annotated[str, Field(min_length=1, max_length=256)] = "sub"
    prefix: Text = ""
    jwks: Annotated[list[JwkEntry], Field(max_length=32)] = []


class IdentityFile(BaseModel):
    """The whole file. Who is in none of its rules is nobody."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    version: Literal[1] = 1
    spiffe: list[DomainEntry] = []
    issuers: list[IssuerEntry] = []

    def identities(self) -> Identities:
        """Return the rules as a table; raise ValueError where two of them contradict each other."""
        return Identities(
            [Domain(**entry.model_dump()) for entry in self.spiffe],
            [
                Issuer(
                    **{
                        **entry.model_dump(exclude={"jwks"}),
                        "audiences": tuple(entry.audiences),
                        "tenants": tuple(sorted(entry.tenants.items())),
                    }
                )
                for entry in self.issuers
            ],
        )


def read_identities(path: Path) -> Identities:
    """Return who is who by the file at `path`. Raise `Unavailable` without one, `Corrupted` where it contradicts itself."""
    file = read_identity_file(path)
    try:
        return file.identities()
    except ValueError as error:
        raise Corrupted(f"{path}: {error}") from None


def read_identity_file(path: Path) -> IdentityFile:
    """Return the file at `path`. Raise `Unavailable` without one, `Corrupted` where it is not one."""
    try:
        return IdentityFile.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise Unavailable(f"{path}: no such file: expected trust domains and issuers") from None
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        what = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in what["loc"]) or "file"
        raise Corrupted(f"{path}: `{where}` {what['msg'].lower()}") from None

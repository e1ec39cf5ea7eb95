"""`identity.json`: which trust domains and issuers are believed, and who their workloads and people are here."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from placet.context.identity import Domain, Identities, Issuer
from placet.drivers.tokens import TokenKey, Tokens
from placet.errors import Corrupted, Unavailable

T = TypeVar("T")
Text = Annotated[str, Field(max_length=256)]
Kind = Literal["spiffe", "user", "agent", "service", "connector", "workflow", "tool"]


class DomainEntry(BaseModel):
    """What SPIFFE ids of a trust domain are; see `context.identity.Domain`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    trust_domain: Text
    tenant: Text = ""
    path: Text = ""


class IssuerEntry(BaseModel):
    """What tokens of an issuer say; see `context.identity.Issuer`. `keys` are its public keys as JWKs: no other signs for it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    issuer: Annotated[str, Field(min_length=1, max_length=1024)]
    audiences: list[Text]
    kind: Kind
    tenant: Text = ""
    tenant_claim: Text = ""
    tenants: dict[str, str] = {}
    subject: Annotated[str, Field(min_length=1, max_length=256)] = "sub"
    prefix: Text = ""
    trust_domains: list[Text] = []
    keys: list[dict[str, Any]] = []


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
                        **entry.model_dump(exclude={"keys"}),
                        "audiences": tuple(entry.audiences),
                        "trust_domains": tuple(entry.trust_domains),
                        "tenants": tuple(sorted(entry.tenants.items())),
                    }
                )
                for entry in self.issuers
            ],
        )

    def tokens(self, skew_ms_max: int) -> Tokens:
        """Return the rules as what verifies tokens; raise ValueError where a key is none, or has a kid twice."""
        keys: dict[str, dict[str, TokenKey]] = {}
        for entry in self.issuers:
            of_issuer = [TokenKey.of(jwk) for jwk in entry.keys]
            keys[entry.issuer] = {key.kid: key for key in of_issuer}
            if len(keys[entry.issuer]) < len(of_issuer):
                raise ValueError(f"issuer `{entry.issuer}`: a kid stands twice among its keys")
        return Tokens(self.identities(), keys, skew_ms_max)


def read_identities(path: Path) -> Identities:
    """Return who is who by the file at `path`. Raise `Unavailable` without one, `Corrupted` where it contradicts itself."""
    return _read(path, IdentityFile.identities)


def read_tokens(path: Path, skew_ms_max: int) -> Tokens:
    """Return what verifies tokens by the file at `path`. Raise as `read_identities` does, and `Corrupted` for no key."""
    return _read(path, lambda file: file.tokens(skew_ms_max))


def _read(path: Path, made: Callable[[IdentityFile], T]) -> T:
    try:
        return made(IdentityFile.model_validate_json(path.read_bytes()))
    except FileNotFoundError:
        raise Unavailable(f"{path}: no such file: expected trust domains and issuers") from None
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        what = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in what["loc"]) or "file"
        raise Corrupted(f"{path}: `{where}` {what['msg'].lower()}") from None
    except ValueError as error:
        raise Corrupted(f"{path}: {error}") from None

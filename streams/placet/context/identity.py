"""Who somebody is here whom another has proved: SPIFFE ids and claims of verified tokens, as principals of tenants.

Nothing is verified here. What is mapped are the id of a certificate that was
checked, or the claims of a token whose signature was.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn
from urllib.parse import quote

from placet.errors import PoisonRecord
from placet.model import strict
from placet.model.reasons import Reason

SCHEME = "spiffe://"
DOMAIN = re.compile(r"[a-z0-9._\-]{1,255}")
SEGMENT = re.compile(r"[A-Za-z0-9._\-]+")
SPIFFE_MOST = 2_048
SAFE = "._:/@+~=#,-"
KINDS = ("user", "agent", "service", "connector", "workflow", "tool")


class Who(NamedTuple):
    """A principal of a tenant."""

    tenant: str
    principal: str


class Domain(NamedTuple):
    """What SPIFFE ids of one trust domain, under a path, are here. A principal's id is the SPIFFE id itself.

    `path` are the first segments an id must have, as `prod/agents`; empty: any.
    The tenant is `tenant`, or where that is empty the segment after `path`.
    """

    trust_domain: str
    tenant: str = ""
    path: str = ""


class Issuer(NamedTuple):
    """What the tokens of one issuer say here: `sub` (or the claim `subject`) names a principal of one `kind`.

    `audiences` are those of which a token must have one. The tenant is
    `tenant`; where that is empty it is what `tenants` has for the value of
    `tenant_claim`, and a value that is not there is nobody's. `prefix` goes
    before the name, so that two issuers never name one principal. Where `kind`
    is `spiffe`, `sub` is a SPIFFE id (JWT-SVID) of one of its `trust_domains`, whose
    rules say the rest: an issuer speaks for no workload of another's domain.
    """

    issuer: str
    audiences: tuple[str, ...]
    kind: str
    tenant: str = ""
    tenant_claim: str = ""
    tenants: tuple[tuple[str, str], ...] = ()
    subject: str = "sub"
    prefix: str = ""
    trust_domains: tuple[str, ...] = ()

    @property
    def tenants_named(self) -> frozenset[str]:
        """Return every tenant whose principals this issuer may name."""
        return frozenset({self.tenant}) if self.tenant else frozenset(tenant for _, tenant in self.tenants)


class Identities:
    """The table of who is who. It maps one id or token to exactly one principal of one tenant, or refuses."""

    def __init__(self, domains: Iterable[Domain] = (), issuers: Iterable[Issuer] = ()) -> None:
        """Take the rules; raise ValueError where one is incomplete, or two would give one name to two."""
        self._domains: dict[str, list[Domain]] = {}
        self._issuers: dict[str, Issuer] = {}
        named: dict[tuple[str, str], list[Issuer]] = {}
        for domain in domains:
            _check_domain(domain, self._domains.setdefault(domain.trust_domain, []))
        for issuer in issuers:
            _check_issuer(issuer, self._issuers, self._domains)
            self._issuers[issuer.issuer] = issuer
            for tenant in issuer.tenants_named:
                others = named.setdefault((tenant, issuer.kind), [])
                _tell_apart(issuer, others, tenant)
                others.append(issuer)

    def of_spiffe(self, spiffe_id: str) -> Who:
        """Return who a workload is by the SPIFFE id that its certificate or token proved. Raise PoisonRecord for nobody."""
        domain, segments = _parts(spiffe_id)
        rules = [rule for rule in self._domains.get(domain, ()) if segments[: len(_path(rule))] == _path(rule)]
        if not rules:
            _refuse(f"no rule for `{spiffe_id[:128]}`")
        rule = max(rules, key=lambda rule: len(_path(rule)))  # the nearest path says it
        tenant = rule.tenant
        if not tenant:
            rest = segments[len(_path(rule)) :]
            if len(rest) < 2:
                _refuse(f"`{spiffe_id[:128]}` names no tenant and no workload after `{rule.path}`")
            tenant = rest[0]
        return _who(tenant, spiffe_id)

    def of_claims(self, claims: Mapping[str, Any], at: int, skew_ms_max: int) -> Who:
        """Return who a caller is by the claims of a token whose signature was verified, at `at` (ms).

        `iss`, `aud` and `exp` must be there (RFC 7519; JWT-SVID asks the same);
        `exp` and `nbf` hold give or take `skew_ms_max`. Raise PoisonRecord for nobody.
        """
        issuer = self._issuers.get(_text(claims, "iss"))
        if issuer is None:
            _refuse(f"no rule for the issuer `{_text(claims, 'iss')[:128]}`")
        audience = claims.get("aud")
        audiences = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
        if not any(one in issuer.audiences for one in audiences if isinstance(one, str)):
            _refuse(f"a token for {str(audience)[:128]}, expected one for {', '.join(issuer.audiences)}")
        if at >= _instant_ms(claims, "exp") + skew_ms_max:
            _refuse("a token that has expired")
        if "nbf" in claims and at < _instant_ms(claims, "nbf") - skew_ms_max:
            _refuse("a token that is not valid yet")
        name = _text(claims, issuer.subject)
        if not name.isprintable():
            _refuse(f"`{issuer.subject}` of the token holds what nobody can read")
        if issuer.kind == "spiffe":
            domain, _ = _parts(name)
            if domain not in issuer.trust_domains:
                _refuse(f"`{name[:128]}` is not of a trust domain that its issuer speaks for")
            who = self.of_spiffe(name)
            if issuer.tenant and who.tenant != issuer.tenant:
                _refuse(f"`{name[:128]}` is not of the tenant `{issuer.tenant}`, and its issuer names no other's")
            return who
        tenant = issuer.tenant or dict(issuer.tenants).get(_text(claims, issuer.tenant_claim), "")
        if not tenant:
            _refuse(f"`{issuer.tenant_claim}` of the token is no tenant here")
        return _who(tenant, f"{issuer.kind}:{issuer.prefix}{quote(name, safe=SAFE)}")


def _parts(spiffe_id: str) -> tuple[str, Sequence[str]]:
    """Return trust domain and path segments of a SPIFFE id; raise PoisonRecord where it is none (SPIFFE-ID §2)."""
    if not spiffe_id.startswith(SCHEME) or len(spiffe_id) > SPIFFE_MOST:
        _refuse(f"`{spiffe_id[:128]}` is no SPIFFE id")
    domain, slash, path = spiffe_id[len(SCHEME) :].partition("/")
    segments = path.split("/") if slash else []
    if not DOMAIN.fullmatch(domain) or any(not SEGMENT.fullmatch(one) or one in (".", "..") for one in segments):
        _refuse(f"`{spiffe_id[:128]}` is no SPIFFE id")
    if not segments:
        _refuse(f"`{spiffe_id[:128]}` is a trust domain, and no workload")
    return domain, segments


def _path(rule: Domain) -> Sequence[str]:
    return rule.path.split("/") if rule.path else []


def _who(tenant: str, principal: str) -> Who:
    return Who(strict.tenant(tenant), strict.identifier(principal, "principal"))


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        _refuse(f"claim `{name}`: expected text")
    return value


def _instant_ms(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e11:
        _refuse(f"claim `{name}`: expected seconds since 1970")
    return int(value * 1000)


def _check_domain(rule: Domain, others: list[Domain]) -> None:
    if not DOMAIN.fullmatch(rule.trust_domain) or not all(SEGMENT.fullmatch(one) for one in _path(rule)):
        raise ValueError(f"`{SCHEME}{rule.trust_domain}/{rule.path}` is no trust domain and path")
    if any(other.path == rule.path for other in others):
        raise ValueError(f"`{SCHEME}{rule.trust_domain}/{rule.path}` has two rules")
    others.append(rule)


def _check_issuer(rule: Issuer, others: Mapping[str, Issuer], domains: Mapping[str, object]) -> None:
    if rule.issuer in others:
        raise ValueError(f"issuer `{rule.issuer}` has two rules")
    if not rule.issuer or not rule.audiences or not all(rule.audiences):
        raise ValueError(f"issuer `{rule.issuer}`: expected its name, and at least one audience")
    if rule.kind not in (*KINDS, "spiffe"):
        raise ValueError(f"issuer `{rule.issuer}`: kind `{rule.kind}`: expected spiffe, {', '.join(KINDS)}")
    if (rule.kind == "spiffe") != bool(rule.trust_domains):
        raise ValueError(
            f"issuer `{rule.issuer}`: expected the trust domains it speaks for, of kind spiffe and no other"
        )
    if strange := [one for one in rule.trust_domains if one not in domains]:
        raise ValueError(f"issuer `{rule.issuer}`: no rule for the trust domain `{strange[0]}`")
    by_claim = bool(rule.tenant_claim and rule.tenants)
    if rule.kind != "spiffe" and bool(rule.tenant) == by_claim:
        raise ValueError(f"issuer `{rule.issuer}`: expected a tenant, or a claim and the tenants of its values")


def _tell_apart(rule: Issuer, others: Iterable[Issuer], tenant: str) -> None:
    for other in others:
        # A name may hold what another's prefix is: only where neither begins with the other no name is two people's.
        if rule.prefix.startswith(other.prefix) or other.prefix.startswith(rule.prefix):
            raise ValueError(
                f"`{other.issuer}` and `{rule.issuer}` both name a `{rule.kind}` of tenant `{tenant}`: expected a prefix "
                "of each that the other's does not begin with"
            )


def _refuse(says: str) -> NoReturn:
    raise PoisonRecord(says, Reason.WRITER_UNPROVED)

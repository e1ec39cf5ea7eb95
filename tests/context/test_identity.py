"""Who somebody is here: one id or token is one principal of one tenant, or nobody."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from placet.context.identity import Domain, Identities, Issuer, Who
from placet.errors import PoisonRecord
from placet.model.reasons import Reason

NOW = 1_760_000_000_000
OKTA, GIT = "https://acme.okta.example", "https://git.example"
KNOWN = Identities(
    [
        Domain("example.org", path="agents"),
        Domain("example.org", "acme", "prod"),
        Domain("example.org", "globex", "prod/eu"),
        Domain("shop.example", "acme"),
    ],
    [
        Issuer(OKTA, ("placet",), "user", "acme"),
        Issuer(
            GIT,
            ("placet", "placet-eu"),
            "workflow",
            tenant_claim="org",
            tenants=(("acme-inc", "acme"), ("gx", "globex")),
            subject="repository",
            prefix="git/",
        ),
        Issuer("https://spire.example.org", ("placet",), "spiffe", trust_domains=("example.org",)),
    ],
)
CLAIMS: dict[str, Any] = {"iss": OKTA, "aud": "placet", "exp": NOW / 1000 + 60, "sub": "ada@acme.example"}


@pytest.mark.parametrize(
    ("spiffe_id", "tenant"),
    [
        ("spiffe://example.org/agents/acme/billing-bot", "acme"),
        ("spiffe://example.org/agents/globex/a/b", "globex"),
        ("spiffe://example.org/prod/cashier", "acme"),
        ("spiffe://example.org/prod/eu/cashier", "globex"),  # the nearest path says it
        ("spiffe://example.org/prod/europe/cashier", "acme"),
        ("spiffe://shop.example/anything", "acme"),
    ],
)
def test_a_workload_is_its_spiffe_id_in_the_tenant_of_its_path(spiffe_id: str, tenant: str) -> None:
    assert KNOWN.of_spiffe(spiffe_id) == Who(tenant, spiffe_id)


@pytest.mark.parametrize(
    "spiffe_id",
    [
        "",
        "https://example.org/prod/x",
        "spiffe://example.org",
        "spiffe://example.org/",
        "spiffe://example.org/agents",
        "spiffe://example.org/agents/acme",
        "spiffe://example.org/product/x",
        "spiffe://example.org/prod/x/",
        "spiffe://example.org//prod/x",
        "spiffe://example.org/prod/../agents/acme/x",
        "spiffe://example.org/prod/./x",
        "spiffe://example.org/prod/x%2Fy",
        "spiffe://example.org/prod/x?y",
        "spiffe://example.org:8443/prod/x",
        "spiffe://user@example.org/prod/x",
        "spiffe://EXAMPLE.org/prod/x",
        "SPIFFE://example.org/prod/x",
        "spiffe://other.example/prod/x",
        "spiffe://example.org/prod/" + "x" * 2048,
        "spiffe://example.org/prod/" + "x" * 256,  # a SPIFFE id, and too long for a name here
        "spiffe://example.org/prod/x\n",
    ],
)
def test_what_is_no_spiffe_id_or_under_no_rule_is_nobody(spiffe_id: str) -> None:
    with pytest.raises(PoisonRecord):
        KNOWN.of_spiffe(spiffe_id)


@pytest.mark.parametrize(
    ("more", "who"),
    [
        ({}, Who("acme", "user:ada@acme.example")),
        ({"sub": "auth0|12 3/%2F"}, Who("acme", "user:auth0%7C12%203/%252F")),
        ({"aud": ["other", "placet"]}, Who("acme", "user:ada@acme.example")),
        ({"iss": GIT, "aud": "placet-eu", "org": "gx", "repository": "gx/shop"}, Who("globex", "workflow:git/gx/shop")),
        (
            {"iss": "https://spire.example.org", "sub": "spiffe://example.org/prod/cashier"},
            Who("acme", "spiffe://example.org/prod/cashier"),
        ),
        ({"exp": NOW // 1000 - 1}, Who("acme", "user:ada@acme.example")),  # within the skew
        ({"nbf": NOW // 1000 + 2}, Who("acme", "user:ada@acme.example")),
        ({"nbf": 0}, Who("acme", "user:ada@acme.example")),
    ],
)
def test_claims_are_one_principal(more: dict[str, Any], who: Who) -> None:
    assert KNOWN.of_claims({**CLAIMS, **more}, NOW, 2_000) == who


@pytest.mark.parametrize(
    "more",
    [
        {"iss": OKTA + "/"},
        {"iss": None},
        {"iss": [OKTA]},
        {"aud": "placet2"},
        {"aud": []},
        {"aud": None},
        {"aud": {"placet": 1}},
        {"aud": [["placet"]]},
        {"exp": NOW // 1000 - 2},
        {"exp": None},
        {"exp": "2099-01-01"},
        {"exp": True},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"nbf": NOW // 1000 + 3},
        {"nbf": "soon"},
        {"sub": ""},
        {"sub": None},
        {"sub": 7},
        {"sub": "x" * 300},
        {"iss": GIT, "org": "nobody", "repository": "x"},
        {"iss": GIT, "repository": "x"},
        {"iss": GIT, "org": "gx"},
        {"iss": "https://spire.example.org", "sub": "user:ada"},
        {
            "iss": "https://spire.example.org",
            "sub": "spiffe://shop.example/till",
        },  # another issuer speaks for it, or none
    ],
)
def test_claims_that_do_not_hold_are_nobodys(more: dict[str, Any]) -> None:
    with pytest.raises(PoisonRecord) as caught:
        KNOWN.of_claims({**CLAIMS, **more}, NOW, 2_000)
    assert caught.value.reason in (Reason.WRITER_UNPROVED, Reason.MALFORMED)


@given(one=st.text(min_size=1, max_size=20), other=st.text(min_size=1, max_size=20))
def test_two_subjects_are_never_one_principal(one: str, other: str) -> None:
    assume(one != other)
    found = set()
    for subject in (one, other):
        try:
            found.add(KNOWN.of_claims({**CLAIMS, "sub": subject}, NOW, 0))
        except (PoisonRecord, UnicodeEncodeError):
            return
    assert len(found) == 2


@pytest.mark.parametrize(
    ("domains", "issuers", "says"),
    [
        ([Domain("Example.org", "acme")], [], "no trust domain"),
        ([Domain("example.org", "acme", "a//b")], [], "no trust domain and path"),
        ([Domain("example.org", "acme"), Domain("example.org", "globex")], [], "has two rules"),
        ([], [Issuer(OKTA, ("p",), "user", "acme"), Issuer(OKTA, ("p",), "agent", "acme")], "has two rules"),
        ([], [Issuer(OKTA, (), "user", "acme")], "at least one audience"),
        ([], [Issuer(OKTA, ("",), "user", "acme")], "at least one audience"),
        ([], [Issuer("", ("p",), "user", "acme")], "expected its name"),
        ([], [Issuer(OKTA, ("p",), "person", "acme")], "kind `person`"),
        ([], [Issuer(OKTA, ("p",), "user")], "expected a tenant, or a claim"),
        ([Domain("example.org", "acme")], [Issuer(OKTA, ("p",), "spiffe")], "expected the trust domains"),
        (
            [Domain("example.org", "acme")],
            [Issuer(OKTA, ("p",), "user", "acme", trust_domains=("example.org",))],
            "expected the trust domains",
        ),
        (
            [Domain("example.org", "acme")],
            [Issuer(OKTA, ("p",), "spiffe", trust_domains=("example.com",))],
            "no rule for the trust domain `example.com`",
        ),
        ([], [Issuer(OKTA, ("p",), "user", tenant_claim="org")], "expected a tenant, or a claim"),
        ([], [Issuer(OKTA, ("p",), "user", "acme", "org", (("a", "b"),))], "expected a tenant, or a claim"),
        ([], [Issuer(OKTA, ("p",), "user", "acme"), Issuer(GIT, ("p",), "user", "acme", prefix="git/")], "both name"),
        (
            [],
            [Issuer(OKTA, ("p",), "user", "acme", prefix="git"), Issuer(GIT, ("p",), "user", "acme", prefix="git/")],
            "both name",
        ),
    ],
)
def test_rules_that_are_incomplete_or_give_one_name_to_two_are_refused(
    domains: list[Domain], issuers: list[Issuer], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        Identities(domains, issuers)


def test_issuers_of_other_tenants_or_kinds_or_prefixes_need_nothing_to_tell_them_apart() -> None:
    known = Identities(
        [],
        [
            Issuer("a", ("p",), "user", "acme", prefix="a/"),
            Issuer("b", ("p",), "user", "acme", prefix="b/"),
            Issuer("c", ("p",), "agent", "acme"),
            Issuer("d", ("p",), "user", "globex"),
        ],
    )
    told = {iss: known.of_claims({"iss": iss, "aud": "p", "exp": 2_000_000_000, "sub": "x"}, 0, 0) for iss in "abcd"}
    assert {iss: (who.tenant, who.principal) for iss, who in told.items()} == {
        "a": ("acme", "user:a/x"),
        "b": ("acme", "user:b/x"),
        "c": ("acme", "agent:x"),
        "d": ("globex", "user:x"),
    }

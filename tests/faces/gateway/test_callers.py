"""Who calls the HTTP face with a token of an issuer speaks for itself alone, and only where principals may."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from placet.errors import Corrupted
from placet.faces.gateway.server import Server
from tests.faces.shop import settings_of
from tests.support.tokens import OKP, jwk, signed
from tests.support.world import TENANT

ISSUERS = [
    {
        "issuer": f"https://{kind}.example",
        "audiences": ["placet"],
        "kind": kind,
        "tenant": TENANT,
        "jwks": [jwk("OKP", "k")],
    }
    for kind in ("agent", "user")
]
INTENT = {"tenant": TENANT, "actor": "agent:ada", "action": "shop.look", "resource": "order/7"}
ATTEMPT = {"tenant": TENANT, "authority": "user:grace", "id": "0" * 32}
VOTE = {**ATTEMPT, "intent_digest": "0" * 64, "voter": "user:flo", "approve": True}
Ask = Callable[..., httpx2.Response]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Yield a call in the name of a subject of an issuer: `asked("agent", "ada", "POST", path, json=...)`."""
    folder = tmp_path_factory.mktemp("called") / "data"
    folder.mkdir()
    (folder / "identity.json").write_text(json.dumps({"version": 1, "issuers": ISSUERS}))
    running = Server(settings_of(folder))

    def ask(kind: str, subject: str, method: str, path: str, **more: Any) -> httpx2.Response:
        claims = {"iss": f"https://{kind}.example", "aud": "placet", "exp": int(time.time()) + 600, "sub": subject}
        bearer = more.pop("bearer", None) or signed({"alg": "EdDSA", "kid": "k"}, claims, more.pop("sign", OKP.sign))
        with httpx2.Client(base_url=running.url, headers={"authorization": f"Bearer {bearer}"}, timeout=30) as client:
            return client.request(method, path, **more)

    try:
        yield ask
    finally:
        running.stop()


def test_a_principal_asks_in_its_own_name_and_reads_what_becomes_of_it(asked: Ask) -> None:
    answer = asked("agent", "ada", "POST", "/v1/intents", json=INTENT)
    assert answer.status_code == 202, answer.text
    found = asked("agent", "ada", "GET", answer.json()["await"])
    assert (found.status_code, found.json()["actor"]) == (200, "agent:ada")
    assert asked("user", "flo", "GET", "/v1/approvals").json() == {"approvals": [], "reviews": []}


@pytest.mark.parametrize(
    ("who", "method", "path", "body", "where"),
    [
        (("agent", "bob"), "POST", "/v1/intents", INTENT, "body.actor"),
        (("user", "ada"), "POST", "/v1/intents", INTENT, "body.actor"),
        (("agent", "ada"), "POST", "/v1/intents", {**INTENT, "tenant": "globex"}, "body.tenant"),
        (("agent", "bob"), "POST", "/v1/withdraw", {**ATTEMPT, "actor": "agent:ada"}, "body.actor"),
        (("user", "fay"), "POST", "/v1/votes", VOTE, "body.voter"),
        (("agent", "ada"), "GET", "/v1/intents/globex/user:gil/" + "0" * 32, None, "tenant"),
        (("user", "flo"), "GET", "/v1/approvals?tenant=globex", None, "tenant"),
        (("agent", "ada"), "GET", "/v1/approvals", None, "path"),
        (("agent", "ada"), "POST", "/v1/context/principal", {"tenant": TENANT, "id": "agent:ada"}, "path"),
        (("agent", "ada"), "POST", "/v1/log/placet.intents?partition=0", None, "path"),
        (("agent", "ada"), "GET", "/v1/log/placet.decisions/0", None, "path"),
        (("agent", "ada"), "GET", "/v1/tail", None, "path"),
        (("agent", "ada"), "GET", "/metrics", None, "path"),
        (("agent", "ada"), "DELETE", "/v1/intents", None, "path"),
    ],
)
def test_a_principal_speaks_for_nobody_else_and_does_nothing_else(
    asked: Ask, who: tuple[str, str], method: str, path: str, body: Any, where: str
) -> None:
    answer = asked(*who, method, path, json=body)
    assert (answer.status_code, answer.json()["where"]) == (403, where), answer.text


def test_a_token_that_proves_nobody_is_told_so_and_gets_nowhere(asked: Ask) -> None:
    forged = asked("agent", "ada", "POST", "/v1/intents", json=INTENT, sign=Ed25519PrivateKey.generate().sign)
    assert (forged.status_code, forged.json()["what"]) == (
        401,
        "the signature of the token is not one of the key it names",
    )
    other = asked("agent", "ada", "POST", "/v1/intents", json=INTENT, bearer="guessed")
    assert (other.status_code, other.json()["what"]) == (401, "no token, or another one")


def test_an_installation_whose_rules_contradict_themselves_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "identity.json").write_text(json.dumps({"version": 1, "issuers": [ISSUERS[0], ISSUERS[0]]}))
    with pytest.raises(Corrupted, match="has two rules"):
        Server(settings_of(tmp_path))

"""One running `placet up` for all tests of its HTTP face."""

from collections.abc import Iterator

import httpx2
import pytest

from placet.drivers.entropy import SystemEntropy
from placet.drivers.keyfile import FIRST_KEYS, ensure_keys
from placet.faces.gateway.server import Server
from tests.faces.shop import settings_of
from tests.support.world import AGENT, EXECUTOR, PACK, PERSON, TENANT

BODY_BYTES_MAX = 200_000
HOSTS = "placet.internal, 10.0.0.5,fd00::1"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield a server with the tests' pack active, all of it published over HTTP."""
    folder = tmp_path_factory.mktemp("up") / "data"
    settings = settings_of(folder, body_bytes_max=BODY_BYTES_MAX, wait_ms_max=5_000, hosts=HOSTS)
    ensure_keys(settings.keys_file, settings.secrets_dir, SystemEntropy(), (*FIRST_KEYS, ("executor", EXECUTOR)))
    running = Server(settings)
    try:
        with httpx2.Client(base_url=running.url, headers={"authorization": f"Bearer {running.token}"}) as client:
            furnish(client)
        yield running
        assert running.failed() is None
    finally:
        running.stop()


def furnish(client: httpx2.Client) -> None:
    """Publish who is who, the mandate, and the pack."""
    for name, kind in ((AGENT, "agent"), (PERSON, "user"), (EXECUTOR, "service")):
        body = {"tenant": TENANT, "id": name, "kind": kind, "source": "hr"}
        assert client.post("/v1/context/principal", json=body).status_code == 202
    mandate = {"id": "m1", "delegator": PERSON, "delegate": AGENT, "actions": ["*"], "resources": ["*"]}
    assert client.post("/v1/context/mandate", json={"tenant": TENANT, **mandate}).status_code == 202
    pushed = client.post("/v1/context/pack", json={"tenant": TENANT, "files": PACK})
    assert pushed.status_code == 202, pushed.text
    active = client.post("/v1/context/active-set", json={"tenant": TENANT, "digests": [pushed.json()["digest"]]})
    assert active.json()["revision"] == 1


@pytest.fixture
def client(server: Server) -> Iterator[httpx2.Client]:
    headers = {"authorization": f"Bearer {server.token}"}
    with httpx2.Client(base_url=server.url, headers=headers, timeout=30) as opened:
        yield opened

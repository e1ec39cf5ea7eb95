"""The containers start the same broker as the script does, in a file every compose tool can read."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from broker import CLUSTER_ID, render
from placet.drivers.settings import Settings
from placet.provenance.cosignature import Cosigner
from placet.provenance.notes import Ed25519Signer
from placet.provenance.trust import read_policy

ROOT = Path(__file__).parent.parent.parent
SCHEMA = ROOT / "tests" / "vectors" / "compose" / "compose-spec.json"
# What a container must say otherwise than a process on this host.
OF_THE_PLACE = {
    "node.id",
    "listeners",
    "advertised.listeners",
    "listener.security.protocol.map",
    "controller.quorum.voters",
    "log.dirs",
}
# Read by the image's own start script and by no broker.
OF_THE_IMAGE = {"heap.opts"}


@pytest.fixture(scope="module")
def compose() -> Any:
    return YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text())


def in_properties() -> dict[str, str]:
    lines = render(node=1, port=9092, nodes=1, data=Path("data")).splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def in_compose(compose: Any) -> dict[str, str]:
    """Return the settings as the image derives them: `KAFKA_NODE_ID` is `node.id`."""
    variables = compose["services"]["broker"]["environment"]
    named = {name.removeprefix("KAFKA_").lower().replace("_", "."): value for name, value in variables.items()}
    return {name: value for name, value in named.items() if name != "cluster.id"}


def test_the_compose_file_fits_the_published_schema(compose: Any) -> None:
    validator = Draft202012Validator(json.loads(SCHEMA.read_text()))
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(compose)] == []


@pytest.mark.parametrize(
    ("service", "broken"),
    [("worker-0", {"comand": ["worker"]}), ("broker", {"ports": "9092"}), ("topics", {"depends_on": {"broker": {}}})],
)
def test_the_schema_would_notice(compose: Any, service: str, broken: dict[str, object]) -> None:
    services = {**compose["services"], service: {**compose["services"][service], **broken}}
    validator = Draft202012Validator(json.loads(SCHEMA.read_text()))
    assert not validator.is_valid({**compose, "services": services})


def test_both_brokers_have_the_same_settings(compose: Any) -> None:
    here, there = in_properties(), in_compose(compose)
    assert here.keys() >= OF_THE_PLACE
    assert there.keys() >= OF_THE_PLACE
    assert {k: v for k, v in here.items() if k not in OF_THE_PLACE} == {
        k: v for k, v in there.items() if k not in OF_THE_PLACE | OF_THE_IMAGE
    }
    assert compose["services"]["broker"]["environment"]["CLUSTER_ID"] == CLUSTER_ID


def test_both_brokers_are_of_one_version(compose: Any) -> None:
    jar = re.search(r"kafka_2\.13-(.+)\.jar", (ROOT / "ops" / "broker" / "jars.sha256").read_text())
    pom = re.search(r"kafka_2\.13</artifactId>\s*<version>(.+)</version>", (ROOT / "ops/broker/pom.xml").read_text())
    assert jar is not None
    assert pom is not None
    assert compose["services"]["broker"]["image"] == f"apache/kafka:{pom[1]}" == f"apache/kafka:{jar[1]}"


def test_who_decides_starts_only_after_keys_and_topics_are_there(compose: Any) -> None:
    services = compose["services"]
    for name in ("worker-0", "worker-1", "context"):
        waits = services[name]["depends_on"]
        assert waits["topics"]["condition"] == waits["keys"]["condition"] == "service_completed_successfully"
    assert services["topics"]["depends_on"]["broker"]["condition"] == "service_healthy"
    assert services["topics"]["command"][:2] == ["topics", "apply"]
    assert services["agents"]["depends_on"]["worker-0"]["condition"] == "service_healthy"


def test_each_worker_has_a_slot_and_a_disk_of_its_own(compose: Any) -> None:
    workers = [service for service in compose["services"].values() if service.get("command", [""])[0] == "worker"]
    assert len({worker["environment"]["PLACET_SLOT"] for worker in workers}) == len(workers) == 2
    disks = [volume for worker in workers for volume in worker["volumes"] if volume.endswith(":/var/lib/placet")]
    assert len(set(disks)) == 2


def test_nothing_listens_beyond_this_host(compose: Any) -> None:
    published = [port for service in compose["services"].values() for port in service.get("ports", ())]
    assert len(published) == 3
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_who_only_watches_comes_only_when_asked_for(compose: Any) -> None:
    profiles = {name: service["profiles"] for name, service in compose["services"].items() if "profiles" in service}
    assert profiles == {"prometheus": ["watch"], "grafana": ["watch"], "witness": ["witness"]}


def test_each_service_holds_only_the_secrets_of_its_role(compose: Any) -> None:
    private = {"desks", "secrets"}
    held = {
        name: {volume for volume in service.get("volumes", ()) if volume.split(":")[0] in private}
        for name, service in compose["services"].items()
    }
    assert {name: volumes for name, volumes in held.items() if volumes} == {
        "keys": {"desks:/desks", "secrets:/secrets"},
        "worker-0": {"desks:/desks:ro"},
        "worker-1": {"desks:/desks:ro"},
        "agents": {"secrets:/secrets:ro"},
    }
    # Where each looks for them is where they are; who signs nothing finds none.
    # The notary makes its own on a disk that nobody else mounts.
    assert compose["services"]["notary"]["environment"]["PLACET_SECRETS"] == "/var/lib/placet/secrets"
    assert [
        name for name, one in compose["services"].items() if "notary:/var/lib/placet" in one.get("volumes", ())
    ] == ["notary"]
    looks = {name: compose["services"][name]["environment"]["PLACET_SECRETS"] for name in ("worker-0", "worker-1")}
    assert set(looks.values()) == {"/desks"}
    assert compose["services"]["agents"]["environment"]["PLACET_SECRETS"] == "/secrets"
    assert compose["services"]["keys"]["command"][-2:] == ["--desks", "/desks"]


def test_only_the_keys_service_may_write_keys(compose: Any) -> None:
    mounts = {
        name: volume
        for name, service in compose["services"].items()
        for volume in service.get("volumes", ())
        if volume.startswith("keys:")
    }
    assert mounts.pop("keys") == "keys:/keys"
    assert set(mounts.values()) == {"keys:/keys:ro"}


def test_the_policy_that_is_shown_becomes_one_with_keys_in_it() -> None:
    text = (ROOT / "ops" / "witness" / "policy.example").read_text()
    log = Ed25519Signer("placet.local/log", Ed25519PrivateKey.from_private_bytes(bytes(32))).vkey
    witness = Cosigner("placet.local/witness", Ed25519PrivateKey.from_private_bytes(bytes(32))).vkey
    filled = text.replace("placet.local/log+HASH+KEY", log).replace("placet.local/witness+HASH+KEY", witness)
    policy = read_policy(filled)
    assert (policy.quorum, policy.witnesses["first"].url) == ("first", "http://witness:7440/")


def test_a_witness_is_asked_where_it_listens_and_only_who_asks_for_it_has_one(compose: Any) -> None:
    services = compose["services"]
    command = services["witness"]["command"]
    assert command[command.index("--port") + 1] == "7440"
    assert "./ops/witness:/trust:ro" in services["witness"]["volumes"]
    assert "./ops/witness:/trust:ro" in services["notary"]["volumes"]
    assert services["notary"]["environment"]["PLACET_WITNESSES"] == "${PLACET_WITNESSES:-}"
    # As compose fills it in where nobody has set it.
    assert Settings(witnesses="").witnesses is None  # type: ignore[arg-type]

"""Each role may do on a real cluster what its work needs and nothing else; only a worker writes decisions."""

from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AclBinding, AclOperation, AclPermissionType, ResourcePatternType, ResourceType

from broker import Broker, free_port
from placet.drivers.kafka import Connection, KafkaFeed, KafkaJournal, KafkaLog
from placet.drivers.kafka.acls import apply_acls, rights_of, roles
from placet.drivers.kafka.topics import apply_topics
from placet.errors import Unavailable, Unsure
from placet.model.topics import Topic
from tests.drivers.kafka.stand import INTENTS, SEAL, Stand, message, said, serve, until

PREFIX = "house."
# By hand: role, what it writes, what it reads. The worker's context topics are those it decides with.
CONTEXT = "risk sensitivity principals mandates controls policies"
MAY = {
    "agent": ("intents", "decisions"),
    "gateway": ("intents votes outcomes signals sensitivity principals mandates", "decisions cases"),
    "worker": ("decisions cases desk quarantine", f"intents votes outcomes decisions desk keys {CONTEXT}"),
    "executor": ("outcomes", "intents decisions keys"),
    "approver": ("votes", ""),
    "notary": ("", f"decisions keys {CONTEXT}"),
    "auditor": ("", f"intents votes outcomes decisions cases desk keys quarantine {CONTEXT}"),
    "operator": (
        "outcomes mandates controls policies keys",
        "decisions principals mandates controls policies quarantine keys",
    ),
    "feed": ("signals", ""),
    "context": ("risk quarantine", "signals keys"),
    "classifier": ("sensitivity", ""),
    "identity": ("principals mandates", ""),
}


def guarded(folder: object) -> Broker:
    """Return a broker that checks rights: this host's own clients may do all, those who sign in what they are given."""
    port = free_port()
    people = " ".join(f'user_{role}="{role}"' for role in (*MAY, "admin", "stranger"))
    login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    return Broker(
        folder,  # type: ignore[arg-type]
        port,
        extra={
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{port + 1},SIGNED://127.0.0.1:{port + 2}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port},SIGNED://127.0.0.1:{port + 2}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SIGNED:SASL_PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN",
            "listener.name.signed.plain.sasl.jaas.config": f"{login} {people};",
        },
    )


@pytest.fixture(scope="module")
def fortress(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    node = guarded(tmp_path_factory.mktemp("fortress"))
    node.start()
    try:
        root = Connection(node.bootstrap, prefix=PREFIX)
        apply_topics(root, partitions=1)
        granted = apply_acls(root, {role: f"User:{role}" for role in roles()})
        assert granted.kept == granted.strange == ()
        yield node
    finally:
        node.stop()


def signed(node: Broker, role: str) -> Connection:
    options = {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": role,
        "sasl.password": role,
    }
    return Connection(f"127.0.0.1:{node.port + 2}", prefix=PREFIX, options=options)


def test_the_roles_are_those_of_the_table_and_the_administrator() -> None:
    assert set(roles()) == MAY.keys() | {"admin"}


@pytest.mark.parametrize("role", MAY)
def test_a_role_reads_and_writes_what_its_work_needs_and_nothing_else(fortress: Broker, role: str) -> None:
    writes, reads = (set(words.split()) for words in MAY[role])
    connection = signed(fortress, role)
    titles = {connection.title(topic): topic.name.lower() for topic in Topic}
    admin = connection.outside.admin(connection.client())

    def look() -> dict[str, set[str]]:
        asked = admin.describe_topics(TopicCollection(list(titles)), include_authorized_operations=True)
        found: dict[str, set[str]] = {"write": set(), "read": set()}
        for title, answer in asked.items():
            try:
                told = answer.result(30)
            except KafkaException:
                continue  # a topic one has no right to is not even shown
            operations = {one.name.lower() for one in told.authorized_operations or ()} - {"describe"}
            assert operations <= {"read", "write"}
            for operation in operations:
                found[operation].add(titles[title])
        return found

    # A right that was given holds on a broker a moment later.
    wanted = {"write": writes, "read": reads}
    assert until(look, lambda found: sum(map(len, found.values())) >= len(writes) + len(reads)) == wanted


def test_a_worker_decides_with_the_rights_of_its_role(fortress: Broker) -> None:
    agent = KafkaLog(signed(fortress, "agent"))
    agent.append(INTENTS, 0, [message("one")])
    worker = signed(fortress, "worker")
    feed = KafkaFeed(worker)
    feed.catch_up()
    journal = KafkaJournal(worker, "a")
    try:
        serve(journal)
        assert [rec.value for rec in until(lambda: journal.take(10, 100))[0]] == [b"one"]
        journal.commit({0: said("first", ordinal=1)}, {0: {INTENTS: 1}})
        heard = until(lambda: agent.read(int(Topic.DECISIONS), 0, 0, 10, 100))
        assert [rec.value for rec in heard] == [b"first", SEAL + b"first"]
    finally:
        journal.close()
        feed.close()
        agent.close()


@pytest.mark.parametrize("role", ["agent", "executor", "operator", "auditor", "gateway", "stranger"])
def test_nobody_but_a_worker_writes_decisions(fortress: Broker, role: str) -> None:
    log = KafkaLog(signed(fortress, role))
    try:
        # Who may write nothing at all is not even given a producer's id, which ends the client.
        with pytest.raises((Unavailable, Unsure)):
            log.append(int(Topic.DECISIONS), 0, [message("forged")])
    finally:
        log.close()


def test_a_second_apply_gives_nothing_and_a_right_nobody_should_have_is_named(fortress: Broker) -> None:
    root = Connection(fortress.bootstrap, prefix=PREFIX)
    principals = {role: f"User:{role}" for role in roles()}
    wanted = sum(len(rights_of(role, root)) for role in roles())
    again = apply_acls(root, principals)
    assert (again.made, len(again.kept), again.strange) == ((), wanted, ())
    forger = AclBinding(
        ResourceType.TOPIC,
        f"{PREFIX}placet.dec",
        ResourcePatternType.PREFIXED,
        "User:forger",
        "*",
        AclOperation.WRITE,
        AclPermissionType.ALLOW,
    )
    admin = root.outside.admin(root.client())
    for answer in admin.create_acls([forger]).values():
        answer.result(30)
    told = until(lambda: apply_acls(root, principals).strange)
    assert [(who, right.name, right.operation) for who, right in told] == [
        ("User:forger", f"{PREFIX}placet.dec", "write")
    ]


def test_an_administrator_lays_a_cluster_out_with_the_rights_of_the_role(fortress: Broker) -> None:
    admin = signed(fortress, "admin")
    assert apply_topics(admin, partitions=1).made == ()
    assert apply_acls(admin, {"agent": "User:agent"}).made == ()


def test_a_cluster_that_checks_no_rights_says_so(bare: Stand) -> None:
    with pytest.raises(Unavailable, match="this cluster checks no rights"):
        apply_acls(bare.connection, {"agent": "User:agent"})

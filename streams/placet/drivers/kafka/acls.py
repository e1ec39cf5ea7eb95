"""Who may do what on a cluster: one role a kind of process, its rights made from the one table of topics."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from placet.drivers.kafka.connection import Connection
from placet.drivers.kafka.faults import cause_of
from placet.errors import Unavailable
from placet.model.topics import TOPICS

ADMIN = "admin"
"""Makes topics and rights, and examines the cluster: the one role that no topic names."""

OF_TENANTS = ("agent", "approver", "executor", "feed", "classifier", "identity", "operator")
"""Roles that are held for one tenant at a time. The others serve all of them, and are held by who runs the cluster."""

CANNOT = (
    (
        "a right is to a whole topic: who may write it may write records that name any tenant. What holds tenants apart is "
        "the tenant of each writer's key (`placet keys add --tenant`), which every desk checks"
    ),
    (
        "who may read a topic reads what is of all tenants in it: give a tenant that must not a PLACET_PREFIX of its own, "
        "with topics, workers and rights under it"
    ),
    "no right bounds how much is written: set the cluster's client quotas for each of these principals",
)
"""What rights on a cluster do not hold apart between tenants."""

DOCTOR_TOPIC = "placet-doctor"
"""Where `placet doctor` asks each broker for its time; made and removed by it."""

_ANSWER_S = 15.0
_CLUSTER = "kafka-cluster"
_CHANGES = frozenset({"all", "write", "delete", "alter", "alter_configs"})
"""Operations by which another could change what a topic says."""


class Right(NamedTuple):
    """One thing a role may do: `operation` on the `kind` called `name`, or on all whose names begin so."""

    kind: str
    name: str
    prefixed: bool
    operation: str


def roles() -> tuple[str, ...]:
    """Return every role, those of the table in the order it names them, then the administrator's."""
    named = [role for spec in TOPICS for role in (*spec.writers, *spec.readers)]
    return (*dict.fromkeys(named), ADMIN)


def rights_of(role: str, connection: Connection) -> list[Right]:
    """Return what `role` needs on the cluster of `connection`, and no more. Raise `KeyError` for no role."""
    if role not in roles():
        raise KeyError(role)
    prefix = connection.prefix
    if role == ADMIN:
        return list(_administration(prefix))
    rights = [
        Right("topic", connection.title(spec.topic), prefixed=False, operation=operation)
        for spec in TOPICS
        for operation, holders in (("write", spec.writers), ("read", spec.readers))
        if role in holders
    ]
    if any(right.operation == "read" for right in rights):
        # A reader joins no group, but the client library asks for one all the same.
        rights.append(Right("group", f"{prefix}placet-reader", prefixed=False, operation="read"))
    if role == "worker":
        rights += [
            Right("group", prefix + connection.group, prefixed=False, operation="read"),
            Right("transactional_id", connection.transactional_id(""), prefixed=True, operation="write"),
            Right("transactional_id", connection.transactional_id(""), prefixed=True, operation="describe"),
        ]
    if role == "context":
        own = f"{prefix}placet-context"
        rights += [Right("topic", own, prefixed=True, operation=op) for op in ("create", "read", "write")]
        rights.append(Right("group", own, prefixed=False, operation="read"))
    return rights


def _administration(prefix: str) -> Iterator[Right]:
    for operation in ("create", "describe", "describe_configs", "alter_configs"):
        yield Right("topic", f"{prefix}placet.", prefixed=True, operation=operation)
    for operation in ("create", "write", "delete"):
        yield Right("topic", prefix + DOCTOR_TOPIC, prefixed=False, operation=operation)
    for operation in ("describe", "describe_configs", "alter"):
        yield Right("cluster", _CLUSTER, prefixed=False, operation=operation)
    yield Right("group", f"{prefix}placet-", prefixed=True, operation="describe")
    for operation in ("describe", "describe_configs"):
        yield Right("topic", "__", prefixed=True, operation=operation)


@dataclass(frozen=True, slots=True)
class Granted:
    """What `apply_acls` did: rights made and rights that were there by principal, and those nobody should have."""

    made: tuple[tuple[str, Right], ...]
    kept: tuple[tuple[str, Right], ...]
    strange: tuple[tuple[str, Right], ...]


def apply_acls(connection: Connection, principals: Mapping[str, str]) -> Granted:
    """Give every role of `principals` (role to principal, as `User:ada`) its rights; return what that changed.

    Nothing is taken away. `strange` is what another principal, or one of these
    beyond its role, may change of the topics of placet. Raise `Unavailable`
    when the cluster checks no rights, or does not let this client give them.
    """
    wanted = {(who, right) for role, who in principals.items() for right in rights_of(role, connection)}
    admin = connection.outside.admin(connection.client())
    there = set(_there(admin, connection))
    missing = sorted(wanted - there)
    if missing:
        for binding, answer in admin.create_acls([_binding(who, right) for who, right in missing]).items():
            try:
                answer.result(_ANSWER_S)
            except KafkaException as error:
                raise _refusal(error, f"{binding.name}: not given to {binding.principal}") from error
    strange = sorted(one for one in there - wanted if _changes(one[1], connection))
    return Granted(tuple(missing), tuple(sorted(wanted & there)), tuple(strange))


def _there(admin: AdminClient, connection: Connection) -> Iterator[tuple[str, Right]]:
    """Yield every right that the cluster gives to anybody, by principal."""
    every = AclBindingFilter(
        ResourceType.ANY,
        None,  # type: ignore[arg-type]  # the library takes None for any, its hints do not say so
        ResourcePatternType.ANY,
        None,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        AclOperation.ANY,
        AclPermissionType.ALLOW,
    )
    try:
        found = admin.describe_acls(every, request_timeout=_ANSWER_S).result(_ANSWER_S)
    except KafkaException as error:
        raise _refusal(error, f"{connection.bootstrap}: asking for its rights") from error
    for one in found:
        kind = "cluster" if one.restype == ResourceType.BROKER else one.restype.name.lower()
        prefixed = one.resource_pattern_type == ResourcePatternType.PREFIXED
        yield one.principal, Right(kind, one.name, prefixed, one.operation.name.lower())


def _binding(who: str, right: Right) -> AclBinding:
    return AclBinding(
        ResourceType.BROKER if right.kind == "cluster" else ResourceType[right.kind.upper()],
        right.name,
        ResourcePatternType.PREFIXED if right.prefixed else ResourcePatternType.LITERAL,
        who,
        "*",
        AclOperation[right.operation.upper()],
        AclPermissionType.ALLOW,
    )


def _changes(right: Right, connection: Connection) -> bool:
    """Return whether a right lets its holder change what a topic of the table says."""
    titles: Iterable[str] = (connection.title(spec.topic) for spec in TOPICS)
    if right.kind != "topic" or right.operation not in _CHANGES:
        return False
    if right.name == "*":
        return True
    return any(title.startswith(right.name) if right.prefixed else title == right.name for title in titles)


def _refusal(error: KafkaException, where: str) -> Unavailable:
    cause = cause_of(error)
    if cause.code() == KafkaError.SECURITY_DISABLED:
        return Unavailable(f"{where}: this cluster checks no rights: its brokers have no `authorizer.class.name`")
    return Unavailable(f"{where}: {cause.str()}")

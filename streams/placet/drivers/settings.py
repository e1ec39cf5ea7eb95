"""Every setting of a process: its name, unit, default, bounds, and why the default is what it is."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_\-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_\-]*[a-z0-9_])?)*")
Positive = Annotated[int, Field(ge=1)]

Unread = SettingsError
"""The environment holds other text where JSON was expected: a ValueError that names the field."""
LOOPBACK: frozenset[str] = frozenset({"127.0.0.1", "::1", "localhost"})
"""Names and addresses that never leave this machine."""


class Settings(BaseSettings):
    """Read from `PLACET_<NAME>` in the environment, or given by name. Frozen, and wrong values are refused at start.

    `_ms` is milliseconds, `_s` seconds, `_bytes` bytes, `_max` an upper bound.
    """

    model_config = SettingsConfigDict(env_prefix="PLACET_", frozen=True, extra="forbid", validate_default=True)

    # Where the journal is.
    data: Path = Field(
        Path("data"),
        description="folder of the embedded journal, keys and secrets; on Kafka of the warm state, keys and secrets",
    )
    bootstrap: str = Field("", description="HOST:PORT[,HOST:PORT] of a Kafka cluster; empty: the embedded journal")
    cluster: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._\-]{0,63}$")] = Field(
        "placet", description="name in every Seal, so that the Seals of two clusters are never taken for each other's"
    )
    partitions: Annotated[int, Field(ge=0, le=1024)] = Field(
        0,
        description="decision partitions; never changed in the life of a journal, because keys are placed by it; 0: one "
        "in a folder, where one process decides and each partition costs a Seal a batch, and four on Kafka",
    )
    slot: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._\-]{0,63}$")] = Field(
        "worker-0",
        description="this worker's place on Kafka: transactional id and group instance; stable, so that a restart ends its predecessor's transaction",
    )
    keys: Path | None = Field(None, description="pinned public keys; default DATA/keys.json")
    secrets: Path | None = Field(None, description="folder of private keys, 0700; default DATA/secrets")
    identity: Path | None = Field(
        None,
        description="who SPIFFE ids and token issuers are here, and the keys of issuers; default DATA/identity.json",
    )

    # What the desk holds to.
    deadline_ms_max: Positive = Field(
        900_000,
        description="farthest deadline of an intent where no pack says more, 15 min: it bounds what is remembered",
    )
    lag_ms_max: Positive = Field(
        30_000, description="oldest intent or claim that is still decided; older ones hear LAGGING and may ask again"
    )
    skew_ms_max: Positive = Field(
        2_000, description="how far two clocks may differ; a batch from farther ahead is not decided"
    )
    seal_idle_ms: Positive = Field(1_000, description="a Seal this often without input, so that silence is visible")
    retry_ms: Positive = Field(1_000, description="what a transient refusal tells the agent to wait")
    approval_ms: Positive = Field(900_000, description="longest wait for votes, where the rule says nothing")
    session_ms_max: Positive = Field(
        86_400_000, description="how long what came back to a session is remembered after it was last heard of, 1 day"
    )
    record_bytes_max: Annotated[int, Field(ge=1_024, le=900_000)] = Field(
        65_536, description="largest input record; a broker takes 1 MiB, and a verdict repeats part of its intent"
    )
    batch_most: Annotated[int, Field(ge=1, le=10_000)] = Field(
        2_000,
        description="records of one batch: one commit and one signature for all of them; a busy desk commits 5 to 10 times a second",
    )
    verify_workers: Annotated[int, Field(ge=0, le=64)] = Field(
        0,
        description="processes beside the desk that verify signatures before it reads the records; 0: it does so itself, at some 150 us a signature",
    )
    batch_wait_ms: Positive = Field(
        30,
        description="how long the loop waits for input before it looks at context and timers: a change is heard this fast",
    )
    sweep_most: Positive = Field(
        2_000,
        description="leases decided again per batch after a change, of all desks together: bounds how long a batch can get",
    )
    parked_most: Positive = Field(
        1_000,
        description="deferred intents of one tenant and authority, and those of one actor that wait for `at_least`; past it the next hear OVERLOADED",
    )
    pending_most: Positive = Field(
        10_000, description="intents of one tenant and authority that wait for people; past it the next hear OVERLOADED"
    )
    held_most: Positive = Field(
        10_000, description="grants of one tenant and authority not yet ended; past it the next intents hear OVERLOADED"
    )
    watermark_ms: Positive = Field(
        5_000,
        description="how often it is said of risk up to when all signals are folded; freshness bounds are longer",
    )

    # The embedded journal.
    wal_sync: bool = Field(
        True, description="the log is on disk before a verdict is readable; false only where a crash may lose the end"
    )

    # Kafka.
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._\-]{0,64}$")] = Field(
        "", description="before every topic, group and transactional id, so that installations can share a cluster"
    )
    kafka: dict[str, str] = Field({}, description="options for every Kafka client, as JSON: TLS, SASL", repr=False)
    transaction_ms_max: Annotated[int, Field(ge=1_000, le=60_000)] = Field(
        6_000, description="a dead worker's transaction blocks readers this long"
    )
    member_ms_max: Annotated[int, Field(ge=1_000, le=60_000)] = Field(
        6_000, description="a silent worker's partitions go to another after this"
    )
    replicas: Annotated[int, Field(ge=1, le=7)] = Field(
        3, description="replication factor of the topics `placet topics apply` makes; 1 is for one broker only"
    )
    schema_registry_url: SecretStr = Field(
        SecretStr(""),
        description="http(s)://[NAME:PASSWORD@]HOST:PORT of a schema registry that is to know the checked-in ids; empty: none is asked",
    )

    # HTTP.
    host: str = Field("127.0.0.1", description="address `placet up` listens on")
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(7420, description="port of `placet up`; 0: any free one")
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = Field(
        7421,
        description="port of /metrics, /livez and /readyz of a worker or a context app; 0: any free one",
    )
    exposed: bool = Field(
        False, description="allow an address that is not loopback: one token guards every write, put TLS before it"
    )
    hosts: str = Field(
        "",
        description="NAME[,NAME]: names and addresses by which clients call the HTTP face, besides this machine's own; a "
        "request by another is refused, since a web page could have made its own name point here",
    )
    token: SecretStr = Field(
        SecretStr(""), description="bearer token of the HTTP face; empty: drawn at start, in DATA/http.json (0600)"
    )
    body_bytes_max: Positive = Field(1_048_576, description="largest HTTP body, refused before it is read")
    wait_ms_max: Positive = Field(30_000, description="longest wait of one HTTP long poll")
    stalled_ms_max: Positive = Field(
        35_000,
        description="a loop without a turn for longer is not live; the longest wait for a broker's answer is 30 s",
    )

    # Log lines, on stderr.
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="auto: text where a person looks on, else one JSON object a line"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least that is logged")

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.host not in LOOPBACK and not self.exposed:
            raise ValueError(f"host `{self.host}` is not loopback: set PLACET_EXPOSED=true to listen there")
        for name in self.host_names:
            if not HOST_NAME.fullmatch(name) and not _is_address(name):
                raise ValueError(f"hosts: `{name}`: expected names or addresses without a scheme or a port")
        if self.seal_idle_ms * 2 > self.lag_ms_max:
            raise ValueError(
                f"seal_idle_ms {self.seal_idle_ms} is more than half of lag_ms_max {self.lag_ms_max}: "
                "a quiet desk could not be told from a stalled one"
            )
        return self

    @property
    def host_names(self) -> frozenset[str]:
        """Return the names by which the HTTP face may be called, as a Host header has them, without ports."""
        named = (name.strip().strip("[]").lower() for name in self.hosts.split(","))
        return LOOPBACK | {self.host.lower()} | {name for name in named if name}

    @property
    def folder_partitions(self) -> int:
        """Return how many decision partitions a new folder has."""
        return self.partitions or 1

    @property
    def cluster_partitions(self) -> int:
        """Return how many decision partitions new topics have."""
        return self.partitions or 4

    @property
    def journal_dir(self) -> Path:
        """Return the folder of the embedded journal."""
        return self.data / "journal"

    @property
    def keys_file(self) -> Path:
        """Return the file of pinned public keys."""
        return self.keys or self.data / "keys.json"

    @property
    def secrets_dir(self) -> Path:
        """Return the folder of private keys and the key-encryption key."""
        return self.secrets or self.data / "secrets"

    @property
    def identity_file(self) -> Path:
        """Return the file that says who SPIFFE ids and tokens are."""
        return self.identity or self.data / "identity.json"

    @property
    def http_file(self) -> Path:
        """Return the file in which a running `placet up` says its port and token."""
        return self.data / "http.json"


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True

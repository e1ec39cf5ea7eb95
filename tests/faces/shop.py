"""A shop at work: the embedded stack in a folder, the tests' pack pushed, and what its tests publish."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from placet import wiring
from placet.drivers.clock import SystemClock
from placet.drivers.entropy import SystemEntropy
from placet.drivers.keyfile import FIRST_KEYS, Keys, Purpose, ensure_keys
from placet.drivers.settings import Settings
from placet.faces.sdk.agent import Agent
from placet.faces.sdk.connection import Connection
from placet.faces.sdk.executor import Executor
from placet.model.codec import BY_NAME, decode_any, open_frame
from placet.model.codec.active_set import ActiveSet
from placet.model.codec.mandate import Mandate
from placet.model.codec.pack import File, Pack
from placet.model.codec.principal import Principal
from placet.model.codec.risk_signal import RiskSignal
from placet.model.codec.sensitivity import Sensitivity
from placet.model.context_keys import active_set_key
from placet.model.keys import partition_of
from placet.model.topics import Topic
from placet.policy.pack import load_pack
from placet.ports import Log, Message, Rec
from tests.support.world import AGENT, EXECUTOR, PACK, PERSON, TENANT

OTHER = "service:other"
WAIT_S = 20.0


def settings_of(folder: Path, **more: Any) -> Settings:
    return Settings(data=folder, partitions=2, wal_sync=False, seal_idle_ms=200, batch_wait_ms=10, port=0, **more)


class Furniture:
    """What a shop publishes before it opens, and while it is open, into any log."""

    def __init__(self, log: Log, keys: Keys) -> None:
        self.log = log
        self.keys = keys

    def all(self, pack_files: Mapping[str, str] = PACK) -> None:
        """Publish who is who, who may act for whom, and the pack that decides."""
        for name, kind in ((AGENT, "agent"), (PERSON, "user"), (EXECUTOR, "service"), (OTHER, "service")):
            self.principal(name, kind)
        self.mandate()
        self.push(pack_files)

    def now(self) -> int:
        return SystemClock().now_ms()

    def write(self, topic: Topic, key: str, name: str, record: Any, purpose: Purpose) -> int:
        codec: Any = BY_NAME[name]
        (proof,) = self.keys.signer(purpose).sign_batch(name, codec.FINGERPRINT, [codec.encode_unsigned(record)])
        place = partition_of(key.encode(), self.log.partitions(topic))
        return self.log.append(topic, place, [Message(key.encode(), codec.frame(record._replace(proof=proof)))])

    def principal(self, name: str, kind: str = "agent", status: str = "active", **more: Any) -> int:
        fields = {"owner": None, "groups": (), "attributes": {}, "capabilities": (), "source": "hr", **more}
        record = Principal(
            tenant=TENANT, id=name, kind=kind, status=status, observed_at=self.now(), proof=None, **fields
        )
        return self.write(Topic.PRINCIPALS, f"{TENANT}/{name}/hr", "principal", record, "directory")

    def mandate(self) -> int:
        record = Mandate(
            TENANT, "m1", PERSON, AGENT, "help in the shop", ("*",), ("*",), (), "", 0, "active", self.now(), None
        )
        return self.write(Topic.MANDATES, f"{TENANT}/m1", "mandate", record, "operator")

    def risk(self, score: int, subject: str = AGENT) -> int:
        record = RiskSignal(TENANT, subject, "siem", f"e-{self.now()}", score, self.now(), 0, "seen", None)
        return self.write(Topic.SIGNALS, f"{TENANT}/{subject}", "risk_signal", record, "feed")

    def sensitivity(self, resource: str, label: str) -> int:
        record = Sensitivity(TENANT, resource, label, None, None, (), "dlp", self.now(), None)
        return self.write(Topic.SENSITIVITY, f"{TENANT}/{resource}/dlp", "sensitivity", record, "feed")

    def push(self, files: Mapping[str, str], revision: int = 1) -> None:
        digest = load_pack(dict(files)).digest
        pushed = Pack(TENANT, "shop", digest, tuple(File(*one) for one in sorted(files.items())), self.now(), None)
        self.write(Topic.POLICIES, f"{TENANT}/shop/{digest.hex()}", "pack", pushed, "operator")
        pointer = ActiveSet(TENANT, revision, (digest,), "", self.now(), None)
        self.write(Topic.POLICIES, active_set_key(pointer).decode(), "active_set", pointer, "operator")


class Shop(Furniture):
    """The running stack, and the shop's own words for what it publishes."""

    def __init__(self, folder: Path, pack_files: Mapping[str, str] = PACK, **more: Any) -> None:
        self.folder = folder
        self.settings = settings_of(folder, **more)
        ensure_keys(
            self.settings.keys_file,
            self.settings.secrets_dir,
            SystemEntropy(),
            (*FIRST_KEYS, ("executor", EXECUTOR), ("executor", OTHER), ("agent", AGENT)),
        )
        self.running = wiring.serve(wiring.embedded(self.settings))
        super().__init__(self.running.stack.log, self.running.stack.keys)
        self.all(pack_files)

    def connect(self, **more: Any) -> Connection:
        """Return a connection that leaves the shop running when it is closed."""
        return Connection(self.log, self.keys.ring, keys=self.keys, closing=lambda: None, **more)

    def agent(self, connection: Connection, **more: Any) -> Agent:
        fields = {"tenant": TENANT, "actor": AGENT, "authority": PERSON, "mandate": "m1", "session": "s1", **more}
        return Agent(connection, **fields)

    def executor(self, connection: Connection, name: str = EXECUTOR, **more: Any) -> Executor:
        return Executor(connection, name=name, **{"tenant": TENANT, **more})

    def records(self, topic: Topic) -> Iterator[tuple[Rec, str, Any]]:
        """Yield every record of a topic, decoded, partition by partition."""
        for partition in range(self.log.partitions(topic)):
            offset, end = 0, self.log.end(topic, partition)
            while offset < end:
                recs = self.log.read(topic, partition, offset, 500, 0)
                for rec in recs:
                    if rec.value is not None:
                        yield rec, open_frame(rec.value)[0], decode_any(rec.value)
                offset = recs[-1].offset + 1 if recs else end

    def verdicts(self, intent_id: str) -> list[Any]:
        """Return the records of an intent's life, in order."""
        return [
            record
            for _, name, record in self.records(Topic.DECISIONS)
            if name == "verdict" and record.id == bytes.fromhex(intent_id)
        ]

    def close(self) -> None:
        self.running.stop()


def until(says: str, holds: Any) -> None:
    """Wait for a condition by looking again; fail with what was waited for."""
    gate = threading.Event()
    for _ in range(int(WAIT_S / 0.01)):
        if holds():
            return
        gate.wait(0.01)
    raise AssertionError(f"not in {WAIT_S} s: {says}")


@contextmanager
def open_shop(folder: Path, **more: Any) -> Iterator[Shop]:
    shop = Shop(folder, **more)
    try:
        yield shop
        assert shop.running.failure is None, shop.running.failure
    finally:
        shop.close()

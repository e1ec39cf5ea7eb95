"""What proof of the writer costs: intents unsigned, signed by the batch, and signed one by one without and with a pool."""

import time
from dataclasses import dataclass, field

from placet.decision.intake import Intake
from placet.drivers.ahead import Ahead
from placet.faces.bench.company import TENANT, actor_of, signed
from placet.faces.bench.desk import Bare, bare
from placet.faces.bench.packs import RULES
from placet.faces.bench.report import Result, audited, tell
from placet.faces.bench.workload import PROOF_BATCH, ByPartition, Workload
from placet.model.codec import intent
from placet.model.codec import key as key_codec
from placet.model.codec.intent import Intent
from placet.model.codec.key import Key, Proof
from placet.model.context_keys import key_key
from placet.model.keys import key_of, partition_of
from placet.model.proof import KeyRing, Signer
from placet.model.topics import Topic
from placet.ports import Message

WRITERS = 64
ROUNDS = 5
MOST = 32_768
SINGLES = 2_048
WORKERS = 2
WARM_S = 60.0
BYTES_MAX = 65_536


@dataclass(slots=True)
class Least:
    """The least of several rounds, µs an intent: CPU of the desk's thread, and the time that passed."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    @property
    def figures(self) -> tuple[float, float]:
        return round(min(self.cpu), 2), round(min(self.wall), 2)


class Bench:
    """A desk whose agents have keys on record, and waves of their intents."""

    def __init__(self, one: Bare) -> None:
        self._one = one
        self._signers = [
            Signer(f"agent-{number}", actor_of(number), number.to_bytes(32, "big")) for number in range(1, WRITERS + 1)
        ]
        executor, self._operator = one.keys.signer("executor"), one.keys.signer("operator")
        partitions = one.spool.partitions(Topic.INTENTS)
        self._workloads = [
            Workload(partitions, executor, first=n << 32, actors=range(n, n + 1)) for n in range(1, WRITERS + 1)
        ]
        self._partitions = partitions
        one.spool.append(Topic.KEYS, 0, [self._record(signer) for signer in self._signers])
        one.loop.step(0)

    def _record(self, signer: Signer) -> Message:
        now = self._one.clock.now_ms()
        said = Key(TENANT, signer.kid, signer.issuer, "agent", signer.public, (), 0, 0, 0, now, None)
        (proof,) = self._operator.sign_batch("key", key_codec.FINGERPRINT, [key_codec.encode_unsigned(said)])
        said = said._replace(proof=Proof(*proof))
        return Message(key_key(said), key_codec.frame(said))

    def wave(self, number: int, batch: int) -> ByPartition:
        """Return `number` intents of all agents in turn, each signed with `batch` of its own; 0: unsigned."""
        each = -(-number // WRITERS)
        framed: list[list[Message]] = []
        for signer, workload in zip(self._signers, self._workloads, strict=True):
            asked: list[Intent] = workload.asked(each, self._one.clock.now_ms())
            key = key_of(TENANT, asked[0].authority)
            values = (
                [
                    value
                    for at in range(0, each, batch)
                    for value in signed("intent", intent, asked[at : at + batch], signer)
                ]
                if batch
                else [intent.frame(one) for one in asked]
            )
            framed.append([Message(key, value) for value in values])
        found: ByPartition = {}
        for turn in zip(*framed, strict=True):
            for message in turn:
                found.setdefault(partition_of(message.key or b"", self._partitions), []).append(message)
        return found

    def decide(self, wave: ByPartition, least: Least) -> int:
        """Decide a wave, and add what it cost an intent."""
        one = self._one
        for partition, batch in wave.items():
            one.spool.append(Topic.INTENTS, partition, batch)
        total = left = sum(map(len, wave.values()))
        beside, cpu, wall = one.spool.cpu_s, time.thread_time(), time.perf_counter()
        while left:
            left -= one.loop.step(0)
        spooled = one.spool.cpu_s - beside
        least.cpu.append((time.thread_time() - cpu - spooled) / total * 1e6)
        least.wall.append((time.perf_counter() - wall - spooled) / total * 1e6)
        return total


def read_us(number: int) -> dict[str, float]:
    """Return what reading an intent costs, unsigned and signed by the batch, CPU us: the least of several rounds."""
    signer = Signer("agent-1", actor_of(1), bytes(range(32)))
    workload = Workload(1, signer, actors=range(1, 2))
    asked = workload.asked(-(-number // PROOF_BATCH) * PROOF_BATCH, time.time_ns() // 1_000_000)
    batches = range(0, len(asked), PROOF_BATCH)
    kinds = {
        "read_unsigned_us": [intent.frame(one) for one in asked],
        "read_batch_signed_us": [
            value for at in batches for value in signed("intent", intent, asked[at : at + PROOF_BATCH], signer)
        ],
    }
    least: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, values in kinds.items():
            reader = Intake(0, 1, KeyRing([signer.pinned("agent")]))
            started = time.thread_time()
            for value in values:
                reader.intent(value, 0)
            spent = (time.thread_time() - started) / len(values) * 1e6
            least[name] = round(min(spent, least.get(name, spent)), 2)
    return {**least, "batch_proof_us": round(least["read_batch_signed_us"] - least["read_unsigned_us"], 2)}


def run(intents: int) -> Result:
    """Return what a signature adds to an intent, of `intents` in each round; one by one they are at most `SINGLES`."""
    result = Result("proofs")
    tell(f"proofs: {WRITERS} agents, rounds of {intents} intents")
    kinds = {"unsigned": Least(), "batch_signed": Least(), "signed": Least(), "signed_with_pool": Least()}
    with bare(RULES) as one:
        bench, records, singles = Bench(one), 0, min(SINGLES, intents)
        ahead = Ahead(one.loop.bureau.keys, WORKERS, BYTES_MAX)
        try:
            ahead.warm(WARM_S)
            for round_ in range(ROUNDS):
                records += bench.decide(bench.wave(intents, 0), kinds["unsigned"])
                records += bench.decide(bench.wave(intents, PROOF_BATCH), kinds["batch_signed"])
                records += bench.decide(bench.wave(singles, 1), kinds["signed"])
                one.loop.verify_with(ahead)
                records += bench.decide(bench.wave(singles, 1), kinds["signed_with_pool"])
                one.loop.verify_with(None)
                so_far = ", ".join(f"{name} {kind.figures[0]}" for name, kind in kinds.items())
                tell(f"proofs: round {round_ + 1} of {ROUNDS}: CPU us an intent: {so_far}")
            verified = ahead.verified
        finally:
            ahead.close()
        result.audits["proofs"] = audited(one.spool, one.keys.pinned, one.keys.kek(), records)
    for name, least in kinds.items():
        result.figures[f"{name}_cpu_us"], result.figures[f"{name}_us"] = least.figures
    result.figures |= read_us(intents)
    result.figures |= {
        "batch_signature_us": round(result.figures["batch_signed_cpu_us"] - result.figures["unsigned_cpu_us"], 2),
        "signature_us": round(result.figures["signed_us"] - result.figures["unsigned_us"], 2),
        "signature_with_pool_us": round(result.figures["signed_with_pool_us"] - result.figures["unsigned_us"], 2),
        "workers": WORKERS,
        "verified_ahead": verified,
    }
    return result

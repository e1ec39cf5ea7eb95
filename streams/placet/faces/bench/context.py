"""The context app as a process: signals it folds a second, how soon a signal is a fact, and its memory when it knows many."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from placet import wiring
from placet.drivers.entropy import SystemEntropy
from placet.drivers.kafka import KafkaLog
from placet.drivers.kafka.topics import apply_compacted, apply_topics, remove_topics
from placet.drivers.keyfile import Keys, ensure_keys
from placet.drivers.settings import Settings
from placet.errors import Unavailable
from placet.faces.bench import machine
from placet.faces.bench.options import Asked
from placet.faces.bench.report import Result, tell
from placet.model.codec import risk, risk_signal
from placet.model.codec.risk import Risk
from placet.model.codec.risk_signal import RiskSignal
from placet.model.context_keys import risk_key, signal_key
from placet.model.topics import Topic
from placet.ports import Message, Rec

SIGNALS_SHARE, SUBJECTS_PER_INTENT = 0.04, 2
"""By the intents asked for: 20,000 signals are folded and 1M subjects known beside 500,000."""
SUBJECTS = 5_000
RATE = 200
OPEN_S, MEANWHILE_S = 20.0, 10.0
BATCH = 100
"""Signals under one signature of the feed."""
SILENT_S, READ_BACK_S, END_S = 120.0, 1_800.0, 30.0


@dataclass(slots=True)
class Plane:
    """Fresh topics, a context app over them, and the signals it was sent."""

    settings: Settings
    keys: Keys
    log: KafkaLog
    process: subprocess.Popen[bytes] | None = None
    sent: int = 0

    def start(self) -> None:
        """Start the app as `placet context`."""
        told = {
            "PLACET_BOOTSTRAP": self.settings.bootstrap,
            "PLACET_PREFIX": self.settings.prefix,
            "PLACET_DATA": str(self.settings.data),
            "PLACET_WATERMARK_MS": "1000",
        }
        command = [sys.executable, "-m", "placet.faces.cli", "context", "--metrics-port", "0"]
        self.process = subprocess.Popen(command, env=os.environ | told, stdout=subprocess.DEVNULL)

    def signals(self, count: int) -> list[RiskSignal]:
        """Return the next signals, each newer than the last of its subject, so that each gives a fact."""
        now = time.time_ns() // 1_000_000
        made = [
            RiskSignal(
                "bench", f"agent:{n % SUBJECTS}", "siem", f"e{n}", n * 7919 % 101, now - 50_000 + n, 3_600, "seen", None
            )
            for n in range(self.sent, self.sent + count)
        ]
        self.sent += count
        return made

    def say(self, signals: Sequence[RiskSignal]) -> None:
        """Publish signals, many at once."""
        signer = self.keys.signer("feed")
        for at in range(0, len(signals), BATCH):
            some = signals[at : at + BATCH]
            unsigned = [risk_signal.encode_unsigned(one) for one in some]
            proofs = signer.sign_batch("risk_signal", risk_signal.FINGERPRINT, unsigned)
            messages = [
                Message(signal_key(one), risk_signal.frame(one._replace(proof=risk_signal.Proof(*proof))))
                for one, proof in zip(some, proofs, strict=True)
            ]
            self.log.append_async(Topic.SIGNALS, 0, messages)
        self.log.flush()

    def pace(self, signals: Sequence[RiskSignal]) -> list[float]:
        """Publish signals one by one at the fixed rate; return when each was due."""
        begun = time.time()
        due = [begun + number / RATE for number in range(len(signals))]
        for signal, at in zip(signals, due, strict=True):
            time.sleep(max(0.0, at - time.time()))
            self.say([signal])
        return due

    def facts(self, start: int, count: int, silent_s: float = SILENT_S, source: str = "siem") -> list[Rec]:
        """Return the next `count` facts by `source` from `start` on; raise `Unavailable` when nothing comes for `silent_s`."""
        found: list[Rec] = []
        while len(found) < count:
            if not (recs := self.log.read(Topic.RISK, 0, start, 5_000, round(silent_s * 1000))) or self.ended:
                raise Unavailable(f"the context app of the bench stood still at {len(found)} of {count} facts")
            start = recs[-1].offset + 1
            by = f"/{source}".encode()
            found += [rec for rec in recs if (rec.value or b"")[:5] == risk.HEADER and (rec.key or b"").endswith(by)]
        return found

    def end(self) -> None:
        """End the app; one that reads back a million facts does not listen, and is killed."""
        assert self.process is not None
        self.process.terminate()
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def ended(self) -> bool:
        """Whether the app has ended."""
        return self.process is not None and self.process.poll() is not None


def run(asked: Asked) -> Result:
    """Return what one process of the context app does, and needs."""
    result = Result("context")
    bootstrap = asked.cluster("context")
    with plane(bootstrap) as one:
        _folded(one, max(BATCH, round(asked.intents * SIGNALS_SHARE)), result)
    with plane(bootstrap) as one:
        _known(one, asked.intents * SUBJECTS_PER_INTENT, result)
    return result


def _folded(one: Plane, count: int, result: Result) -> None:
    """Fold signals as fast as they go, then at a fixed rate."""
    one.start()
    one.say(first := one.signals(1))
    assert one.process is not None
    found = one.facts(0, 1)
    tell(f"context: {count} signals at once")
    before = machine.cpu_s(one.process.pid)
    burst = one.signals(count)
    one.say(burst)
    found += one.facts(found[-1].offset + 1, count)
    took_s = max(1, found[-1].at - found[1].at) / 1000
    result.figures |= {
        "signals": count,
        "signals_per_s": round(count / took_s),
        "cpu_us_per_signal": round((machine.cpu_s(one.process.pid) - before) / count * 1e6, 1),
    }
    seconds = min(OPEN_S, max(1.0, count / RATE))
    tell(f"context: {RATE} signals a second for {seconds:.0f} s")
    paced = one.signals(round(RATE * seconds))
    due = one.pace(paced)
    said = one.facts(found[-1].offset + 1, len(paced))
    waits = _waits(said, due)
    result.figures |= {"signal_to_fact_ms": waits, "signal_to_fact_p99_ms": waits["p99"]}
    result.audits["facts"] = _audit([*found, *said], [*first, *burst, *paced])


def _waits(facts: Sequence[Rec], due: Sequence[float]) -> dict[str, float]:
    return machine.percentiles([rec.at - at * 1000 for rec, at in zip(facts, due, strict=True)])


def _audit(facts: Sequence[Rec], signals: Sequence[RiskSignal]) -> dict[str, object]:
    """Hold what was said against what was sent: of each subject the last fact is its newest signal."""
    expected = {risk_key(one): (one.event_at, one.score) for one in signals}
    said = {rec.key: risk.decode(rec.value or b"") for rec in facts}
    violations = [
        f"{key!r}: {said.get(key)} after a signal {wanted}"
        for key, wanted in expected.items()
        if key not in said or (said[key].event_at, said[key].score) != wanted
    ]
    return {"clean": not violations, "checked": len(expected), "violations": violations[:20]}


def _known(one: Plane, count: int, result: Result) -> None:
    """Have the app read back what a predecessor knew; while it says all of that again, fold, and look at its memory."""
    tell(f"context: {count} subjects are known")
    title = f"{one.settings.prefix}placet-context-facts-changelog"
    connection = wiring.cluster(one.settings)
    apply_compacted(connection, title, 1)
    # As Faust writes it: its consumer reads no lz4.
    writer = connection.outside.producer({**connection.writer(), "compression.type": "none"})
    now = time.time_ns() // 1_000_000
    for number in range(count):
        fact = Risk("bench", f"agent:{number}", "siem", number % 101, now, 3_600, 0, 0)
        writer.produce(title, risk.frame(fact), f"bench/agent:{number}/siem".encode(), 0)
        if number % 10_000 == 0:
            writer.poll(0)
            writer.flush(60)
    writer.flush(60)
    began = time.monotonic()
    one.start()
    assert one.process is not None
    one.facts(0, 1, READ_BACK_S)
    result.figures |= {"subjects": count, "read_back_s": round(time.monotonic() - began, 2)}
    tell(f"context: {RATE} signals a second meanwhile, for {MEANWHILE_S:.0f} s")
    paced = [signal._replace(source="edr") for signal in one.signals(round(RATE * MEANWHILE_S))]
    due = one.pace(paced)
    # These are among what is said again, too: of each the first word counts.
    first: dict[bytes | None, Rec] = {}
    start = 0
    while len(first) < len(paced):
        for rec in one.facts(start, 1, source="edr"):
            first.setdefault(rec.key, rec)
            start = rec.offset + 1
    said = [*first.values()]
    result.figures["signal_to_fact_meanwhile_ms"] = _waits(said, due)
    result.figures["rss_mb"] = machine.resident_mb(one.process.pid, peak=True)
    result.audits["meanwhile"] = _audit(said, paced)


@contextmanager
def plane(bootstrap: str) -> Iterator[Plane]:
    """Yield topics under a prefix of their own; app and topics are gone afterwards."""
    with TemporaryDirectory(prefix="placet-bench-") as name:
        settings = Settings(
            data=Path(name), bootstrap=bootstrap, prefix=f"bench-{secrets.token_hex(4)}.", replicas=1, slot="bench"
        )
        keys = ensure_keys(settings.keys_file, settings.secrets_dir, SystemEntropy())
        connection = wiring.cluster(settings)
        apply_topics(connection, partitions=1, replication=1)
        log = KafkaLog(connection)
        made = Plane(settings, keys, log)
        try:
            yield made
        finally:
            if made.process is not None:
                made.end()
            log.close()
            remove_topics(connection)

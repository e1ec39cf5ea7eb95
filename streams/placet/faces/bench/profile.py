"""Where the CPU time goes: samples of the running stack, counted by the stage of deciding they stand in."""

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

EVERY_S = 0.004
GENERATED = "<policy>"
"""The file name under which the policy room compiles its conditions."""
STAGES: tuple[tuple[str, str], ...] = (
    # A prefix of a module, or module:function, and its stage. The first that a frame matches, from the innermost out.
    ("placet.decision.book:first", "verdict"),
    ("placet.decision.book:_count", "tally"),
    ("placet.decision.judge:body", "case"),
    ("placet.decision.judge", "rules"),
    ("placet.decision.vault", "case"),
    ("placet.decision.voice:_case", "case"),
    ("placet.decision.voice", "verdict"),
    ("placet.model.codec.verdict", "verdict"),
    ("placet.model.codec.intent", "decode"),
    ("placet.model.codec.claim", "decode"),
    ("placet.model.codec.outcome", "decode"),
    ("placet.model.codec.desk_change", "changes"),
    ("placet.decision.changes", "changes"),
    ("placet.decision.leases", "leases"),
    ("placet.decision.index", "leases"),
    ("placet.decision.settled", "dedupe"),
    ("placet.model.digests", "digests"),
    ("placet.model.keys", "intake"),
    ("placet.model.strict", "canonical"),
    ("placet.model.proof", "proofs"),
    ("placet.provenance", "seal"),
    ("placet.context", "join"),
    ("placet.policy", "rules"),
    ("placet.decision.intake", "intake"),
    ("placet.decision", "desk"),
    ("placet.drivers.loop:_seal", "seal"),
    ("placet.drivers.metrics", "tally"),
    ("placet.drivers.embedded", "journal"),
    ("placet.drivers.kafka", "journal"),
    ("placet.faces.bench.spool", "journal"),
    ("placet.drivers", "loop"),
)


class Profile:
    """Samples by stage. `micros` shares CPU time out by them."""

    def __init__(self) -> None:
        self.samples: Counter[str] = Counter()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Sample this thread's stack every 4 ms of CPU time, where the system has such a timer.

        Sampling costs well below 1 %; a clock reading per stage would cost a tenth.
        """
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            # Not the default, which would end the process at a last signal on its way.
            signal.signal(signal.SIGPROF, signal.SIG_IGN)

    def micros(self, cpu_us: float) -> dict[str, float]:
        """Return the µs of each stage, when all of them together took `cpu_us`; the longest first."""
        total = sum(self.samples.values())
        # A slice may be over before the first sample.
        return {stage: round(count / total * cpu_us, 2) for stage, count in self.samples.most_common()}

    def _sample(self, _: int, frame: FrameType | None) -> None:
        while frame is not None:
            module = frame.f_globals.get("__name__", "")
            place = f"{module}:{frame.f_code.co_name}"
            for prefix, stage in STAGES:
                if place.startswith(prefix):
                    self.samples[stage] += 1
                    return
            if frame.f_code.co_filename == GENERATED:
                self.samples["rules"] += 1
                return
            frame = frame.f_back
        self.samples["other"] += 1

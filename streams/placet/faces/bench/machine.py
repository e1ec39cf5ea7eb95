"""The machine under a figure: what it is, how fast it is just now, and what a process has used of it."""

import hashlib
import os
import platform
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CALIBRATION = [b"%08d" % number * 12 for number in range(200)]


def facts() -> dict[str, Any]:
    """Return what a reader must know of the machine: system, cores, memory, Python."""
    memory = _line(Path("/proc/meminfo"), "MemTotal:")
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "memory_mib": round(memory / 1024) if memory else None,
        "python": platform.python_version(),
        "load": [round(one, 2) for one in os.getloadavg()],
    }


def calibrate() -> float:
    """Return the CPU µs that one fixed piece of work takes just now: what a desk does, in small, some 0.3 ms in all.

    A ratio to it says more than µs where a machine is shared and drifts.
    """
    _calibration()  # what ran before has the caches still
    started = time.thread_time()
    _calibration()
    return (time.thread_time() - started) * 1e6 / len(CALIBRATION)


def _calibration() -> None:
    known: dict[bytes, tuple[int, bytes]] = {}
    for number, text in enumerate(CALIBRATION):
        digest = hashlib.sha256(text).digest()
        known[digest[:16]] = (number, b"".join((digest, text[: number & 63])))


def pin() -> list[int]:
    """Hold this process to one core, where the system can; return the cores it may use now."""
    if not hasattr(os, "sched_setaffinity"):
        return []
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    return sorted(os.sched_getaffinity(0))


def unpin(cores: Sequence[int]) -> None:
    """Let this process use `cores` again."""
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(cores))


def cores() -> list[int]:
    """Return the cores this process may use, or nothing where the system does not say."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def resident_mb(pid: int | None = None, *, peak: bool = False) -> float:
    """Return the resident memory of a process in MB (10^6 bytes), now or at its peak; 0 where the system does not say."""
    path = Path("/proc") / ("self" if pid is None else str(pid)) / "status"
    return round(_line(path, "VmHWM:" if peak else "VmRSS:") * 1.024 / 1000, 1)


def cpu_s(pid: int) -> float:
    """Return the CPU seconds a process has used; 0 where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def percentiles(values_ms: Sequence[float]) -> dict[str, float]:
    """Return exact percentiles of all values, ms."""
    ordered = sorted(values_ms)
    if not ordered:
        return {}
    found = {
        name: round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 2)
        for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999))
    }
    return {**found, "max": round(ordered[-1], 2)}


def spread(values: Sequence[float], digits: int = 2) -> dict[str, float]:
    """Return least, median and most of some rounds."""
    return {
        "least": round(min(values), digits),
        "median": round(statistics.median(values), digits),
        "most": round(max(values), digits),
        "rounds": len(values),
    }


def _line(path: Path, name: str) -> int:
    """Return the number of kB behind a name in a file of the proc file system, or 0."""
    try:
        with path.open() as file:
            return next((int(line.split()[1]) for line in file if line.startswith(name)), 0)
    except OSError:
        return 0

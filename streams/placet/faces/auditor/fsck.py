"""A provenance log checked by itself: checkpoints, every file, and the cuts among the leaves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from placet.faces.auditor.logged import Cuts
from placet.faces.auditor.tlog import Flaw, Get, Head, LogWalk, Unsound, open_head


@dataclass(slots=True)
class LogReport:
    """What a log was found to be. It is sound when nothing was flawed."""

    size: int
    cuts: int
    bytes_read: int
    flawed: int
    flaws: list[Flaw]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data, as `placet ledger fsck --json` prints it."""
        return {
            "sound": not self.flawed,
            "size": self.size,
            "cuts": self.cuts,
            "bytes": self.bytes_read,
            "flawed": self.flawed,
            "flaws": [flaw._asdict() for flaw in self.flaws],
        }


def check(get: Get, vkeys: Sequence[str], since: Mapping[str, bytes] | None = None) -> LogReport | None:
    """Return what a log is, None where nothing was published. `since` are checkpoints kept from earlier, by name."""
    note = get("checkpoint")
    if note is None:
        return None
    try:
        head = open_head(note, vkeys)
    except Unsound as fault:
        return LogReport(0, 0, 0, 1, [Flaw("checkpoint", str(fault))])
    walk = LogWalk(get, head.size)
    cuts = Cuts(lambda index, text: walk.fail(f"leaf {index}", text))
    earlier = _earlier(walk, head, vkeys, since or {})
    for index, leaf in walk.leaves():
        for name, before in earlier.pop(index, ()):
            walk.expect_prefix(before.root, name)
        cuts.take(index, leaf)
    cuts.finish(head.size)
    for _, names in sorted(earlier.items()):
        for name, before in names:
            walk.expect_prefix(before.root, name)
    walk.expect_root(head.root)
    return LogReport(head.size, cuts.cuts, walk.bytes_read, walk.flawed, walk.flaws)


def _earlier(
    walk: LogWalk, head: Head, vkeys: Sequence[str], since: Mapping[str, bytes]
) -> dict[int, list[tuple[str, Head]]]:
    """Return the earlier heads by the index of the first leaf that is not theirs."""
    found: dict[int, list[tuple[str, Head]]] = {}
    for name, note in since.items():
        try:
            before = open_head(note, vkeys)
        except Unsound as fault:
            walk.fail(name, str(fault))
            continue
        if before.origin != head.origin:
            walk.fail(name, f"is of `{before.origin}`, this log is `{head.origin}`")
        elif before.size > head.size:
            walk.fail(name, f"says {before.size} leaves, the log has {head.size}: it was cut short")
        else:
            found.setdefault(before.size, []).append((name, before))
    return found

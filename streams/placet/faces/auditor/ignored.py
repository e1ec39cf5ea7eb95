"""Context that no reader takes: each such record that was read is refused once, by itself or among a flood of its kind."""

import re
from typing import NamedTuple

from placet.faces.auditor.batch import Cut, Decision
from placet.faces.auditor.joining import LABELS, STATUSES
from placet.faces.auditor.places import in_place, odd_tenant
from placet.faces.auditor.records import Fields, Record
from placet.faces.auditor.report import Check, title_of
from placet.model.topics import Topic
from placet.ports import Rec

AHEAD_MS_MAX = 60_000
BYTES_MAX = 65_536
ORIGINS = (None, "none", "internal", "external")
POLICIES = ("pack", "active_set", "watermark")
FACTS = ("principal", "risk", "sensitivity", "mandate", "control", "watermark")
KEY_PURPOSES = ("operator", "executor", "agent", "approver", "feed", "directory")
SOURCES_MOST = 256
KID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+~%=#,\-]{0,127}")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+~%=#,\-]{0,255}")
INSTANTS = {"risk": "event_at", "watermark": "at"}
LIMITS_MOST = 64
YEAR_S = 366 * 24 * 60 * 60
MEASURE = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)
FLOOD = re.compile(r"(\d+) more from offset (\d+) on are refused with this one")
Place = tuple[int, int]
"""Topic and partition."""


def is_faulty(rec: Rec, record: Record | None, partitions: int) -> bool:
    """Whether no reader takes a record, whoever signed it: what only a key could tell is not asked."""
    if rec.topic == Topic.KEYS and record is not None and record.name == "key":
        return not in_place(rec, "key", record.fields, partitions) or is_odd_key(rec, record.fields)
    policies = rec.topic == Topic.POLICIES
    if record is None or record.name not in (POLICIES if policies else FACTS):
        return True
    said, name = record.fields, record.name
    if not in_place(rec, name, said, partitions):
        return True
    if policies and name != "watermark":
        return False
    if said[INSTANTS.get(name, "observed_at")] > rec.at + AHEAD_MS_MAX:
        return True
    if name == "watermark":
        return False
    if len(rec.value or b"") > BYTES_MAX or odd_tenant(said["tenant"]):
        return True
    if name == "risk":
        return not 0 <= said["score"] <= 100 or said["half_life_s"] < 0
    if name == "sensitivity":
        return said["label"] not in LABELS or said["origin"] not in ORIGINS
    if name == "mandate" and not limits_hold(said):
        return True
    return name in ("principal", "mandate") and said["status"] not in STATUSES


def limits_hold(said: Fields) -> bool:
    """Whether the limits of a mandate bound what can be counted; of one whose do not, no reader takes anything."""
    return len(said["limits"]) <= LIMITS_MOST and all(
        MEASURE.fullmatch(limit["measure"]) is not None
        and 0 <= limit["max"] < 1 << 53
        and 0 <= limit["window_s"] <= YEAR_S
        for limit in said["limits"]
    )


def is_odd_key(rec: Rec, said: Fields) -> bool:
    """Whether a record of a key is not in good form, whoever signed it."""
    instants = [said[name] for name in ("not_before", "not_after", "compromised_at", "observed_at")]
    return (
        len(rec.value or b"") > BYTES_MAX
        or odd_tenant(said["tenant"])
        or not KID.fullmatch(said["kid"])
        or not all(NAME.fullmatch(name) for name in (said["issuer"], said["tenant"] or "all"))
        or said["purpose"] not in KEY_PURPOSES
        or len(said["public"]) != 32
        or bool(said["sources"] and said["purpose"] not in ("feed", "directory"))
        or len(said["sources"]) > SOURCES_MOST
        or min(instants) < 0
        or 0 < said["not_after"] < said["not_before"]
        or max(said["observed_at"], said["compromised_at"]) > rec.at + AHEAD_MS_MAX
    )


class Flood(NamedTuple):
    """A refusal of many: how many besides its own, from which offset on, and its own."""

    size: int
    first: int
    last: int


class Ignored:
    """The faulty records of the context, and the refusals that partition 0 gave them."""

    def __init__(self, faulty: list[tuple[int, int, int]], check: Check) -> None:
        self._faulty = faulty
        self._check = check
        self._refused: dict[tuple[int, int, int], int] = {}
        self._floods: dict[Place, list[Flood]] = {}

    def refused(self, decision: Decision) -> None:
        """Take the refusal of a context record."""
        said = decision.fields
        place = (said["cause_topic"], said["cause_partition"], said["cause_offset"])
        before = self._refused.setdefault(place, decision.offset)
        if before != decision.offset:
            text = f"refuses {title_of(place[0])}/{place[1]}@{place[2]} again, which the one at {before} refuses"
            self._check.fail(Topic.DECISIONS, 0, decision.offset, text)
        flood = FLOOD.match(said["detail"])
        if flood is not None:
            self._floods.setdefault(place[:2], []).append(Flood(int(flood[1]), int(flood[2]), place[2]))

    def finish(self, cut: Cut) -> None:
        """Name what was read and not refused."""
        among: dict[tuple[Place, Flood], int] = {}
        for topic, partition, offset in self._faulty:
            if offset >= cut.get((topic, partition), (0, 0))[0]:
                continue
            self._check.checked += 1
            if (topic, partition, offset) in self._refused:
                continue
            for flood in self._floods.get((topic, partition), ()):
                known = among.get(((topic, partition), flood), 0)
                if flood.first <= offset < flood.last and known < flood.size:
                    among[(topic, partition), flood] = known + 1
                    break
            else:
                self._check.fail(topic, partition, offset, "no reader takes it, and no refusal says so")

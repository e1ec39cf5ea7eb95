"""`placet.desk`: the changelog that makes restore fast, read for data keys and compared with the fold of decisions."""

from collections.abc import Iterator

from placet.faces.auditor.attempts import ROW, Attempt, Memory, Row
from placet.faces.auditor.batch import SealChain
from placet.faces.auditor.budgets import Asked, Budgets
from placet.faces.auditor.cursor import Cursor
from placet.faces.auditor.hashes import sha256
from placet.faces.auditor.keys import CaseKeys
from placet.faces.auditor.limits import Place
from placet.faces.auditor.records import Fields, Schemas, Unreadable
from placet.faces.auditor.report import Report
from placet.faces.auditor.reviews import Review
from placet.faces.auditor.table import FOLLOWS, name_of
from placet.model.topics import Topic
from placet.ports import Log

SLOT_SIZE = 16
ROW_SIZE = SLOT_SIZE + ROW.size
ORDINAL_SIZE = 8
Counted = tuple[str, Place, str, int]
"""A key, a limit in its scope, what it measures, and a window in ms."""
REVIEW = b"r/"
REVIEW_SIZE = len(REVIEW) + 32
"""A review lies under this and its digest, until it is answered."""


class Desk:
    """The live records of one partition of `placet.desk`, in order of their ordinals, and the data keys among them."""

    def __init__(self, log: Log, partition: int, schemas: Schemas, keys: CaseKeys, report: Report, end: int) -> None:
        self._partition = partition
        self._schemas = schemas
        self._report = report
        self._live: dict[int, tuple[int, bytes]] = {}
        self._reviews: dict[bytes, tuple[int, bytes | None]] = {}
        for rec in Cursor(log, Topic.DESK, partition, end):
            key = rec.key or b""
            if key.startswith(REVIEW) and len(key) == REVIEW_SIZE:
                self._reviews[key[len(REVIEW) :]] = (rec.offset, rec.value)
            elif rec.value is None:
                self._live.pop(int.from_bytes(key, "big"), None)
            elif len(key) == ORDINAL_SIZE and not key.startswith(b"k/"):
                self._live[int.from_bytes(key, "big")] = (rec.offset, rec.value)
            elif (said := self._read(rec.offset, rec.value)) is not None:
                for row in said["data_keys"]:
                    if fault := keys.learn(row):
                        self._fail(rec.offset, fault)

    @property
    def last(self) -> int:
        """Return the ordinal of the last change; -1 where there is none."""
        return max(self._live, default=-1)

    def _fail(self, offset: int, text: str) -> None:
        self._report["V20"].fail(Topic.DESK, self._partition, offset, text)

    def _read(self, offset: int, value: bytes) -> Fields | None:
        try:
            return self._schemas.open(value).fields
        except Unreadable as error:
            self._fail(offset, str(error))
            return None

    def _changes(self, ordinal_max: int) -> Iterator[tuple[int, Fields]]:
        for ordinal in sorted(self._live):
            offset, value = self._live[ordinal]
            if ordinal <= ordinal_max and (said := self._read(offset, value)) is not None:
                if said["ordinal"] != ordinal or said["partition"] != self._partition:
                    self._fail(
                        offset, f"ordinal {said['ordinal']} of partition {said['partition']} under key {ordinal}"
                    )
                yield offset, said

    def compare(self, memory: Memory, budgets: Budgets, reviews: dict[bytes, Review], chain: SealChain) -> None:
        """Hold the fold of the changelog up to the last seal against what the fold of decisions left."""
        ordinal_max, instant = chain.desk_ordinal, chain.instant
        expected = dict(memory.rows())
        opened: dict[bytes, tuple[int, Fields]] = {}
        rows: dict[bytes, tuple[int, bytes]] = {}
        meters: dict[Counted, tuple[int, Fields]] = {}
        last = -1
        for offset, said in self._changes(ordinal_max):
            last = said["ordinal"]
            settled = said["settled"]
            if len(settled) % ROW_SIZE:
                self._fail(offset, f"settled rows of {len(settled)} bytes, expected a multiple of {ROW_SIZE}")
            for at in range(0, len(settled) - ROW_SIZE + 1, ROW_SIZE):
                # Of two rows of one slot the later stands: an attempt may come to a transient refusal after it was open.
                rows[settled[at : at + SLOT_SIZE]] = (offset, settled[at + SLOT_SIZE : at + ROW_SIZE])
            closed = said["closed"]
            for at in range(0, len(closed), SLOT_SIZE):
                opened.pop(closed[at : at + SLOT_SIZE], None)
            for lease in said["opened"]:
                opened[lease["slot"]] = (offset, lease)
            for meter in said["meters"]:
                place = meter["limit"], meter["scope"]
                meters[meter["key"], place, meter["measure"], meter["window_ms"]] = (offset, meter)
        for slot, (offset, packed) in rows.items():
            self._row(offset, slot, packed, expected, instant)
        if last != ordinal_max:
            self._fail(max(self._offset_of_last(), 0), f"ends at ordinal {last}, the last seal says {ordinal_max}")
        self._missing(expected, instant)
        self._open(opened, memory, budgets)
        self._counted(meters, budgets, instant)
        self._reviewed(reviews)

    def _reviewed(self, open_: dict[bytes, Review]) -> None:
        """Hold the reviews that the changelog has against those that decisions leave open."""
        held = {digest: (offset, value) for digest, (offset, value) in self._reviews.items() if value is not None}
        for digest in sorted(held.keys() | open_.keys()):
            self._report["V20"].checked += 1
            offset, value = held.get(digest, (0, None))
            said = None if value is None else self._read(offset, value)
            known = open_.get(digest)
            if known is None:
                self._fail(offset, f"holds the review {digest.hex()[:12]} open, decisions have none")
            elif said != known.said:
                self._fail(offset, f"does not hold the review {digest.hex()[:12]} as decisions left it")

    def _offset_of_last(self) -> int:
        return self._live[max(self._live)][0] if self._live else 0

    def _row(self, offset: int, slot: bytes, packed: bytes, expected: dict[bytes, bytes], instant: int) -> None:
        self._report["V20"].checked += 1
        known = expected.get(slot)
        if known != packed:
            row = Row(packed)
            if row.deadline <= instant:
                return  # past its deadline: what its id was given to since then is compared instead
            where = f"slot {slot.hex()[:12]}"
            if known is None:
                self._fail(offset, f"remembers {where}, which no decision answers")
            else:
                was = Row(known)
                text = f"says seq {row.seq} attempt {row.attempt}, decisions say seq {was.seq} attempt {was.attempt}"
                self._fail(offset, f"{where} {text}, or other digests, flags or deadline")
        expected[slot] = b""

    def _missing(self, expected: dict[bytes, bytes], instant: int) -> None:
        for slot, packed in expected.items():
            if packed and (row := Row(packed)).deadline > instant:
                text = f"the desk does not remember the answer at seq {row.seq} (slot {slot.hex()[:12]})"
                self._report["V20"].fail(Topic.DESK, self._partition, 0, text)

    def _counted(self, meters: dict[Counted, tuple[int, Fields]], budgets: Budgets, instant: int) -> None:
        """Hold that the desk counts of each limit at least what was spent of it: it may count an amount a little longer."""
        counted: dict[tuple[str, Place, str], tuple[int, int]] = {}
        for (key, place, measure, _), (offset, meter) in meters.items():
            before = counted.get((key, place, measure), (0, 0))[1]
            counted[key, place, measure] = offset, before + sum(bucket["amount"] for bucket in meter["buckets"])
        for (key, place, measure), budget in budgets.scopes.items():
            spent = budget.used(instant) - budget.held
            if not spent:
                continue
            self._report["V20"].checked += 1
            offset, amount = counted.get((key, place, measure), (0, 0))
            if amount < spent:
                self._fail(offset, f"counts {amount} of limit `{place[0]}` ({place[1]}), decisions spent {spent}")

    def _open(self, opened: dict[bytes, tuple[int, Fields]], memory: Memory, budgets: Budgets) -> None:
        for slot, attempt in memory.open.items():
            self._report["V20"].checked += 1
            found = opened.pop(slot, None)
            if found is None:
                text = f"the desk does not hold the attempt that is `{name_of(attempt.state)}` at seq {attempt.seq}"
                self._report["V20"].fail(Topic.DESK, self._partition, 0, text)
            elif differs := _differs(found[1], attempt) or _holds_differ(found[1], budgets.open.get(slot)):
                self._fail(found[0], f"slot {slot.hex()[:12]}: {differs}")
        for slot, (offset, lease) in opened.items():
            if lease["state"] in FOLLOWS:
                self._fail(offset, f"holds slot {slot.hex()[:12]} open, decisions have ended it")


def _holds_differ(lease: Fields, asked: Asked | None) -> str:
    if asked is None:
        return ""
    held = {(one["limit"], one["scope"]): (one["amount"], one["phase"]) for one in lease["holds"]}
    taken = {place: (had.amount, had.phase) for place, had in asked.taken.items()}
    return "" if held == taken else f"holds {held or 'nothing'} of limits, decisions say {taken or 'nothing'}"


def _differs(lease: Fields, attempt: Attempt) -> str:
    for what, held, folded in (
        ("state", name_of(lease["state"]), name_of(attempt.state)),
        ("seq", lease["seq"], attempt.seq),
        ("asked offset", lease["asked_offset"], attempt.asked_offset),
        ("granted digest", lease["granted_digest"].hex()[:12], attempt.granted_digest.hex()[:12]),
        ("claim required", lease["claim_required"], attempt.claim_required),
        ("expiry", lease["expires_at"], attempt.expires_at),
        ("executor", lease["executor"], attempt.executor),
        ("nonce", lease["nonce"].hex(), attempt.nonce.hex()),
        ("stopped", lease["stopped"], attempt.stopped),
        ("votes", [sha256(each).hex()[:12] for each in lease["votes"]], _held(attempt)),
    ):
        if held != folded:
            return f"{what} is {held}, decisions say {folded}"
    return ""


def _held(attempt: Attempt) -> list[str]:
    """Return the votes that were taken on an attempt, in order of their voters, each by the begin of its digest."""
    return [sha256(value).hex()[:12] for _, (value, _) in sorted(attempt.votes.items(), key=lambda held: held[0])]

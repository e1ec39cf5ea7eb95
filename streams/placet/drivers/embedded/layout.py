"""Which row lies where: three columns of one RocksDB, their keys and the small fixed rows.

`RUNS` holds one row per append of a plain topic, numbered without a gap and
never rewritten: files of ever higher numbers do not overlap, so compaction
moves them without copying. `KEPT` holds the records of context and of compacted
topics, one row each; of a compacted topic a row is removed when a newer one of
the same key arrives; where the provenance log still has to read it, it is moved
under `PAST` instead. `INDEX` holds the rest: where the run of an offset is,
which offset a key has, and the meta rows.
"""

from struct import Struct
from typing import Final

from placet.model.topics import CONTEXT, SPECS, Topic

INDEX: Final = "default"
RUNS: Final = "runs"
KEPT: Final = "kept"
COLUMNS: Final = (INDEX, RUNS, KEPT)

FORMAT: Final = 1
"""The version of everything in this file and in `runs.py`."""

ROW: Final = Struct(">BIQ")
"""Key of an index row or a kept row: topic, partition, offset of the first record."""
PLACE: Final = Struct(">BI")
"""Topic and partition, the beginning of such a key."""
POINTER: Final = Struct(">QI")
"""An index row: number of the run, count of its records."""
END: Final = Struct(">QqQ")
"""A meta row: the next offset of a partition, the latest `at` in it, and how many rows it has in `KEPT`."""
NUMBER: Final = Struct(">Q")
"""Key of a run; an offset standing alone."""

META: Final = b"\x00"
META_FORMAT: Final = META + b"format"
META_CLUSTER: Final = META + b"cluster"
META_PARTITIONS: Final = META + b"partitions"
META_END: Final = META + b"end"
META_INPUT: Final = META + b"input"

PAST: Final = 0x80
"""Added to the topic of a row in `KEPT` that a newer one of its key has followed."""

_KEY: Final = 0x80
_INPUT: Final = Struct(">IB")

COMPACTED: Final = frozenset(int(topic) for topic, spec in SPECS.items() if spec.compacted)
"""Topics of which only the newest record of each key is kept."""
ROWED: Final = COMPACTED | frozenset(int(topic) for topic in CONTEXT)
"""Topics that have a row for each record."""
FORGOTTEN: Final = frozenset({int(Topic.DESK)})
"""Compacted topics whose tombstones leave no row: an ordinal never comes back, so nobody need hear of it."""


def key_row(topic: int, partition: int, key: bytes) -> bytes:
    """Return the index key under which the offset of the newest record of `key` stands."""
    return PLACE.pack(_KEY | topic, partition) + key


def end_row(topic: int, partition: int) -> bytes:
    """Return the key of the meta row that says where a partition ends."""
    return META_END + PLACE.pack(topic, partition)


def input_row(partition: int, topic: int) -> bytes:
    """Return the key of the meta row of a committed input position."""
    return META_INPUT + _INPUT.pack(partition, topic)


def read_input_row(key: bytes) -> tuple[int, int]:
    """Return the partition and topic an input row is about."""
    partition, topic = _INPUT.unpack_from(key, len(META_INPUT))
    return partition, topic


def partition_counts(decided: int) -> dict[int, int]:
    """Return how many partitions each topic gets at birth."""
    return {int(topic): decided if spec.decided else 1 for topic, spec in SPECS.items()}

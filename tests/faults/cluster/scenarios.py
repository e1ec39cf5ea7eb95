"""Each fault by its number in the list, what it is, and how it is done."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from random import Random
from typing import NamedTuple

from tests.faults.cluster import brokers, deaths, network, streams
from tests.faults.cluster.site import Site


class Fault(NamedTuple):
    """One fault. It is on for `seconds` of load; `detects` says that what it did may be named afterwards.

    Those of one `kind` are never on at once: one would hide the other's proof.
    """

    code: str
    says: str
    inflict: Callable[[Site], AbstractContextManager[None]]
    kind: str
    seconds: float = 5.0
    detects: bool = False


FAULTS: tuple[Fault, ...] = (
    Fault("F1", "worker, executor and agents killed in mid transaction", deaths.killed_in_mid_transaction, "worker"),
    Fault("F2", "a worker stopped past its session", deaths.stopped_past_its_session, "worker", deaths.STOPPED_S),
    Fault("F3", "two workers on one slot", deaths.two_on_one_slot, "worker"),
    Fault("F4", "a storm of rebalances", deaths.rebalance_storm, "group", 8.0),
    Fault("F5", "the coordinator's broker bounced", brokers.bounced, "broker"),
    Fault("F6", "two of three brokers down", brokers.two_of_three_down, "broker"),
    Fault("F7", "all brokers killed", brokers.all_down, "broker"),
    Fault("F8", "worker, executor and replica cut off", network.apart, "worker", 8.0),
    Fault("F9", "a commit that arrives in the next transaction", network.late_end, "worker", 5.0, detects=True),
    Fault("F9b", "commits twice and late", network.late_end_goes_on, "worker", network.LATE_S, detects=True),
    Fault("F9c", "writes that arrive late", network.late_writes, "worker", network.LATE_S, detects=True),
    Fault("F10", "slow, reset and half-open connections", network.slow, "worker"),
    Fault("F11", "a transaction left hanging", network.hanging, "readers", 6.0),
    Fault("F14", "a damaged disk", deaths.damaged_disk, "worker"),
    Fault("F18", "the risk feed silent", streams.silent, "risk", 9.0),
    Fault("F19", "the risk topic emptied", streams.emptied, "worker", 8.0),
    Fault("F20", "poison", streams.poisoned, "words", 6.0),
    Fault("F21", "intents, claims and outcomes repeated", streams.repeated, "words"),
    Fault("F22", "risk late and out of order", streams.disordered, "risk"),
    Fault("F23", "revocations racing with grants", streams.revoked, "words"),
    Fault("F24", "records of a later version", streams.other_schemas, "words"),
    Fault("F31", "no descriptors, no processor", deaths.starved, "worker", 6.0),
    Fault("F32", "everybody begins cold at once", deaths.herd, "worker"),
)
BY_CODE = {fault.code: fault for fault in FAULTS}


def pair(seed: int) -> tuple[Fault, Fault]:
    """Return the two faults that this seed has at once."""
    draw = Random(seed)
    while True:
        one, other = draw.sample(FAULTS, 2)
        if one.kind != other.kind:
            return one, other

"""What it costs to hold an action against a chain of five mandates: its patterns new, the chain new at this cut, and known."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from placet.context import reach
from placet.context.chain import resolve
from placet.context.reach import Reach, reach_of
from placet.context.tables import MANDATE
from placet.model.case import MandateRow

CHAINS, LINKS, ROUNDS = 400, 5, 9
TENANT, ACTION, RESOURCE = "bench", "payments.refund", "order/7"


class Asking(NamedTuple):
    """Who asks under the last link of one chain."""

    mandate: str
    actor: str
    authority: str


def figures() -> dict[str, float]:
    """Return CPU in µs per check of a chain of five links, the least of several rounds.

    `cold` where no pattern of it was met before, `unseen` where the chain has
    to be resolved anew because some mandate or principal has changed, `seen`
    where it stands as it was found.
    """
    rows: dict[str, MandateRow] = {}
    asking = [_chain(number, rows) for number in range(CHAINS)]

    def found(one: Asking) -> Reach:
        return reach_of(resolve(rows, TENANT, *one, 5).links)

    def unseen() -> int:
        return sum([found(one).covers(ACTION, RESOURCE) for one in asking])

    def cold() -> int:
        reach.meet.cache_clear()
        reach.parts_of.cache_clear()
        return unseen()

    known = [found(one) for one in asking]

    def seen() -> int:
        return sum([one.covers(ACTION, RESOURCE) for one in known])

    return {f"chain_{name}_us": _least(check) for name, check in (("cold", cold), ("unseen", unseen), ("seen", seen))}


def _least(check: Callable[[], int]) -> float:
    times: list[float] = []
    for _ in range(ROUNDS):
        started = time.thread_time()
        covered = check()
        times.append(time.thread_time() - started)
        if covered != CHAINS:
            raise AssertionError(f"{covered} of {CHAINS} chains cover what each of their links does")
    return round(min(times) / CHAINS * 1e6, 2)


def _chain(number: int, rows: dict[str, MandateRow]) -> Asking:
    """Add the links of one chain, each with patterns of its own beside those that count, and return who asks under it."""
    people: Sequence[str] = [f"user:{number}", *(f"agent:{number}.{link}" for link in range(LINKS))]
    for link in range(LINKS):
        name = f"m{number}.{link}"
        rows[f"{MANDATE}{TENANT}/{name}"] = MandateRow(
            key=f"{MANDATE}{TENANT}/{name}",
            id=name,
            delegator=people[link],
            delegate=people[link + 1],
            task="",
            actions=("payments.*", f"reports.{name}.*"),
            resources=("order/*", f"report/{name}/*"),
            parent=f"m{number}.{link - 1}" if link else "",
            expires_at=1_000 + link,
            active=True,
            observed_at=0,
            partition=0,
            fact=bytes(300),
        )
    return Asking(f"m{number}.{LINKS - 1}", people[-1], people[0])

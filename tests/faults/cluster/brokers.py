"""Faults of brokers: one, two or all of them go, in order or not, and come back with what they had."""

from collections.abc import Iterator
from contextlib import contextmanager

from placet.model.topics import EMITS, INPUTS
from tests.faults.cluster.site import Site


def leaders(site: Site) -> dict[tuple[str, int], int]:
    """Return which node leads each partition of the desks', and of the coordinators' own topics."""
    wanted = {site.connection.title(topic) for topic in (*INPUTS, *EMITS)} | {
        "__consumer_offsets",
        "__transaction_state",
    }
    topics = site.admin.list_topics(timeout=20).topics
    return {(title, number): part.leader for title in wanted for number, part in topics[title].partitions.items()}


@contextmanager
def bounced(site: Site) -> Iterator[None]:
    """F5: the broker that coordinates the workers' group is stopped or killed, by draw, and begun again."""
    before = leaders(site)
    node = before["__consumer_offsets", 0]
    if site.draw.random() < 0.5:
        site.broker.kill(node)
    else:
        site.broker.stop(node)
    yield
    site.until(lambda: _moved(site, before), "no partition was led by another broker")
    site.prove("partitions that another broker leads", _moved(site, before))
    site.broker.start(keep=True)


def _moved(site: Site, before: dict[tuple[str, int], int]) -> int:
    return sum(leader not in (-1, before[place]) for place, leader in leaders(site).items())


@contextmanager
def two_of_three_down(site: Site) -> Iterator[None]:
    """F6: with one replica left nothing may be written any more, and nothing is."""
    down = site.draw.sample((1, 2, 3), 2)
    for node in down:
        site.broker.kill(node)
    before, asked = _commits(site), len(site.asked())
    yield
    between, held = _commits(site) - before, asked + site.rate - len(site.asked())
    site.broker.start(keep=True)
    # One whose EndTxn was prepared on all replicas before may still be told so.
    assert between <= len(site.workers), f"{between} transactions were committed with one replica of three"
    site.prove("brokers killed", len(down))
    site.prove("intents of a second held back", max(held, 0))


def _commits(site: Site) -> int:
    return sum(site.proxy.ended[worker.name, True] for worker in site.workers)


@contextmanager
def all_down(site: Site) -> Iterator[None]:
    """F7: every broker is killed at once, and all begin again from their disks."""
    down = site.broker.running()
    site.broker.kill()
    site.broker.start(keep=True)
    yield
    site.prove("brokers killed", len(down))

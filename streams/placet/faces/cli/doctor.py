"""`placet doctor`: what of a Kafka cluster, its topics, clocks and keys would end a promise."""

from typing import TYPE_CHECKING, Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, cluster_named
from placet.faces.cli.topics_apply import Partitions, Replicas
from placet.faces.cli.verb import Exit, Json

if TYPE_CHECKING:
    from placet.drivers.finding import Finding
    from placet.drivers.settings import Settings

EXAMPLE = "placet doctor --bootstrap localhost:9092 --data /var/lib/placet"
EXITS = {Exit.FAULTY: "something would end a promise; warnings alone are fine"}


def run(
    bootstrap: Bootstrap = None,
    data: Data = None,
    partitions: Partitions = None,
    replicas: Replicas = None,
    clocks: Annotated[
        bool, typer.Option(help="Ask each broker for its time, on a topic `placet-doctor` made for it.")
    ] = True,
    secrets: Annotated[bool, typer.Option(help="Look at the keys in the data folder of this host.")] = True,
    as_json: Json = False,
) -> Exit:
    """Examine brokers, topics, copies, positions, clocks and keys, and say what to do about each thing found.

    The settings are those of a worker in this environment. Nothing is changed
    but the topic that the clocks are compared on, which is removed again.
    """
    place = cluster_named(bootstrap)
    from placet.faces.cli.configured import settings_with

    settings = settings_with(bootstrap=place.bootstrap, data=data, partitions=partitions, replicas=replicas)
    found = findings(settings, clocks=clocks, secrets=secrets)
    grave = sum(one.grave for one in found)
    if as_json:
        names = ("code", "grave", "where", "found", "expected", "next")
        rows = [{name: getattr(one, name) for name in names} for one in found]
        printing.emit({"findings": rows, "faults": grave, "warnings": len(found) - grave})
    else:
        for one in found:
            printing.say(f"{'fault' if one.grave else 'warning'} {one.code}: {one}")
            printing.say(f"  next: {one.next}")
        printing.say(f"{grave} faults, {len(found) - grave} warnings")
    return Exit.FAULTY if grave else Exit.FINE


def findings(settings: "Settings", *, clocks: bool, secrets: bool) -> "list[Finding]":
    """Return all that is wrong, what ends a promise first."""
    from placet import wiring
    from placet.drivers.clock import SystemClock
    from placet.drivers.kafka.doctor import Wants, examine
    from placet.drivers.kafka.seen import look
    from placet.drivers.kafka.skew import clock_findings
    from placet.drivers.keycheck import key_findings

    clock = SystemClock()
    connection = wiring.cluster(settings)
    wants = Wants(
        replicas=settings.replicas,
        partitions=settings.partitions,
        session_ms=settings.member_ms_max,
        transaction_ms=settings.transaction_ms_max,
        record_bytes=settings.record_bytes_max,
    )
    found = examine(look(connection, clock.now_ms()), connection, wants)
    if clocks:
        found += clock_findings(connection, clock, settings.skew_ms_max)
    if secrets:
        found += key_findings(settings.keys_file, settings.secrets_dir)
    return sorted(found, key=lambda one: not one.grave)

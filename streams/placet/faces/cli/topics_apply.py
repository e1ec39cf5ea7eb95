"""`placet topics apply`: make the topics of placet on a Kafka cluster."""

from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, cluster_named
from placet.faces.cli.verb import Exit, Failure, Json

EXAMPLE = "placet topics apply --bootstrap localhost:9092 --partitions 12 --replicas 3"
EXITS = {Exit.FAULTY: "a topic is there and differs, and to mend it would lose something"}
Partitions = Annotated[int | None, typer.Option(min=1, max=1024, help="Decision partitions; never changed later.")]
Replicas = Annotated[
    int | None, typer.Option(min=1, max=7, help="Copies of every partition; 1 is for one broker only.")
]


def run(
    bootstrap: Bootstrap = None,
    partitions: Partitions = None,
    replicas: Replicas = None,
    as_json: Json = False,
) -> Exit:
    """Make every topic that is missing, and set what differs where nothing is lost by it.

    Nothing at all is made or set when one topic could only be mended by losing
    something: fewer partitions, a shorter retention. A second run does nothing.
    """
    place = cluster_named(bootstrap)
    from placet import wiring
    from placet.drivers.kafka.topics import apply_topics
    from placet.errors import Corrupted
    from placet.faces.cli.reading import settings_of

    settings = settings_of(place)
    try:
        applied = apply_topics(
            wiring.cluster(settings),
            partitions=partitions or settings.cluster_partitions,
            replication=replicas or settings.replicas,
        )
    except Corrupted as error:
        raise Failure(
            Exit.FAULTY,
            str(error),
            "`placet topics diff` shows all of it: name the counts the topics have, or another prefix",
        ) from error
    if as_json:
        moved = [{"topic": one.title, "setting": one.setting, "to": one.expected} for one in applied.moved]
        printing.emit({"made": applied.made, "set": moved, "there": applied.kept})
        return Exit.FINE
    for name in applied.made:
        printing.say(f"made {name}")
    for one in applied.moved:
        printing.say(f"set {one.title} {one.setting}={one.expected} (was {one.found})")
    printing.say(f"{len(applied.made)} made, {len(applied.moved)} settings set, {len(applied.kept)} were there")
    return Exit.FINE

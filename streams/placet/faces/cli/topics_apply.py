"""`placet topics apply`: make the topics of placet on a Kafka cluster."""

from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, resolve
from placet.faces.cli.verb import Exit, Json, usage

EXAMPLE = "placet topics apply --bootstrap localhost:9092 --partitions 12 --replicas 3"
EXITS = {Exit.FAULTY: "a topic is there and differs"}


def run(
    bootstrap: Bootstrap = None,
    partitions: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Decision partitions; never changed later.")
    ] = None,
    replicas: Annotated[
        int | None, typer.Option(min=1, max=7, help="Copies of every partition; 1 is for one broker only.")
    ] = None,
    as_json: Json = False,
) -> Exit:
    """Make every topic that is missing, and check those that are there.

    Nothing is made or changed when one differs. A second run makes nothing.
    """
    place = resolve(None, bootstrap, None)
    if not place.bootstrap:
        raise usage("--bootstrap is missing: expected HOST:PORT of a Kafka cluster")
    from placet import wiring
    from placet.drivers.kafka.topics import apply_topics
    from placet.errors import Corrupted
    from placet.faces.cli.reading import settings_of
    from placet.faces.cli.verb import Failure

    settings = settings_of(place)
    try:
        applied = apply_topics(
            wiring.cluster(settings),
            partitions=partitions or settings.cluster_partitions,
            replication=replicas or settings.replicas,
        )
    except Corrupted as error:
        raise Failure(Exit.FAULTY, str(error), "name the counts the topics have, or another prefix") from error
    if as_json:
        printing.emit({"made": applied.made, "there": applied.kept})
        return Exit.FINE
    for name in applied.made:
        printing.say(f"made {name}")
    printing.say(f"{len(applied.made)} made, {len(applied.kept)} were there")
    return Exit.FINE

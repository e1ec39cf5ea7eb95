"""`placet topics diff`: what of a cluster's topics is not as the table says."""

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, cluster_named
from placet.faces.cli.topics_apply import Partitions, Replicas
from placet.faces.cli.verb import Exit, Json

EXAMPLE = "placet topics diff --bootstrap localhost:9092 --partitions 12 --replicas 3"
EXITS = {Exit.FAULTY: "something differs"}
DOES = {"make": "makes it", "set": "sets it", "refuse": "refuses"}


def run(
    bootstrap: Bootstrap = None,
    partitions: Partitions = None,
    replicas: Replicas = None,
    as_json: Json = False,
) -> Exit:
    """Print everything in which the topics differ from the table, and what `topics apply` would do about it.

    Nothing is changed. The counts are those that `topics apply` was given.
    """
    place = cluster_named(bootstrap)
    from placet import wiring
    from placet.drivers.kafka.topics import diff_topics
    from placet.faces.cli.reading import settings_of

    settings = settings_of(place)
    found = diff_topics(
        wiring.cluster(settings),
        partitions=partitions or settings.cluster_partitions,
        replication=replicas or settings.replicas,
    )
    if as_json:
        rows = [
            {
                "topic": one.title,
                "setting": one.setting,
                "found": one.found,
                "expected": one.expected,
                "apply": one.mend.value,
                "why": one.why,
            }
            for one in found
        ]
        printing.emit({"differences": rows})
    elif found:
        table = printing.table(
            ("topic", "setting", "found", "expected", "`topics apply`"),
            [
                (one.title, one.setting, one.found, one.expected, f"{DOES[one.mend]}{one.why and ': '}{one.why}")
                for one in found
            ],
        )
        printing.console().print(table)
    else:
        printing.say("no difference")
    return Exit.FAULTY if found else Exit.FINE

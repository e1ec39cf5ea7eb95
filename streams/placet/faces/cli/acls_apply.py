"""`placet acls apply`: give each role its rights on a Kafka cluster."""

from placet.faces.cli import printing
from placet.faces.cli.acls_show import NAMED, Named, Roles, principals, row_of, table_of
from placet.faces.cli.place import Bootstrap, cluster_named
from placet.faces.cli.verb import Exit, Json

EXAMPLE = "placet acls apply --bootstrap localhost:9092 --as 'User:placet-{role}'"
EXITS = {Exit.FAULTY: "the rights are given, but others may change the topics too"}


def run(bootstrap: Bootstrap = None, role: Roles = None, named: Named = NAMED, as_json: Json = False) -> Exit:
    """Give every role the rights that `acls show` prints; those that are there already stay as they are.

    Nothing is taken away. What others may change of the topics is printed: only
    a worker writes decisions. A second run gives nothing.
    """
    place = cluster_named(bootstrap)
    who = principals(role, named)
    from placet import wiring
    from placet.drivers.kafka.acls import apply_acls
    from placet.faces.cli.reading import settings_of

    granted = apply_acls(wiring.cluster(settings_of(place)), who)
    # With some roles left out, the rights of the others are nobody's business here.
    strange = [] if role else list(granted.strange)
    if as_json:
        parts = {"made": granted.made, "there": granted.kept, "strange": strange}
        printing.emit({name: [row_of(*one) for one in rights] for name, rights in parts.items()})
    else:
        for one, right in granted.made:
            printing.say(f"gave {one} {right.operation} on {right.kind} {right.name}{'*' if right.prefixed else ''}")
        printing.say(f"{len(granted.made)} given, {len(granted.kept)} were there")
        if strange:
            printing.say("rights that nobody should have; take them back with the cluster's own tools:")
            printing.console().print(table_of(strange))
    return Exit.FAULTY if strange else Exit.FINE

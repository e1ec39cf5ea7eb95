"""`placet acls apply`: give each role its rights on a Kafka cluster."""

from placet.faces.cli import printing
from placet.faces.cli.acls_show import Named, OfTenant, Roles, principals, row_of, say_cannot, table_of
from placet.faces.cli.place import Bootstrap, cluster_named
from placet.faces.cli.verb import Exit, Json

EXAMPLE = """
placet acls apply --bootstrap localhost:9092 --as 'User:placet-{role}'
placet acls apply --tenant acme --bootstrap localhost:9092
"""
EXITS = {Exit.FAULTY: "the rights are given, but others may change the topics too"}


def run(
    bootstrap: Bootstrap = None,
    role: Roles = None,
    named: Named = None,
    tenant: OfTenant = None,
    as_json: Json = False,
) -> Exit:
    """Give every role the rights that `acls show` prints; those that are there already stay as they are.

    Nothing is taken away. What others may change of the topics is printed: only
    a worker writes decisions. A second run gives nothing.
    """
    place = cluster_named(bootstrap)
    who = principals(role, named, tenant)
    from placet import wiring
    from placet.drivers.kafka.acls import CANNOT, apply_acls
    from placet.faces.cli.reading import settings_of

    granted = apply_acls(wiring.cluster(settings_of(place)), who)
    # With some roles left out, the rights of the others are nobody's business here.
    strange = [] if role or tenant else list(granted.strange)
    if as_json:
        parts = {"made": granted.made, "there": granted.kept, "strange": strange}
        told: dict[str, object] = {name: [row_of(*one) for one in rights] for name, rights in parts.items()}
        printing.emit(told if tenant is None else {**told, "cannot": list(CANNOT)})
    else:
        for one, right in granted.made:
            printing.say(f"gave {one} {right.operation} on {right.kind} {right.name}{'*' if right.prefixed else ''}")
        printing.say(f"{len(granted.made)} given, {len(granted.kept)} were there")
        say_cannot(tenant)
        if strange:
            printing.say("rights that nobody should have; take them back with the cluster's own tools:")
            printing.console().print(table_of(strange))
    return Exit.FAULTY if strange else Exit.FINE

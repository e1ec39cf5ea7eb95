"""`placet keys rotate`: a new key for who holds one, and an end to the old one once both have had their time."""

from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.configured import settings_with
from placet.faces.cli.keys_new import NotAfter, Operator
from placet.faces.cli.place import Bootstrap, Data, Url, resolve
from placet.faces.cli.verb import Exit, Failure, Json, usage

EXAMPLE = "placet keys rotate agent-agent-billing-bot-1f2e3d4c --overlap 1h --data run"
EXITS = {Exit.REFUSED: "it is compromised, a pinned operator's, or no operator whose key lies here may say so"}
Tenant = Annotated[str | None, typer.Option("--tenant", help="Of which tenant, where more than one has such a kid.")]


def run(
    kid: Annotated[str, typer.Argument(metavar="KID", help="The key that is to end.")],
    overlap: Annotated[str, typer.Option(help="How long both are taken.")] = "1h",
    not_after: NotAfter = "0",
    tenant: Tenant = None,
    operator: Operator = None,
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Make a key for the same principal, purpose and tenant, put it on record, and let the old one end after the overlap.

    Whoever signs takes up the new one at the next start; until the overlap is
    over, both are believed, and nothing is refused.
    """
    from placet.drivers.entropy import SystemEntropy
    from placet.drivers.keyfile import describe, make_key
    from placet.faces.cli.inputs import duration_ms
    from placet.faces.cli.journal import now_ms, opened
    from placet.faces.cli.keyed import folded, instant_ms, of, one_of_them, put

    both_ms = duration_ms(overlap, "--overlap")
    ends = 0 if not_after == "0" else instant_ms(not_after, "--not-after", ahead=True)
    secrets, at = settings_with(data=data).secrets_dir, now_ms()
    if ends and ends <= at + both_ms:
        raise usage("--not-after: the new key would end with the old one", "it is the new key's end, not the old one's")
    with opened(resolve(url, bootstrap, data)) as journal:
        old = one_of_them(folded(journal.log, journal.connection.ring), kid, tenant)
        if old.compromised_at:
            raise Failure(Exit.REFUSED, f"`{kid}` is compromised: it has no overlap", "`placet keys new` makes another")
        if old.purpose == "seal" or (old.pinned and old.purpose == "operator"):
            hint = "`placet keys add` pins its successor; take it out of the key file then"
            raise Failure(
                Exit.REFUSED, f"`{kid}` is a pinned {old.purpose} key: its file alone says when it ends", hint
            )
        entry = make_key(secrets, old.purpose, old.issuer, SystemEntropy(), old.tenant, old.sources)  # type: ignore[arg-type]
        new = put(journal, of(entry, at, ends), operator)
        describe(secrets, entry)
        ended = min(old.not_after or at + both_ms, at + both_ms)
        # Crash here: the new key is on record and the old one does not end yet. Saying it again makes one more.
        put(journal, old._replace(not_after=max(ended, old.not_before)), operator)
    if as_json:
        printing.emit(
            {**entry.model_dump(), "replaces": kid, "old_not_after": ended, "recorded": new._replace(record=None)}
        )
    else:
        printing.say(
            new.line(f"{entry.kid}: {entry.purpose} key of {entry.issuer}, on record; {kid} ends in {overlap}")
        )
    return Exit.FINE

"""`placet keys revoke`: say that a key is in other hands as well."""

from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.keys_new import Operator
from placet.faces.cli.keys_rotate import Tenant
from placet.faces.cli.place import Bootstrap, Data, Url, resolve
from placet.faces.cli.verb import Exit, Failure, Json

EXAMPLE = "placet keys revoke agent-agent-billing-bot-1f2e3d4c --compromised-at 2h --data run"
EXITS = {Exit.REFUSED: "it is a seal key, or no operator whose key lies here may say so"}


def run(
    kid: Annotated[str, typer.Argument(metavar="KID", help="The key, pinned or on record.")],
    compromised_at: Annotated[
        str, typer.Option(help="Since when: 2h ago, or an instant as 2026-11-27T14:00:00Z. Else now.")
    ] = "0s",
    tenant: Tenant = None,
    operator: Operator = None,
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Say that a key is compromised. It is never taken back.

    From when a desk hears it, nothing signed with it is taken any more, and what
    is open of its intents is denied, revoked or stopped. What an operator's key
    said from that instant on is taken back too: keys, mandates, packs.
    """
    from placet.faces.cli.journal import now_ms, opened
    from placet.faces.cli.keyed import folded, instant_ms, one_of_them, put

    since = min(instant_ms(compromised_at, "--compromised-at", ahead=False), now_ms())
    with opened(resolve(url, bootstrap, data)) as journal:
        known = one_of_them(folded(journal.log, journal.connection.ring), kid, tenant)
        if known.purpose == "seal":
            hint = "pin another with `placet keys add seal`, and take this one out of every key file"
            raise Failure(Exit.REFUSED, f"`{kid}` is a seal key: it is proved by key files alone", hint)
        where = put(journal, known._replace(compromised_at=since), operator)
    if as_json:
        printing.emit(
            {"kid": kid, "tenant": known.tenant, "compromised_at": since, "recorded": where._replace(record=None)}
        )
    else:
        printing.say(where.line(f"{kid}: compromised since {since}"))
    return Exit.FINE

"""`placet mandate revoke`: end a mandate, and all below it, for good."""

from placet.faces.cli.mandate_narrow import Mandate
from placet.faces.cli.mandate_suspend import change
from placet.faces.cli.place import Bootstrap, Data, Tenant, Url
from placet.faces.cli.verb import Exit, Json

EXAMPLE = "placet mandate revoke refunds --tenant acme --data run"
EXITS: dict[Exit, str] = {}


def run(
    mandate: Mandate,
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Revoke a mandate: nothing is granted under it or below it any more.

    Waiting intents are denied, open grants revoked, claimed actions told to
    stop. Only `placet mandate grant --replace` makes one of its name again.
    """
    return change(mandate, "revoked", tenant, (url, bootstrap, data), as_json=as_json)

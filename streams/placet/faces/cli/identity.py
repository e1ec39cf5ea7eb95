"""`placet identity`: who a SPIFFE id, or the claims of a token, is here."""

import json
from pathlib import Path
from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.configured import settings_with
from placet.faces.cli.verb import Exit, Failure, Json, usage

EXAMPLE = """
placet identity spiffe://example.org/agents/acme/billing-bot --rules identity.json
placet identity --claims claims.json --rules identity.json
placet identity --token token.jwt --rules identity.json
"""
EXITS = {Exit.FAULTY: "the rules contradict themselves", Exit.REFUSED: "it is nobody here"}


def run(
    spiffe_id: Annotated[str | None, typer.Argument(metavar="[SPIFFE-ID]", help="Of a workload.")] = None,
    claims: Annotated[
        Path | None, typer.Option(help="The claims of a token whose signature was verified, as JSON; - for stdin.")
    ] = None,
    token: Annotated[
        Path | None, typer.Option(help="A signed token (JWT, JWT-SVID), verified by its issuer's keys; - for stdin.")
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(help="The rules. Else PLACET_IDENTITY, else identity.json of the data folder.")
    ] = None,
    as_json: Json = False,
) -> Exit:
    """Print the tenant and the principal that an id, a token or its claims map to by the rules, or why to none.

    A token is verified as the HTTP face does it. Of an id or of claims nothing
    is verified: neither a certificate nor a signature. Audience, expiry and
    issuer are held against the rules and this clock.
    """
    from placet.drivers.identityfile import read_identities
    from placet.drivers.tokens import read_tokens
    from placet.errors import PoisonRecord
    from placet.faces.cli.inputs import text_of
    from placet.faces.cli.journal import now_ms

    if sum(one is not None for one in (spiffe_id, claims, token)) != 1:
        raise usage("expected a SPIFFE id, --claims or --token, one of the three")
    settings = settings_with(identity=rules)
    known = read_identities(settings.identity_file)
    try:
        if token is not None:
            who = read_tokens(settings.identity_file).read(text_of(token).strip(), now_ms(), settings.skew_ms_max).who
        elif claims is None:
            who = known.of_spiffe(spiffe_id or "")
        else:
            try:
                said = json.loads(text_of(claims))
            except ValueError as error:
                raise usage(f"{claims}: not JSON: {error}") from None
            if not isinstance(said, dict):
                raise usage(f"{claims}: expected a JSON object of claims")
            who = known.of_claims(said, now_ms(), settings.skew_ms_max)
    except PoisonRecord as nobody:
        raise Failure(Exit.REFUSED, str(nobody), f"{settings.identity_file} says who is who") from None
    if as_json:
        printing.emit(who)
    else:
        printing.say(f"{who.principal} of tenant {who.tenant}")
    return Exit.FINE

"""`placet approvals approve`: say yes to what waits for people."""

from typing import Annotated

import typer

from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.verb import Exit, Json, usage
from placet.faces.cli.votes import Token
from placet.faces.cli.withdraw import Whose, id_of

EXAMPLE = """
placet approvals approve 0190f3c2a4b87c3e9d1f5a6b7c8d9e0f --as user:flo --tenant acme --data run
placet approvals approve --all-like 0190f3c2a4b87c3e9d1f5a6b7c8d9e0f --as user:flo --tenant acme --data run
"""
EXITS = {Exit.NOT_RUN: "could not run, or it does not wait", Exit.REFUSED: "a vote was refused"}


def run(
    intent: Annotated[str, typer.Argument(metavar="[ID]", help="The intent, 32 hex digits.")] = "",
    all_like: Annotated[str, typer.Option(help="Instead: an intent, and all that wait and are identical to it.")] = "",
    voter: Annotated[
        str | None, typer.Option("--as", help="Who votes. Else whose newest approver's key lies here.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, in words.")] = "",
    arguments: Annotated[
        str, typer.Option(help="Narrower arguments, one JSON object: ints may be less, members of lists left out.")
    ] = "",
    token: Token = None,
    authority: Whose = None,
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Approve an intent that waits, signed with the approver's key, and wait for the desk's answer.

    The vote is bound to the digest of the intent as it was read. It counts
    once; enough of them, of those who are asked, and it is decided again.
    Of an emergency that was granted it says that it was right to call one.
    """
    from placet.faces.cli.journal import opened
    from placet.faces.cli.waiting import asking_in, cast, one_of, tell

    if bool(intent) == bool(all_like):
        raise usage("expected one of ID and --all-like ID")
    wanted = id_of(intent or all_like)
    with opened(resolve(url, bootstrap, data)) as journal:
        chosen = one_of(asking_in(journal.log, tenant), wanted, like=bool(all_like), authority=authority)
        answers = cast(journal, chosen, approve=True, voter=voter, reason=reason, arguments=arguments, token=token)
    return tell(answers, as_json=as_json)

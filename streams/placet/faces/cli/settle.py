"""`placet settle`: say what became of an action whose executor fell silent."""

from typing import Annotated

import typer

from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.verb import Exit, Json, usage
from placet.faces.cli.withdraw import Attempt, Authority, Intent, id_of

EXAMPLE = "placet settle 0190f3c2a4b87c3e9d1f5a6b7c8d9e0f done --authority user:ada --detail 'seen in the ledger' --tenant acme --data run"
EXITS = {Exit.REFUSED: "nothing was unknown under this id"}


def run(
    intent: Intent,
    result: Annotated[str, typer.Argument(help="done or failed.")],
    authority: Authority,
    attempt: Attempt = 1,
    detail: Annotated[str, typer.Option(help="How it is known, in words.")] = "",
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Settle an intent whose outcome is unknown, as the operator, and wait for the answer.

    An unknown outcome counts as spent until a person, or a late outcome of the
    executor that claimed it, says otherwise.
    """
    from placet.faces.cli.answers import answered, tell
    from placet.faces.cli.journal import named, now_ms, opened
    from placet.model.codec import outcome
    from placet.model.reasons import State
    from placet.model.topics import Topic

    place = resolve(url, bootstrap, data)
    named(tenant, "--tenant"), named(authority, "--authority")
    results = {"done": State.DONE, "failed": State.FAILED}
    if result not in results:
        raise usage(f"RESULT: `{result}`: expected done or failed")
    record = outcome.Outcome(
        tenant=tenant,
        authority=authority,
        id=id_of(intent),
        attempt=attempt,
        executor="",
        nonce=bytes(16),
        result=results[result],
        ran_digest=b"",
        sensitivity="",
        origin="",
        detail=detail,
        finished_at=now_ms(),
        proof=None,
    )
    with opened(place) as journal:
        answer = answered(journal, Topic.OUTCOMES, outcome, record, "operator")
    return tell(answer, as_json=as_json)

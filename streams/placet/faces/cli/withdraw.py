"""`placet withdraw`: take an intent back."""

from typing import Annotated

import typer

from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.verb import Exit, Json, usage

EXAMPLE = "placet withdraw 0190f3c2a4b87c3e9d1f5a6b7c8d9e0f --authority user:ada --actor agent:billing-bot --tenant acme --data run"
EXITS = {Exit.REFUSED: "it was refused, or came too late"}

Whose = Annotated[str | None, typer.Option("--authority", help="Whose intent, where two wait under one id.")]
Intent = Annotated[str, typer.Argument(metavar="ID", help="The intent, 32 hex digits.")]
Authority = Annotated[
    str, typer.Option(help="Who answers for the intent; with the tenant it says where it is decided.")
]
Attempt = Annotated[int, typer.Option(min=1, help="Which attempt.")]


def run(
    intent: Intent,
    authority: Authority,
    actor: Annotated[str, typer.Option(help="Who takes it back: who asked.")],
    attempt: Attempt = 1,
    reason: Annotated[str, typer.Option(help="Why, in words.")] = "",
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Take back an intent that is deferred, pending or granted, and wait for the answer.

    What was claimed has begun and cannot be taken back.
    """
    from placet.faces.cli.answers import answered, tell
    from placet.faces.cli.journal import named, opened
    from placet.model.codec import withdraw
    from placet.model.topics import Topic

    place = resolve(url, bootstrap, data)
    named(tenant, "--tenant"), named(authority, "--authority"), named(actor, "--actor")
    record = withdraw.Withdraw(tenant, authority, id_of(intent), attempt, actor, reason, None)
    with opened(place) as journal:
        answer = answered(journal, Topic.INTENTS, withdraw, record, "operator")
    return tell(answer, as_json=as_json)


def id_of(text: str) -> bytes:
    """Return an intent's id from its 32 hex digits."""
    try:
        raw = bytes.fromhex(text.replace("-", ""))
    except ValueError:
        raw = b""
    if len(raw) != 16:
        raise usage(f"ID: `{text}`: expected 32 hex digits, as `placet tail` shows them")
    return raw

"""`placet keys new`: make a key pair, and put its public half on record."""

import os
from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.configured import settings_with
from placet.faces.cli.place import Bootstrap, Data, Url, resolve
from placet.faces.cli.verb import Exit, Json, usage

EXAMPLE = "placet keys new agent --issuer agent:billing-bot --tenant acme --not-after 90d --data run"
EXITS = {Exit.REFUSED: "no operator whose key lies here may put it on record"}
PURPOSES = ("operator", "executor", "agent", "approver", "feed", "directory")
GIVEN = ("PLACET_URL", "PLACET_BOOTSTRAP", "PLACET_DATA")
Operator = Annotated[
    str | None, typer.Option("--as", metavar="ISSUER", help="The operator who says so, where keys of more lie here.")
]
NotAfter = Annotated[
    str, typer.Option(help="When it ends: 90d from now, or an instant as 2026-11-27T14:00:00Z. 0: it does not.")
]


def run(
    purpose: Annotated[str, typer.Argument(help=f"The one thing it may sign for: {', '.join(PURPOSES)}.")],
    issuer: Annotated[str, typer.Option(help="The principal that holds it.")],
    tenant: Annotated[str, typer.Option(help="The one tenant whose records it may sign; else of every tenant.")] = "",
    source: Annotated[
        list[str] | None,
        typer.Option(
            help="A source a feed or a directory may name besides itself; a last `*` is any rest. May be repeated."
        ),
    ] = None,
    not_before: Annotated[str, typer.Option(help="When it begins: 1h from now, or an instant. 0: at once.")] = "0",
    not_after: NotAfter = "0",
    operator: Operator = None,
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Make an Ed25519 key pair: the private half in DATA/secrets; the public one is put on record by the operator, and printed.

    Running desks believe it as soon as they read it. Where no journal is named,
    by an option or the environment, it is only made: hand what is printed with
    --json to an operator, for `placet keys put`. Seal keys are pinned: `placet keys add seal`.
    """
    from placet.drivers.entropy import SystemEntropy
    from placet.drivers.keyfile import describe, make_key
    from placet.faces.cli.journal import named, one_of, opened
    from placet.faces.cli.keyed import instant_ms, of, put

    one_of(purpose, "PURPOSE", PURPOSES)
    named(issuer, "--issuer")
    if tenant:
        named(tenant, "--tenant")
    sources = tuple(source or ())
    if sources and purpose not in ("feed", "directory"):
        raise usage("--source: only a feed or a directory names sources")
    for name in sources:
        named(name.removesuffix("*") or "any", "--source")
    begins = 0 if not_before == "0" else instant_ms(not_before, "--not-before", ahead=True)
    ends = 0 if not_after == "0" else instant_ms(not_after, "--not-after", ahead=True)
    if ends and ends < begins:
        raise usage("--not-after: it ends before it begins")
    secrets = settings_with(data=data).secrets_dir
    recorded = bool(url or bootstrap or data) or any(os.environ.get(name) for name in GIVEN)
    entry = make_key(secrets, purpose, issuer, SystemEntropy(), tenant, sources)  # type: ignore[arg-type]
    where = None
    if recorded:
        with opened(resolve(url, bootstrap, data)) as journal:
            where = put(journal, of(entry, begins, ends), operator)
        describe(secrets, entry)
    if as_json:
        said = {**entry.model_dump(), "not_before": begins, "not_after": ends}
        printing.emit(said if where is None else {**said, "recorded": where._replace(record=None)})
    elif where is None:
        printing.say(f"{entry.kid}: {purpose} key of {issuer}, public half {entry.public}, not on record")
        printing.say("next: `placet keys put` by an operator puts it there")
    else:
        printing.say(where.line(f"{entry.kid}: {purpose} key of {issuer}, public half {entry.public}, on record"))
    return Exit.FINE

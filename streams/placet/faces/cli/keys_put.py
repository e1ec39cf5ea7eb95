"""`placet keys put`: put on record a public key that was made elsewhere."""

import json
from pathlib import Path
from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.configured import settings_with
from placet.faces.cli.keys_new import Operator
from placet.faces.cli.place import Bootstrap, Data, Url, resolve
from placet.faces.cli.verb import Exit, Failure, Json, usage

EXAMPLE = "placet keys put billing-bot.json --data run"
EXITS = {
    Exit.FAULTY: "the file is no description of a key",
    Exit.REFUSED: "no operator whose key lies here may put it on record",
}


def run(
    file: Annotated[Path, typer.Argument(help="What `placet keys new --json` printed where it was made; - for stdin.")],
    operator: Operator = None,
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Put a public key on record, signed by the operator. The private half stays where it was made."""
    from pydantic import ValidationError

    from placet.drivers.keyfile import KeyEntry, describe
    from placet.faces.cli.inputs import text_of
    from placet.faces.cli.journal import opened
    from placet.faces.cli.keyed import of, put

    try:
        said = json.loads(text_of(file))
        begins, ends = int(said.pop("not_before", 0)), int(said.pop("not_after", 0))
        said.pop("recorded", None)
        entry = KeyEntry.model_validate({**said, "sources": tuple(said.get("sources", ()))})
    except (ValueError, ValidationError, AttributeError, TypeError):
        raise Failure(Exit.FAULTY, f"{file}: expected what `placet keys new --json` prints") from None
    if entry.purpose == "seal":
        raise usage(f"{file}: seals are proved by pinned keys alone", "`placet keys add seal` pins one")
    with opened(resolve(url, bootstrap, data)) as journal:
        where = put(journal, of(entry, begins, ends), operator)
    describe(settings_with(data=data).secrets_dir, entry)
    if as_json:
        printing.emit({**entry.model_dump(), "recorded": where._replace(record=None)})
    else:
        printing.say(where.line(f"{entry.kid}: {entry.purpose} key of {entry.issuer}, on record"))
    return Exit.FINE

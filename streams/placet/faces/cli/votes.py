"""What verbs that vote are given of how their voter authenticated."""

from pathlib import Path
from typing import Annotated

import typer

Token = Annotated[
    Path | None,
    typer.Option(
        "--token",
        metavar="FILE",
        help="An OpenID token of who votes, - for stdin: says how and when they authenticated, where rules ask for that. "
        "Its issuer and keys stand in identity.json.",
    ),
]

"""The settings of a process, from the environment and what a verb was given."""

from typing import TYPE_CHECKING, Any

from placet.faces.cli.verb import usage

if TYPE_CHECKING:
    from placet.drivers.settings import Settings


def settings_with(**given: Any) -> "Settings":
    """Return the settings of the environment with what is given and not None; wrong values are wrong usage."""
    from pydantic import ValidationError

    from placet.drivers.settings import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        name = "_".join(str(part) for part in fault["loc"]).upper()
        where = f"PLACET_{name}: " if name else ""
        raise usage(f"{where}{str(fault['msg']).removeprefix('Value error, ')}") from None

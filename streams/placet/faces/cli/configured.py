"""The settings of a process, from the environment and what a verb was given."""

import re
from typing import TYPE_CHECKING, Any

from placet.faces.cli.verb import usage

if TYPE_CHECKING:
    from placet.drivers.settings import Settings


def settings_with(**given: Any) -> "Settings":
    """Return the settings of the environment with what is given and not None; wrong values are wrong usage."""
    from pydantic import ValidationError

    from placet.drivers.settings import Settings, Unread

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except Unread as unread:
        # It says which field, and its cause only where in the text: the text may hold a password.
        named = re.search(r'field "(\w+)"', str(unread))
        variable = f"PLACET_{named[1].upper()}" if named else "the environment"
        raise usage(f"{variable}: not JSON: {unread.__cause__}") from None
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        name = "_".join(str(part) for part in fault["loc"]).upper()
        where = f"PLACET_{name}: " if name else ""
        raise usage(f"{where}{str(fault['msg']).removeprefix('Value error, ')}") from None

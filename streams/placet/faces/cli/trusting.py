"""Whom a verb believes: verifier keys it was given, or a policy file."""

from pathlib import Path
from typing import TYPE_CHECKING

from placet.faces.cli.verb import usage

if TYPE_CHECKING:
    from placet.provenance.trust import TrustPolicy


def policy_in(path: Path) -> "TrustPolicy":
    """Return what a tlog-policy file says; one that cannot be read or understood is wrong usage."""
    from placet.provenance.trust import read_policy

    try:
        # Bytes past ASCII are opaque there.
        return read_policy(path.read_bytes().decode("utf-8", "surrogateescape"))
    except OSError as error:
        raise usage(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as fault:
        raise usage(f"{path}: {fault}") from None

"""What the packs of a set provide for an emergency, and what its review has to ask: worked out from the packs alone."""

from typing import NamedTuple

from placet.faces.auditor.asking import Wanted, wanted_of
from placet.faces.auditor.joining import Joined
from placet.faces.auditor.packs import Plain

UNREVIEWED_MOST = 16


class Glass(NamedTuple):
    """What an emergency may do where people would be asked: for how long, who looks at it after, and how many may be open."""

    lease_ms: int
    wanted: Wanted
    most: int


def glass_of(forms: list[Plain | None]) -> Glass | None:
    """Return what all rules that ask people provide for an emergency, or None where one of them does not."""
    given = [form for form in forms if form]
    wanted = wanted_of([form["review"] for form in given])
    if len(given) != len(forms) or wanted is None or not wanted.of(0):
        return None
    most = min(form.get("unreviewed_max", UNREVIEWED_MOST) for form in given)
    return Glass(min(form["lease_ms"] for form in given), wanted, most)


def review_of(glass: Glass, known: Joined, instant: int) -> Plain:
    """Return what the review of an emergency has to say of whom it asks, and of whom not."""
    owner = known.roots.get("resource", {}).get("owner")
    names = {owner if name == "owner" else name for name in glass.wanted.of(0)} - {None}
    acr, age_ms = glass.wanted.proof
    return {
        "quorum": glass.wanted.quorum,
        "eligible": sorted(names),
        "acr": acr,
        "auth_age_ms_max": age_ms,
        "expires_at": instant + glass.wanted.expires_ms,
        "unreviewed_max": glass.most,
        "owner": known.roots["actor"]["owner"] or "",
    }

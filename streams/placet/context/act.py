"""A chain of delegation as the `act` claims of a token, and back (RFC 8693 §4.1).

`sub` is who answers for it; the outermost `act` the current actor, the one most
deeply nested the first that authority was handed to.
"""

from collections.abc import Mapping
from typing import Any, NoReturn

from placet.context.chain import DEPTH_MAX
from placet.errors import PoisonRecord
from placet.model import strict
from placet.model.reasons import Reason

IN_ACT = frozenset({"sub", "act"})


def claims_of(members: tuple[str, ...]) -> dict[str, Any]:
    """Return the claims of a chain whose `members` go from the authority to the current actor.

    Who acts for nobody else is a `sub` without an `act`.
    """
    authority, *actors = members
    nested: dict[str, Any] = {}
    for actor in actors:
        nested = {"act": {"sub": actor, **nested}}
    return {"sub": authority, **nested}


def members_of(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the members of a chain, the authority first, from the claims of a token that was verified before.

    Claims of the token beside `sub` and `act` are not looked at; within an
    `act` there may be no others, for they would be of an identity that is not
    placet's, or mean nothing (§4.1). Raise PoisonRecord for what is no chain of
    at most DEPTH_MAX actors.
    """
    authority, actors = _subject(claims, "sub"), list[str]()
    inner, path = claims.get("act"), "act"
    if "act" in claims and inner is None:
        _refuse("act is null", "an object")
    while inner is not None:
        if not isinstance(inner, Mapping):
            _refuse(f"{path} is {type(inner).__name__}", "an object")
        beside = sorted(map(str, inner.keys() - IN_ACT))
        if beside:
            _refuse(f"{path} has `{beside[0][:64]}`", "`sub`, and `act` where another acted before")
        if len(actors) == DEPTH_MAX:
            _refuse(f"{path} is deeper than a chain may be", f"at most {DEPTH_MAX} actors")
        actors.append(_subject(inner, f"{path}.sub"))
        path += ".act"
        if "act" in inner and inner["act"] is None:
            _refuse(f"{path} is null", "an object")
        inner = inner.get("act")
    return (authority, *reversed(actors))


def read_act(text: bytes) -> tuple[str, ...]:
    """Return the members of a chain from the JSON of a token's claims, each name given once; raise PoisonRecord else."""
    try:
        claims = strict.parse(text)
    except PoisonRecord as error:
        raise PoisonRecord(f"claims: {str(error).removeprefix('arguments: ')}", Reason.MALFORMED) from None
    return members_of(claims)


def _subject(claims: Mapping[str, Any], path: str) -> str:
    said = claims.get("sub")
    if not isinstance(said, str):
        _refuse(f"{path} is {'missing' if said is None else type(said).__name__}", "the name of a principal")
    return strict.identifier(said, path)


def _refuse(found: str, expected: str) -> NoReturn:
    raise PoisonRecord(f"{found}: expected {expected}", Reason.MALFORMED)

"""What a halt is about: the auditor's own reading of a scope."""

import re
from collections.abc import Iterable

from placet.faces.auditor.records import Fields

_NAME = r"[A-Za-z0-9][A-Za-z0-9._:/@+~%=#,\-]*"
NAME = re.compile(_NAME)
SCOPE = re.compile(rf"all|tenant|(authority|agent|tool)/{_NAME}|action/({_NAME})?\*?")
NAME_MAX = 256


def is_scope(scope: str, halt_id: str) -> bool:
    """Whether a desk takes a halt of this scope and id."""
    name = scope.partition("/")[2].removesuffix("*")
    whole = SCOPE.fullmatch(scope) is not None and scope != "action/"
    return whole and max(len(name), len(halt_id)) <= NAME_MAX and NAME.fullmatch(halt_id) is not None


def halt_covers(tenant: str, scope: str, said: Fields, chain: Iterable[str], executor: str) -> bool:
    """Whether a halt is about the intent that `said` names, about anybody in its chain, or about who has claimed it."""
    kind, _, name = scope.partition("/")
    if kind == "all":
        return True
    if said["tenant"] != tenant:
        return False
    if kind == "action":
        action: str = said["action"]
        return action == name or (name.endswith("*") and action.startswith(name[:-1]))
    if kind == "tool":
        return name in (said["audience"], executor)
    if kind == "agent":
        return name in chain
    return kind == "tenant" or bool(said["authority"] == name)

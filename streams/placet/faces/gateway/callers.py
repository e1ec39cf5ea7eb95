"""Who calls: this installation itself, or a principal that a token proves, who then speaks for itself alone."""

from collections.abc import MutableMapping
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request

from placet.context.identity import Who
from placet.faces.gateway.bodies import ClaimBody, IntentBody, OutcomeBody, VoteBody, WithdrawBody
from placet.faces.gateway.problems import Problem

WHO = "placet.who"
"""In a request's scope: the principal that its token proved; with this installation's own token nothing stands there."""
SPEAKS: dict[type[BaseModel], str] = {
    IntentBody: "actor",
    WithdrawBody: "actor",
    ClaimBody: "executor",
    OutcomeBody: "executor",
    VoteBody: "voter",
}
"""What a principal may send, and the field that must name it. Whatever else there is takes this installation's token."""
READS = ("/v1/intents",)
SENDS = ("/v1/intents", "/v1/withdraw", "/v1/claims", "/v1/outcomes", "/v1/votes")


def admit(scope: MutableMapping[str, Any], who: Who) -> None:
    """Note who calls; raise Problem for a path that is not open to principals."""
    path, method = scope["path"], scope["method"]
    reads = method == "GET" and (path in READS or path.startswith("/v1/intents/"))
    inbox = method == "GET" and path == "/v1/approvals" and who.principal.startswith("user:")  # people say yes or no
    if not (reads or inbox or (method == "POST" and path in SENDS)):
        raise Problem(403, f"`{who.principal}` asks for what is not a principal's", "path", "this installation's token")
    scope[WHO] = who


def hold(request: Request, body: BaseModel) -> None:
    """Raise Problem where a principal speaks in another's name, or in another tenant."""
    who: Who | None = request.scope.get(WHO)
    if who is None:
        return
    field = SPEAKS.get(type(body))
    if field is None:
        raise Problem(403, "a body that no principal sends", "body", "this installation's token")
    for name, mine in (("tenant", who.tenant), (field, who.principal)):
        if getattr(body, name) != mine:
            raise Problem(403, f"`{getattr(body, name)}`, and the token is of `{mine}`", f"body.{name}", f"`{mine}`")


def tenant_of(request: Request, asked: str) -> str:
    """Return the tenant a request may read of: of a principal its own, else the one that is `asked`."""
    who: Who | None = request.scope.get(WHO)
    if who is None:
        return asked
    if asked not in ("", who.tenant):
        raise Problem(403, f"`{asked[:64]}`, and the token is of `{who.tenant}`", "tenant", f"`{who.tenant}`")
    return who.tenant

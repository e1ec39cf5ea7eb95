"""Recorded calls of a shop's agent put before placet: it may look for anybody, and change things for who was identified."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.evals.agentdojo.tools import name_of
from tests.evals.stand import Back, Said, Session, Stand
from tests.evals.taubench.runs import Call, Run

PACK = Path(__file__).parent / "packs" / "retail"
TENANT = "shop"
VISITOR = "user:visitor"
CHANGES = (
    "modify_pending_order_address",
    "modify_pending_order_items",
    "modify_pending_order_payment",
    "modify_user_address",
    "return_delivered_order_items",
    "exchange_delivered_order_items",
    "cancel_pending_order",
)
LOOKS = (
    "find_user_id_by_name_zip",
    "find_user_id_by_email",
    "get_user_details",
    "get_order_details",
    "get_product_details",
    "list_all_product_types",
    "calculate",
    "think",
    "transfer_to_human_agents",
)


class Driven(NamedTuple):
    """A run and the first answer to each of its calls, in order."""

    run: Run
    said: tuple[Said, ...]


def resource_of(call: Call) -> str:
    """Return what a call is about: an order, a customer's profile, a product, or the shop itself."""
    for argument, noun in (("order_id", "order"), ("user_id", "profile"), ("product_id", "product")):
        if call.args.get(argument):
            return name_of(noun, str(call.args[argument]))
    return "shop/self"


def identified_by(call: Call) -> str:
    """Return the customer whom a call found, or an empty text."""
    return call.result if call.function.startswith("find_user_id") and not call.failed else ""


def owner_in(call: Call) -> str:
    """Return whose order a call brought back, or an empty text."""
    if call.function != "get_order_details" or call.failed:
        return ""
    return str(json.loads(call.result)["user_id"])


def back_of(call: Call) -> Back:
    """Return what the executor reports: the shop's own data is internal, the customer's words never come by a tool."""
    return Back("internal", call.failed)


def drive(runs: Iterable[Run], folder: Path, *, synced: bool = True) -> Iterator[Driven]:
    """Yield every run with the answers to its calls, decided over a journal in `folder`."""
    known = list(runs)
    with Stand(folder, synced=synced) as stand:
        stand.open_tenant(TENANT, PACK, sorted({f"agent:{run.agent}" for run in known}))
        stand.know(TENANT, VISITOR)
        for run in known:
            yield Driven(run, tuple(_said(stand, run)))


def _said(stand: Stand, run: Run) -> Iterator[Said]:
    session = _open(stand, run, VISITOR, LOOKS)
    for call in run.calls:
        yield stand.ask(session, f"retail.{call.function}", resource_of(call), call.args, back_of(call))
        if owner := owner_in(call):
            stand.label(TENANT, resource_of(call), f"user:{owner}")
        if customer := identified_by(call):
            stand.know(TENANT, f"user:{customer}")
            stand.label(TENANT, name_of("profile", customer), f"user:{customer}")
            session = _open(stand, run, f"user:{customer}", (*LOOKS, *CHANGES))


def _open(stand: Stand, run: Run, person: str, functions: Iterable[str]) -> Session:
    actions = [f"retail.{function}" for function in functions]
    return stand.open_session(TENANT, f"agent:{run.agent}", person, actions, ("*",), "serve the customer")

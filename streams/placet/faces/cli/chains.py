"""A chain of mandates as people and programs read it: each link's status, what it grants, what of it grants nothing, what breaks it."""

from typing import Any

from placet.context.attenuation import Terms, excess, granted, limit_text
from placet.context.chain import DEPTH_MAX
from placet.context.halts import ALL, TENANT
from placet.context.parties import Meeting, Refused
from placet.context.tables import MANDATE, PRINCIPAL, Tables
from placet.faces.cli.delegation import below, record_of, row_of
from placet.model.case import MandateRow
from placet.model.reasons import Reason


def upwards(tables: Tables, tenant: str, name: str) -> list[MandateRow]:
    """Return the links from a mandate up to its root, as far as they are known; one that goes round stops there."""
    links: list[MandateRow] = []
    while name and len(links) <= DEPTH_MAX:
        row = tables.mandates.get(f"{MANDATE}{tenant}/{name}")
        if row is None or row in links:
            break
        links.append(row)
        name = row.parent
    return links


def breaks(tables: Tables, tenant: str, row: MandateRow, instant: int) -> str:
    """Return why a desk would grant nothing under a mandate, whatever is asked; nothing where it holds.

    The desk's own join says it, for whoever holds the mandate, and then the halts.
    """
    root = upwards(tables, tenant, row.id)[-1]
    try:
        party = Meeting(tables).party(tenant, row.id, row.delegate, root.delegator, instant)
    except Refused as refused:
        return f"{refused.detail} is not known" if refused.reason is Reason.PRINCIPAL_UNKNOWN else refused.detail
    covered = {TENANT, "action/*", f"authority/{root.delegator}", *(f"agent/{name}" for name in party.members)}
    for halt in tables.halts.standing(instant):
        if halt.scope == ALL or (halt.tenant == tenant and halt.scope in covered):
            return f"halt `{halt.id}` of {halt.scope}"
    return ""


def view_of(tables: Tables, tenant: str, name: str, instant: int) -> dict[str, Any]:
    """Return a chain as JSON has it, the root's link first; raise Failure where nobody granted the mandate."""
    row = row_of(tables, tenant, name)
    up = upwards(tables, tenant, name)
    rows = up[::-1]
    broken = breaks(tables, tenant, row, instant)
    links = []
    for number, each in enumerate(rows):
        said, together = record_of(each), granted(rows[: number + 1])
        holder = rows[number + 1].delegator if number + 1 < len(rows) else each.delegate
        beyond = excess(each, granted(rows[:number])) if number else ()
        links.append(
            {
                "id": each.id,
                "delegator": each.delegator,
                "delegate": each.delegate,
                "task": each.task,
                "status": said.status,
                "claims": _terms(Terms(each.actions, each.resources, each.expires_at, each.limits)),
                "grants": _terms(together),
                "ineffective": [one.line() for one in beyond],
                "breaks": _faults(tables, tenant, each, said.status, holder, instant),
            }
        )
    return {
        "id": name,
        "tenant": tenant,
        "authority": rows[0].delegator,
        "actor": row.delegate,
        "holds": not broken,
        "breaks": broken,
        "grants": None if broken else _terms(granted(rows)),
        "links": links,
        "below": below(tables, tenant, name),
    }


def listed(tables: Tables, tenant: str, principal: str, instant: int) -> list[dict[str, Any]]:
    """Return every mandate that a principal gave or was given, by name, each with whether its chain holds."""
    begins = f"{MANDATE}{tenant}/"
    rows = [row for key, row in sorted(tables.mandates.items()) if key.startswith(begins)]
    found = []
    for row in rows:
        if principal in (row.delegator, row.delegate):
            broken = breaks(tables, tenant, row, instant)
            found.append(
                {
                    "id": row.id,
                    "delegator": row.delegator,
                    "delegate": row.delegate,
                    "parent": row.parent,
                    "status": record_of(row).status,
                    "expires_at": row.expires_at,
                    "holds": not broken,
                    "breaks": broken,
                }
            )
    return found


def _terms(terms: Terms) -> dict[str, Any]:
    return {
        "actions": list(terms.actions),
        "resources": list(terms.resources),
        "expires_at": terms.expires_at,
        "limits": [limit_text(limit) for limit in terms.limits],
    }


def _faults(tables: Tables, tenant: str, row: MandateRow, status: str, holder: str, instant: int) -> list[str]:
    """Return what is wrong at one link: its own state, who holds it, and who handed it on or was given it."""
    found = []
    if status != "active":
        found.append(f"it is {status}")
    if row.expires_at and row.expires_at <= instant:
        found.append(f"it ended at {row.expires_at}")
    if row.delegate != holder:
        found.append(f"it was not given to `{holder}`, who hands it on")
    if row.parent and f"{MANDATE}{tenant}/{row.parent}" not in tables.mandates:
        found.append(f"its parent `{row.parent}` is not known")
    for name in dict.fromkeys((row.delegator, row.delegate)):
        known = tables.principals.get(f"{PRINCIPAL}{tenant}/{name}")
        if known is None:
            found.append(f"`{name}` is not known")
        elif not known.active:
            found.append(f"`{name}` is {known.status}")
    return found

"""`placet limits show`: what is held and spent of each limit that counts an authority."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.verb import Exit, Json

if TYPE_CHECKING:
    from placet.ports import Log

EXAMPLE = "placet limits show --authority user:kim --tenant acme --data run"
EXITS: dict[Exit, str] = {}
HELD = 1


Place = tuple[str, str, str]
"""A limit, the scope it is counted in, and what it measures: in another measure it is another count."""


class Used(NamedTuple):
    """What is used of one limit in one scope, and its most where that is on record; of several windows the longest."""

    limit: str
    scope: str
    measure: str
    window_s: int
    held: int
    spent: int
    max: int | None

    def told(self) -> dict[str, Any]:
        """Return this as JSON has it."""
        used = self.held + self.spent
        left = None if self.max is None else max(self.max - used, 0)
        return {**self._asdict(), "used": used, "left": left}


def run(
    authority: Annotated[str, typer.Option(help="Who answers for what is counted.")],
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Show what open grants hold and what was spent of each limit, by scope, as the desk last committed it.

    A scope in which nothing is held or spent is not there. `max` is that of the packs and mandates as they were
    published last, whether or not a desk takes them.
    """
    from placet.faces.cli.journal import named, now_ms
    from placet.faces.cli.reading import reading

    place = resolve(url, bootstrap, data)
    named(tenant, "--tenant")
    named(authority, "--authority")
    with reading(place) as log:
        found = used_by(log, tenant, authority, now_ms())
    if as_json:
        printing.emit({"tenant": tenant, "authority": authority, "limits": [one.told() for one in found]})
        return Exit.FINE
    if not found:
        printing.say(f"nothing is held or spent of any limit of `{authority}`")
        return Exit.FINE
    rows = [tuple("" if value is None else value for value in one.told().values()) for one in found]
    printing.console().print(printing.table(tuple(found[0].told()), rows))
    return Exit.FINE


def used_by(log: "Log", tenant: str, authority: str, now: int) -> list[Used]:
    """Return what is used of the limits of one authority at `now`, ms, in order of limit and scope."""
    from placet.faces.cli.journal import read_all
    from placet.model.codec import decode_known
    from placet.model.keys import key_of, partition_of
    from placet.model.topics import Topic

    key = key_of(tenant, authority)
    leases: dict[bytes, Any] = {}
    meters: dict[tuple[Place, int], Any] = {}
    for rec in read_all(log, Topic.DESK, partition_of(key, log.partitions(Topic.DESK))):
        if rec.value is None:
            continue
        change = decode_known(rec.value)
        for at in range(0, len(change.closed), 16):
            leases.pop(change.closed[at : at + 16], None)
        leases.update((lease.slot, lease) for lease in change.opened if lease.holds)
        meters.update(((_place(one), one.window_ms), one) for one in change.meters if one.key == key.decode())
    held, spent = _held(leases, key), _spent(meters, now)
    most = _most(log, tenant)
    found = []
    for place in sorted(held.keys() | spent.keys()):
        (holds, one), (spends, other) = held.get(place, (0, 0)), spent.get(place, (0, 0))
        if holds or spends:
            found.append(Used(*place, max(one, other) // 1000, holds, spends, _most_of(most, *place)))
    return found


def _place(one: Any) -> Place:
    return one.limit, one.scope, one.measure


def _spent(meters: Mapping[tuple[Place, int], Any], now: int) -> dict[Place, tuple[int, int]]:
    """Return what was spent and still counts, and the longest window it counts over, by place."""
    found: dict[Place, tuple[int, int]] = {}
    for (place, window_ms), meter in meters.items():
        amount = sum(one.amount for one in meter.buckets if not window_ms or one.last + window_ms > now)
        if amount:
            before, longest = found.get(place, (0, 0))
            found[place] = before + amount, max(longest, window_ms)
    return found


def _held(leases: Mapping[bytes, Any], key: bytes) -> dict[Place, tuple[int, int]]:
    """Return what open grants of a key hold, and the longest window it is to count over, by place."""
    from placet.model.codec import decode_known
    from placet.model.keys import key_of

    found: dict[Place, tuple[int, int]] = {}
    for lease in leases.values():
        asked = decode_known(lease.intent)
        if key_of(asked.tenant, asked.authority) != key:
            continue
        for one in lease.holds:
            if one.phase == HELD:
                amount, longest = found.get(_place(one), (0, 0))
                found[_place(one)] = amount + one.amount, max(longest, one.window_ms)
    return found


def _most(log: "Log", tenant: str) -> dict[str, Any]:
    """Return each limit of the active packs by its name, and the limits of each mandate by its id."""
    from placet.faces.cli.journal import read_all
    from placet.faces.cli.policy_activate import read_shelf
    from placet.model.codec import decode_as
    from placet.model.topics import Topic
    from placet.policy.diagnostics import PackError
    from placet.policy.pack import load_pack

    shelf = read_shelf(log, tenant)
    active = shelf.sets[-1].digests if shelf.sets else ()
    found: dict[str, Any] = {}
    for partition in range(log.partitions(Topic.POLICIES)):
        for rec in read_all(log, Topic.POLICIES, partition):
            pushed = decode_as("pack", rec.value)
            if pushed is not None and pushed.tenant == tenant and pushed.digest in active:
                try:
                    loaded = load_pack({file.name: file.text for file in pushed.files})
                except PackError:
                    continue
                found |= {limit.name: limit for limit in loaded.limits}
    newest: dict[str, Any] = {}
    for partition in range(log.partitions(Topic.MANDATES)):
        for rec in read_all(log, Topic.MANDATES, partition):
            given = decode_as("mandate", rec.value)
            if given is not None and given.tenant == tenant:
                known = newest.get(given.id)
                if known is None or given.observed_at >= known.observed_at:
                    newest[given.id] = given
    return found | {f"mandate/{name}": given.limits for name, given in newest.items()}


def _most_of(most: Mapping[str, Any], limit: str, scope: str, measure: str) -> int | None:
    from placet.decision.ties import scope_of_mandate

    said = most.get(limit)
    if not isinstance(said, tuple):
        return said.max if said is not None and said.measure == measure else None
    same = [one.max for one in said if scope_of_mandate(one.measure, one.window_s, one.actions) == scope]
    return min(same, default=None)

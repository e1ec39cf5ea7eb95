"""What grants hold and spend of limits, folded from decisions alone: never more than a limit, each hold ended once."""

from typing import NamedTuple

from placet.faces.auditor.attempts import slot_of
from placet.faces.auditor.batch import Cut, Decision
from placet.faces.auditor.known import Known
from placet.faces.auditor.limits import Limit, Place, amount_of, arguments_of, limits_on
from placet.faces.auditor.packs import Shelf
from placet.faces.auditor.records import Fields, Record
from placet.faces.auditor.report import Report
from placet.faces.auditor.table import CLAIMED, DONE, FAILED, FOLLOWS, GRANTED, STEP_UP, UNKNOWN, name_of
from placet.model.topics import Topic

HOLD, SPEND, RELEASE, BEYOND = 1, 2, 3, 4
PHASES = {HOLD: "holds", SPEND: "spends", RELEASE: "releases", BEYOND: "goes beyond"}


class Taken(NamedTuple):
    """What one attempt has of a limit: held, spent or beyond it; `window_ms` is None where the limit is not on record."""

    amount: int
    phase: int
    window_ms: int | None
    measure: str
    spent_at: int = 0


class Budget:
    """One limit in one scope and measure of one key: what is held, and what was spent when, each with the window it counts for."""

    __slots__ = ("held", "spent")

    def __init__(self) -> None:
        self.held = 0
        self.spent: list[tuple[int, int, int]] = []

    def spend(self, instant: int, window_ms: int, amount: int) -> None:
        """Count an amount from `instant` on, for its own window."""
        self.spent = [one for one in self.spent if _counts(one, instant)]
        self.spent.append((instant, window_ms, amount))

    def used(self, instant: int) -> int:
        """Return what is held, and what was spent and still counts: each over the window it was granted under."""
        return self.held + sum(one[2] for one in self.spent if _counts(one, instant))


class Asked:
    """One open attempt: the arguments and the session it asked with, and what it has of limits."""

    __slots__ = ("arguments", "session", "taken")

    def __init__(self, arguments: bytes, session: str) -> None:
        self.arguments = arguments
        self.session = session
        self.taken: dict[Place, Taken] = {}


class Budgets:
    """The limits of one partition. Told each verdict in its order."""

    def __init__(self, partition: int, shelf: Shelf, known: Known, report: Report) -> None:
        self._partition = partition
        self._shelf = shelf
        self._known = known
        self._check = report["V7"]
        self.open: dict[bytes, Asked] = {}
        self.scopes: dict[tuple[str, Place, str], Budget] = {}

    def verdict(self, decision: Decision, record: Record | None, cut: Cut) -> None:
        """Hold one verdict; `record` is the input record it answers, where it answers one."""
        said = decision.fields
        slot = slot_of(said["tenant"], said["authority"], said["id"], said["attempt"])
        if said["previous_seq"] < 0:
            if record is None or record.name != "intent":
                if said["holds"]:
                    self._check.skip("the intent cannot be read")
                return
            self.open[slot] = Asked(record.fields["arguments"], record.fields["session"])
        asked = self.open.get(slot)
        if asked is None:
            return
        if not said["stop"]:
            self._step(decision, asked, cut)
        elif said["holds"]:
            self._fail(decision, "a stop that counts amounts")
        if said["state"] not in FOLLOWS:
            del self.open[slot]

    def _fail(self, decision: Decision, text: str) -> None:
        self._check.fail(Topic.DECISIONS, self._partition, decision.offset, text)

    def _step(self, decision: Decision, asked: Asked, cut: Cut) -> None:
        said = decision.fields
        limits = None
        if said["state"] in (GRANTED, CLAIMED):
            limits = self._limits(said, asked, cut)
        for post in said["holds"]:
            self._check.checked += 1
            place = post["limit"], post["scope"]
            if post["phase"] in (HOLD, BEYOND):
                self._take(decision, asked, place, post, limits)
            elif post["phase"] in (SPEND, RELEASE):
                self._end(decision, asked, place, post)
            else:
                self._fail(decision, f"phase {post['phase']} of limit `{place[0]}`")
        self._whole(decision, asked, limits)

    def _limits(self, said: Fields, asked: Asked, cut: Cut) -> dict[Place, tuple[Limit, int]] | None:
        """Return what a grant must hold, with its amounts; None where packs or mandates are no longer there."""
        packs = self._shelf.find(said["tenant"], said["set_digest"])
        links = self._known.limits(said, cut)
        if packs is None or links is None:
            self._check.skip("its packs or its mandates are no longer there")
            return None
        if not any(pack.limits for pack in packs) and not any(limits for _, limits in links):
            return {}
        arguments = arguments_of(asked.arguments)
        runs = arguments if said["granted_arguments"] is None else arguments_of(said["granted_arguments"])
        limits = limits_on(packs, links, {**said, "session": asked.session}, arguments.keys() | runs.keys())
        return {place: (limit, amount_of(limit, runs) or 0) for place, limit in limits.items()}

    def _take(
        self,
        decision: Decision,
        asked: Asked,
        place: Place,
        post: Fields,
        limits: dict[Place, tuple[Limit, int]] | None,
    ) -> None:
        said = decision.fields
        amount = post["amount"]
        if place in asked.taken:
            self._fail(decision, f"{PHASES[post['phase']]} limit `{place[0]}` ({place[1]}) a second time")
            return
        if said["state"] not in (GRANTED, CLAIMED):
            self._fail(decision, f"{PHASES[post['phase']]} limit `{place[0]}`, and is `{name_of(said['state'])}`")
            return
        window_ms, measure = None, ""
        if limits is not None:
            limit, wanted = limits.get(place, (None, 0))
            if limit is None:
                self._fail(
                    decision, f"{PHASES[post['phase']]} limit `{place[0]}` ({place[1]}), which does not count it"
                )
                return
            window_ms, measure = limit.window_ms, limit.measure
            if amount != wanted:
                self._fail(
                    decision, f"{PHASES[post['phase']]} {amount} of limit `{place[0]}`, what is granted takes {wanted}"
                )
            if post["phase"] == BEYOND and (limit.over != STEP_UP or said["previous_seq"] < 0):
                self._fail(decision, f"goes beyond limit `{place[0]}`, and nobody was asked for leave")
        asked.taken[place] = Taken(amount, post["phase"], window_ms, measure)
        if post["phase"] == BEYOND:
            return
        budget = self._budget(said, place, measure)
        budget.held += amount
        if limits is not None and window_ms is not None:
            most, used = limits[place][0].max, budget.used(said["instant"])
            if used > most or not most:
                self._fail(decision, f"limit `{place[0]}` ({place[1]}): {used} of {most} held and spent")

    def _end(self, decision: Decision, asked: Asked, place: Place, post: Fields) -> None:
        said = decision.fields
        had = asked.taken.get(place)
        does = PHASES[post["phase"]]
        failed = had is not None and had.phase == SPEND and said["state"] == FAILED and post["phase"] == RELEASE
        if had is None or (had.phase != HOLD and not failed):
            self._fail(decision, f"{does} limit `{place[0]}` ({place[1]}), of which it holds nothing")
            return
        if post["amount"] != had.amount:
            self._fail(decision, f"{does} {post['amount']} of limit `{place[0]}`, it holds {had.amount}")
        if (post["phase"] == SPEND) != (said["state"] in (DONE, UNKNOWN)):
            self._fail(decision, f"{does} limit `{place[0]}`, and is `{name_of(said['state'])}`")
        budget = self._budget(said, place, had.measure)
        if had.phase == HOLD:
            budget.held -= had.amount
        elif had.window_ms is not None and (had.spent_at, had.window_ms, had.amount) in budget.spent:
            budget.spent.remove((had.spent_at, had.window_ms, had.amount))
        if post["phase"] == SPEND:
            asked.taken[place] = had._replace(phase=SPEND, spent_at=said["instant"])
            if had.window_ms is not None:
                budget.spend(said["instant"], had.window_ms, had.amount)
        else:
            del asked.taken[place]

    def _whole(self, decision: Decision, asked: Asked, limits: dict[Place, tuple[Limit, int]] | None) -> None:
        """Hold that a grant holds all it must, and that no hold outlives what it was for."""
        state = decision.fields["state"]
        if state in (GRANTED, CLAIMED):
            for place, (limit, amount) in (limits or {}).items():
                self._check.checked += 1
                had = asked.taken.get(place)
                if had is None and (amount or not limit.max):
                    self._fail(decision, f"grants {amount} and does not hold it of limit `{place[0]}` ({place[1]})")
                elif had is not None and had.measure not in ("", limit.measure):
                    told = f"`{had.measure}` of limit `{place[0]}` ({place[1]}), which measures `{limit.measure}`"
                    self._fail(decision, f"goes on holding {told}")
            return
        for place, had in asked.taken.items():
            left = had.phase == HOLD or (had.phase == SPEND and state == FAILED)
            if left:
                self._fail(decision, f"`{name_of(state)}`, and what it has of limit `{place[0]}` is not ended")

    def _budget(self, said: Fields, place: Place, measure: str) -> Budget:
        key = f"{said['tenant']}/{said['authority']}", place, measure
        found = self.scopes.get(key)
        if found is None:
            found = self.scopes[key] = Budget()
        return found


def _counts(spent: tuple[int, int, int], instant: int) -> bool:
    at, window_ms, _ = spent
    return not window_ms or at + window_ms > instant

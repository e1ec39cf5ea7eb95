"""How old a fact of a case is: looked up only for the facts that a pack bounds."""

from placet.context.tables import RISK, Tables
from placet.model.case import Case, RiskSource
from placet.model.topics import Topic


def _risks(case: Case, tables: Tables, fact: str) -> list[RiskSource]:
    subject = {
        "actor.risk": case.actor_id,
        "authority.risk": case.authority_id,
        "session.risk": f"session:{case.session_id}",
    }[fact]
    return list(tables.risks.get(f"{RISK}{case.tenant}/{subject}", {}).values())


class Observed:
    """By name of a fact, when it was observed, ms; of a risk, its newest event. `get` is that of a dict."""

    def __init__(self, case: Case, tables: Tables) -> None:
        self._case = case
        self._tables = tables

    def get(self, fact: str, default: int, /) -> int:
        case = self._case
        if fact.endswith(".risk"):
            return max((source.event_at for source in _risks(case, self._tables, fact)), default=default)
        if fact.startswith("calendar."):
            row = self._tables.calendar.get(case.tenant, {}).get(fact.removeprefix("calendar."))
            return default if row is None else row.observed_at
        known = getattr(case, fact)
        return default if known is None else int(known.observed_at)


class Heard:
    """By name of a fact, when the feed it came from was last alive, ms; of several feeds, the one silent longest."""

    def __init__(self, case: Case, tables: Tables) -> None:
        self._case = case
        self._tables = tables

    def get(self, fact: str, default: int, /) -> int:
        marks = self._tables.marks
        return min((marks[place][1] for place in self.places(fact)), default=default)

    def places(self, fact: str) -> list[tuple[int, int]]:
        """Return the topic and partition of each feed that a fact came from; none where nobody knows it."""
        case = self._case
        if fact.endswith(".risk"):
            return [(Topic.RISK, source.partition) for source in _risks(case, self._tables, fact)]
        if fact.startswith("calendar."):
            row = self._tables.calendar.get(case.tenant, {}).get(fact.removeprefix("calendar."))
            return [] if row is None else [(Topic.CONTROLS, row.partition)]
        known = getattr(case, fact, None)
        return [] if known is None else [(FEEDS[fact], known.partition)]


FEEDS: dict[str, Topic] = {
    "actor": Topic.PRINCIPALS,
    "authority": Topic.PRINCIPALS,
    "mandate": Topic.MANDATES,
    "resource": Topic.SENSITIVITY,
}

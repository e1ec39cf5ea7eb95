"""Tables in Markdown, and the two figures of a list of times."""

from collections.abc import Iterable, Sequence

from placet.model.reasons import Effect

PERMITTED, STEPPED_UP, DENIED = "permitted", "step_up", "denied"
ANSWERS = (PERMITTED, STEPPED_UP, DENIED)


def answer_of(effect: Effect) -> str:
    """Return whether a call goes on, waits for people, or is stopped; what waits for a fact is stopped for now."""
    if effect in (Effect.PERMIT, Effect.CONSTRAIN):
        return PERMITTED
    return STEPPED_UP if effect is Effect.STEP_UP else DENIED


def percentile(times: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile of `times` (`share` of 0 to 1), or 0 where there are none."""
    if not times:
        return 0.0
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


def rate(part: int, whole: int) -> str:
    """Return a share as `12.3 %`, or a dash where there is nothing to share."""
    return f"{100 * part / whole:.1f} %" if whole else "–"


def markdown(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table with its title; numbers stand to the right. Without rows it says `none`."""
    table = [[str(cell) for cell in row] for row in rows]
    if not table:
        return f"**{title}**: none\n"
    lines = [f"**{title}**", "", "| " + " | ".join(header) + " |"]
    numeric = [all(row[place][:1].isdigit() or row[place] == "–" for row in table) for place in range(len(header))]
    lines.append("| " + " | ".join("---:" if right else "---" for right in numeric) + " |")
    lines += ["| " + " | ".join(row) + " |" for row in table]
    return "\n".join(lines) + "\n"

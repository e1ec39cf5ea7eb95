"""Plots as inline SVG: bars whose colours are those of the page, each with its numbers in words for who cannot see it."""

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, ROW, LEFT, RIGHT = 720, 26, 230, 60
COLUMNS_MOST, HEIGHT, WIDE_MOST, MOMENT_S = 60, 160, 40, 10
Bar = tuple[str, Sequence[tuple[str, int]]]
"""A label, and its parts: the name of each, which is its colour's too, and its number."""


def bars(title: str, rows: Sequence[Bar]) -> str:
    """Return horizontal bars, one a row, of parts one after another, all to one scale."""
    most = max((sum(number for _, number in parts) for _, parts in rows), default=0) or 1
    scale = (WIDTH - LEFT - RIGHT) / most
    drawn: list[str] = []
    for place, (label, parts) in enumerate(rows):
        y, x = place * ROW, float(LEFT)
        drawn.append(f'<text class="label" x="{LEFT - 8}" y="{y + 17}">{escape(_short(label))}</text>')
        for name, number in parts:
            wide = number * scale
            tip = f"<title>{escape(f'{label}: {number} {name}')}</title>"
            drawn.append(_rect(x, y + 4, wide, ROW - 8, name, tip))
            x += wide
        total = sum(number for _, number in parts)
        drawn.append(f'<text class="number" x="{x + 6:.1f}" y="{y + 17}">{total}</text>')
    words = "; ".join(f"{label}: " + ", ".join(f"{n} {name}" for name, n in parts) for label, parts in rows)
    return _svg(title, words, len(rows) * ROW, drawn)


def columns(title: str, moments: Mapping[int, Mapping[str, int]], names: Sequence[str]) -> str:
    """Return one column for each stretch of moments of 10 s, of parts on top of each other; at most COLUMNS_MOST of them."""
    if not moments:
        return ""
    first, last = min(moments), max(moments)
    width = -(-(last - first + 1) // COLUMNS_MOST)
    sums: dict[int, dict[str, int]] = {}
    for moment, parts in moments.items():
        held = sums.setdefault((moment - first) // width, dict.fromkeys(names, 0))
        for name, number in parts.items():
            held[name] += number
    most = max(sum(parts.values()) for parts in sums.values()) or 1
    step, drawn = (
        min(WIDTH / ((last - first) // width + 1), WIDE_MOST),
        [f'<line class="axis" x1="0" x2="{WIDTH}" y1="{HEIGHT}" y2="{HEIGHT}"/>'],
    )
    for place, parts in sorted(sums.items()):
        y = float(HEIGHT)
        for name in names:
            high = parts[name] * (HEIGHT - 20) / most
            y -= high
            tip = f"<title>{escape(f'from {place * width * MOMENT_S} s on: {parts[name]} {name}')}</title>"
            drawn.append(_rect(place * step + 1, y, max(step - 2, 1), high, name, tip))
    drawn.append(f'<text class="number" x="0" y="12">{most} at most in {width * MOMENT_S} s</text>')
    words = f"{sum(sum(parts.values()) for parts in sums.values())} changes over {(last - first + 1) * MOMENT_S} s"
    return _svg(title, words, HEIGHT + 4, drawn)


def _rect(x: float, y: float, wide: float, high: float, name: str, inner: str) -> str:
    if not wide or not high:
        return ""
    box = f'x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}"'
    return f'<rect class="{escape(name.replace(" ", "-"))}" {box} rx="2">{inner}</rect>'


def _svg(title: str, words: str, height: int, drawn: Sequence[str]) -> str:
    about = f"<title>{escape(title)}</title><desc>{escape(words)}</desc>"
    return f'<svg role="img" viewBox="0 0 {WIDTH} {height}" aria-label="{escape(title)}">{about}{"".join(drawn)}</svg>'


def _short(label: str) -> str:
    return label if len(label) <= 32 else label[:31] + "…"

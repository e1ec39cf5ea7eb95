"""The report of a *what if* as one page of HTML: no script, no network, readable by keyboard and in the dark."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from importlib.resources import files
from typing import Any

from placet.faces.replay.plots import bars, columns
from placet.faces.replay.telling import BUDGET_HEADINGS, WORDS, budget_rows

ROWS_MOST = 20
EFFECTS = ("permit", "constrain", "step_up", "defer", "deny")
KINDS = tuple(WORDS)
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(found: Mapping[str, Any], packs: str) -> str:
    """Return the page: `found` is a report as JSON has it, `packs` what was tried, in words."""
    style = files("placet.faces.replay").joinpath("page.css").read_text("utf-8")
    body = "".join(
        (_head(found, packs), _answers(found), _when(found), _who(found), _limits(found), _samples(found), _rest(found))
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>what if: {escape(packs)}</title><style>{style}</style></head>"
        f'<body><a class="skip" href="#changes">to the changes</a><main>{body}</main></body></html>\n'
    )


def _head(found: Mapping[str, Any], packs: str) -> str:
    tiles = [("", found["attempts"], "attempts asked again"), ("", found["changed"], "change")]
    tiles += [(name, found[name], words) for name, words in WORDS.items()]
    drawn = "".join(f'<li class="{name}"><b>{number}</b>{escape(words)}</li>' for name, number, words in tiles)
    spans = f"{_time(found['from_ms'])} to {_time(found['to_ms'])}"
    how = "as the whole set" if found.get("alone") else "in the place of the packs of their names"
    digests = ", ".join(f"<code>{escape(digest[:16])}</code>" for digest in found.get("packs", ()))
    return (
        f"<h1>What if these packs had decided?</h1><p>{escape(packs)}, {how}. {digests}</p>"
        f'<p class="soft">{spans}</p><ul class="tiles">{drawn}</ul>'
    )


def _answers(found: Mapping[str, Any]) -> str:
    counts = {(effect, side): number for effect, side, number in found["answers"]}
    rows = [
        (f"{side} the change", [(effect, counts.get((effect, side), 0)) for effect in EFFECTS])
        for side in ("before", "after")
    ]
    told = [(effect, counts.get((effect, "before"), 0), counts.get((effect, "after"), 0)) for effect in EFFECTS]
    plot = bars("first answers by effect, before and after", rows)
    return f"<h2>First answers</h2>{_key(EFFECTS)}{plot}{_table('by effect', ('effect', 'before', 'after'), told)}"


def _when(found: Mapping[str, Any]) -> str:
    moments: dict[int, Counter[str]] = {}
    for minute, what, number in found["moments"]:
        moments.setdefault(int(minute), Counter())[what] += number
    if not moments:
        return '<h2 id="changes">Changes</h2><p>No attempt would have ended otherwise, or by another answer.</p>'
    return f'<h2 id="changes">When</h2>{_key(KINDS)}{columns("changes by when they were asked", moments, KINDS)}'


def _who(found: Mapping[str, Any]) -> str:
    parts: list[str] = []
    for title, name in (("By rule", "by_rule"), ("By agent", "by_agent"), ("By action", "by_action")):
        sums: dict[str, Counter[str]] = {}
        for who, _, _, what, number in found[name]:
            sums.setdefault(who, Counter())[what] += number
        if not sums:
            continue
        top = sorted(sums.items(), key=lambda row: (-sum(row[1].values()), row[0]))[:ROWS_MOST]
        plot = bars(title, [(who, [(kind, held[kind]) for kind in KINDS]) for who, held in top])
        headings = (title.removeprefix("By "), "before", "after", "", "attempts")
        rows = [(*row[:3], WORDS[row[3]], row[4]) for row in found[name]]
        parts.append(
            f"<h2>{title}</h2>{_key(KINDS)}{plot}<details><summary>all {len(rows)} rows</summary>{_table(title, headings, rows)}</details>"
        )
    return "".join(parts)


def _limits(found: Mapping[str, Any]) -> str:
    people = {tuple(row[:-1]): row[-1] for row in found["people"]}
    told = [
        (what, people.get((what, "before"), 0), people.get((what, "after"), 0)) for what in ("asked", "let through")
    ]
    drawn = _table("attempts that waited for people", ("people", "before", "after"), told)
    rows = budget_rows(found["budgets"])
    amounts = (
        _table("amounts, in the units of each limit", BUDGET_HEADINGS, rows) if rows else "<p>No limit was met.</p>"
    )
    return f"<h2>Approvals and budgets</h2>{drawn}{amounts}"


def _samples(found: Mapping[str, Any]) -> str:
    parts = ["<h2>Samples</h2>"] if found["samples"] else []
    for kind, samples in found["samples"].items():
        drawn = "".join(_sample(one) for one in samples)
        parts.append(f"<details><summary>{escape(kind)}</summary>{drawn}</details>")
    return "".join(parts)


def _sample(one: Mapping[str, Any]) -> str:
    sides = "".join(
        f"<tr><th scope='row'>{side}</th><td>{escape(one[side]['effect'])}</td><td>{escape(str(one[side]['reason']))}</td>"
        f"<td>{escape(', '.join(one[side]['rules']) or '–')}</td></tr>"
        for side in ("before", "after")
    )
    why = "".join(f"<li>{escape(sentence)}</li>" for sentence in one["why"])
    return (
        f"<h3>{escape(one['agent'])}: {escape(one['action'])} on {escape(one['resource'])}</h3>"
        f"<p class='soft'>{_time(one['instant'])}, intent <code>{escape(one['intent'])}</code></p>"
        f"<div class='wide'><table>{sides}</table></div><ul>{why}</ul>"
    )


def _rest(found: Mapping[str, Any]) -> str:
    rows = [(why, count) for why, count in found["not_decided"]]
    rows += [(f"`{fact}` is wanted, and nothing on record has it", count) for fact, count in found["not_on_record"]]
    if not rows:
        return ""
    return f"<h2>Not asked again, or with less to go by</h2>{_table('by why', ('why', 'attempts'), rows)}"


def _key(names: Sequence[str]) -> str:
    drawn = "".join(
        f'<li><svg aria-hidden="true" viewBox="0 0 10 10"><rect class="{name}" width="10" height="10" rx="2"/></svg>'
        f"{escape(WORDS.get(name, name))}</li>"
        for name in names
    )
    return f'<ul class="key">{drawn}</ul>'


def _table(caption: str, headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    wide = [all(str(row[place]).isdigit() for row in rows) for place in range(len(headings))] if rows else []
    mark = [' class="n"' if right else "" for right in wide] or [""] * len(headings)
    head = "".join(f'<th scope="col"{how}>{escape(name)}</th>' for name, how in zip(headings, mark, strict=True))
    lines = "".join(
        "<tr>" + "".join(f"<td{how}>{escape(str(cell))}</td>" for cell, how in zip(row, mark, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(" ", "seconds").removesuffix("+00:00") + " UTC"

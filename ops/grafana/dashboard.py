"""Make the one Grafana dashboard from the table below: `python ops/grafana/dashboard.py` writes dashboards/placet.json.

A test makes it again and compares, and looks each metric up in the product's own table.
"""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

OUT = Path(__file__).parent / "dashboards" / "placet.json"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH, HEIGHT = 24, 8
_RATE = "$__rate_interval"


class Panel(NamedTuple):
    """One picture: what it says, its unit, and its queries by legend. `kind` is Grafana's."""

    title: str
    unit: str
    queries: dict[str, str]
    says: str
    kind: str = "timeseries"


def _quantiles(metric: str) -> dict[str, str]:
    return {
        f"p{text}": f"histogram_quantile({q}, sum by (le) (rate({metric}_bucket{{{_WHERE}}}[{_RATE}])))"
        for text, q in (("50", "0.5"), ("99", "0.99"), ("99.9", "0.999"))
    }


_WHERE = 'job=~"$job"'
ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    (
        "Rate, errors, time",
        (
            Panel(
                "Verdicts by effect",
                "ops",
                {"{{effect}}": f"sum by (effect) (rate(placet_verdicts_total{{{_WHERE}}}[{_RATE}]))"},
                "First answers a second. Five effects; a jump of deny is an alert.",
            ),
            Panel(
                "Intents by action",
                "ops",
                {"{{action_class}}": f"sum by (action_class) (rate(placet_intents_total{{{_WHERE}}}[{_RATE}]))"},
                "What is asked, by the first word of the action.",
            ),
            Panel(
                "From intent to verdict",
                "s",
                _quantiles("placet_intent_to_verdict_seconds"),
                "From the append time of an intent to the instant of its batch.",
            ),
            Panel(
                "Closed, not decided",
                "ops",
                {
                    "{{cause}}": f"sum by (cause) (rate(placet_fail_closed_total{{{_WHERE}}}[{_RATE}]))",
                    "rule {{rule}} erred": f"sum by (rule) (rate(placet_policy_eval_errors_total{{{_WHERE}}}[{_RATE}]))",
                },
                "Denied because something could not be known or run.",
            ),
        ),
    ),
    (
        "Lag and stream",
        (
            Panel(
                "Lag in time",
                "s",
                {"{{instance}}": f"placet_consumer_lag_seconds{{{_WHERE}}}"},
                "How old the oldest record of the newest batch is.",
            ),
            Panel(
                "Lag in records",
                "short",
                {
                    "{{topic}}/{{partition}}": f"sum by (topic, partition) (placet_consumer_lag_records{{{_WHERE}}})",
                },
                "Committed records not decided yet. Control records count: it is seldom quite zero.",
            ),
            Panel(
                "A batch in the desk and its commit",
                "s",
                _quantiles("placet_decision_duration_seconds"),
                "By batch, not by intent.",
            ),
            Panel(
                "Rebalances, aborts, restores",
                "short",
                {
                    "rebalances": f"sum(increase(placet_rebalances_total{{{_WHERE}}}[{_RATE}]))",
                    "batches thrown away": f"sum(increase(placet_txn_aborts_total{{{_WHERE}}}[{_RATE}]))",
                    "newest restore, s": f"max(placet_state_restore_seconds{{{_WHERE}}})",
                },
                "A rebalance forgets and reads back; an abort brings the same batch again.",
            ),
            Panel(
                "Refused records",
                "ops",
                {"{{reason}}": f"sum by (reason) (rate(placet_dlq_total{{{_WHERE}}}[{_RATE}]))"},
                "Each has a recorded refusal, the faulty ones a copy in placet.quarantine.",
            ),
        ),
    ),
    (
        "Context",
        (
            Panel(
                "Since a stream was heard",
                "s",
                {"{{stream}}": f"max by (stream) (placet_signal_age_seconds{{{_WHERE}}})"},
                "Past its bound, rules that need it defer or deny.",
            ),
            Panel(
                "Context records",
                "ops",
                {"{{stream}} {{result}}": f"sum by (stream, result) (rate(placet_signals_total{{{_WHERE}}}[{_RATE}]))"},
                "Taken, ignored or refused.",
            ),
            Panel(
                "Facts that were missing",
                "ops",
                {"{{stream}}": f"sum by (stream) (rate(placet_join_misses_total{{{_WHERE}}}[{_RATE}]))"},
                "A rule needed them; they were not there, or silent.",
            ),
            Panel(
                "A change is heard",
                "s",
                {
                    f"{what} p99": (
                        f"histogram_quantile(0.99, sum by (le) (rate(placet_{metric}_seconds_bucket{{{_WHERE}}}[{_RATE}])))"
                    )
                    for what, metric in (("halt", "halt"), ("revoke", "revoke"))
                },
                "From the append time of a halt or a context record to the batch that answers it.",
            ),
        ),
    ),
    (
        "People and packs",
        (
            Panel(
                "Waiting for people",
                "short",
                {"intents": f"sum(placet_approvals_pending{{{_WHERE}}})"},
                "Intents that step_up holds back.",
            ),
            Panel(
                "How long people take",
                "s",
                {
                    "oldest now": f"max(placet_approval_oldest_age_seconds{{{_WHERE}}})",
                    "p50": (
                        "histogram_quantile(0.5,"
                        f" sum by (le) (rate(placet_approval_wait_seconds_bucket{{{_WHERE}}}[{_RATE}])))"
                    ),
                },
                "From asking to their answer.",
            ),
            Panel(
                "Emergencies to look at",
                "short",
                {
                    "open": f"sum(placet_reviews_open{{{_WHERE}}})",
                    "overdue": f"sum(placet_reviews_overdue{{{_WHERE}}})",
                    "{{state}}": f"sum by (state) (increase(placet_reviews_total{{{_WHERE}}}[{_RATE}]))",
                },
                "Granted at once, and to be reviewed. One that is overdue stays until somebody answers.",
            ),
            Panel(
                "Limits that little is left of",
                "short",
                {"{{limit}}": f"sum by (limit) (increase(placet_limits_reached_total{{{_WHERE}}}[{_RATE}]))"},
                "Grants that took a limit to four fifths of what it allows, or beyond.",
            ),
            Panel(
                "Sets of packs in force",
                "short",
                {"{{digest}}": f"count by (digest) (placet_policy_bundle_info{{{_WHERE}}})"},
                "More than one for long: workers decide differently.",
            ),
            Panel(
                "Age of the set in force",
                "s",
                {"{{instance}}": f"time() - placet_policy_load_timestamp_seconds{{{_WHERE}}}"},
                "Since a worker took it.",
            ),
        ),
    ),
    (
        "Proof and security",
        (
            Panel(
                "Went around, or came twice",
                "short",
                {
                    "outcomes without a grant": f"sum(increase(placet_executions_without_verdict_total{{{_WHERE}}}[{_RATE}]))",
                    "grants shown again": f"sum(increase(placet_verdict_replays_rejected_total{{{_WHERE}}}[{_RATE}]))",
                    "did not verify": f"sum(increase(placet_log_verify_failures_total{{{_WHERE}}}[{_RATE}]))",
                },
                "The first and the last must stay at zero.",
            ),
            Panel(
                "Provenance log",
                "short",
                {
                    "leaves": f"max(placet_log_tree_size{{{_WHERE}}})",
                    "s since the newest checkpoint": f"max(placet_log_checkpoint_age_seconds{{{_WHERE}}})",
                },
                "Grows with every decision; the checkpoint is never older than minutes.",
            ),
        ),
    ),
)


def dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana reads it (schema 39, which later versions migrate on load)."""
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS:
        place = {"h": 1, "w": WIDTH, "x": 0, "y": y}
        panels.append({"id": len(panels) + 1, "type": "row", "title": title, "gridPos": place, "panels": []})
        y += 1
        across = 2 if len(row) == 2 else min(len(row), 4)
        for at, panel in enumerate(row):
            width = WIDTH // across
            spot = {"h": HEIGHT, "w": width, "x": at % across * width, "y": y + at // across * HEIGHT}
            panels.append(_panel(len(panels) + 1, panel, spot))
        y += HEIGHT * -(-len(row) // across)
    return {
        "uid": "placet",
        "title": "placet",
        "tags": ["placet"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "refresh": "10s",
        "time": {"from": "now-30m", "to": "now"},
        "timezone": "browser",
        "templating": {"list": _VARIABLES},
        "panels": panels,
    }


_VARIABLES: list[dict[str, Any]] = [
    {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Source"},
    {
        "name": "job",
        "type": "query",
        "label": "Job",
        "datasource": SOURCE,
        "query": {"query": "label_values(placet_rebalances_total, job)", "refId": "job"},
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
        "refresh": 2,
    },
]


def _panel(number: int, panel: Panel, spot: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "datasource": SOURCE,
        "gridPos": spot,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + at), "datasource": SOURCE, "expr": query, "legendFormat": legend}
            for at, (legend, query) in enumerate(panel.queries.items())
        ],
    }


def rendered() -> str:
    """Return the file's whole text."""
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Write the file and return 0."""
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(rendered())
    print(f"wrote {OUT}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

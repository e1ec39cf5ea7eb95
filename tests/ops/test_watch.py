"""What watches placet names only metrics that exist, says what to do, and is made from its table."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from placet.drivers.metrics import METRICS, Kind

ROOT = Path(__file__).parent.parent.parent
PROMETHEUS = ROOT / "ops" / "prometheus"
GRAFANA = ROOT / "ops" / "grafana"
SPECS = {spec.name: spec for spec in METRICS}
# What Prometheus adds by itself: to every sample, and to the parts of a histogram.
OF_PROMETHEUS = {"job", "instance", "le"}


def loaded(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text())


def rules(name: str) -> Iterator[dict[str, Any]]:
    for group in loaded(PROMETHEUS / name)["groups"]:
        yield from group["rules"]


def panels() -> Iterator[dict[str, Any]]:
    for panel in json.loads((GRAFANA / "dashboards" / "placet.json").read_text())["panels"]:
        if panel["type"] != "row":
            yield panel


def queries() -> dict[str, str]:
    """Return every query anybody asks, by who asks it. Variables of the dashboard are filled in."""
    found = {rule["record"]: rule["expr"] for rule in rules("recording.yml")}
    found |= {rule["alert"]: rule["expr"] for rule in rules("alerts.yml")}
    for panel in panels():
        for target in panel["targets"]:
            query = target["expr"].replace("$__rate_interval", "1m").replace("$job", ".*")
            found[f"{panel['title']} {target['refId']}"] = query
    return found


RECORDED = {rule["record"] for rule in rules("recording.yml")}


def base_of(name: str) -> str:
    base = re.sub(r"_(bucket|count|sum)$", "", name)
    return base if base in SPECS and SPECS[base].kind is Kind.HISTOGRAM else name


@pytest.mark.parametrize(("who", "query"), queries().items(), ids=list(queries()))
def test_every_metric_and_label_that_is_asked_for_exists(who: str, query: str) -> None:
    names = set(re.findall(r"[a-z][a-z0-9_]*:placet_[a-z0-9_:]+|\bplacet_[a-z0-9_]+", query))
    assert names or who == "NoConsumers"
    raw = {base_of(name) for name in names - RECORDED}
    assert raw <= SPECS.keys()
    allowed = OF_PROMETHEUS | {label for name in raw for label in SPECS[name].labels}
    allowed |= {name.split(":")[0] for name in names & RECORDED}
    asked = set(re.findall(r"([a-z_]+)\s*(?:=~|!=|!~|=)\s*\"", query))
    for grouping in re.findall(r"\bby \(([^)]*)\)", query):
        asked |= {label.strip() for label in grouping.split(",")}
    assert asked <= allowed


def test_every_metric_of_the_table_is_shown() -> None:
    shown = {base_of(name) for query in queries().values() for name in re.findall(r"\bplacet_[a-z0-9_]+", query)}
    assert SPECS.keys() <= shown


def test_the_dashboard_is_what_its_script_makes() -> None:
    code = "import sys; sys.path.insert(0, sys.argv[1]); import dashboard; sys.stdout.write(dashboard.rendered())"
    made = subprocess.run([sys.executable, "-c", code, str(GRAFANA)], check=True, capture_output=True, text=True)
    assert made.stdout == (GRAFANA / "dashboards" / "placet.json").read_text()


def test_no_panel_lies_over_another_or_beyond_the_edge() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in panels():
        spot = panel["gridPos"]
        assert spot["x"] + spot["w"] <= 24
        for x in range(spot["x"], spot["x"] + spot["w"]):
            for y in range(spot["y"], spot["y"] + spot["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]


def test_every_alert_says_how_grave_it_is_and_what_to_do() -> None:
    # By hand: GitHub's anchor of a heading.
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in (ROOT / "README.md").read_text().splitlines()
        if line.startswith("#")
    }
    for rule in rules("alerts.yml"):
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]
        page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert (page, anchor in anchors) == ("README.md", True)


def test_what_is_scraped_are_services_of_the_compose_file_at_the_port_of_their_metrics() -> None:
    services = loaded(ROOT / "docker-compose.yml")["services"]
    jobs = loaded(PROMETHEUS / "prometheus.yml")["scrape_configs"]
    targets = [target for job in jobs for config in job["static_configs"] for target in config["targets"]]
    serving = {
        name
        for name, service in services.items()
        if service.get("command", [""])[0] in {"worker", "context", "notary", "witness"}
    }
    assert {target.partition(":")[0] for target in targets} == serving
    assert {target.partition(":")[2] for target in targets} == {"7421"}


def test_grafana_finds_its_source_and_its_dashboard() -> None:
    [source] = loaded(GRAFANA / "provisioning" / "datasources" / "prometheus.yml")["datasources"]
    [provider] = loaded(GRAFANA / "provisioning" / "dashboards" / "placet.yml")["providers"]
    services = loaded(ROOT / "docker-compose.yml")["services"]
    mounts = dict(one.split(":")[:2] for one in services["grafana"]["volumes"] if one.startswith("./"))
    assert source["url"].removeprefix("http://").partition(":")[0] in services
    assert mounts["./ops/grafana/dashboards"] == provider["options"]["path"]
    assert all((ROOT / place).is_dir() for place in mounts)


# What Prometheus itself says


def ask(promtool: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([promtool, *map(str, words)], check=False, capture_output=True, text=True)


def test_prometheus_takes_its_configuration_and_rules(promtool: Path) -> None:
    said = ask(promtool, "check", "config", PROMETHEUS / "prometheus.yml")
    assert said.returncode == 0, said.stdout + said.stderr
    said = ask(promtool, "check", "rules", PROMETHEUS / "recording.yml", PROMETHEUS / "alerts.yml")
    assert said.returncode == 0, said.stdout + said.stderr


def test_every_alert_fires_when_it_should_and_not_before(promtool: Path) -> None:
    said = ask(promtool, "test", "rules", PROMETHEUS / "tests" / "rules.yml")
    assert said.returncode == 0, said.stdout + said.stderr
    tried = {
        case["alertname"]
        for test in loaded(PROMETHEUS / "tests" / "rules.yml")["tests"]
        for case in test.get("alert_rule_test", ())
        if case["exp_alerts"]
    }
    assert tried == {rule["alert"] for rule in rules("alerts.yml")}


def test_prometheus_can_read_every_query_of_the_dashboard(promtool: Path, tmp_path: Path) -> None:
    asked = [{"record": f"q:{at}", "expr": query} for at, query in enumerate(queries().values())]
    file = tmp_path / "queries.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": asked}]}))
    said = ask(promtool, "check", "rules", file)
    assert said.returncode == 0, said.stdout + said.stderr

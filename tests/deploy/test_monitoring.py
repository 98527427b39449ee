"""The alert rules, the dashboard and the runbook fit each other and the program."""
import json
import re
import subprocess

import pytest
import yaml
from documents import ROOT, documented_metrics, misuse, promtool

RULES = ROOT / "deploy/prometheus/alerts.yaml"
SCENARIOS = ROOT / "tests/deploy/alerts_test.yaml"
DASHBOARD = json.loads((ROOT / "deploy/grafana/wxcourier.json").read_text(encoding="utf-8"))
RUNBOOK = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
ALERTS = {rule["alert"]: rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]}
METRICS = documented_metrics()


def entries():
    """The runbook's entries: heading and text."""
    return dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("arguments", [("check", "rules", RULES), ("test", "rules", SCENARIOS)], ids=["check", "test"])
def test_promtool_accepts_the_rules(arguments):
    ran = subprocess.run([promtool(), *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_alert_fires_in_a_scenario():
    fired = set(re.findall(r'alertname="(\w+)"', SCENARIOS.read_text()))
    assert fired == set(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_asks_for_what_there_is_and_says_what_to_do(name):
    rule = ALERTS[name]
    assert not misuse(rule["expr"], METRICS)
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}"
    assert rule["annotations"]["summary"].endswith(".")
    text = entries().get(name, "")
    for part in ("**Means:**", "**Look", "**Do:**" if "**Look, do:**" not in text else ""):
        assert part in text, f"the entry of {name} in docs/operations.md has no {part}"


def test_the_runbook_has_no_entry_without_an_alert():
    assert set(entries()) == set(ALERTS)


def test_the_runbook_names_reasons_that_exist():
    known = "".join((ROOT / path).read_text(encoding="utf-8") for path in
                    ("docs/reference.md", "docs/wechat-errors.md", "docs/configuration.md", "worker/domain/classify.cpp",
                     "worker/engine/offset_committer.cpp", "worker/app/application.cpp", "docs/metrics.md"))
    words = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", RUNBOOK)) - {"container_cpu_cfs_throttled_periods_total"}
    # Fields of log lines of the Kafka client.
    assert {word for word in words if word not in known} <= {"log_start"}


def panels():
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_a_panel_asks_for_what_there_is(panel):
    for target in panel["targets"]:
        assert not misuse(target["expr"].replace("[$__rate_interval]", "[5m]"), METRICS)


def test_the_dashboards_expressions_are_promql(tmp_path):
    rules = [{"record": f"panel:{panel['id']}:{target['refId']}",
              "expr": re.sub(r"\$(job|app)\b", ".*", target["expr"].replace("$__rate_interval", "5m"))}
             for panel in panels() for target in panel["targets"]]
    file = tmp_path / "panels.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    ran = subprocess.run([promtool(), "check", "rules", file], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr

"""deploy/monitoring: what its alerts and its dashboard ask for is what /metrics prints."""

import json
import re

import pytest

from operations import metrics
from operations.jobs.schedule import JOBS
from operations.models import JobRun
from tests.servers import ROOT

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
FOLDER = ROOT / "deploy" / "monitoring"
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def names_in(text) -> set[str]:
    return set(re.findall(r"\bsendlayer_\w+", text))


@pytest.fixture
def page(db, settings, tmp_path):
    """What /metrics prints where everything is set that adds figures."""
    settings.EVENTS_LOG = str(tmp_path)
    for job in JOBS:
        JobRun.objects.create(job=job, seconds=1, size=1)
    return metrics.page(metrics._count()).decode()


@pytest.mark.parametrize("name", ["alerts.yaml", "alerts_test.yaml", "dashboard.json"])
def test_monitoring_asks_for_figures_that_metrics_prints(page, name):
    asked = names_in((FOLDER / name).read_text())
    printed = set(re.findall(r"^# TYPE (\w+) ", page, re.M))
    assert len(asked) > 8 and asked <= printed


def test_dashboard_shows_every_figure(page):
    shown = set().union(*map(names_in, EXPRESSIONS))
    assert set(re.findall(r"^# TYPE (\w+) ", page, re.M)) <= shown


def test_every_alert_names_an_action_and_is_tested():
    alerts = (FOLDER / "alerts.yaml").read_text().split("- alert: ")[1:]
    tested = (FOLDER / "alerts_test.yaml").read_text()
    assert len(alerts) > 10
    for alert in alerts:
        assert alert.split()[0] in tested
        assert all(f"{part}: " in alert for part in ("expr", "severity", "summary", "action"))


def test_alerts_have_the_bounds_of_the_jobs():
    alerts = (FOLDER / "alerts.yaml").read_text()
    for job in ("backup", "tidy", "domains"):
        (bound,) = re.findall(rf'timestamp_seconds{{name="{job}"}}\) > ([\d *]+)', alerts)
        hours = [int(part) for part in bound.split(" * ")]
        assert hours[0] * (hours[1] if hours[1:] else 1) == JOBS[job].late_after.total_seconds()

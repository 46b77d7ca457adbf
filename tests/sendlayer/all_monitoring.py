"""deploy/monitoring and /metrics as Prometheus' own tool judges them: `make test-monitoring`."""

import json
import shutil
import subprocess

import pytest

from tests.sendlayer.test_monitoring import EXPRESSIONS, FOLDER, page  # noqa: F401  (a fixture)

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def promtool(*arguments, **options):
    program = shutil.which("promtool")
    assert program, "promtool is missing: apt-get install prometheus"
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_alerts_are_valid_and_fire_when_they_should():
    assert "SUCCESS" in promtool("check", "rules", FOLDER / "alerts.yaml")
    assert "SUCCESS" in promtool("test", "rules", FOLDER / "alerts_test.yaml")


def test_metrics_follow_the_conventions_of_prometheus(page):  # noqa: F811
    assert promtool("check", "metrics", input=page) == ""


def test_expressions_of_the_dashboard_are_valid(tmp_path):
    values = {"$job": ".*", "$__rate_interval": "5m"}
    rules = []
    for number, expression in enumerate(EXPRESSIONS):
        for name, value in values.items():
            expression = expression.replace(name, value)
        rules.append({"record": f"panel:{number}", "expr": expression})
    # JSON is YAML.
    (tmp_path / "rules.yaml").write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"{len(EXPRESSIONS)} rules found" in promtool("check", "rules", tmp_path / "rules.yaml")

"""The version is defined once and shown wherever an operator looks for it."""

import subprocess
import sys
import tomllib

import pytest

import sendlayer
from tests.servers import ROOT

VERSION = sendlayer.__version__


@pytest.mark.one_database
def test_version_command_prints_the_version_of_pyproject():
    said = subprocess.run([sys.executable, ROOT / "manage.py", "version"], capture_output=True, text=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (said.stdout.strip(), said.stderr) == (VERSION, "") and project["version"] == VERSION


@pytest.mark.one_database
def test_changelog_has_a_section_for_the_version():
    assert f"\n## {VERSION} " in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.django_db
def test_version_is_shown_to_monitors(client):
    assert f'sendlayer_build_info{{version="{VERSION}"}} 1.0' in client.get("/metrics").content.decode()


@pytest.mark.django_db
def test_version_is_shown_in_the_admin(admin_client):
    assert f"SendLayer support {VERSION}" in admin_client.get("/admin/").content.decode()

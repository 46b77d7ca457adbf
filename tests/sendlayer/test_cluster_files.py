"""The files of deploy/cluster, without the hosts on which `make test-cluster` tries them."""

import re
import subprocess

import pytest

from tests.cluster.walk import ON_NODES, ON_PRIMARY, PAGE, SEE, sections
from tests.debian.walkthrough import script
from tests.servers import ROOT

pytestmark = pytest.mark.one_database

FOLDER = ROOT / "deploy/cluster"
SETTINGS = set(re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))
# What fills in which file.
FILLED = {"env.mail-node": "README.md", "postgres/sendlayer-standby.conf": "set-postgres"}


@pytest.mark.parametrize("headings", [ON_PRIMARY, ON_NODES, (SEE,)])
def test_blocks_for_each_host_are_one_valid_script(headings):
    text = script(sections(headings), values="", twice=False)
    assert subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True).stderr == ""


@pytest.mark.parametrize("name", ["env.mail-node", "env.web-node"])
def test_settings_of_nodes_exist(name):
    lines = (FOLDER / name).read_text()
    assert set(re.findall(r"^#?([A-Z_]+)=", lines, re.M)) <= SETTINGS


@pytest.mark.parametrize("name", FILLED)
def test_each_value_to_fill_in_is_filled_in(name):
    values = set(re.findall(r"CHANGE-[A-Z-]+|=NODE\b|'SLOT'", (FOLDER / name).read_text()))
    assert values
    filling = (FOLDER / FILLED[name]).read_text()
    assert not {value for value in values if value not in filling}


def test_page_names_only_files_that_exist():
    linked = re.findall(r"\]\((?!https?:)([^)#]+)\)", PAGE.read_text())
    assert linked
    assert [name for name in linked if not (FOLDER / name).exists()] == []

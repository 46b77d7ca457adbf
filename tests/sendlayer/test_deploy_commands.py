"""sendlayer-install, -upgrade and -rollback as texts and trial runs: `make walk-through` runs them."""

import os
import re
import subprocess

import pytest

from tests.debian.documents import README
from tests.debian.machine import ROOT

pytestmark = pytest.mark.one_database

DEPLOY = ROOT / "deploy"
COMMANDS = ("sendlayer-install", "sendlayer-upgrade", "sendlayer-rollback")
GIVEN = ("HOST=smtp.example.com", "DASHBOARD=mail.example.com", "OWNER=you@example.com", "DOMAIN=example.com")


def run(command, *arguments):
    """Run it as a user who can change nothing: what tries to fails."""
    as_nobody = ["setpriv", "--reuid=65534", "--clear-groups", "--"] if os.geteuid() == 0 else []
    return subprocess.run(
        [*as_nobody, "bash", DEPLOY / command, *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def given(*more):
    return [word for value in (*GIVEN, *more) for word in ("--set", value)]


@pytest.mark.parametrize(("server", "database"), [("postfix", "pgsql"), ("listener", "sqlite")])
def test_trial_run_of_installation_says_each_step_and_changes_nothing(server, database):
    said = run("sendlayer-install", "--dry-run", *given(f"SERVER={server}", f"DATABASE={database}"))
    assert (said.returncode, said.stderr) == (0, "")
    lines = said.stdout.splitlines()
    assert len(lines) > 10 and all(line.startswith("would: ") for line in lines)
    assert f"would: Make the database: {database}" in lines
    assert ("postfix-" in said.stdout) == (server == "postfix")


@pytest.mark.parametrize("command", COMMANDS)
def test_unknown_option_is_refused_before_anything_is_done(command):
    for arguments in (["--dryrun"], ["--dry-run", "now"], ["--set", "HOSTS=x"], ["--set"]):
        said = run(command, *arguments)
        assert (said.returncode, said.stdout) == (2, ""), arguments
        assert said.stderr.startswith(f"{command}: ")


@pytest.mark.parametrize("value", ["SERVER=exim", "DATABASE=mysql", "PROXY=apache", "CERTIFICATE=none"])
def test_value_that_is_not_one_of_its_kind_is_refused_by_name(value):
    said = run("sendlayer-install", "--dry-run", *given(value))
    assert said.returncode == 2
    assert value.split("=")[0] in said.stderr and value.split("=")[1] in said.stderr


def test_missing_values_are_named():
    said = run("sendlayer-install", "--dry-run", "--set", "HOST=smtp.example.com")
    assert said.returncode == 2
    assert "fill in DASHBOARD OWNER DOMAIN in /root/sendlayer.conf" in said.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_what_it_does_and_each_option(command):
    said = run(command, "--help")
    assert said.returncode == 0
    options = re.findall(r"^ +(--[a-z-]+)\)", (DEPLOY / command).read_text(), re.M)
    assert {"--dry-run", *options} - {"--fetched", "--help"} <= set(re.findall(r"--[a-z-]+", said.stdout))


def test_values_are_those_of_the_file_and_explained():
    names = re.findall(r"^([A-Z_]+)=", (DEPLOY / "lib/sendlayer.conf").read_text(), re.M)
    known = re.search(r'^NAMES="([^"]*)"', (DEPLOY / "lib/common.sh").read_text(), re.M)[1].split()
    assert names == known
    assert [name for name in names if f"`{name}`" not in README.read_text()] == []


def test_commands_are_valid_and_shellcheck_finds_nothing():
    scripts = [
        *sorted(DEPLOY.glob("sendlayer-*")),
        *sorted((DEPLOY / "lib").glob("*.sh")),
        DEPLOY / "lib/new-certificate",
        *(DEPLOY / "cluster" / name for name in ("sendlayer-node", "set-postgres", "make-standby")),
    ]
    assert len(scripts) >= 9
    found = subprocess.run(["shellcheck", "-x", *scripts], capture_output=True, text=True, cwd=DEPLOY)
    assert found.stdout + found.stderr == ""

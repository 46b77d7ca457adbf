"""The image, and compose.yaml's profile `embedded`: SQLite and the listener. Run by `make test-image`."""

import json
import shutil
import subprocess
import time

import pytest

from sendlayer import __version__
from tests.debian import machine
from tests.image import host as hosts

URL, SMTP = "http://127.0.0.1:8000", "587"
ROLES = ("web", "submission", "tick")
COMPOSE = "podman compose --profile embedded"
CONTAINERS = "podman ps --quiet --filter name=systemd-sendlayer"
GENERATOR = "/usr/lib/systemd/system-generators/podman-system-generator"
DATA = "/var/lib/containers/storage/volumes/sendlayer_data/_data"
TRIAL = "sed -i s/^ALLOWED_HOSTS=.*/ALLOWED_HOSTS=127.0.0.1/ settings.env; echo HTTPS_ONLY=no >> settings.env"
PRIVILEGES = "grep -E '^(Uid|Gid|Cap...|NoNewPrivs):' /proc/1/status"
# Beside Debian's and Python's own: nothing that builds, fetches or tests.
NOT_COPIED = "tests docs bench .git deploy/postgres .venv/lib/*/site-packages/pip"
NOT_THERE = "gcc cc git pip pip3 curl wget make pytest podman"


@pytest.fixture(scope="module")
def running(host):
    """The profile, started as docs/container.md says; and when /readyz said yes."""
    host.document("Build")
    host.run(TRIAL)
    began = time.monotonic()
    host.document("One machine")
    host.wait_until(f"curl -sf {URL}/readyz")
    print(f"embedded: up with an owner and a domain after {time.monotonic() - began:.1f} s", flush=True)
    yield host
    host.run(f"{COMPOSE} down --volumes")


@pytest.fixture(scope="module")
def kept(running):
    """The SMTP user that the browser story leaves."""
    return running.visit("story", URL, SMTP)


def test_image_has_labels_a_user_and_nothing_that_builds(host):
    (image,) = host.json("podman inspect sendlayer")
    others = host.run("podman image inspect -f {{.Size}} sendlayer-mail debian:trixie-slim").split()
    print(f"sendlayer: {image['Size']} bytes; sendlayer-mail, the base: {others}", flush=True)
    labels = image["Config"]["Labels"]
    assert labels["org.opencontainers.image.version"] == __version__
    assert labels["org.opencontainers.image.licenses"] == "BSD-3-Clause"
    assert image["Config"]["User"] == "10001:10001"
    assert list(image["Config"]["Volumes"]) == ["/var/lib/sendlayer"]
    enter = "podman run --rm --entrypoint sh sendlayer -c"
    assert host.run(f"{enter} 'for name in {NOT_THERE}; do command -v $name; done; true'") == ""
    assert host.run(f"{enter} 'ls -d {NOT_COPIED}; true' 2> /dev/null") == ""
    assert host.run(f"{enter} 'find /opt -writable ! -type l'") == ""


def test_a_role_without_keys_or_an_unknown_role_is_refused(host):
    said = host.run("podman run --rm sendlayer 2>&1 || echo $?")
    assert "SECRET_KEY is not set" in said and "deploy/container/prepare" in said and said.endswith("78\n")
    assert "There is no role wbe" in host.run("podman run --rm sendlayer wbe 2>&1 || true")


@pytest.mark.parametrize("role", ROLES)
def test_a_container_is_read_only_and_without_rights(running, role):
    name = f"sendlayer-{role}-1"
    status = running.run(f'podman exec {name} sh -c "{PRIVILEGES}"').split()
    assert status[1:5] == ["10001"] * 4 and status[6:10] == ["10001"] * 4
    capabilities = {status[place + 1] for place, word in enumerate(status) if word.startswith("Cap")}
    assert capabilities == {"0" * 16} and status[-1] == "1"
    running.run(
        f"podman exec {name} sh -c '! touch /opt/x && ! touch /etc/x && touch /tmp/x /var/lib/sendlayer/x'"
    )


def test_story_in_the_browser_and_at_the_listener(kept):
    assert kept["password"].startswith("sl_")


@pytest.mark.parametrize("role", ("web", "submission"))
def test_health_check_fails_while_the_role_hangs(running, role):
    name = f"sendlayer-{role}-1"
    assert running.is_healthy(name)
    with running.hanging(name):
        assert not running.is_healthy(name)
    running.wait_until(f"podman healthcheck run {name}")


def test_health_check_fails_without_migrations(running):
    running.run(
        "podman run --detach --name unready --volume ./secrets:/s:ro --user 0 --tmpfs /var/lib/sendlayer "
        "--env SECRET_KEY_FILE=/s/secret_key --env CREDENTIAL_KEYS_FILE=/s/credential_keys sendlayer"
    )
    running.wait_until("podman logs unready 2>&1 | grep Listening")
    try:
        assert not running.is_healthy("unready")
    finally:
        running.run("podman rm --force unready")


def test_sigterm_loses_no_message(running, kept):
    count = f"find {DATA}/outbox/new -type f | wc -l"
    before = int(running.run(count))
    command = running.visitor("send", SMTP, kept["username"], kept["password"])
    with subprocess.Popen(command, cwd=machine.ROOT, stdout=subprocess.PIPE, text=True) as sender:
        running.wait_until(f"[ $({count}) -gt {before + 20} ]")
        began = time.monotonic()
        running.run(f"{COMPOSE} stop submission")
        print(f"submission: stopped after {time.monotonic() - began:.1f} s, under load", flush=True)
        sender.terminate()
        accepted = json.loads(sender.communicate()[0].splitlines()[-1])["accepted"]
    # One whose answer is lost is sent again: that is no loss.
    assert int(running.run(count)) - before >= accepted > 20
    running.run(f"{COMPOSE} start submission")
    running.wait_until("podman healthcheck run sendlayer-submission-1")


def test_data_outlives_the_containers(running, kept):
    running.run(f"{COMPOSE} down && {COMPOSE} up --detach")
    running.wait_until("podman healthcheck run sendlayer-submission-1")
    assert running.visit("login", SMTP, kept["username"], kept["password"]) == 235


def test_a_backup_is_made_and_restored(running, kept):
    running.document("Backups", 0)
    running.document("Backups", 1)
    running.wait_until("podman healthcheck run sendlayer-submission-1")
    assert running.visit("login", SMTP, kept["username"], kept["password"]) == 235


def test_the_volume_of_the_previous_version_is_upgraded(running, tmp_path):
    code, var_dir = tmp_path / "code", tmp_path / "var"
    code.mkdir()
    commit = hosts.previous_version()
    archive = subprocess.run(
        ["git", "archive", commit], cwd=machine.ROOT, capture_output=True, check=True
    ).stdout
    subprocess.run(["tar", "-x", "-C", code], input=archive, check=True)
    secrets = running.folder / "root/sendlayer/secrets"
    keys = {name.upper(): (secrets / name).read_text() for name in ("secret_key", "credential_keys")}
    hosts.manage(code, var_dir, keys, "migrate", "-v0")
    hosts.manage(code, var_dir, keys, "demo")
    username, password = hosts.manage(code, var_dir, keys, "shell", "-v0", "-c", ISSUE).split()
    running.run(f"{COMPOSE} down --volumes; podman volume create sendlayer_data")
    shutil.copytree(var_dir, running.folder / "root/old")
    running.run(f"cp -r /root/old/. {DATA}/; chown -R 10001:10001 {DATA}; {COMPOSE} up --detach")
    running.wait_until("podman healthcheck run sendlayer-submission-1")
    assert running.visit("login", SMTP, username, password) == 235
    print(f"upgraded from {commit[:7]}: {running.run(f'curl -s {URL}/readyz')}", flush=True)


ISSUE = """
from audit.actor import Actor; from domains.models import Domain
domain = Domain.objects.filter(authorized_at__isnull=False).first()
credential, password = domain.credentials.issue(by=Actor.system('trial'), label='Site')
print(credential.username, password)"""


def test_quadlets_run_by_systemd(host):
    host.run(f"{COMPOSE} down --volumes")
    generated = host.run(f"QUADLET_UNIT_DIRS=$PWD/deploy/container/quadlet {GENERATOR} --dryrun 2>&1")
    assert generated.count("ExecStart=") == 6
    began = time.monotonic()
    host.document("systemd")
    print(f"systemd: ready after {time.monotonic() - began:.1f} s", flush=True)
    assert "ready" in host.run(f"curl -sf {URL}/readyz")
    assert host.is_healthy("systemd-sendlayer-submission")
    # An upgrade: what needs the migration is restarted with it.
    before = host.run(CONTAINERS)
    host.run("systemctl restart sendlayer-migrate")
    host.wait_until("podman healthcheck run systemd-sendlayer-submission")
    host.wait_until(f"curl -sf {URL}/readyz")
    assert not set(host.run(CONTAINERS).split()) & set(before.split())
    host.run("systemctl stop sendlayer-web sendlayer-submission sendlayer-tick sendlayer-migrate")
    assert host.run("podman ps --quiet") == ""


def test_sbom_lists_libraries_and_packages(host):
    host.run("make sbom > /root/sbom.log 2>&1")
    listed = host.json("cat var/sendlayer.cdx.json")
    names = {part["name"].lower() for part in listed["components"]}
    assert listed["bomFormat"] == "CycloneDX"
    assert {"django", "psycopg", "python3.13", "libc6"} <= names
    print(f"sbom: {len(names)} names in sendlayer", flush=True)

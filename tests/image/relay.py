"""compose.yaml's profile `relay`: PostgreSQL, Redis, Postfix with Dovecot, Caddy. Run by `make test-image`."""

import time

import pytest

URL, SMTP = "https://localhost", "587"
COMPOSE = "podman compose --profile relay"
# Caddy makes a certificate for localhost itself. Nothing listens at the next hop: accepted mail waits.
SETTINGS = """sed -i settings.env \\
    -e 's/^ALLOWED_HOSTS=.*/ALLOWED_HOSTS=localhost/' -e 's/^RELAYHOST=.*/RELAYHOST=[127.0.0.1]:9/'"""
WITHOUT_RIGHTS = ("database", "redis", "relay-web", "relay-tick", "reports", "milter")
LAST_USED = (
    "from credentials.models import Credential; print(Credential.objects.get(username='{}').last_used_ip)"
)
QUEUED = "podman exec sendlayer-mail-1 postqueue -j | grep -c queue_id"
MAIL_ROLE = """PGPASSWORD=$(cat secrets/database_password_mail) podman exec -e PGPASSWORD \\
    sendlayer-database-1 psql -h 127.0.0.1 -U sendlayer_mail sendlayer"""


@pytest.fixture(scope="module")
def running(host):
    host.run("deploy/container/prepare localhost smtp.test && sed -i /HTTPS_ONLY/d settings.env")
    host.run(SETTINGS)
    began = time.monotonic()
    host.document("A relay with Postfix")
    host.wait_until("podman healthcheck run sendlayer-mail-1")
    print(f"relay: up with an owner and a domain after {time.monotonic() - began:.1f} s", flush=True)
    yield host
    host.run(f"{COMPOSE} down --volumes")


@pytest.fixture(scope="module")
def kept(running):
    """The SMTP user that the browser story leaves."""
    return running.visit("story", URL, SMTP)


@pytest.mark.parametrize("service", [*WITHOUT_RIGHTS, "mail", "proxy"])
def test_a_container_is_read_only_and_gains_no_rights(running, service):
    (container,) = running.json(f"podman inspect sendlayer-{service}-1")
    assert container["HostConfig"]["ReadonlyRootfs"]
    assert "no-new-privileges" in container["HostConfig"]["SecurityOpt"]
    if service in WITHOUT_RIGHTS:
        assert not container["EffectiveCaps"] and not container["BoundingCaps"]


def test_story_in_the_browser_and_at_postfix(kept):
    assert kept["password"].startswith("sl_")


def test_dovecot_reports_logins(running, kept):
    shell = f'python manage.py shell -v0 -c "{LAST_USED.format(kept["username"])}"'
    running.wait_until(f"podman exec sendlayer-relay-web-1 {shell} | grep -F .")
    assert running.run(f"podman exec sendlayer-relay-web-1 {shell}").strip() != "None"


def test_mail_role_reads_no_table(running):
    said = running.run(f"{MAIL_ROLE} -c 'TABLE credentials_credential' 2>&1 || true")
    assert "permission denied" in said


@pytest.mark.parametrize("role", ["reports", "milter"])
def test_health_check_fails_while_the_role_hangs(running, role):
    name = f"sendlayer-{role}-1"
    assert running.is_healthy(name)
    with running.hanging(name):
        assert not running.is_healthy(name)
    running.wait_until(f"podman healthcheck run {name}")


def test_waiting_mail_outlives_the_container(running, kept):
    waiting = running.run(QUEUED)
    began = time.monotonic()
    running.run(f"{COMPOSE} stop mail")
    print(f"mail: stopped after {time.monotonic() - began:.1f} s", flush=True)
    running.run(f"{COMPOSE} start mail")
    running.wait_until("podman healthcheck run sendlayer-mail-1")
    assert running.run(QUEUED) == waiting
    assert running.visit("login", SMTP, kept["username"], kept["password"]) == 235


def test_the_container_ends_with_dovecot_and_is_started_again(running, kept):
    running.run("podman exec sendlayer-mail-1 doveadm stop || true")
    running.wait_until("[ $(podman inspect -f '{{.RestartCount}}' sendlayer-mail-1) -gt 0 ]")
    running.wait_until("podman healthcheck run sendlayer-mail-1")
    assert running.visit("login", SMTP, kept["username"], kept["password"]) == 235


def test_everything_comes_back_with_its_data(running, kept):
    running.run(f"{COMPOSE} down && {COMPOSE} up --detach")
    running.wait_until("podman healthcheck run sendlayer-mail-1")
    assert running.visit("login", SMTP, kept["username"], kept["password"]) == 235


def test_a_backup_is_restored_by_the_role_that_owns_the_tables(running, kept):
    running.run("podman compose exec -T relay-tick python manage.py tick backup")
    running.run("rm -rf backups && podman compose cp relay-tick:/var/lib/sendlayer/backups .")
    running.document("Backups", 2)
    running.wait_until("podman healthcheck run sendlayer-mail-1")
    running.run("podman compose exec -T relay-web python manage.py verify_store")
    assert running.visit("login", SMTP, kept["username"], kept["password"]) == 235

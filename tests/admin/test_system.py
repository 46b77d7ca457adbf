"""The admin's page System: what an operator should look at, in words, for superusers only."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from accounts import emails
from accounts.emails import Letter
from credentials.models import Node
from operations.jobs.schedule import JOBS
from operations.models import JobRun
from tests.factories import make_credential, make_use, password_of
from tests.http import text
from vault import cipher, keyring
from vault.keyring import KeyCanary

pytestmark = pytest.mark.django_db
PAGE = "/admin/operations/jobrun/"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def rows(client) -> dict[str, dict[str, str]]:
    """Title of each section → name of each row → its sentence; "" → what is said instead of rows."""
    found = {}
    for section in re.findall(r"<section.*?</section>", text(client.get(PAGE, secure=True)), re.S):
        title, *cells = [
            " ".join(unescape(strip_tags(part)).split())
            for part in re.findall(r"<(?:h2|td|p)\b.*?</(?:h2|td|p)>", section, re.S)
        ]
        found[title] = dict(zip(cells[::2], cells[1::2], strict=True)) if len(cells) > 1 else {"": cells[0]}
    return found


def record(job, ago, **fields):
    at = timezone.now() - ago
    given = {
        "started_at": at,
        "finished_at": at,
        "succeeded_at": at,
        "seconds": 0.25,
        "held_by": "mail1, process 7",
    }
    return JobRun.objects.create(job=job, **given | fields)


@pytest.fixture
def all_is_well(settings):
    settings.HTTPS_ONLY = settings.SECURE_SSL_REDIRECT = True
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS, settings.SMTP_HOST = 31536000, "smtp.example.com"
    for job in JOBS:
        record(job, 5 * MINUTE)


def test_system_is_for_superusers_only(client, as_vera, vera):
    vera.user_permissions.add(*Permission.objects.filter(content_type__app_label="operations"))
    assert client.get(PAGE).status_code == 403
    assert "System</a>" not in text(client.get("/admin/"))


def test_system_is_linked_from_the_admin_and_changes_nothing(as_root):
    assert f'<a href="{PAGE}">System</a>' in text(as_root.get("/admin/"))
    page = text(as_root.get(PAGE))
    assert "<input" not in page.partition('id="content"')[2] and as_root.get(f"{PAGE}add/").status_code == 404
    assert as_root.post(PAGE).status_code == 405


@pytest.mark.one_database
def test_system_says_when_nothing_needs_attention(as_root, all_is_well):
    page = rows(as_root)
    assert page["Needs attention"] == {"": "Nothing on this page needs attention."}
    assert page["Settings"] == {"": "check --deploy finds nothing."}


def test_system_says_how_each_job_is(as_root, all_is_well):
    JobRun.objects.filter(job="letters").delete()
    now = timezone.now()
    JobRun.objects.filter(job="tidy").update(started_at=now - 2 * HOUR, held_until=now - HOUR)
    JobRun.objects.filter(job="domains").update(failure="The database <b>is</b> away")
    JobRun.objects.filter(job="backup").update(succeeded_at=now - 2 * DAY, result="/b/1.zip", size=2048)
    page = rows(as_root)
    where = "Look at journalctl -u sendlayer-{}, or in a container at the log of tick."
    assert page["Jobs"] == {
        "Send waiting e-mails": "No run is known. Start sendlayer-tidy.timer, or tick in a container.",
        "Tidy": "Began 2 hours ago at mail1, process 7 and never ended. Last succeeded 5 minutes ago. "
        + where.format("tidy"),
        "Check DNS records": "Failed 5 minutes ago: The database <b>is</b> away. "
        "Last succeeded 5 minutes ago. " + where.format("check-domains"),
        "Backup": "Last succeeded 2 days ago. That is late: it should within 26 hours. "
        + where.format("backup"),
        "Newest backup": "/b/1.zip, 2.0 KB, made 2 days ago at mail1, process 7. "
        "Whether the file is still there isn't checked.",
    }
    assert page["Needs attention"] == {
        name: said for name, said in page["Jobs"].items() if name != "Newest backup"
    }


def test_job_that_runs_or_never_succeeded_says_so(as_root):
    now = timezone.now()
    record("domains", HOUR, succeeded_at=None, finished_at=None, seconds=None, held_until=now + HOUR)
    record("tidy", HOUR, succeeded_at=None, failure="It was stopped.")
    page = rows(as_root)
    assert page["Jobs"]["Check DNS records"] == "Began 1 hour ago at mail1, process 7. It never succeeded."
    assert "Check DNS records" not in page["Needs attention"]
    assert page["Jobs"]["Tidy"].startswith("Failed 1 hour ago: It was stopped. It never succeeded. Look at")
    assert page["Jobs"]["Newest backup"] == "None by tick backup is known."


def test_system_shows_what_tick_recorded(as_root, settings, tmp_path):
    settings.BACKUP_DIR = str(tmp_path / "gone")
    with pytest.raises(CommandError):
        call_command("tick", "backup")
    call_command("tick", "domains")
    jobs = rows(as_root)["Jobs"]
    assert re.fullmatch(
        r"Succeeded just now, in .* s\. 0 domains checked, 0 changed", jobs["Check DNS records"]
    )
    assert jobs["Backup"].startswith("Failed just now: There is no backup: ")


def test_system_shows_database_migrations_keys_and_mail(as_root, settings, credential):
    assert keyring.examine() == ""
    settings.CREDENTIAL_KEYS = f"k2:{cipher.new_key()},{settings.CREDENTIAL_KEYS}"
    keyring.plant()
    emails.post("alice@example.com", "Hello", "text")
    Letter.objects.update(created_at=timezone.now() - 2 * HOUR)
    make_use(credential)
    (migration,) = MigrationExecutor(connection).loader.graph.leaf_nodes("operations")
    MigrationRecorder(connection).record_unapplied(*migration)
    page = rows(as_root)
    name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[connection.vendor]
    assert re.fullmatch(rf"{name} \d+(\.\d+)+, [\d.]+\s[KM]B", page["This server"]["Database"])
    assert page["This server"]["Version"].startswith(f"{settings.VERSION}, at ")
    assert page["This server"]["Migrations"] == f"Run manage.py migrate: {'.'.join(migration)}."
    assert page["Keys"] == {
        "Sealed": "No: CREDENTIAL_KEYS are those that sealed what is stored.",
        "Key k1": "Unseals, in CREDENTIAL_KEYS, first used just now.",
        "Key k2": "Seals new secrets, in CREDENTIAL_KEYS, first used just now.",
    }
    assert page["Mail"]["E-mails to users"] == "1 e-mail waits. The oldest was written 2 hours ago."
    assert page["Mail"]["Last SMTP login"] == "Counted just now."
    assert {"Migrations", "E-mails to users"} <= page["Needs attention"].keys()


def test_system_says_whether_acts_can_be_noted(as_root, settings, tmp_path):
    settings.EVENTS_LOG = str(tmp_path)
    assert rows(as_root)["This server"]["Acts are noted in"] == str(tmp_path)
    (tmp_path / "file").touch()
    settings.EVENTS_LOG = str(tmp_path / "file")
    said = rows(as_root)["Needs attention"]["Acts are noted in"]
    assert said.startswith(f"{tmp_path}/file They can't be: ")


def test_system_shows_a_retired_key(as_root, settings):
    keyring.examine()
    KeyCanary.objects.create(key_id="k0", token="gone", retired_at=timezone.now() - 3 * DAY)
    said = rows(as_root)["Keys"]["Key k0"]
    assert said == "Retired 3 days ago, not in CREDENTIAL_KEYS, first used just now."


def test_system_says_which_mail_servers_are_silent_behind_or_of_another_version(as_root, settings):
    now, settings.LEASE_SECONDS = timezone.now(), 3600

    def node(name, ago=MINUTE, **columns):
        given = {"role": Node.Role.POSTFIX, "version": settings.VERSION, "last_seen_at": now - ago}
        return Node.objects.create(name=name, **given | columns)

    assert rows(as_root)["Mail servers"][""].startswith("None has reported itself")
    node("mail1", ago=MINUTE / 60, has_replica=True, heartbeat_at=now - MINUTE / 30)
    node("mail2", has_replica=True, heartbeat_at=now - 2 * HOUR)
    node("mail3", has_replica=True)
    node("mail4", ago=3 * DAY)
    node("web1", role=Node.Role.LISTENER, version="0.1.0")
    page = rows(as_root)
    version = f"Version {settings.VERSION}."
    assert page["Mail servers"] == {
        "mail1 (Postfix and Dovecot)": f"{version} Reported just now. Its replica was 1.0 s behind.",
        "mail2 (Postfix and Dovecot)": f"{version} Reported 1 minute ago. Its replica was 7140.0 s behind. "
        "By its last report, its lease is over: it refuses all logins.",
        "mail3 (Postfix and Dovecot)": f"{version} Reported 1 minute ago. It refuses all logins: "
        "no heartbeat has reached its replica.",
        "mail4 (Postfix and Dovecot)": f"{version} Reported 3 days ago. It is silent: its service or its way "
        "to the database is down. If it's gone for good, remove it under Mail servers.",
        "web1 (Built-in listener)": "Version 0.1.0. Reported 1 minute ago. "
        f"This server has {settings.VERSION}.",
    }
    wrong = page["Needs attention"].keys()
    assert wrong >= page["Mail servers"].keys() - {"mail1 (Postfix and Dovecot)"}
    assert "mail1 (Postfix and Dovecot)" not in wrong


def test_system_shows_no_secret(as_root, settings, credential):
    settings.METRICS_TOKEN = "short-token"
    settings.HEARTBEAT_URL_TIDY = "ftp://monitor/0a1b2c"
    page = text(as_root.get(PAGE))
    assert "sendlayer.E060" in page and "sendlayer.E090" in page
    key = settings.CREDENTIAL_KEYS.partition(":")[2]
    for secret in (key, settings.SECRET_KEY, "short-token", "0a1b2c", password_of(credential)):
        assert secret not in page


def test_system_makes_a_constant_number_of_queries(as_root, domain):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            rows(as_root)
        return len(captured)

    emails.post("alice@example.com", "Hello", "text")
    make_use(make_credential(domain))
    queries()
    before = queries()
    for job in JOBS:
        record(job, HOUR, failure="It was stopped.")
        emails.post("alice@example.com", "Hello", "text")
        make_use(make_credential(domain))
    assert queries() == before < 30

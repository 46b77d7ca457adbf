"""Periodic jobs by `manage.py tick`: run, recorded, reported to a monitor, and never twice at once."""

import logging
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts import emails
from accounts.emails import Letter
from credentials import expiry_warnings
from operations.jobs import heartbeat_urls
from operations.jobs.schedule import HOUR, JOBS, MINUTE
from operations.models import MAX_TEXT, JobRun
from tests.backup.conftest import manage
from tests.http import at_once
from tests.servers import ROOT, database_url, free_port
from tests.submission.clients import wait_until
from vault.cipher import new_key

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "7a0b-of-the-monitor"


@pytest.fixture
def monitor():
    """A heartbeat monitor; `paths` are those that were requested, `status` is what it answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.paths.append(self.path)
            self.send_response(self.server.status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", free_port()), Handler) as server:
        server.paths, server.status = [], 200
        server.url = f"http://127.0.0.1:{server.server_port}/ping/{TOKEN}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def folder(tmp_path, settings):
    (tmp_path / "backups").mkdir()
    settings.BACKUP_DIR = str(tmp_path / "backups")
    return tmp_path / "backups"


@contextmanager
def ticking(log, *words, code=0, **environment):
    """`tick` as a process, which gets a SIGTERM at the end and then exits with this code."""
    given = {"DATABASE_URL": database_url(), "PYTHONUNBUFFERED": "1", "LOG_LEVEL": "DEBUG"}
    with open(log, "ab") as output:
        command = [sys.executable, "manage.py", "tick", *words]
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | given | environment, stdout=output, stderr=output
        )
        try:
            yield process
            process.terminate()
            assert process.wait(60) == code, log.read_text()
        finally:
            process.kill()
            process.wait()


@contextmanager
def loop(log, **environment):
    """`tick` without a job."""
    with ticking(log, **environment) as process:
        wait_until(lambda: "Running letters" in log.read_text(), seconds=60)
        yield process


@pytest.mark.parametrize(
    ("job", "printed"),
    [
        ("letters", "1 sent, 0 not sent.\n"),
        ("tidy", "0 expiry warnings sent to owners\n"),
        ("domains", "0 domains checked, 0 changed\n"),
    ],
)
def test_tick_runs_a_job_and_records_it(job, printed, capsys, settings, monitor):
    setattr(settings, f"HEARTBEAT_URL_{job.upper()}", monitor.url)
    emails.post("alice@example.com", "Hello", "text")
    call_command("tick", job)
    assert capsys.readouterr().out == printed
    run = JobRun.objects.get()
    assert (run.job, run.failure, run.result, run.size) == (job, "", printed.strip(), None)
    assert run.started_at <= run.succeeded_at == run.finished_at <= timezone.now() and run.seconds >= 0
    assert run.held_until is None
    assert monitor.paths == [f"/ping/{TOKEN}"]


def test_tick_backup_keeps_backups_for_backup_days_and_leaves_other_files(folder, settings):
    settings.BACKUP_DAYS = 3
    old, recent = ([f"2026-01-{day:02}-031500.zip" for day in days] for days in (range(1, 4), range(4, 10)))
    old += ["before-0.3.0-2026-01-01-120000.zip", "before-rollback-2026-01-01-120000.zip"]
    others = {"mine.zip", "2026-01-01.sql"}
    for days, names in ((40, {*old, *others}), (2, recent)):
        for name in names:
            (folder / name).write_text("")
            os.utime(folder / name, (time.time() - days * 86400,) * 2)
    call_command("tick", "backup")
    (new,) = {path.name for path in folder.iterdir()} - {*recent, *others}
    run = JobRun.objects.get()
    assert (run.result, run.size) == (str(folder / new), (folder / new).stat().st_size)
    call_command("restore", folder / new, replace=True, yes=True)
    assert not JobRun.objects.exists()  # it would name runs that this database did not see


def test_tick_backup_deletes_what_a_killed_one_left(folder):
    for name, seconds in {"old": 2 * 86400, "new": 60}.items():
        (folder / f".backup-{name}").mkdir()
        (folder / f".backup-{name}" / "database.sqlite3").write_text("")
        (folder / f".2026-01-01-031500.zip.{name}.part").write_text("")
        for path in folder.glob(f"*{name}*"):
            os.utime(path, (time.time() - seconds,) * 2)
    call_command("tick", "backup")
    left = {path.name for path in folder.glob(".*")}
    assert left == {".backup-new", ".2026-01-01-031500.zip.new.part"}


def test_tick_backup_keeps_the_newest_backups_at_any_age(folder):
    names = [f"2026-01-{day:02}-031500.zip" for day in range(1, 10)]
    for name in names:
        (folder / name).write_text("")
        os.utime(folder / name, (0, 0))
    call_command("tick", "backup")
    assert sorted(path.name for path in folder.iterdir())[:-1] == names[-6:]


def test_tick_fails_with_its_job_and_keeps_the_last_success(folder, settings, monitor):
    settings.HEARTBEAT_URL_BACKUP = f"{monitor.url}/?create=1"
    call_command("tick", "backup")
    before = JobRun.objects.get()
    settings.BACKUP_DIR = str(folder / ("gone" * 60))
    with pytest.raises(CommandError, match="There is no backup"):
        call_command("tick", "backup")
    after = JobRun.objects.get()
    assert after.failure.startswith("There is no backup") and len(after.failure) <= MAX_TEXT
    assert after.finished_at > before.finished_at and after.held_until is None
    assert (after.succeeded_at, after.result, after.size) == (before.succeeded_at, before.result, before.size)
    assert monitor.paths == [f"/ping/{TOKEN}/?create=1", f"/ping/{TOKEN}/fail?create=1"]


@pytest.mark.one_database
def test_tick_without_a_folder_for_backups_says_what_to_set():
    code, output = manage("tick", "backup", BACKUP_DIR="")
    assert code == 1 and output.strip() == "CommandError: Set BACKUP_DIR to the folder for backups."


def test_tick_records_no_text_of_an_unexpected_error(monkeypatch):
    def fail(now):
        raise RuntimeError("row of alice@example.com")

    monkeypatch.setattr(expiry_warnings, "warn_owners", fail)
    with pytest.raises(CommandError):
        call_command("tick", "tidy")
    assert JobRun.objects.get().failure == "RuntimeError: see the log."


def test_tick_of_a_sealed_server_makes_backups_only(folder):
    call_command("tick", "tidy")
    wrong = {"CREDENTIAL_KEYS": f"k1:{new_key()}", "BACKUP_DIR": str(folder)}
    code, output = manage("tick", "tidy", **wrong)
    assert code == 1 and "CommandError: Not done while the keys are wrong: " in output
    assert manage("tick", "backup", **wrong)[0] == 0
    failures = dict(JobRun.objects.values_list("job", "failure"))
    assert failures["backup"] == "" and "keys are wrong" in failures["tidy"]


@pytest.mark.one_database
@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_timer_of_a_job_runs_it_for_as_long_as_it_is_held(job):
    unit = (ROOT / "deploy" / "systemd" / f"{job.unit}.service").read_text()
    timeouts = {"15min": 15 * MINUTE, "1h": HOUR, "6h": 6 * HOUR}
    assert f"manage.py tick {job.name}\n" in unit
    assert timeouts[re.search(r"TimeoutStartSec=(\w+)", unit)[1]] == job.bound
    assert (ROOT / "deploy" / "systemd" / f"{job.unit}.timer").exists()


def claim(job="tidy", pause=0 * MINUTE, by="one"):
    return JobRun.objects.claim(job, at=timezone.now(), by=by, bound=15 * MINUTE, pause=pause)


def test_job_is_claimed_by_one_of_many_processes(capsys):
    assert sorted(at_once(*[claim] * 6)) == [False] * 5 + [True]
    assert claim("letters")
    call_command("tick", "tidy")
    assert capsys.readouterr().out == "tidy runs already: one\n"


def test_job_of_a_process_that_died_is_free_after_its_bound():
    assert claim() and not claim()
    JobRun.objects.update(held_until=timezone.now())
    assert claim(by="another") and JobRun.objects.get().held_by == "another"


def test_job_is_not_claimed_before_its_pause_has_passed():
    assert claim()
    JobRun.objects.update(held_until=None, started_at=timezone.now() - 10 * MINUTE)
    assert not claim(pause=11 * MINUTE)
    assert claim(pause=9 * MINUTE)


def test_two_loops_run_each_job_once_and_go_on_after_a_failure(tmp_path, folder, monitor):
    environment = {f"HEARTBEAT_URL_{job.upper()}": f"{monitor.url}/{job}" for job in JOBS}
    environment["BACKUP_DIR"] = str(folder / "gone")
    logs = [tmp_path / "1.log", tmp_path / "2.log"]
    names = JobRun.objects.exclude(finished_at=None).order_by("job").values_list("job", flat=True)
    with ExitStack() as stack:
        for log in logs:
            stack.enter_context(loop(log, **environment))
        wait_until(lambda: list(names.all()) == sorted(JOBS), seconds=60)
        wait_until(lambda: len(monitor.paths) == 4, seconds=60)
    said = "".join(log.read_text() for log in logs)
    assert TOKEN not in said  # at LOG_LEVEL=DEBUG
    assert said.count("Running letters, tidy, domains, backup\n") == 2
    for line in ("0 sent, 0 not sent.", "0 expiry warnings sent to owners", "0 domains checked, 0 changed"):
        assert said.count(line) == 1
    assert said.count("backup failed: There is no backup") == 1
    assert sorted(monitor.paths) == sorted(
        f"/ping/{TOKEN}/{job}{'/fail' if job == 'backup' else ''}" for job in JOBS
    )


def test_loop_runs_a_job_again_once_it_is_due(tmp_path):
    now, finished = timezone.now(), {"finished_at": timezone.now()}
    ago = {
        job: now - timedelta(minutes=minutes)
        for job, minutes in {"letters": 2, "tidy": 1, "domains": 61}.items()
    }
    for job, at in ago.items():
        JobRun.objects.create(job=job, started_at=at, succeeded_at=at, **finished)
    JobRun.objects.filter(job="letters").update(failure="It was stopped.")
    log = tmp_path / "log"
    with loop(log, BACKUP_DIR=""):
        wait_until(
            lambda: not JobRun.objects.filter(job__in=("letters", "domains"), started_at__lt=now), seconds=60
        )
    assert JobRun.objects.get(job="tidy").started_at == ago["tidy"]
    assert not JobRun.objects.filter(job="backup")
    assert "No backups are made: BACKUP_DIR is not set." in log.read_text()


@pytest.fixture
def silent_mail_server():
    """A socket that a mail server could have, which says nothing; there is a letter for it."""
    with socket.create_server(("127.0.0.1", free_port())) as server:
        emails.post("alice@example.com", "Hello", "text")
        yield server


def email_url(server):
    return f"smtp://127.0.0.1:{server.getsockname()[1]}"


def is_sending():
    return JobRun.objects.filter(job="letters", held_until__isnull=False).exists()


def test_sigterm_ends_one_job_and_records_it(tmp_path, silent_mail_server):
    with ticking(tmp_path / "log", "letters", code=143, EMAIL_URL=email_url(silent_mail_server)):
        wait_until(is_sending, seconds=60)
        wait_until(lambda: Letter.objects.get().tries == 1)
    run = JobRun.objects.get()
    assert (run.failure, run.held_until, run.succeeded_at) == ("It was stopped.", None, None)


def test_sigterm_ends_the_loop_after_the_job_in_hand(tmp_path, silent_mail_server):
    with ticking(tmp_path / "log", EMAIL_URL=email_url(silent_mail_server)) as process:
        wait_until(is_sending, seconds=60)
        connection, _ = silent_mail_server.accept()
        process.terminate()
        connection.close()
    run = JobRun.objects.get()
    assert (run.job, run.failure, run.result) == ("letters", "", "0 sent, 1 not sent.")


@pytest.mark.parametrize("status", [200, 301, 404, 500])
def test_heartbeat_monitor_changes_nothing_about_a_run_and_is_not_followed(status, settings, monitor, caplog):
    monitor.status, settings.HEARTBEAT_URL_TIDY = status, monitor.url
    call_command("tick", "tidy")
    assert JobRun.objects.get().failure == "" and monitor.paths == [f"/ping/{TOKEN}"]
    assert ("The heartbeat monitor of tidy answered" in caplog.text) is (status != 200)
    assert TOKEN not in caplog.text


@pytest.mark.one_database
def test_heartbeat_monitor_that_is_away_or_hangs_changes_nothing_about_a_run(settings, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(heartbeat_urls._workers, "_seconds", 0.2)
    with socket.create_server(("127.0.0.1", free_port())) as silent:
        for port, error in ((free_port(), "ConnectionError"), (silent.getsockname()[1], "TimeoutError")):
            settings.HEARTBEAT_URL_TIDY = f"http://127.0.0.1:{port}/{TOKEN}"
            call_command("tick", "tidy")
            assert f"The heartbeat monitor of tidy can't be reached: {error}" in caplog.text
    assert TOKEN not in caplog.text and JobRun.objects.get().failure == ""

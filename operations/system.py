"""What the admin's page "System" shows, in words: jobs, this server, its keys, mail and settings.

Each part is a section of rows (what, how it is). What an operator should look at comes first as well.
The number of queries is constant, and there is no network but a connection to the milter, for a second at most.
"""

from collections.abc import Iterator
from typing import NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.core.checks import CheckMessage, Tags, run_checks
from django.db import connection
from django.db.models import Count, Min
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.html import format_html

from accounts import emails
from accounts.emails import Letter
from audit.lists import Section
from credentials.models import LoginDay, Node
from operations import health, metrics
from operations.backups.manifest import DATABASE_NAMES
from operations.failover import events_log
from operations.jobs.schedule import HOUR, JOBS, MINUTE, Job
from operations.models import JobRun
from vault import cipher, sealed_mode
from vault.checks import KEYS
from vault.keyring import KeyCanary
from web.caches import CacheAway
from web.dates import age, how_long
from web.plurals import counted
from web.private_files import database_files
from web.startup import START

TITLES = {
    "letters": "Send waiting e-mails",
    "tidy": "Tidy",
    "domains": "Check DNS records",
    "backup": "Backup",
}
NO_NODES = "None has reported itself: neither manage.py reports nor manage.py submission has run here."
GONE = (
    "It is silent: its service or its way to the database is down. If it's gone for good, remove it under "
    "Mail servers."
)
MOST_NODES = 100
SILENT = 2 * MINUTE  # they report each 10 s


class Row(NamedTuple):
    """A thing and how it is, in a sentence; whether an operator should look at it."""

    name: str
    text: str
    is_wrong: bool = False


def sections() -> list[Section]:
    """The parts of the page, what is wrong first. Raises django.db.Error."""
    parts = {
        "Jobs": list(_jobs()),
        "This server": list(_server()),
        "Keys": list(_keys()),
        "Mail": list(_mail()),
        "Mail servers": list(_nodes()),
    }
    wrong = [row for rows in parts.values() for row in rows if row.is_wrong]
    found = list(_settings())
    if found:
        things = counted(len(found), "thing that is", "things that are")
        wrong.append(Row("Settings", f"check --deploy finds {things} listed below."))
    return [
        _section("Needs attention", wrong, empty="Nothing on this page needs attention."),
        *(_section(title, rows, empty=NO_NODES) for title, rows in parts.items()),
        _section("Settings", found, empty="check --deploy finds nothing."),
    ]


def _section(title, rows, *, empty):
    return Section(title, (), [(row.name, row.text) for row in rows], empty)


def _jobs() -> Iterator[Row]:
    runs, now = {run.job: run for run in JobRun.objects.filter(job__in=JOBS)}, timezone.now()
    for job in JOBS.values():
        run = runs.get(job.name) or JobRun(job=job.name)
        yield Row(TITLES[job.name], *_state(job, run, now))
    yield Row("Newest backup", _newest_backup(runs.get("backup")))


def _state(job: Job, run: JobRun, now) -> tuple[str, bool]:
    """How a job is, and whether that is wrong."""
    where = format_html(
        "Look at <code>journalctl -u {}</code>, or in a container at the log of <code>tick</code>.", job.unit
    )
    if not run.started_at:
        return format_html("No run is known. {}", _how_to_start(job)), True
    if run.is_running(now):
        return format_html("Began {} at {}. {}", age(run.started_at), run.held_by, _last_success(run)), False
    if run.has_died(now):
        text = "Began {} at {} and never ended. {} {}"
        return format_html(text, age(run.started_at), run.held_by, _last_success(run), where), True
    if run.failure:
        text = "Failed {}: {} {} {}"
        return format_html(
            text, age(run.finished_at), f"{run.failure.rstrip('.')}.", _last_success(run), where
        ), True
    if now - run.succeeded_at > job.late_after:
        text = "{} That is late: it should within {}. {}"
        return format_html(text, _last_success(run), how_long(job.late_after), where), True
    took = f"{run.seconds:.1f} s" if run.seconds >= 0.1 else "less than 0.1 s"
    text = format_html("Succeeded {}, in {}.", age(run.succeeded_at), took)
    return format_html("{} {}", text, "" if run.size else run.result), False


def _how_to_start(job):
    if job.name == "backup":
        text = "Backups that are made without <code>tick backup</code> aren't shown here."
        return format_html(text + " The timer is {}.timer.", job.unit)
    return format_html("Start {}.timer, or <code>tick</code> in a container.", job.unit)


def _last_success(run):
    return (
        format_html("Last succeeded {}.", age(run.succeeded_at)) if run.succeeded_at else "It never succeeded."
    )


def _newest_backup(run):
    if not (run and run.succeeded_at):
        return "None by tick backup is known."
    text = "{}, {}, made {} at {}. Whether the file is still there isn't checked."
    return format_html(text, run.result, filesizeformat(run.size), age(run.succeeded_at), run.held_by)


def _server() -> Iterator[Row]:
    yield Row("Version", f"{settings.VERSION}, at {settings.NODE_NAME}")
    yield Row("Database", f"{DATABASE_NAMES[connection.vendor]} {_database_version()}, {_database_size()}")
    missing = health.missing_migrations()
    run_them = f"Run manage.py migrate: {', '.join(missing)}."
    yield Row("Migrations", run_them if missing else "All are applied.", bool(missing))
    problem = _problem_of_cache()
    backend = settings.CACHES["default"]["BACKEND"].rpartition(".")[2]
    kind = {"TableCache": "A table of the database", "SharedCache": "Redis"}.get(backend, backend)
    yield Row("Limits are counted in", f"{kind}. {problem or 'It answers.'}", bool(problem))
    if settings.EVENTS_LOG:
        is_writable = events_log.is_writable()
        text = (
            "" if is_writable else "They can't be: a failover may lose acts. Look at the disk and its rights."
        )
        yield Row("Acts are noted in", f"{settings.EVENTS_LOG} {text}".strip(), not is_writable)


def _database_version() -> str:
    if connection.vendor == "sqlite":
        return ".".join(map(str, connection.get_database_version()))
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return cursor.fetchone()[0].partition(" ")[0]


def _database_size() -> str:
    if connection.vendor == "sqlite":
        files = database_files(connection.settings_dict["NAME"])
        return filesizeformat(sum(path.stat().st_size for path in files))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return filesizeformat(cursor.fetchone()[0])


def _problem_of_cache() -> str:
    try:
        cache.get("ready")
    except CacheAway as error:
        return f"It can't be asked: {error}."
    if getattr(cache, "is_away", bool)():
        return "It can't be reached, so each worker counts alone."
    return ""


def _keys() -> Iterator[Row]:
    problem = sealed_mode.problem()
    fit = "No: CREDENTIAL_KEYS are those that sealed what is stored."
    yield Row("Sealed", f"Yes: {problem}." if problem else fit, bool(problem))
    ring, first = cipher.parse(settings.CREDENTIAL_KEYS), cipher.first_key()
    for canary in KeyCanary.objects.order_by("key_id"):
        here = "in CREDENTIAL_KEYS" if canary.key_id in ring else "not in CREDENTIAL_KEYS"
        role = "Seals new secrets" if canary.key_id == first else "Unseals"
        if canary.retired_at:
            role = format_html("Retired {}", age(canary.retired_at))
        yield Row(
            f"Key {canary.key_id}", format_html("{}, {}, first used {}.", role, here, age(canary.planted_at))
        )


def _mail() -> Iterator[Row]:
    waiting = Letter.objects.aggregate(number=Count("pk"), oldest=Min("created_at"))
    text = (
        f"{counted(waiting['number'], 'e-mail waits', 'e-mails wait')}." if waiting["number"] else "None waits."
    )
    is_late = waiting["oldest"] and timezone.now() - waiting["oldest"] > HOUR
    if waiting["oldest"]:
        text = format_html("{} The oldest was written {}.", text, age(waiting["oldest"]))
    if not emails.are_sent():
        text = format_html("{} EMAIL_URL names no server, so none is sent to anybody.", text)
    yield Row("E-mails to users", text, bool(is_late))
    last = LoginDay.objects.last_at()
    yield Row("Last SMTP login", format_html("Counted {}.", age(last)) if last else "None has been counted.")
    where = f"{settings.MILTER_ADDRESS}:{settings.MILTER_PORT}"
    answers = f"It accepts connections at {where}."
    silent = (
        f"Nothing accepts connections at {where}. That's right without Postfix; behind it, mail has to wait."
    )
    yield Row("Milter", answers if metrics.milter_answers() else silent)


def _nodes() -> Iterator[Row]:
    now = timezone.now()
    # Those that were silent for long first.
    for node in Node.objects.with_lease().order_by("last_seen_at")[:MOST_NODES]:
        wrong = " ".join(_wrong_of(node, now))
        version = f"Version {node.version}."
        lag = f"Its replica was {node.lag.total_seconds():.1f} s behind." if node.lag is not None else ""
        text = format_html("{} Reported {}. {} {}", version, age(node.last_seen_at), lag, wrong)
        yield Row(str(node), text, bool(wrong))


def _wrong_of(node, now) -> Iterator[str]:
    if now - node.last_seen_at > SILENT:
        yield GONE
    elif node.has_replica and not node.heartbeat_at:
        yield "It refuses all logins: no heartbeat has reached its replica."
    elif node.lease_ends_at and node.lease_ends_at < now:
        yield "By its last report, its lease is over: it refuses all logins."
    if node.version != settings.VERSION:
        yield f"This server has {settings.VERSION}."


def _settings() -> Iterator[Row]:
    found: list[CheckMessage] = run_checks(tags=[START, KEYS, Tags.security], include_deployment_checks=True)
    for message in sorted(found, key=lambda message: (not message.id.startswith("sendlayer"), message.id)):
        if not message.is_silenced():
            yield Row(message.id, f"{message.msg} {message.hint or ''}".strip())

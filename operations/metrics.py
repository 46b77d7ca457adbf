"""Figures for a monitor, in the text that Prometheus reads.

All workers report the same, since the figures come from the database. Counting takes at most a twentieth of
the time: a result is used for 15 seconds, or for 20 times as long as counting took. Events are only ever
added, so only new ones are counted.
"""

import socket
import time
from collections import Counter
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Q
from django.utils import timezone

from accounts.emails import Letter
from audit.models import Event
from credentials.models import Credential, LoginDay
from domains.models import Domain
from domains.models.dns_record import STATUS_LABELS, DnsRecord
from operations import node_metrics
from operations.failover import events_log
from operations.jobs.schedule import JOBS
from operations.models import JobRun
from vault import sealed_mode

# Servers of two versions may run side by side, and the older one lacks figures of the newer one.
FIGURES, LOCK, ACTS = f"metrics:figures:{settings.VERSION}", "metrics:lock", "metrics:acts"
SHORTEST_SECONDS = 15
SHARE = 20
# An event gets its primary key before its transaction commits: no act takes longer than this.
SETTLED_AFTER = timedelta(minutes=1)


def figures() -> dict:
    """Return the figures, counting again when they are too old. Raises django.db.Error."""
    kept, stale_at = cache.get(FIGURES) or (None, 0)
    if kept and (time.time() < stale_at or not cache.add(LOCK, True, 60)):
        return kept
    start = time.monotonic()
    try:
        fresh = _count()
        lasts = max(SHORTEST_SECONDS, SHARE * (time.monotonic() - start))
        cache.set(FIGURES, (fresh, time.time() + lasts), None)
    finally:
        cache.delete(LOCK)
    return fresh


def _count() -> dict:
    now = timezone.now()
    oldest = Letter.objects.order_by("created_at").values_list("created_at", flat=True).first()
    return {
        "logins": LoginDay.objects.totals(),
        "last_login": _seconds(LoginDay.objects.last_at()),
        "acts": _acts(now),
        "credentials": _credentials(now),
        "domains": _domains(),
        "dns_records": _dns_records(),
        "letters": Letter.objects.count(),
        "oldest_letter": _seconds(oldest),
        "jobs": _jobs(),
        "nodes": node_metrics.figures(now),
    }


def _seconds(moment) -> float | None:
    return moment.timestamp() if moment else None


def _jobs() -> dict[str, dict]:
    """Job → its last success, duration and failure, and the size of what it wrote."""
    known = {run.job: run for run in JobRun.objects.filter(job__in=JOBS)}
    return {
        name: {
            "succeeded": _seconds(run.succeeded_at) or 0,
            "seconds": run.seconds,
            "failed": run.has_failed(timezone.now()),
            "size": run.size,
        }
        for name in JOBS
        for run in [known.get(name) or JobRun(job=name)]
    }


def _acts(now) -> dict[str, int]:
    """Events by tag: those counted before, and new ones."""
    counted_to, numbers = cache.get(ACTS) or (0, {})
    settled = (
        Event.objects.filter(at__lt=now - SETTLED_AFTER).order_by("-at", "-pk").values_list("pk", flat=True)
    )
    settled_to = max(counted_to, settled.first() or 0)
    if settled_to > counted_to:
        numbers = Counter(numbers) + _by_tag(Event.objects.filter(pk__gt=counted_to, pk__lte=settled_to))
        cache.set(ACTS, (settled_to, dict(numbers)), None)
    return dict(Counter(numbers) + _by_tag(Event.objects.filter(pk__gt=settled_to)))


def _by_tag(events) -> Counter:
    return Counter(dict(events.values_list("tag").annotate(number=Count("pk"))))


def _credentials(now) -> dict[str, int]:
    found = Credential.objects.aggregate(
        all=Count("pk"),
        suspended=Count("suspended_at"),
        expired=Count("pk", filter=Q(suspended_at=None, expires_at__lte=now)),
    )
    found["active"] = found.pop("all") - found["suspended"] - found["expired"]
    return found


def _domains() -> dict[str, int]:
    authorized = Q(suspended_at=None, authorized_at__isnull=False)
    found = Domain.objects.aggregate(
        all=Count("pk"), suspended=Count("suspended_at"), authorized=Count("pk", filter=authorized)
    )
    found["pending"] = found.pop("all") - found["suspended"] - found["authorized"]
    return found


def _dns_records() -> dict[str, int]:
    counted = DnsRecord.objects.values_list("status").annotate(number=Count("pk"))
    return {status.value: 0 for status in STATUS_LABELS} | dict(counted)


def page(figures: dict | None) -> bytes:
    """Return the text; without figures it only says that the database gave none."""
    # Imported here: a server that nobody monitors does not need it.
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(figures))
    return generate_latest(registry)


def milter_answers() -> bool:
    """Whether manage.py milter accepts connections; takes a second at most."""
    try:
        socket.create_connection((settings.MILTER_ADDRESS, settings.MILTER_PORT), timeout=1).close()
    except OSError:
        return False
    return True


def content_type() -> str:
    from prometheus_client import CONTENT_TYPE_LATEST

    return CONTENT_TYPE_LATEST


class _Families:
    def __init__(self, figures):
        self._figures = figures

    def collect(self):
        from prometheus_client.core import GaugeMetricFamily

        is_sealed, is_up = bool(sealed_mode.known_problem()), self._figures is not None
        version = GaugeMetricFamily("sendlayer_build_info", "The version that runs.", labels=["version"])
        version.add_metric([settings.VERSION], 1)
        yield version
        text = "Whether this server lacks the right CREDENTIAL_KEYS and answers nothing."
        yield GaugeMetricFamily("sendlayer_sealed", text, float(is_sealed))
        yield GaugeMetricFamily("sendlayer_database_up", "Whether the database returned figures.", float(is_up))
        text = "Whether manage.py milter accepts connections; 0 as well where it isn't used."
        yield GaugeMetricFamily("sendlayer_milter_up", text, float(milter_answers()))
        if settings.EVENTS_LOG:
            text = "Whether the events of this server's acts can be noted in EVENTS_LOG."
            writable = float(events_log.is_writable())
            yield GaugeMetricFamily("sendlayer_events_log_writable", text, writable)
        if is_up:
            yield from self._counted(self._figures)

    def _counted(self, found):
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        oldest = found["oldest_letter"]
        age = max(0.0, time.time() - oldest) if oldest else 0.0
        logins, acts = "SMTP logins by what became of them.", "Events by tag, like credential.reset."
        own = "Credentials by their own state; those of a suspended domain are not accepted either."
        yield _by(CounterMetricFamily, "sendlayer_smtp_logins", logins, "outcome", found["logins"])
        yield _by(CounterMetricFamily, "sendlayer_acts", acts, "act", found["acts"])
        yield _by(GaugeMetricFamily, "sendlayer_credentials", own, "state", found["credentials"])
        yield _by(GaugeMetricFamily, "sendlayer_domains", "Domains by state.", "state", found["domains"])
        checked = "DNS records by what the last check found."
        yield _by(GaugeMetricFamily, "sendlayer_dns_records", checked, "status", found["dns_records"])
        yield GaugeMetricFamily("sendlayer_letters_waiting", "Mails not sent yet.", found["letters"])
        yield GaugeMetricFamily("sendlayer_letters_oldest_seconds", "Age of the oldest of them.", age)
        text = "When the last SMTP login was that has been counted; 0 if none was."
        yield GaugeMetricFamily("sendlayer_smtp_last_login_timestamp_seconds", text, found["last_login"] or 0)
        yield from self._of_jobs(found["jobs"])
        yield from node_metrics.families(found["nodes"])

    def _of_jobs(self, jobs):
        from prometheus_client.core import GaugeMetricFamily

        def family(name, text, figure):
            known = {job: found[figure] for job, found in jobs.items() if found[figure] is not None}
            # Not `job`, which Prometheus gives to all that it scrapes.
            return _by(GaugeMetricFamily, f"sendlayer_job_{name}", text, "name", known)

        text = "When manage.py tick last ended with success; 0 if it never did."
        yield family("last_success_timestamp_seconds", text, "succeeded")
        yield family("duration_seconds", "How long its last run took that ended.", "seconds")
        yield family("failed", "Whether its last run failed, or ended without a word.", "failed")
        if size := jobs["backup"]["size"]:
            yield GaugeMetricFamily("sendlayer_backup_size_bytes", "Size of the last backup by tick.", size)


def _by(family, name, text, label, numbers):
    made = family(name, text, labels=[label])
    for value, number in sorted(numbers.items()):
        made.add_metric([value], number)
    return made

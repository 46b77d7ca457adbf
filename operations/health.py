"""The endpoints for machines: /healthz, /readyz and /metrics.

They come before nearly all other middleware: a probe uses an IP address, no TLS and no session, and needs its
answer most when the rest can't answer.
"""

import logging
import secrets

import django.db
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpResponse, HttpResponseNotAllowed, JsonResponse

from operations import metrics
from vault import sealed_mode
from web.caches import CacheAway
from web.client_ip import address
from web.workers import UNAVAILABLE, Busy, Workers

log = logging.getLogger(__name__)
FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")
# A database that hangs keeps each thread that asks it: no more than these. Separate: figures
# that take long must not look like an unreachable database. Prometheus waits 10 s for them.
_readiness_workers = Workers("readiness", threads=4, waiting=50, seconds=1.5)
_metrics_workers = Workers("metrics", threads=2, waiting=10, seconds=9)

# Once there are none it stays so, unless the database was away: another server may have taken its place.
_has_migrations = False


class ProbesMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response
        self._answers = {"/healthz": _health, "/readyz": _readiness, "/metrics": _metrics}

    def __call__(self, request):
        answer = self._answers.get(request.path_info)
        if answer is None or (answer is _metrics and not may_read_metrics(request)):
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return answer()


def may_read_metrics(request) -> bool:
    """Whether it has the token or, where none is set, comes from this machine and from no proxy."""
    if settings.METRICS_TOKEN:
        shown = request.headers.get("Authorization", "")
        return secrets.compare_digest(shown.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    if any(name in request.headers for name in FORWARDED):
        return False
    peer = address(request.META.get("REMOTE_ADDR", ""))
    return peer is not None and peer.is_loopback


def _health():
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


def _readiness():
    global _has_migrations
    try:
        reason, detail = _readiness_workers.call(_why_not)
    except (TimeoutError, Busy):
        reason, detail = "database", "The database does not answer."
    except CacheAway as error:
        reason, detail = "cache", f"The cache can't be asked: {error}. Run manage.py createcachetable."
    except django.db.Error as error:
        reason, detail = "database", f"The database can't be asked: {type(error).__name__}."
    _has_migrations = _has_migrations and reason != "database"
    if not reason:
        return JsonResponse({"status": "ready", "version": settings.VERSION})
    log.warning("Not ready: %s", detail)
    return JsonResponse({"status": "not ready", "reason": reason, "detail": detail}, status=503)


def _why_not() -> tuple[str, str]:
    """Why no request should be sent here: a word and a sentence, "" when ready. Raises django.db.Error."""
    global _has_migrations
    if problem := sealed_mode.problem():
        return "sealed", f"{problem}."
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    if not _has_migrations:
        if missing := missing_migrations():
            return "migrations", f"Run manage.py migrate: {', '.join(missing)}."
        _has_migrations = True
    cache.get("ready")  # without it nobody can sign in
    return "", ""


def missing_migrations() -> list[str]:
    """The names of migrations that are not applied. Raises django.db.Error."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [str(migration) for migration, _backwards in plan]


def _metrics():
    try:
        figures = _metrics_workers.call(metrics.figures)
    except UNAVAILABLE as error:
        log.warning("There are no figures: %s", type(error).__name__)
        figures = None
    return HttpResponse(metrics.page(figures), content_type=metrics.content_type())

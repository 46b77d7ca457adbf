"""System checks of settings that SendLayer can't run safely without."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

from sendlayer.environment import env
from web import private_files
from web.client_ip import network
from web.startup import START, is_accepted

# Seconds. The database writes a heartbeat each second, and a lost one or two may not matter.
LEASE = 3, 300


@register(START)
def check_secret_key(app_configs, **kwargs):
    try:
        if len(settings.SECRET_KEY) >= 32:
            return []
        problem = "SECRET_KEY is too short."
    except ImproperlyConfigured:
        problem = "SECRET_KEY is not set."
    return [
        Error(problem, hint="Set SECRET_KEY or SECRET_KEY_FILE to 50 random characters.", id="sendlayer.E001")
    ]


@register(START)
def check_trusted_proxies(app_configs, **kwargs):
    wrong = [proxy for proxy in settings.TRUSTED_PROXIES if proxy != "unix" and not is_accepted(network, proxy)]
    if not wrong:
        return []
    hint = "List IP addresses or CIDR networks, or `unix`, separated by commas."
    return [Error(f"TRUSTED_PROXIES holds {', '.join(wrong)}.", hint=hint, id="sendlayer.E005")]


@register(START)
def check_shared_cache(app_configs, **kwargs):
    backend = settings.CACHES["default"]["BACKEND"].rpartition(".")[2]
    workers = env.int("WEB_WORKERS", default=2)
    if backend != "DummyCache" and (backend != "LocMemCache" or workers == 1):
        return []
    problem = f"CACHE_URL names a {backend}, which {workers} workers don't share: limits would be too high."
    hint = "Leave CACHE_URL out, for a table of the database, or set it to redis://host:6379/0."
    return [Error(problem, hint=hint, id="sendlayer.E020")]


@register(START)
def check_replica(app_configs, **kwargs):
    if all(database["ENGINE"].endswith("postgresql") for database in settings.DATABASES.values()):
        return []
    if "replica" not in settings.DATABASES:
        return []
    hint = "Leave REPLICA_URL out, or set it and DATABASE_URL to postgres:// URLs of a standby and its primary."
    return [Error("REPLICA_URL is for PostgreSQL only.", hint=hint, id="sendlayer.E080")]


@register(START)
def check_several_servers(app_configs, **kwargs):
    database = settings.DATABASES["default"]
    writable = database.get("OPTIONS", {}).get("target_session_attrs") in ("read-write", "primary")
    if "," not in str(database.get("HOST", "")) or writable:
        return []
    problem = "DATABASE_URL names several servers, but not which of them to use."
    hint = "Add ?target_session_attrs=read-write to its end, for the one that can be written to."
    return [Error(problem, hint=hint, id="sendlayer.E081")]


@register(START)
def check_node_name(app_configs, **kwargs):
    if settings.NODE_NAME.isprintable() and 0 < len(settings.NODE_NAME.strip()) <= 63:
        return []
    hint = "Set it to a name of this machine that no other one has, of at most 63 characters, like mail1."
    return [Error("NODE_NAME can't be used.", hint=hint, id="sendlayer.E082")]


@register(START)
def check_lease(app_configs, **kwargs):
    if LEASE[0] <= settings.LEASE_SECONDS <= LEASE[1]:
        return []
    problem = f"LEASE_SECONDS is {settings.LEASE_SECONDS}."
    hint = (
        f"Set it to {LEASE[0]} to {LEASE[1]}: shorter, and a slow second stops mail; longer, and a mail server "
        "that is cut off accepts a deleted credential for as long."
    )
    return [Error(problem, hint=hint, id="sendlayer.E083")]


@register(START)
def check_metrics_token(app_configs, **kwargs):
    if not settings.METRICS_TOKEN or len(settings.METRICS_TOKEN) >= 32:
        return []
    hint = "Set it to 32 or more random characters. Without it, only this machine may ask for metrics."
    return [Error("METRICS_TOKEN is too short.", hint=hint, id="sendlayer.E060")]


@register(START)
def check_log_format(app_configs, **kwargs):
    if settings.LOG_FORMAT in ("line", "json"):
        return []
    return [Error(f"LOG_FORMAT is {settings.LOG_FORMAT}.", hint="Set it to line or json.", id="sendlayer.E061")]


@register(START, deploy=True)
def check_https(app_configs, **kwargs):
    if settings.HTTPS_ONLY:
        return []
    hint = "Serve the dashboard over TLS and leave HTTPS_ONLY at its default, yes."
    return [Warning("HTTPS_ONLY is off: passwords are sent unencrypted.", hint=hint, id="sendlayer.W001")]


@register(START)
def check_dashboard_url(app_configs, **kwargs):
    try:
        url = urlsplit(settings.DASHBOARD_URL)
        if url.scheme in ("http", "https") and url.hostname and "*" not in url.hostname:
            return []
    except ValueError:
        pass
    hint = (
        "Set DASHBOARD_URL to the dashboard's address, like https://mail.example.com. "
        "Without it ALLOWED_HOSTS must name a host, not only a pattern like * or .example.com."
    )
    return [Error("Links in e-mails would lead nowhere.", hint=hint, id="sendlayer.E071")]


@register(START, deploy=True)
def check_proxy(app_configs, **kwargs):
    if settings.TRUSTED_PROXIES or not _is_reached_by_others(env.str("WEB_BIND", default="127.0.0.1")):
        return []
    problem = (
        "WEB_BIND lets others connect, but TRUSTED_PROXIES names no proxy: slow clients can stop the site."
    )
    hint = (
        "Put a buffering proxy in front (deploy/nginx, deploy/caddy) and name it in TRUSTED_PROXIES. "
        "Set WEB_BIND to an address or a Unix socket that only the proxy can reach."
    )
    return [Warning(problem, hint=hint, id="sendlayer.W070")]


@register(START)
def check_private_files(app_configs, **kwargs):
    """Files of this user are closed when they are opened (web/private_files.py); others are reported here."""
    files = [settings.VAR_DIR / ".env"]
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        files += private_files.database_files(settings.DATABASES["default"]["NAME"])
    found = [str(path) for path in files if private_files.is_open_to_others(path)]
    if not found:
        return []
    problem = f"Every user of this machine can open {', '.join(found)}."
    return [Warning(problem, hint="Run chmod o= on them as their owner.", id="sendlayer.W071")]


def _is_reached_by_others(bind: str) -> bool:
    if bind.startswith(("unix:", "fd://")):
        return False
    host = bind.rpartition(":")[0].strip("[]") or bind
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"

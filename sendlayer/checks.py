"""System checks of the settings that SendLayer cannot run safely without."""

from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Error, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections

from domains.dns import records, resolver, spf_dmarc
from sendlayer.environment import EX_CONFIG, env  # noqa: F401  (EX_CONFIG: also for those who ask here)
from web import private_files
from web.client_ip import network

START = "sendlayer"  # the tag of what is checked before any request is served
KEYS = "keys"
SHORTEST_TIMEOUT = 60

KEYS_HINT = (
    "Set CREDENTIAL_KEYS (or CREDENTIAL_KEYS_FILE) to `id:base64key`, 32 random bytes a key, newest first. "
    "On a server that has credentials already, take the keys it was using from your backup: "
    "with other keys their passwords can't be shown again."
)


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


# Not for START: a server without its keys is up, sealed, and says why (vault/sealed_mode.py).
@register(KEYS)
def check_credential_keys(app_configs, **kwargs):
    from vault import cipher, keyring

    if not settings.CREDENTIAL_KEYS:
        return [Error("CREDENTIAL_KEYS is not set.", hint=KEYS_HINT, id="sendlayer.E002")]
    try:
        cipher.parse(settings.CREDENTIAL_KEYS)
    except cipher.KeyringError as error:
        return [Error(f"CREDENTIAL_KEYS can't be used: {error}.", hint=KEYS_HINT, id="sendlayer.E003")]
    try:
        problem = keyring.problem()
    except DatabaseError:
        return []  # not migrated yet, or out of reach: another message tells of that
    return [Error(f"{problem}.", hint=KEYS_HINT, id="sendlayer.E004")] if problem else []


@register(START)
def check_trusted_proxies(app_configs, **kwargs):
    wrong = [
        proxy for proxy in settings.TRUSTED_PROXIES if proxy != "unix" and not _is_accepted(network, proxy)
    ]
    if not wrong:
        return []
    hint = "List IP addresses or CIDR networks, or `unix`, separated by commas."
    return [Error(f"TRUSTED_PROXIES holds {', '.join(wrong)}.", hint=hint, id="sendlayer.E005")]


@register(START)
def check_submission_certificate(app_configs, **kwargs):
    pair = {
        "SUBMISSION_TLS_CERT": settings.SUBMISSION_TLS_CERT,
        "SUBMISSION_TLS_KEY": settings.SUBMISSION_TLS_KEY,
    }
    if not any(pair.values()):
        return []
    missing = [name for name, path in pair.items() if not Path(path).is_file()]
    if not missing:
        return []
    hint = "Set both to PEM files that this process may read, or neither to have a self-signed one made."
    return [Error(f"{' and '.join(missing)}: no such file.", hint=hint, id="sendlayer.E006")]


@register(START)
def check_dns_resolvers(app_configs, **kwargs):
    wrong = [text for text in settings.DNS_RESOLVERS if not _is_accepted(resolver.parse_server, text)]
    if not wrong:
        return []
    hint = (
        "List IP addresses, each with a port where it is not 53: 127.0.0.1,192.0.2.53:5353,[2001:db8::53]:53."
    )
    return [Error(f"DNS_RESOLVERS holds {', '.join(wrong)}.", hint=hint, id="sendlayer.E007")]


@register(START)
def check_expected_records(app_configs, **kwargs):
    found = []
    if settings.SPF_INCLUDE and not spf_dmarc.is_host(settings.SPF_INCLUDE):
        hint = "Set it to the name that SPF records have to include, like spf.example.net."
        found.append(Error("SPF_INCLUDE is not a hostname.", hint=hint, id="sendlayer.E008"))
    for name, id in (("DKIM_CNAME", "sendlayer.E009"), ("RETURN_PATH_CNAME", "sendlayer.E010")):
        setting = getattr(settings, name)
        if setting and not _is_accepted(records.parse_cname, setting):
            hint = "Set it to `label:target`, like sl1:sl1.dkim.example.net."
            found.append(Error(f"{name} is not of the form label:target.", hint=hint, id=id))
    return found


@register(START)
def check_shared_cache(app_configs, **kwargs):
    backend = settings.CACHES["default"]["BACKEND"].rpartition(".")[2]
    workers = env.int("WEB_WORKERS", default=2)
    if backend != "DummyCache" and (backend != "LocMemCache" or workers == 1):
        return []
    problem = f"CACHE_URL names a {backend}: {workers} workers would not count guesses together."
    hint = "Leave CACHE_URL out, for a table of the database, or set it to redis://host:6379/0."
    return [Error(problem, hint=hint, id="sendlayer.E020")]


@register(START)
def check_reauthentication_timeout(app_configs, **kwargs):
    if settings.REAUTHENTICATION_TIMEOUT >= SHORTEST_TIMEOUT:
        return []
    problem = (
        f"REAUTHENTICATION_TIMEOUT is {settings.REAUTHENTICATION_TIMEOUT} seconds: too short to act within."
    )
    hint = f"Set it to {SHORTEST_TIMEOUT} seconds or more, or leave it out for 15 minutes."
    return [Error(problem, hint=hint, id="sendlayer.E021")]


@register(START)
def check_openid(app_configs, **kwargs):
    from accounts import openid

    names = ("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET")
    missing = [name for name in names if not getattr(settings, name)]
    errors = []
    if 0 < len(missing) < len(names):
        hint = "Set all three as the provider gave them to you, or none."
        problem = f"{' and '.join(missing)}: not set, but {' and '.join(sorted(set(names) - set(missing)))} is."
        errors.append(Error(problem, hint=hint, id="sendlayer.E040"))
    if openid.is_on() and not openid.is_usable_issuer(openid.issuer()):
        hint = (
            "Give the provider's address: https://, without ? and #, at most 200 characters. "
            "Plain http:// only for one on this machine."
        )
        problem = f"OIDC_ISSUER={settings.OIDC_ISSUER} can't be used."
        errors.append(Error(problem, hint=hint, id="sendlayer.E041"))
    return errors


@register(START)
def check_metrics_token(app_configs, **kwargs):
    if not settings.METRICS_TOKEN or len(settings.METRICS_TOKEN) >= 32:
        return []
    hint = "Set it to 32 or more random characters, or leave it out: then only this machine may ask."
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
    return [Warning("HTTPS_ONLY is off: passwords cross the network in clear.", hint=hint, id="sendlayer.W001")]


@register(START)
def check_dashboard_url(app_configs, **kwargs):
    try:
        url = urlsplit(settings.DASHBOARD_URL)
        if url.scheme in ("http", "https") and url.hostname and "*" not in url.hostname:
            return []
    except ValueError:
        pass
    hint = (
        "Set DASHBOARD_URL to the address that people reach the dashboard at, like https://mail.example.com. "
        "Without it ALLOWED_HOSTS has to name a host: a pattern like * or .example.com is none."
    )
    return [Error("The links in mails would lead nowhere.", hint=hint, id="sendlayer.E071")]


@register(START, deploy=True)
def check_proxy(app_configs, **kwargs):
    if settings.TRUSTED_PROXIES or not _is_reached_by_others(env.str("WEB_BIND", default="127.0.0.1")):
        return []
    problem = (
        "WEB_BIND lets others connect, but TRUSTED_PROXIES names no proxy: slow clients can stop the site."
    )
    hint = (
        "Put a buffering proxy in front (deploy/nginx, deploy/caddy) and name it in TRUSTED_PROXIES. "
        "Let WEB_BIND be an address or a Unix socket that only the proxy reaches."
    )
    return [Warning(problem, hint=hint, id="sendlayer.W070")]


@register(START)
def check_private_files(app_configs, **kwargs):
    """What belongs to this user is closed where it is opened (web/private_files.py)."""
    files = [settings.VAR_DIR / ".env"]
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        files += private_files.database_files(settings.DATABASES["default"]["NAME"])
    found = [str(path) for path in files if private_files.is_open_to_others(path)]
    if not found:
        return []
    problem = f"Every user of this machine can open {', '.join(found)}."
    return [Warning(problem, hint="As their owner: chmod o= on each.", id="sendlayer.W071")]


def close_connections():
    """Close what the checks opened: a forked worker must not share the parent's connections."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()


def _is_accepted(parse, text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _is_reached_by_others(bind: str) -> bool:
    if bind.startswith(("unix:", "fd://")):
        return False
    host = bind.rpartition(":")[0].strip("[]") or bind
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"

"""Unusable settings are reported with id and hint, without a key, before anything is served."""

import base64
import os
import subprocess
import sys
import urllib.error
import urllib.request
from types import SimpleNamespace

import pytest
from django.core.checks import run_checks
from django.db import connection

from accounts import emails
from credentials.models import LoginDay, Node
from sendlayer import checks
from sendlayer.environment import env
from tests.accounts.codes import make_totp
from tests.factories import make_credential
from tests.servers import ROOT, database_url, free_port, running
from vault import keyring
from vault.checks import KEYS
from vault.cipher import new_key, parse
from vault.keyring import KeyCanary
from web.startup import START

pytestmark = pytest.mark.django_db

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
SHORT = KEY[:20]


@pytest.fixture(autouse=True)
def no_canary(db):
    """As before the first start: one that a server of another test left would answer first."""
    KeyCanary.objects.all().delete()


def found(**changes):
    messages = run_checks(tags=[START, KEYS], include_deployment_checks=True)
    assert all(message.hint for message in messages)
    return {message.id: message.msg for message in messages if message.id != "sendlayer.W001"}


def test_the_settings_of_the_tests_pass():
    assert found() == {}


@pytest.mark.parametrize("key", ["", "short"])
def test_e001_a_secret_key_that_is_missing_or_short(settings, key):
    settings.SECRET_KEY = key
    assert list(found()) == ["sendlayer.E001"]


def test_e002_no_credential_keys(settings):
    settings.CREDENTIAL_KEYS = ""
    assert list(found()) == ["sendlayer.E002"]


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        (KEY, "entry 1 is not of the form id:base64key"),
        (f"k1:{KEY},k 2:{KEY}", "entry 2 is not of the form"),
        ("k1:", "entry 1 is not of the form"),
        (f"k1:{SHORT}", "has 15 bytes instead of 32"),
        (f"k1:{KEY[:-3]}*{KEY[-2:]}", "is not valid base64"),
        (f"k1:{KEY},k1:{KEY}", "is given twice"),
        (f"{'k' * 33}:{KEY}", "entry 1 is not of the form"),
        (" , ", "there is no key"),
    ],
)
def test_e003_malformed_credential_keys_are_reported_without_the_key(settings, keys, what):
    settings.CREDENTIAL_KEYS = keys
    messages = found()
    assert list(messages) == ["sendlayer.E003"]
    assert what in messages["sendlayer.E003"]
    assert KEY[:12] not in messages["sendlayer.E003"]


def test_credential_keys_may_have_blanks_around_their_parts(settings):
    settings.CREDENTIAL_KEYS = f" k1: {KEY} , k2 :{KEY},"
    assert list(parse(settings.CREDENTIAL_KEYS)) == ["k1", "k2"] and not found()


@pytest.mark.parametrize("id", ["k1", "k2"])
def test_e004_the_keys_of_another_install(settings, credential, id):
    other = new_key()
    settings.CREDENTIAL_KEYS = f"{id}:{other}"
    messages = found()
    assert list(messages) == ["sendlayer.E004"]
    assert "'k1'" in messages["sendlayer.E004"] and other[:12] not in messages["sendlayer.E004"]


def test_e004_checks_the_newest_credential_too(settings, domain):
    old = settings.CREDENTIAL_KEYS
    make_credential(domain)
    settings.CREDENTIAL_KEYS = f"k2:{KEY},{old}"
    make_credential(domain)
    assert found() == {}
    settings.CREDENTIAL_KEYS = old
    assert "no key with id 'k2'" in found()["sendlayer.E004"]


POSTGRESQL = {"ENGINE": "django.db.backends.postgresql", "HOST": "a,b"}
SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}


@pytest.mark.parametrize(
    ("databases", "ids"),
    [
        ({"default": SQLITE, "replica": POSTGRESQL}, ["sendlayer.E080"]),
        ({"default": POSTGRESQL | {"HOST": "a"}, "replica": SQLITE}, ["sendlayer.E080"]),
        ({"default": POSTGRESQL}, ["sendlayer.E081"]),
        ({"default": POSTGRESQL | {"OPTIONS": {"target_session_attrs": "standby"}}}, ["sendlayer.E081"]),
        ({"default": POSTGRESQL | {"OPTIONS": {"target_session_attrs": "read-write"}}}, []),
    ],
)
def test_e080_and_e081_databases_of_several_machines(monkeypatch, databases, ids):
    monkeypatch.setattr(checks, "settings", SimpleNamespace(DATABASES=databases))
    messages = [*checks.check_replica(None), *checks.check_several_servers(None)]
    assert [message.id for message in messages] == ids and all(message.hint for message in messages)


@pytest.mark.parametrize(
    ("id", "setting", "wrong", "right"),
    [
        ("E082", "NODE_NAME", "", "mail1"),
        ("E082", "NODE_NAME", "m" * 64, "m" * 63),
        ("E082", "NODE_NAME", "mail\n1", "mail 1"),
        ("E083", "LEASE_SECONDS", 2, 3),
        ("E083", "LEASE_SECONDS", 301, 300),
    ],
)
def test_e082_and_e083_name_and_lease_of_a_node(settings, id, setting, wrong, right):
    setattr(settings, setting, wrong)
    assert list(found()) == [f"sendlayer.{id}"] and setting in found()[f"sendlayer.{id}"]
    setattr(settings, setting, right)
    assert found() == {}


@pytest.mark.parametrize("proxies", [["10.0.0.0/33"], ["proxy"], ["127.0.0.1", "10.0.0.256"]])
def test_e005_proxies_that_are_no_addresses(settings, proxies):
    settings.TRUSTED_PROXIES = proxies
    assert list(found()) == ["sendlayer.E005"]
    assert proxies[-1] in found()["sendlayer.E005"]


def test_e005_takes_addresses_networks_and_unix(settings):
    settings.TRUSTED_PROXIES = ["127.0.0.1", "10.1.2.3/8", "::1", "2001:db8::/32", "unix"]
    assert found() == {}


def test_e006_a_certificate_without_its_files(settings, tmp_path):
    cert = tmp_path / "cert.pem"
    settings.SUBMISSION_TLS_CERT = str(cert)
    assert "SUBMISSION_TLS_CERT and SUBMISSION_TLS_KEY" in found()["sendlayer.E006"]
    cert.touch()
    assert found()["sendlayer.E006"].startswith("SUBMISSION_TLS_KEY:")
    settings.SUBMISSION_TLS_KEY = str(cert)
    assert found() == {}


@pytest.mark.parametrize(
    ("id", "setting", "wrong", "right"),
    [
        ("E007", "DNS_RESOLVERS", ["127.0.0.1", "resolver"], ["127.0.0.1:5353", "[::1]:53", "2001:db8::53"]),
        ("E008", "SPF_INCLUDE", "include:spf.example.net", "_spf.example.net"),
        ("E009", "DKIM_CNAME", "sl1", "sl1:sl1.dkim.example.net"),
        ("E010", "RETURN_PATH_CNAME", "bounces=x.example.net", "bounces:x.example.net."),
    ],
)
def test_e007_to_e010_dns_settings(settings, id, setting, wrong, right):
    setattr(settings, setting, wrong)
    assert list(found()) == [f"sendlayer.{id}"]
    assert setting in found()[f"sendlayer.{id}"]
    setattr(settings, setting, right)
    assert found() == {}


def test_e004_keys_that_can_not_unseal_two_factor_secrets(settings, alice):
    make_totp(alice)
    assert found() == {}
    settings.CREDENTIAL_KEYS = f"k1:{new_key()}"
    assert "two-factor secrets" in found()["sendlayer.E004"]


@pytest.mark.parametrize(
    ("url", "workers", "ids"),
    [
        ("dbcache://sendlayer_cache", 2, []),
        ("redis://127.0.0.1:6379/0", 2, []),
        ("locmemcache://", 1, []),
        ("locmemcache://", 2, ["sendlayer.E020"]),
        ("dummycache://", 1, ["sendlayer.E020"]),
    ],
)
def test_e020_cache_that_workers_do_not_share(settings, monkeypatch, url, workers, ids):
    monkeypatch.setenv("WEB_WORKERS", str(workers))
    settings.CACHES = {"default": env.cache_url_config(url)}
    assert list(found()) == ids


@pytest.mark.parametrize(("seconds", "ids"), [(60, []), (59, ["sendlayer.E021"]), (0, ["sendlayer.E021"])])
def test_e021_reauthentication_timeout_that_is_too_short(settings, seconds, ids):
    settings.REAUTHENTICATION_TIMEOUT = seconds
    assert list(found()) == ids


OPENID = {"OIDC_ISSUER": "https://login.example.com", "OIDC_CLIENT_ID": "x", "OIDC_CLIENT_SECRET": "y"}


def set_openid(settings, **changes):
    for name, value in (OPENID | changes).items():
        setattr(settings, name, value)


@pytest.mark.parametrize("missing", OPENID)
def test_e040_incomplete_openid_provider(settings, missing):
    set_openid(settings, **{missing: ""})
    messages = found()
    assert list(messages) == ["sendlayer.E040"]
    assert messages["sendlayer.E040"].startswith(f"{missing}: not set")


@pytest.mark.parametrize(
    ("issuer", "works"),
    [
        ("https://login.example.com", True),
        ("https://login.example.com/realms/one/", True),
        ("https://login.example.com/.well-known/openid-configuration", True),
        ("http://127.0.0.1:8080", True),
        ("http://localhost:8080", True),
        ("http://[::1]:8080", True),
        ("http://login.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("login.example.com", False),
        ("https://", False),
        ("https://[x", False),
        ("https://login.example.com:port", False),
        ("https://user:password@login.example.com", False),
        ("https://login.example.com/?tenant=1", False),
        ("https://login.example.com/" + "x" * 200, False),
    ],
)
def test_e041_unsafe_openid_issuer(settings, issuer, works):
    set_openid(settings, OIDC_ISSUER=issuer)
    assert list(found()) == ([] if works else ["sendlayer.E041"])


@pytest.mark.parametrize("https", [True, False])
def test_w001_plain_http_in_deployment_check(settings, https):
    settings.HTTPS_ONLY, settings.SMTP_HOST = https, "smtp.example.com"
    deploying = run_checks(tags=[START], include_deployment_checks=True)
    assert [message.id for message in deploying] == ([] if https else ["sendlayer.W001"])
    assert run_checks(tags=[START]) == []


@pytest.mark.parametrize(
    ("backend", "ids"),
    [("smtp", []), ("console", ["W022"]), ("dummy", ["W022"]), ("filebased", ["W022"]), ("locmem", ["W022"])],
)
def test_w022_mail_that_is_not_sent_in_deployment_check(
    settings, monkeypatch, letters_are_sent_when_asked, backend, ids
):
    monkeypatch.setattr(emails, "SILENT_BACKENDS", letters_are_sent_when_asked)
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{backend}.EmailBackend"
    messages = found()
    assert list(messages) == [f"sendlayer.{id}" for id in ids]
    assert all("EMAIL_URL is not set to a mail server" in message for message in messages.values())
    assert run_checks(tags=[START]) == []


@pytest.mark.parametrize(
    ("host", "ids"), [("smtp.example.com", []), ("localhost", ["sendlayer.W011"]), ("::1", ["sendlayer.W011"])]
)
def test_w011_smtp_host_of_this_machine_in_deployment_check(settings, host, ids):
    settings.HTTPS_ONLY, settings.SMTP_HOST = True, host
    deploying = run_checks(tags=[START], include_deployment_checks=True)
    assert [message.id for message in deploying] == ids
    assert run_checks(tags=[START]) == []


@pytest.mark.parametrize(
    ("ports", "ids"),
    [
        ({"SMTP_TLS_PORT": 465, "SUBMISSION_TLS_PORT": 2465}, []),
        ({"SMTP_TLS_PORT": 587, "SUBMISSION_TLS_PORT": 587}, ["sendlayer.E012"]),
        ({"SUBMISSION_PORT": 2465, "SUBMISSION_TLS_PORT": 2465}, ["sendlayer.E012"]),
        ({"SMTP_PORT": 465}, ["sendlayer.W012"]),
    ],
)
def test_e012_and_w012_ports_that_contradict(settings, ports, ids):
    for name, port in ports.items():
        setattr(settings, name, port)
    assert list(found()) == ids


@pytest.mark.parametrize(("number", "ids"), [(99, ["sendlayer.E013"]), (100, []), (5000, [])])
def test_e013_fewer_recipients_than_rfc_5321_asks_for(settings, number, ids):
    settings.SUBMISSION_MAX_RECIPIENTS = number
    assert list(found()) == ids


def run(*command, **environment):
    environment = os.environ | {"DATABASE_URL": database_url()} | environment
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("changes", "id"),
    [
        ({"CREDENTIAL_KEYS": ""}, "sendlayer.E002"),
        ({"SECRET_KEY": ""}, "sendlayer.E001"),
        ({"CREDENTIAL_KEYS": f"k1:{SHORT}"}, "sendlayer.E003"),
        ({"TRUSTED_PROXIES": "proxy"}, "sendlayer.E005"),
    ],
)
def test_manage_py_check_fails_naming_the_check(changes, id):
    code, said = run("manage.py", "check", **changes)
    assert code == 1
    assert f"({id})" in said and "HINT" in said and SHORT not in said


@pytest.mark.one_database
def test_a_secret_file_that_cannot_be_read_is_named():
    code, said = run("manage.py", "check", CREDENTIAL_KEYS_FILE="/nowhere/keys")
    assert code == 1
    assert "CREDENTIAL_KEYS_FILE=/nowhere/keys cannot be read" in said


def rows_by_table():
    """Every row of every table, except those that count logins and list mail servers.

    The listener that all tests share writes its counts of an earlier test a second later, and reports itself.
    """
    rows, of_listener = {}, {model._meta.db_table for model in (LoginDay, Node)}
    with connection.cursor() as cursor:
        for table in sorted({*connection.introspection.table_names()} - of_listener):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            rows[table] = sorted(map(repr, cursor.fetchall()))
    return rows


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("keys", "why"), [("", "there is no key"), (f"k1:{KEY}", "'k1' of CREDENTIAL_KEYS")])
def test_wrong_keys_start_it_sealed_with_a_reason_and_no_change(credential, tmp_path, keys, why):
    assert keyring.examine() == ""
    before, port, log = rows_by_table(), free_port(), tmp_path / "log"
    command = ["-m", "gunicorn", "sendlayer.wsgi", "-b", f"127.0.0.1:{port}"]
    with running(command, port=port, log=log, CREDENTIAL_KEYS=keys):
        for path in ("/account/login/", "/admin/", "/nothing/"):
            with pytest.raises(urllib.error.HTTPError, match="503"):
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60)
    said = log.read_text()
    assert why in said and "take the keys it was using from your backup" in said
    assert KEY not in said and "Traceback" not in said
    assert rows_by_table() == before


@pytest.mark.one_database
def test_the_listener_does_not_start_without_its_certificate(tmp_path):
    code, said = run("manage.py", "submission", SUBMISSION_TLS_CERT=str(tmp_path / "cert.pem"))
    assert code == os.EX_CONFIG
    assert "(sendlayer.E006)" in said and "HINT" in said


@pytest.mark.parametrize(("token", "ids"), [("", []), ("short", ["sendlayer.E060"]), ("t" * 32, [])])
def test_e060_short_metrics_token(settings, token, ids):
    settings.METRICS_TOKEN = token
    assert list(found()) == ids


@pytest.mark.parametrize(
    ("url", "ids"),
    [
        ("", []),
        ("https://hc-ping.com/0a1b?create=1", []),
        ("http://[::1]:8000/0a1b", []),
        ("hc-ping.com/0a1b", ["sendlayer.E090"]),
        ("file:///0a1b", ["sendlayer.E090"]),
        ("https:///0a1b", ["sendlayer.E090"]),
        ("https://[::1/0a1b", ["sendlayer.E090"]),
        ("https://hc-ping.com:x/0a1b", ["sendlayer.E090"]),
    ],
)
@pytest.mark.parametrize("job", ["LETTERS", "TIDY", "DOMAINS", "BACKUP"])
def test_e080_heartbeat_url_that_is_no_address_is_named_but_not_shown(settings, job, url, ids):
    setattr(settings, f"HEARTBEAT_URL_{job}", url)
    messages = found()
    assert list(messages) == ids and "0a1b" not in str(messages)


@pytest.mark.parametrize(
    ("folder", "ids"), [("", []), ("/var/backups/sendlayer", []), ("backups", ["sendlayer.E091"])]
)
def test_e081_backup_dir_that_depends_on_the_working_directory(settings, folder, ids):
    settings.BACKUP_DIR = folder
    assert list(found()) == ids


@pytest.mark.parametrize(("name", "ids"), [("line", []), ("json", []), ("xml", ["sendlayer.E061"])])
def test_e061_unknown_log_format(settings, name, ids):
    settings.LOG_FORMAT = name
    assert list(found()) == ids


@pytest.mark.parametrize(
    ("url", "ids"),
    [
        ("https://mail.example.com", []),
        ("http://127.0.0.1:8000", []),
        ("https://", ["sendlayer.E071"]),
        ("https://*", ["sendlayer.E071"]),
        ("mail.example.com", ["sendlayer.E071"]),
        ("https://[x", ["sendlayer.E071"]),
    ],
)
def test_e071_links_that_lead_nowhere(settings, url, ids):
    settings.DASHBOARD_URL = url
    assert list(found()) == ids


@pytest.mark.parametrize(
    ("bind", "proxies", "ids"),
    [
        ("127.0.0.1:8000", [], []),
        ("[::1]:8000", [], []),
        ("localhost:8000", [], []),
        ("unix:/run/sendlayer/web.sock", [], []),
        ("0.0.0.0:8000", ["10.0.0.1"], []),
        ("0.0.0.0:8000", [], ["sendlayer.W070"]),
        ("[::]:8000", [], ["sendlayer.W070"]),
        ("192.0.2.1", [], ["sendlayer.W070"]),
        ("mail.example.com:80", [], ["sendlayer.W070"]),
    ],
)
def test_w070_public_bind_without_a_proxy(settings, monkeypatch, bind, proxies, ids):
    settings.TRUSTED_PROXIES = proxies
    monkeypatch.setenv("WEB_BIND", bind)
    assert list(found()) == ids


@pytest.mark.parametrize(("mode", "ids"), [(0o600, []), (0o660, []), (0o644, ["sendlayer.W071"])])
def test_w071_files_of_another_user_that_everyone_can_open(settings, tmp_path, mode, ids):
    settings.VAR_DIR = tmp_path
    (tmp_path / ".env").touch(mode)
    (tmp_path / ".env").chmod(mode)
    assert list(found()) == ids

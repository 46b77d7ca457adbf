"""Settings of the environment: parsed, or refused with a sentence that names the setting."""

import os
import subprocess
import sys

import pytest

from sendlayer import databases
from sendlayer.environment import Env
from tests.servers import ROOT

SECRET = "s3cr3t-pa"


def run(*command, **given):
    environment = {
        name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "EMAIL_URL")
    }
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment | {"DJANGO_SETTINGS_MODULE": "sendlayer.settings"} | given,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


def value_of(expression, **given):
    program = f"from django.conf import settings as s; print({expression})"
    code, said, errors = run("-c", program, **given)
    assert code == 0, errors
    return said.strip()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMTP_PORT", "587 # submission"),
        ("SMTP_PORT", "99999"),
        ("SMTP_TLS_PORT", "465/tcp"),
        ("PORT", "http"),
        ("SUBMISSION_MAX_SIZE", "25M"),
        ("REAUTHENTICATION_TIMEOUT", "15 min"),
        ("HTTPS_ONLY", "ja"),
        ("HTTPS_ONLY", "yes # behind nginx"),
        ("DEBUG", "maybe"),
        ("SMTP_HOST", "smtp.example.com:587"),
        ("SMTP_HOST", "smtp://smtp.example.com"),
        ("SMTP_HOST", "smtp.example.com # x"),
        ("SMTP_HOST", "smtp..example.com"),
        ("SMTP_HOST", "smtp.a⒈com"),
        ("SUBMISSION_ADDRESS", "127.0.0.1;::1"),
        ("REPORTS_ADDRESS", "127.0.0.1 # x"),
        ("SUBMISSION_MAX_CONNECTIONS", "-42"),
        ("SUBMISSION_COMMAND_TIMEOUT", "-42"),
        ("LOG_LEVEL", "loud"),
        ("TIME_ZONE", "Europe/Nowhere"),
        ("TIME_ZONE", "../../etc/passwd"),
        ("DATABASE_URL", f"postgres://me:{SECRET}#ss@127.0.0.1/sendlayer"),
        ("DATABASE_URL", f"postgres://me:{SECRET}/ss@127.0.0.1/sendlayer"),
        ("DATABASE_URL", f"oracle-of-delphi://me:{SECRET}@127.0.0.1/x"),
        ("DATABASE_URL", f"postgres ://me:{SECRET}@127.0.0.1/x"),
        ("DATABASE_URL", f"postgress://me:{SECRET}@127.0.0.1/x"),
        ("DATABASE_URL", f"postgres://me:{SECRET}@a:5432,b c/x"),
        ("REPLICA_URL", f"postgres://me:{SECRET}@a:5432,::1/x"),
        ("CACHE_URL", f"redis ://:{SECRET}@127.0.0.1"),
        ("EMAIL_URL", f"smtp ://me:{SECRET}@mail.example.com"),
        ("EMAIL_URL", f"smtp+tls://me:{SECRET}#ss@mail.example.com:587"),
        ("EMAIL_URL", f"smtp+tls://me:{SECRET}/ss@mail.example.com:587"),
        ("EMAIL_URL", f"smtps://me:{SECRET}@mail.example.com:587"),
        ("EMAIL_URL", f"pigeon://me:{SECRET}@mail.example.com"),
        ("CACHE_URL", f"redis://:{SECRET}#ss@127.0.0.1:6379/0"),
        ("CACHE_URL", f"memory://{SECRET}"),
    ],
)
def test_unreadable_setting_is_named_but_not_shown(name, value):
    code, said, errors = run("manage.py", "check", **{name: value})
    assert code == os.EX_CONFIG
    assert f"(sendlayer.E070) {name} " in errors and "HINT: " in errors
    assert "Traceback" not in errors and value not in said + errors and SECRET[:4] not in said + errors


@pytest.mark.parametrize(
    ("name", "value"),
    [("WEB_WORKERS", "two"), ("WEB_THREADS", "4 # each"), ("WEB_THREADS", "-4"), ("LOG_LEVEL", "loud")],
)
def test_web_server_does_not_start_with_an_unreadable_setting(name, value):
    code, said, errors = run("-m", "gunicorn", "sendlayer.wsgi", "-b", "127.0.0.1:0", **{name: value})
    assert code == os.EX_CONFIG and f"(sendlayer.E070) {name} " in errors
    assert "Traceback" not in said + errors and value not in said + errors


def test_env_file_that_is_not_utf8_is_named(tmp_path):
    (tmp_path / ".env").write_bytes(b"SMTP_HOST=m\xfcller.example\n")
    code, _, errors = run("manage.py", "check", VAR_DIR=str(tmp_path))
    assert code == os.EX_CONFIG and f"{tmp_path}/.env is not UTF-8" in errors and "Traceback" not in errors


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("smtp+tls://me:pa%23ss@mail.example.com", 587, True, False),
        ("smtp+tls://me:pa%23ss@mail.example.com:2525", 2525, True, False),
        ("smtps://me:pa%23ss@mail.example.com", 465, False, True),
        ("SMTPS://me:pa%23ss@mail.example.com:4650", 4650, False, True),
        ("smtp+ssl://me:pa%23ss@mail.example.com", 465, False, True),
        ("smtp://me:pa%23ss@mail.example.com", 25, False, False),
    ],
)
def test_email_url_means_the_same_as_in_smtp_relay_url(monkeypatch, url, port, tls, ssl):
    monkeypatch.setenv("EMAIL_URL", url)
    config = Env().email_url("EMAIL_URL", default="")
    given = [
        config.get(name) for name in ("EMAIL_HOST", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "EMAIL_PORT")
    ]
    assert given == ["mail.example.com", "me", "pa#ss", port]
    assert (config.get("EMAIL_USE_TLS", False), config.get("EMAIL_USE_SSL", False)) == (tls, ssl)


@pytest.mark.parametrize("url", ["consolemail://", "dummymail://", "filemail:////tmp/mails", "memorymail://"])
def test_email_url_of_no_server_has_no_port_or_tls(monkeypatch, url):
    monkeypatch.setenv("EMAIL_URL", url)
    config = Env().email_url("EMAIL_URL", default="")
    assert not config["EMAIL_PORT"] and "EMAIL_USE_SSL" not in config


@pytest.mark.parametrize(("value", "number"), [("1", 1), (" 20 ", 20), ("0", None)])
def test_whole_numbers_begin_with_1(monkeypatch, value, number):
    monkeypatch.setenv("WEB_THREADS", value)
    if number:
        assert Env().int("WEB_THREADS", default=4) == number
    else:
        with pytest.raises(SystemExit):
            Env().int("WEB_THREADS", default=4)


@pytest.mark.parametrize("level", ["info", " Warning "])
def test_log_level_is_read_in_any_case(level):
    assert value_of("s.LOG_LEVEL", LOG_LEVEL=level) == level.strip().upper()


@pytest.mark.parametrize(
    ("given", "ports"),
    [
        ({}, "None None"),
        ({"SMTP_TLS_PORT": ""}, "None None"),
        ({"SMTP_TLS_PORT": "465"}, "465 465"),
        ({"SMTP_TLS_PORT": "465", "SUBMISSION_TLS_PORT": "2465"}, "465 2465"),
    ],
)
def test_port_with_implicit_tls_is_offered_only_if_set(given, ports):
    assert value_of("f'{s.SMTP_TLS_PORT} {s.SUBMISSION_TLS_PORT}'", **given) == ports


def test_list_settings_are_stripped():
    lists = ("ALLOWED_HOSTS", "TRUSTED_PROXIES", "DNS_RESOLVERS", "CSRF_TRUSTED_ORIGINS")
    text = value_of(
        f"'|'.join(part for name in {lists!r} for part in getattr(s, name))",
        ALLOWED_HOSTS="mail.example.com, www.example.com ,",
        TRUSTED_PROXIES=" 127.0.0.1 , ::1",
        DNS_RESOLVERS="127.0.0.1,\t[::1]:53",
        CSRF_TRUSTED_ORIGINS="https://a.example, https://b.example",
    )
    assert text == (
        "mail.example.com|www.example.com|127.0.0.1|::1|127.0.0.1|[::1]:53|https://a.example|https://b.example"
    )


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("smtp.müller.de", "smtp.xn--mller-kva.de"),
        ("SMTP.Mu\u0308ller.DE", "smtp.xn--mller-kva.de"),
        ("smtp.xn--mller-kva.de", "smtp.xn--mller-kva.de"),
        ("почта.рф", "xn--80a1acny.xn--p1ai"),
        ("smtp.faß.de", "smtp.xn--fa-hia.de"),
        (" smtp.example.com. ", "smtp.example.com"),
        ("mail_1.example.com", "mail_1.example.com"),
        ("localhost", "localhost"),
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("", "localhost"),
    ],
)
def test_host_is_in_the_form_that_clients_and_certificates_use(monkeypatch, given, host):
    monkeypatch.setenv("SMTP_HOST", given)
    assert Env().host("SMTP_HOST", default="localhost") == host


def test_hosts_and_origins_are_in_the_form_that_browsers_send(monkeypatch):
    monkeypatch.setenv("HOSTS", "mail.müller.de, .müller.de,*,127.0.0.1,[::1],https://müller.de:8443")
    assert Env().hosts("HOSTS", default=[]) == [
        "mail.xn--mller-kva.de",
        ".xn--mller-kva.de",
        "*",
        "127.0.0.1",
        "[::1]",
        "https://xn--mller-kva.de:8443",
    ]


@pytest.mark.parametrize(
    ("hosts", "url"),
    [
        ("mail.example.com", "https://mail.example.com"),
        ("*,mail.example.com", "https://mail.example.com"),
        (".example.com, mail.example.com", "https://mail.example.com"),
    ],
)
def test_dashboard_url_defaults_to_the_first_real_host(hosts, url):
    assert value_of("s.DASHBOARD_URL", ALLOWED_HOSTS=hosts, HTTPS_ONLY="yes") == url


@pytest.mark.parametrize("hosts", ["*", ".example.com"])
def test_host_pattern_alone_requires_dashboard_url(hosts):
    given = {"ALLOWED_HOSTS": hosts, "HTTPS_ONLY": "yes"}
    code, _, errors = run("manage.py", "check", **given)
    assert code == 1 and "(sendlayer.E071)" in errors and "Set DASHBOARD_URL" in errors
    assert run("manage.py", "check", DASHBOARD_URL="https://mail.example.com", **given)[0] == 0


@pytest.mark.parametrize(
    ("word", "value"),
    [("yes", True), ("ON", True), ("1", True), (" no ", False), ("False", False), ("0", False)],
)
def test_switches_accept_yes_no_and_their_synonyms(monkeypatch, word, value):
    monkeypatch.setenv("SIGNUP_OPEN", word)
    assert Env().bool("SIGNUP_OPEN", default=not value) is value
    monkeypatch.setenv("SIGNUP_OPEN", "")
    assert Env().bool("SIGNUP_OPEN", default=value) is value


@pytest.mark.parametrize(
    ("servers", "host", "port"),
    [
        ("db.example.com", "db.example.com", ""),
        ("[::1]:5433", "::1", "5433"),
        ("a:5433,b", "a,b", "5433,5432"),
        ("a,[2001:db8::1]:5433,127.0.0.1", "a,2001:db8::1,127.0.0.1", "5432,5433,5432"),
        ("[::1],[::2]:5433", "::1,::2", "5432,5433"),
    ],
)
def test_database_url_may_name_several_servers(servers, host, port):
    url = f"postgres://me:pa%2Css%40@{servers}/sendlayer?target_session_attrs=read-write"
    config = databases.primary("DATABASE_URL", url)
    assert [config["HOST"], str(config["PORT"])] == [host, port]
    assert [config["USER"], config["PASSWORD"], config["NAME"]] == ["me", "pa,ss@", "sendlayer"]
    assert config["OPTIONS"]["target_session_attrs"] == "read-write"
    assert config["OPTIONS"].get("connect_timeout") == (2 if "," in servers else None)


def test_replica_is_a_database_of_its_own_that_is_only_read():
    url = "postgres://me:secret@/sendlayer?host=/run/postgresql&connect_timeout=7&options=-c%20work_mem=1MB"
    config = databases.replica("REPLICA_URL", url)
    assert config["OPTIONS"]["host"] == "/run/postgresql" and config["OPTIONS"]["connect_timeout"] == 7
    assert config["OPTIONS"]["options"].startswith("-c work_mem=1MB -c default_transaction_read_only=on")
    assert value_of("'replica' in s.DATABASES") == "False"
    shown = value_of("[*s.DATABASES, s.LEASE_SECONDS, s.NODE_NAME]", REPLICA_URL=url, NODE_NAME="mail1")
    assert shown == "['default', 'replica', 5, 'mail1']"


@pytest.mark.parametrize(
    ("name", "url", "expression", "value"),
    [
        ("DATABASE_URL", "sqlite:////srv/x.sqlite3", 's.DATABASES["default"]["NAME"]', "/srv/x.sqlite3"),
        ("CACHE_URL", "redis://cache:6379/3", 's.CACHES["default"]["LOCATION"]', "redis://cache:6379/3"),
        ("EMAIL_URL", f"smtps://me:{SECRET}@mail.example:465", "s.EMAIL_HOST_PASSWORD", SECRET),
    ],
)
def test_a_url_comes_from_a_file(tmp_path, name, url, expression, value):
    (tmp_path / "url").write_text(f"{url}\n")
    assert value_of(expression, **{f"{name}_FILE": str(tmp_path / "url")}) == value


def test_static_files_have_a_folder_of_their_own_or_are_in_var_dir(tmp_path):
    given = {"VAR_DIR": str(tmp_path), "STATIC_ROOT": ""}
    assert value_of("s.STATIC_ROOT", **given) == f"{tmp_path}/static"
    assert value_of("s.STATIC_ROOT", **given | {"STATIC_ROOT": "/opt/static"}) == "/opt/static"

"""Connect your site, for a Postfix that relays: a private one with these settings, before our listener."""

import re
import shutil
import smtplib
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.http import sign_in
from tests.mail.daemons import answers, running, wait
from tests.servers import free_port
from tests.submission.clients import SENDER, wait_until
from tests.submission.conftest import listener, outbox, start_listener  # noqa: F401  (fixtures)
from tests.submission.snippets import machine_for, need, shown

pytestmark = [pytest.mark.mail, pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
tlsmgr unix - - n 1000? 1 tlsmgr
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
# What is of the machine, not of the connection.
OWN = """
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
myhostname = web1.example.net
smtp_host_lookup = native
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
"""


@contextmanager
def postfix(folder: Path, lines: str, passwords: str):
    """Run a Postfix whose main.cf ends with these lines; yield the port that it takes mail on."""
    plain = next(Path("/usr/lib").glob("*/sasl2/libplain.so"), "/nonexistent")
    need(("libsasl2-modules", plain), postfix="postfix")
    etc, port = folder / "etc", free_port()
    for name in ("etc", "spool", "data"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    (etc / "sasl_passwd").write_text(passwords)
    (etc / "sasl_passwd").chmod(0o600)
    (etc / "main.cf").write_text(OWN.format(folder=folder) + lines.replace("/etc/postfix/", f"{etc}/"))
    (etc / "master.cf").write_text(MASTER.format(port=port))
    with running(["postfix", "-c", etc, "start-fg"], folder / "postfix.out") as process:
        wait(lambda: answers(port), process, folder)
        try:
            yield port
        finally:
            subprocess.run(["postfix", "-c", etc, "stop"], capture_output=True, timeout=10)


@pytest.fixture
def folder():
    """Where the user postfix can reach it, which pytest's own folders are not."""
    folder = Path(tempfile.mkdtemp(prefix="sendlayer-relay-client-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def machine(credential, listener, folder):  # noqa: F811
    return machine_for(credential, listener, folder)


@pytest.fixture
def relay(client, alice, credential, listener, settings, folder, machine):  # noqa: F811
    """A client of a Postfix with the settings of the page."""
    settings.SMTP_HOST, settings.SMTP_PORT = "localhost", listener.port
    lines, passwords, _reload = shown(sign_in(client, alice), credential, "postfix")
    trusted = lines.replace("/etc/ssl/certs/ca-certificates.crt", str(machine.certificate))
    assert trusted != lines
    with postfix(folder, trusted, machine.filled(passwords)) as port, smtplib.SMTP("127.0.0.1", port) as smtp:
        yield smtp
    assert machine.password not in (folder / "postfix.log").read_text()


def test_postfix_relays_through_the_listener(relay, outbox, folder):  # noqa: F811
    message = f"From: {SENDER}\r\nSubject: It works\r\n\r\nSent by Postfix.\r\n"
    relay.sendmail(SENDER, ["alice@example.com"], message)
    (arrived,) = wait_until(outbox)
    assert f"Return-Path: <{SENDER}>\r\n".encode() in arrived and b"Sent by Postfix." in arrived
    wait_until(lambda: "status=sent (250 2.0.0 OK" in (folder / "postfix.log").read_text())


@pytest.mark.parametrize("host", ["web1.example.net", "localhost"])
def test_postfix_gives_the_machines_own_users_an_address_of_the_domain(relay, outbox, host):  # noqa: F811
    cron = f"From: root@{host} (Cron Daemon)\r\nTo: alice@example.com\r\nSubject: Cron\r\n\r\nDone.\r\n"
    relay.sendmail(f"root@{host}", ["alice@example.com"], cron)
    (arrived,) = wait_until(outbox)
    assert b"Return-Path: <root@sl.example.com>\r\n" in arrived
    assert b"\r\nFrom: root@sl.example.com (Cron Daemon)\r\n" in arrived


@pytest.mark.parametrize("sender", [SENDER, "info@other.example"])
def test_bounce_of_a_postfix_is_accepted(relay, outbox, sender):  # noqa: F811
    """The server refuses recipient or sender; the bounce has no MAIL FROM, but its From is of the domain."""
    relay.sendmail(sender, ["bob@[192.0.2.1]"], f"From: {sender}\r\nSubject: x\r\n\r\nx\r\n")
    (bounce,) = wait_until(outbox)
    assert b"Return-Path: <>\r\n" in bounce and f"Envelope-To: {sender}\r\n".encode() in bounce
    assert re.search(rb"\r\nFrom: .*MAILER-DAEMON@sl\.example\.com", bounce) and b"553" in bounce

"""The clients that sites use, each against the real Postfix and Dovecot, TLS verified."""

import os
import subprocess

import pytest

from tests.factories import password_of
from tests.submission.clients import RECIPIENT, SENDER, wait_until

pytestmark = [pytest.mark.mail, pytest.mark.django_db(transaction=True)]

MESSAGE = f"From: <{SENDER}>\r\nTo: <{RECIPIENT}>\r\nSubject: by a real client\r\n\r\nBody\r\n"

# Debian 13's looks for localhost at ::1 only.
NODEMAILER = """
const [port, user, ca] = process.argv.slice(1);
const transport = require("nodemailer").createTransport({
  host: "127.0.0.1", port, requireTLS: true, authMethod: process.env.METHOD,
  auth: { user, pass: process.env.PASSWORD }, tls: { ca: require("fs").readFileSync(ca) },
});
transport.sendMail({ from: "SENDER", to: "RECIPIENT", subject: "by a real client", text: "Body" })
  .catch((error) => { console.error(error.response || error.message); process.exit(1); });
"""

SMTPLIB = """
import os, smtplib, ssl, sys
port, user, ca = sys.argv[1:]
with smtplib.SMTP("localhost", int(port), timeout=15) as smtp:
    smtp.starttls(context=ssl.create_default_context(cafile=ca))
    smtp.ehlo()
    smtp.user, smtp.password = user, os.environ["PASSWORD"]
    smtp.auth(os.environ["METHOD"], getattr(smtp, "auth_" + os.environ["METHOD"].lower()))
    smtp.sendmail("SENDER", "RECIPIENT", sys.stdin.read())
"""


def fill(script):
    return script.replace("SENDER", SENDER).replace("RECIPIENT", RECIPIENT)


def swaks(port, username, ca):
    to = ["--from", SENDER, "--to", RECIPIENT, "--header", "Subject: by a real client"]
    login = ["--auth", "$METHOD", "--auth-user", username, "--auth-password", "$PASSWORD"]
    return ["swaks", "--server", f"localhost:{port}", "--tls", "--tls-ca-path", ca, *login, *to]


def curl(port, username, ca):
    to = ["--mail-from", SENDER, "--mail-rcpt", RECIPIENT, "--upload-file", "-"]
    login = ["--login-options", "AUTH=$METHOD", "--user", f"{username}:$PASSWORD"]
    return ["curl", "-sS", f"smtp://localhost:{port}", "--ssl-reqd", "--cacert", ca, *login, *to]


def msmtp(port, username, ca):
    tls = ["--tls=on", "--tls-starttls=on", f"--tls-trust-file={ca}"]
    login = ["--auth=$METHOD_LOWER", f"--user={username}", "--passwordeval=printenv PASSWORD"]
    return ["msmtp", "--host=localhost", f"--port={port}", *tls, *login, f"--from={SENDER}", "--", RECIPIENT]


def nodemailer(port, username, ca):
    return ["node", "-e", fill(NODEMAILER), port, username, ca]


def smtplib(port, username, ca):
    return ["python3", "-c", fill(SMTPLIB), port, username, ca]


@pytest.fixture
def send(mail):
    def send(client, credential, method, password):
        command = client(str(mail.port), credential.username, str(mail.server.certificate))
        for name, value in {"$METHOD_LOWER": method.lower(), "$METHOD": method, "$PASSWORD": password}.items():
            command = [part.replace(name, value) for part in command]
        environment = os.environ | {
            "METHOD": method,
            "PASSWORD": password,
            "NODE_PATH": "/usr/share/nodejs",
            "HOME": "/nonexistent",
        }
        return subprocess.run(
            command, input=MESSAGE, env=environment, capture_output=True, text=True, timeout=60
        )

    return send


@pytest.mark.parametrize("method", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("client", [swaks, curl, msmtp, nodemailer, smtplib])
class TestClients:
    def test_client_sends_a_message_through_postfix(self, send, sink, credential, client, method):
        done = send(client, credential, method, password_of(credential))
        assert done.returncode == 0, done.stdout + done.stderr
        sender, recipients, content = wait_until(lambda: sink.sink.messages)[0]
        assert (sender, recipients) == (SENDER, [RECIPIENT])
        assert b"Subject: by a real client" in content

    def test_client_reports_a_wrong_password(self, send, sink, credential, client, method):
        done = send(client, credential, method, "wrong")
        assert done.returncode != 0
        assert "535" in done.stdout + done.stderr or "denied" in done.stdout + done.stderr
        assert sink.sink.messages == []

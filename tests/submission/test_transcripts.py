"""Explain an error: whole sessions in the verbose output of installed tools."""

import sys

import pytest

from credentials.diagnosis.findings import Finding
from credentials.diagnosis.parser import read, visible
from tests.submission.clients import RECIPIENT, SENDER
from tests.submission.snippets import Failed, machine_for

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

SYSTEM_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"  # of Debian's package ca-certificates
LONGEST = 2000  # what the page takes
MESSAGE = f"From: {SENDER}\r\nSubject: x\r\n\r\nBody\r\n"

PYTHON = f"""
import smtplib, ssl, sys
port, user, password, ca = sys.argv[1:]
context = ssl.create_default_context(cafile=ca) if ca else ssl._create_unverified_context()
with smtplib.SMTP("localhost", int(port), timeout=15) as smtp:
    smtp.set_debuglevel(1)
    smtp.starttls(context=context)
    smtp.login(user, password)
    smtp.sendmail("{SENDER}", "{RECIPIENT}", {MESSAGE!r})
"""
NODEMAILER = """
const [port, user, pass, ca] = process.argv.slice(1);
require("nodemailer").createTransport({
  host: "localhost", port, requireTLS: true, logger: true, debug: true, auth: { user, pass },
  tls: ca ? { ca: require("fs").readFileSync(ca) } : { rejectUnauthorized: false },
}).sendMail({ from: "SENDER", to: "RECIPIENT", subject: "x", text: "Body" })
  .catch((error) => { console.error(error); process.exit(1); });
"""
PHPMAILER = """<?php
foreach (['Exception', 'SMTP', 'PHPMailer'] as $each) require "/usr/share/php/libphp-phpmailer/src/$each.php";
[, $port, $user, $password, $ca] = $argv;
$mail = new PHPMailer\\PHPMailer\\PHPMailer(true);
$mail->isSMTP();
[$mail->SMTPDebug, $mail->Debugoutput] = [4, 'echo'];
$mail->setFrom('SENDER');
$mail->addAddress('RECIPIENT');
[$mail->Subject, $mail->Body] = ['x', 'Body'];
[$mail->Host, $mail->Port, $mail->SMTPSecure] = ['localhost', $port, 'tls'];
[$mail->SMTPAuth, $mail->Username, $mail->Password] = [true, $user, $password];
$mail->SMTPOptions = ['ssl' => $ca ? ['cafile' => $ca] : ['verify_peer' => false, 'verify_peer_name' => false]];
$mail->send();
"""
RUBY = """
require "net/smtp"
port, user, password, ca = ARGV
context = OpenSSL::SSL::SSLContext.new
ca.empty? ? context.verify_mode = OpenSSL::SSL::VERIFY_NONE : context.set_params(ca_file: ca)
smtp = Net::SMTP.new("localhost", port.to_i)
smtp.set_debug_output($stderr)
smtp.enable_starttls(context)
smtp.start("site.example", user, password, :plain) do |session|
  session.send_message("From: SENDER\\r\\n\\r\\nBody", "SENDER", "RECIPIENT")
end
"""
MSMTP = """
msmtp -d --host=localhost --port=$1 --auth=plain --user=$2 --passwordeval="echo $3" --tls=on \
  --tls-starttls=on $4 --from=SENDER -- RECIPIENT < message
"""


def fill(script):
    return script.replace("SENDER", SENDER).replace("RECIPIENT", RECIPIENT)


def swaks(machine, port, user, password, ca):
    verify = ["--tls-verify", "--tls-ca-path", ca] if ca else []
    login = ["--auth", "PLAIN", "--auth-user", user, "--auth-password", password]
    to = ["--from", SENDER, "--to", RECIPIENT]
    return ["swaks", "--server", f"localhost:{port}", "--tls", *verify, *login, *to]


def curl(machine, port, user, password, ca):
    verify = ["--cacert", ca] if ca else ["--insecure"]
    to = ["--mail-from", SENDER, "--mail-rcpt", RECIPIENT, "--upload-file", machine.write("message", MESSAGE)]
    return [
        "curl",
        "-v",
        f"smtp://localhost:{port}",
        "--ssl-reqd",
        *verify,
        "--user",
        f"{user}:{password}",
        *to,
    ]


def msmtp(machine, port, user, password, ca):
    machine.write("message", MESSAGE)
    verify = f"--tls-trust-file={ca}" if ca else "--tls-certcheck=off"
    return ["bash", "-c", fill(MSMTP), "msmtp", port, user, password, verify]


def phpmailer(machine, *arguments):
    return ["php", machine.write("site.php", fill(PHPMAILER)), *arguments]


TOOLS = {
    "swaks": swaks,
    "curl": curl,
    "msmtp": msmtp,
    "php": phpmailer,
    "python": lambda machine, *arguments: [sys.executable, "-c", PYTHON, *arguments],
    "node": lambda machine, *arguments: ["node", "-e", fill(NODEMAILER), *arguments],
    "ruby": lambda machine, *arguments: ["ruby", "-e", fill(RUBY), *arguments],
}


@pytest.mark.parametrize("tool", TOOLS)
class TestSessions:
    @pytest.fixture
    def told(self, listener, credential, tmp_path, tool):
        """The explanation of a tool's output; the tool must succeed or fail as `fails` says."""
        machine = machine_for(credential, listener, tmp_path)

        def told(*, password=machine.password, ca, fails=False):
            command = TOOLS[tool](machine, str(listener.port), credential.username, password, ca)
            try:
                said, failed = machine.run(*command), False
            except Failed as error:
                said, failed = str(error), True
            assert failed is fails, said
            return read(visible(said[-LONGEST:])).finding

        return told

    @pytest.fixture(params=["verified", "not verified"])
    def ca(self, request, listener):
        trusted = str(listener.var_dir / "tls" / "submission.crt")
        return trusted if request.param == "verified" else ""

    def test_transcript_of_a_successful_session(self, told, ca):
        assert told(ca=ca) is Finding.SUCCESS

    def test_transcript_of_a_wrong_password(self, told, ca):
        assert told(password="sl_wrong", ca=ca, fails=True) is Finding.LOGIN_REFUSED

    def test_transcript_of_an_untrusted_certificate(self, told):
        untrusted = told(ca=SYSTEM_CERTIFICATES, fails=True)
        assert untrusted in (Finding.CERTIFICATE_SELF_SIGNED, Finding.CERTIFICATE)

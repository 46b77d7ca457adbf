"""The snippets of Connect your site send through the real listener."""

import sys

import pytest

from tests.http import sign_in
from tests.submission.clients import SENDER
from tests.submission.snippets import Failed, machine_for, need, shown

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

PHPMAILER = "/usr/share/php/libphp-phpmailer/src"
AUTOLOAD = f"<?php foreach (['Exception', 'SMTP', 'PHPMailer'] as $each) require \"{PHPMAILER}/$each.php\";"
# What the plugin makes of its constants (WP Mail SMTP, src/MailCatcherTrait.php and src/Processor.php).
PLUGIN = """
require 'vendor/autoload.php';
assert(WPMS_ON && WPMS_MAILER === 'smtp' && WPMS_MAIL_FROM_FORCE);
$mail = new PHPMailer\\PHPMailer\\PHPMailer(true);
$mail->isSMTP();
$mail->setFrom(WPMS_MAIL_FROM);
$mail->addAddress('alice@example.com');
[$mail->Subject, $mail->Body] = ['It works', 'Sent by WordPress.'];
[$mail->Host, $mail->Port, $mail->SMTPSecure] = [WPMS_SMTP_HOST, WPMS_SMTP_PORT, WPMS_SSL];
[$mail->SMTPAutoTLS, $mail->SMTPAuth] = [WPMS_SMTP_AUTOTLS, WPMS_SMTP_AUTH];
[$mail->Username, $mail->Password] = [WPMS_SMTP_USER, WPMS_SMTP_PASS];
$mail->send();
"""
# Action Mailer hands smtp_settings to the mail gem as they are.
RAILS = """
require "ostruct"
require "mail"
config = OpenStruct.new(action_mailer: OpenStruct.new)
eval(STDIN.read)
from = config.action_mailer.default_options.fetch(:from)
mail = Mail.new(from: from, to: "alice@example.com", subject: "It works", body: "Sent by Rails.")
mail.delivery_method(config.action_mailer.delivery_method, config.action_mailer.smtp_settings)
mail.deliver!
"""


@pytest.fixture
def snippets(client, alice, credential, listener, settings):
    settings.SMTP_HOST, settings.SMTP_PORT = "localhost", listener.port
    return lambda tool: shown(sign_in(client, alice), credential, tool)


@pytest.fixture
def machine(credential, listener, tmp_path):
    return machine_for(credential, listener, tmp_path)


@pytest.fixture
def arrived(outbox):
    """Assert that exactly one message arrived, with the right sender and recipient."""

    def arrived(*words):
        (message,) = outbox()
        assert f"Return-Path: <{SENDER}>\r\n".encode() in message
        assert b"Envelope-To: alice@example.com\r\n" in message
        # Within TLS and signed in; the second where the tool asked for SMTPUTF8 (RFC 6531).
        assert b"with ESMTPSA" in message or b"with UTF8SMTPSA" in message
        for word in words:
            assert word.encode() in message

    return arrived


def test_python_snippet_sends(snippets, machine, arrived):
    machine.run(sys.executable, "-c", snippets("python")[0])
    arrived("Subject: It works", "Sent by smtplib.")


def test_django_snippet_sends(snippets, machine, arrived):
    settings, command = snippets("django")
    machine.write("site_settings.py", f'SECRET_KEY = "x"\n{settings}\n')
    machine.environment = {"DJANGO_SETTINGS_MODULE": "site_settings", "PYTHONPATH": str(machine.home)}
    assert command.startswith("python manage.py ")
    machine.run(sys.executable, "-m", "django", *command.split()[2:])
    arrived(f"From: {SENDER}", "Subject: Test email from")


def test_curl_snippet_sends(snippets, machine, arrived):
    need(curl="curl")
    machine.shell("\n".join(snippets("curl")), typed=f"{machine.password}\n")
    arrived("Subject: It works", "Sent by curl.")


def test_swaks_snippet_verifies_the_certificate(snippets, machine, arrived):
    need(swaks="swaks")
    said = machine.shell("\n".join(snippets("swaks")), typed=f"{machine.password}\n")
    assert "TLS peer" in said and machine.password not in said.split("AUTH PLAIN")[0]
    arrived("This is a test mailing")
    machine.environment = {"SSL_CERT_FILE": "/nonexistent"}
    with pytest.raises(Failed, match="certificate (verify|verification) failed"):
        machine.shell("\n".join(snippets("swaks")), typed=f"{machine.password}\n")


def test_msmtp_snippet_sends(snippets, machine, arrived):
    need(msmtp="msmtp")
    settings, keep_password, send = snippets("msmtp")
    machine.write(".msmtprc", settings)
    machine.shell(keep_password, typed=f"{machine.password}\n")
    assert (machine.home / ".smtp-password").stat().st_mode & 0o777 == 0o600
    # GnuTLS asks no environment for authorities.
    machine.shell(f"{send} --tls-trust-file={machine.certificate}")
    arrived("Subject: It works", "Sent by msmtp.")


def test_msmtp_snippet_sends_what_cron_does(snippets, machine, arrived):
    """Cron's From is a name without an address of the domain, so msmtp has to replace it."""
    need(msmtp="msmtp")
    settings, keep_password, _send = snippets("msmtp")
    machine.write(".msmtprc", settings)
    machine.shell(keep_password, typed=f"{machine.password}\n")
    cron = "From: root (Cron Daemon)\nTo: alice@example.com\nSubject: Cron <root@web1> backup\n\nÜbertragen\n"
    machine.run("msmtp", f"--tls-trust-file={machine.certificate}", "-i", "-t", typed=cron)
    arrived(f"From: {SENDER}\r\n", "Subject: Cron <root@web1> backup", "\r\n\r\nÜbertragen\r\n")


def test_nodemailer_snippet_is_valid(snippets, machine, arrived):
    need(("node-nodemailer", "/usr/share/nodejs/nodemailer"), node="nodejs")
    assert "accepted" in machine.run("node", "-e", snippets("nodejs")[0])
    arrived("Subject: It works", "Sent by Nodemailer.")


@pytest.mark.parametrize("which", [0, 1])
def test_url_snippet_works_in_nodemailer(snippets, machine, arrived, which):
    need(("node-nodemailer", "/usr/share/nodejs/nodemailer"), node="nodejs")
    url = machine.filled(snippets("url")[which])
    message = f'{{ from: "{SENDER}", to: "alice@example.com", subject: "It works", text: "By URL." }}'
    machine.run("node", "-e", f'require("nodemailer").createTransport("{url}").sendMail({message})')
    arrived("Subject: It works", "By URL.")


def test_url_snippet_works_in_django_environ(snippets, machine):
    from environ import Env

    *_, line = snippets("url")
    name, url = machine.filled(line).split("=", 1)
    assert name == "EMAIL_URL"
    config = Env.email_url_config(url)
    assert config["EMAIL_USE_TLS"] and config["EMAIL_HOST_PASSWORD"] == machine.password


def test_phpmailer_snippet_is_valid(snippets, machine, arrived):
    need(("libphp-phpmailer", PHPMAILER), php="php-cli")
    machine.write("vendor/autoload.php", AUTOLOAD)
    site = snippets("php")[0].replace("It works", "Grüße").replace("Sent by PHPMailer.", "Grüße von PHPMailer.")
    machine.run("php", machine.write("site.php", site))
    arrived("Subject: =?utf-8?", "charset=utf-8", "Grüße von PHPMailer.")


def test_wp_mail_smtp_snippet_defines_known_constants(snippets, machine, arrived):
    need(("libphp-phpmailer", PHPMAILER), php="php-cli")
    machine.write("vendor/autoload.php", AUTOLOAD)
    constants = machine.filled(snippets("wordpress")[0])
    machine.run("php", machine.write("wp-config.php", f"<?php\n{constants}\n{PLUGIN}"))
    arrived("Subject: It works", "Sent by WordPress.")


def test_laravel_snippet_is_valid_php_and_dotenv(snippets, machine):
    need(php="php-cli")
    dotenv, config = snippets("laravel")
    values = dict(line.split("=", 1) for line in machine.filled(dotenv).splitlines())
    assert (values["MAIL_SCHEME"], values["MAIL_PASSWORD"]) == ("smtp", machine.password)
    script = f"<?php function env($name) {{ return $name; }} echo json_encode([{config}]);"
    said = machine.run("php", machine.write("mail.php", script))
    assert '"password":"MAIL_PASSWORD"' in said and '"require_tls":true' in said


def test_rails_snippet_is_valid(snippets, machine, arrived):
    need(("ruby-mail", "/usr/lib/ruby/vendor_ruby/mail.rb"), ruby="ruby")
    machine.run("ruby", "-e", RAILS, typed=snippets("rails")[0])
    arrived("Subject: It works", "Sent by Rails.")


def test_env_snippet_can_be_read_by_a_shell(snippets, machine, arrived):
    machine.write(".env", machine.filled(snippets("env")[0]))
    script = "set -a; . ./.env; set +a; exec curl -sS --ssl-reqd --url smtp://$SMTP_HOST:$SMTP_PORT"
    script += " --user $SMTP_USERNAME:$SMTP_PASSWORD --mail-from $SMTP_FROM --mail-rcpt alice@example.com"
    script += ' --crlf --upload-file - <<< "From: $SMTP_FROM"'
    machine.shell(script)
    arrived(f"From: {SENDER}")

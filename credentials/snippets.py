"""Ready settings for the tools that sites send with: one page for each tool.

The texts are in templates/jinja2/credentials/connect/. No password is ever filled in: they read
it from the environment or a file, or contain PLACEHOLDER where the tool takes nothing else.
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address

from django.conf import settings

PLACEHOLDER = "YOUR-SMTP-PASSWORD"
ENVIRONMENT = "The password comes from the environment variable SMTP_PASSWORD, not from the code."
FALLBACK_RECIPIENT = "you@example.com"
# An address that needs no quoting in any of the languages.
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+")


@dataclass(frozen=True)
class Snippet:
    """A text to copy: its title or file, and the name of its template."""

    title: str
    name: str
    has_password: bool = False  # contains PLACEHOLDER

    @property
    def template(self) -> str:
        return f"credentials/connect/{self.name}.txt"


@dataclass(frozen=True)
class Tool:
    """`note` is a sentence or two about it, `trust` says how it trusts a self-signed certificate in a trial.

    `settings` are label and value of each field of its own form; `fill` fills in the values. `needs_name` says
    that it can't verify the certificate of an IP address.
    """

    key: str
    title: str
    snippets: tuple[Snippet, ...]
    note: str = ""
    trust: str = "Set the environment variable SSL_CERT_FILE to a copy of that file."
    settings: tuple[tuple[str, str], ...] = ()
    needs_name: bool = False


_PHP_TRUST = "Set openssl.cafile in php.ini to a copy of that file."
_SHELL_PASSWORD = Snippet("Type the password, so that it isn't saved in any history", "shell-password")

TOOLS = (
    Tool(
        "wordpress",
        "WordPress",
        (Snippet("Or as constants, in wp-config.php above “That's all, stop editing!”", "wordpress", True),),
        "Install the plugin WP Mail SMTP, then open WP Mail SMTP → Settings and fill in the form. "
        "Constants keep the password out of the WordPress database.",
        _PHP_TRUST,
        (
            ("From Email", "{sender}"),
            ("Force From Email", "On"),
            ("Mailer", "Other SMTP"),
            ("SMTP Host", "{host}"),
            ("Encryption", "TLS (this is STARTTLS)"),
            ("SMTP Port", "{port}"),
            ("Auto TLS", "On"),
            ("Authentication", "On"),
            ("SMTP Username", "{username}"),
            ("SMTP Password", "Copy it above"),
        ),
    ),
    Tool(
        "django",
        "Django",
        (Snippet("settings.py", "django"), Snippet("Send a test message", "django-test")),
        ENVIRONMENT,
    ),
    Tool(
        "laravel",
        "Laravel",
        (
            Snippet(".env", "laravel", True),
            Snippet("config/mail.php: this mailer refuses to continue without TLS", "laravel-config"),
        ),
        "The scheme smtps would be implicit TLS. If config/mail.php still has “encryption” instead of "
        "“scheme”, use MAIL_ENCRYPTION=tls instead. Run “php artisan config:clear” after any change.",
        _PHP_TRUST,
    ),
    Tool(
        "rails",
        "Rails",
        (Snippet("config/environments/production.rb", "rails"),),
        f"{ENVIRONMENT} A “default from:” in ApplicationMailer overrides this one: change it too.",
    ),
    Tool(
        "nodejs",
        "Node.js",
        (Snippet("Nodemailer", "nodejs"),),
        f"{ENVIRONMENT} With “pool: true”, leave maxConnections at 10 or fewer: the mail server refuses too "
        "many connections at once.",
        "Set the environment variable NODE_EXTRA_CA_CERTS to a copy of that file.",
    ),
    Tool("php", "PHP", (Snippet("PHPMailer", "php"),), ENVIRONMENT, _PHP_TRUST),
    Tool("go", "Go", (Snippet("net/smtp", "go"),), ENVIRONMENT),
    Tool("python", "Python", (Snippet("smtplib", "python"),), ENVIRONMENT),
    Tool(
        "postfix",
        "Postfix",
        (
            Snippet("/etc/postfix/main.cf: replace the lines with the same names", "postfix"),
            Snippet("/etc/postfix/sasl_passwd", "postfix-password", True),
            Snippet("Protect the file, and apply the settings", "postfix-reload"),
        ),
        "For a Postfix that relays the mail of its machine. On Debian and Ubuntu it needs the package "
        "libsasl2-modules; elsewhere smtp_tls_CAfile may be /etc/pki/tls/certs/ca-bundle.crt. "
        "Addresses of the machine itself, such as root’s, become addresses of {domain}; programs have to use "
        "those, too.",
        "Set smtp_tls_CAfile to a copy of that file.",
        needs_name=True,
    ),
    Tool(
        "msmtp",
        "msmtp",
        (
            Snippet("~/.msmtprc", "msmtp"),
            Snippet("Keep the password in a file that only you can read", "msmtp-password"),
            Snippet("Send a test message", "msmtp-test"),
        ),
        "A sendmail for scripts and cron, without a queue. Set MAILTO in the crontab to a whole address. "
        "“set_from_header” needs msmtp 1.8.8 or later.",
        "Add the line “tls_trust_file” with the path of a copy of that file.",
    ),
    Tool(
        "device",
        "Printer, NAS or other device",
        (),
        "Fill in its form for e-mail or SMTP. If its fields are shorter than the username (32 characters) or "
        "the password (42), it cuts them off and can’t log in: let it send through a Postfix in your network. "
        "Give it a name in plain letters (a–z) and the right time of day.",
        "Import a copy of that file as a trusted certificate, if it checks certificates.",
        (
            ("SMTP server", "{host}"),
            ("Port", "{port}"),
            ("Encryption", "STARTTLS, or “TLS” if the other choice is “SSL”"),
            ("Port if it has only SSL/TLS", "{tls_port}"),
            ("Authentication", "On (PLAIN or LOGIN)"),
            ("Username", "{username}"),
            ("Password", "Copy it above"),
            ("Sender (From)", "{sender}"),
        ),
    ),
    Tool("curl", "curl", (_SHELL_PASSWORD, Snippet("Send a test message", "curl"))),
    Tool("swaks", "swaks", (_SHELL_PASSWORD, Snippet("Send a test message", "swaks"))),
    Tool(
        "env",
        ".env file",
        (Snippet(".env", "env", True),),
        "The names differ from app to app; the values don't. Keep this file out of version control.",
    ),
    Tool(
        "url",
        "smtp:// URL",
        (
            Snippet("For most apps", "url", True),
            Snippet("Nodemailer: nothing is sent without TLS", "url-nodemailer", True),
            Snippet("Symfony Mailer 7.3 and later: the same", "url-symfony", True),
            Snippet("django-environ and dj-email-url", "url-django", True),
        ),
        "On this port smtp:// means STARTTLS; smtps:// would be implicit TLS. "
        "The password needs no URL encoding.",
    ),
)
_BY_KEY = {tool.key: tool for tool in TOOLS}


def tool_of(key) -> Tool | None:
    """Return the tool with this key, if there is one."""
    return _BY_KEY.get(key)


def values(credential, recipient: str) -> dict:
    """Return the values for the texts; `recipient` gets the test messages if no language has to quote it."""
    domain = credential.domain.name
    return {
        "username": credential.username,
        "host": settings.SMTP_HOST,
        "port": settings.SMTP_PORT,
        "tls_port": settings.SMTP_TLS_PORT,
        "domain": domain,
        "sender": f"info@{domain}",
        "recipient": recipient if _PLAIN_ADDRESS.fullmatch(recipient) else FALLBACK_RECIPIENT,
        "placeholder": PLACEHOLDER,
    }


def fill(tool, known) -> list[tuple[str, str]]:
    """Return the fields of a tool's own form, filled in; without those for a port that isn't offered."""
    offered = [field for field in tool.settings if known["tls_port"] or "{tls_port}" not in field[1]]
    return [(label, value.format(**known)) for label, value in offered]


def note(tool, known) -> str:
    """Return the note about a tool, filled in."""
    return tool.note.format(**known)


def lacks_name(tool) -> bool:
    """Whether the tool can't verify the server's certificate, since sites know it by an IP address."""
    try:
        ip_address(settings.SMTP_HOST.strip("[]"))
    except ValueError:
        return False
    return tool.needs_name


def is_self_signed() -> bool:
    """Whether the mail server is the listener with its own certificate, as `make run` starts it."""
    return not settings.SUBMISSION_TLS_CERT and (settings.VAR_DIR / "tls" / "submission.crt").exists()

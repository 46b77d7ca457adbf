"""Settings from the process environment, then from `.env` in VAR_DIR.

A secret may also be given as NAME_FILE, the path of a file that contains it (systemd credentials, container
secrets).
"""

import os
import re
import sys
import unicodedata
import warnings
from ipaddress import ip_address
from pathlib import Path

import environ
import idna
from django.core.exceptions import ImproperlyConfigured

from web import private_files
from web.startup import is_accepted

BASE_DIR = Path(__file__).resolve().parent.parent
BOOLEANS = dict.fromkeys(("yes", "on", "true", "1"), True) | dict.fromkeys(("no", "off", "false", "0"), False)
# As in SMTP_RELAY_URL (submission/delivery/relay.py); smtp+ssl is django-environ's word for smtps.
MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465, "smtp+ssl": 465}
NO_COMMENT = "A comment needs a line of its own."


_LABEL = re.compile(r"[\w-]+")
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")


def _a_label(label: str) -> str:
    return label if label.isascii() else idna.encode(label, uts46=True).decode()


def refuse(name: str, problem: str, hint: str):
    """Stop the process with a sentence that names a setting, but not its value.

    For values that can't be parsed; system checks (sendlayer/checks.py) judge the others.
    """
    sys.stderr.write(f"SendLayer does not start:\n?: (sendlayer.E070) {name} {problem}\n\tHINT: {hint}\n")
    raise SystemExit(os.EX_CONFIG)


class Env(environ.Env):
    """django-environ's Env, where a value that can't be parsed stops the process (`refuse`)."""

    def int(self, var, default=environ.Env.NOTSET):
        """Return a whole number of at least 1: no setting means anything else by 0."""
        try:
            number = super().int(var, default)
        except ValueError:
            return refuse(var, "is not a whole number.", f"Write digits only. {NO_COMMENT}")
        return number if number > 0 else refuse(var, "is less than 1.", "Leave it out for its default.")

    def port(self, var, default):
        """Return a port; `default`, which may be None, if the setting is missing or empty."""
        if not self.str(var, default="").strip():
            return default
        number = self.int(var)
        if 0 < number < 65536:
            return number
        return refuse(var, "is not a port.", "Set it to a number from 1 to 65535.")

    def bool(self, var, default=environ.Env.NOTSET):
        """Unlike django-environ, which takes every unknown word for no."""
        given = self.str(var, default="").strip().lower()
        if given in BOOLEANS:
            return BOOLEANS[given]
        if not given and default is not self.NOTSET:
            return default
        return refuse(var, "is neither yes nor no.", f"Set it to yes or no. {NO_COMMENT}")

    def list(self, var, cast=None, default=environ.Env.NOTSET):
        return [stripped for part in super().list(var, cast, default) if (stripped := part.strip())]

    def host(self, var, default):
        """Return a host name in ASCII (A-labels, RFC 5890), or an IP address without brackets."""
        return self._host(var, self.str(var, default="").strip() or default)

    def addresses(self, var, default):
        """Return addresses to listen on, or names of them, without brackets."""
        return [self._host(var, part) for part in self.list(var, default=[]) or default]

    def _host(self, var, text):
        given = text.strip("[]").removesuffix(".")
        if is_accepted(ip_address, given):
            return given
        if _HOST.fullmatch(name := self._ascii(var, given.lower())):
            return name
        return refuse(var, "is not a host name.", f"Set it to a name like smtp.example.com. {NO_COMMENT}")

    def hosts(self, var, default):
        """Return host names and patterns, or origins, as browsers send them: in ASCII."""
        return [self._ascii(var, part) for part in self.list(var, default=default)]

    def _ascii(self, var, text):
        try:
            return _LABEL.sub(lambda label: _a_label(label[0]), unicodedata.normalize("NFC", text))
        except (idna.IDNAError, UnicodeError):
            return refuse(var, "has a name that can't be encoded (IDNA 2008).", "Write it in its xn-- form.")

    def db(self, var, url):
        """Return Django's settings of the database at a URL, the value of `var`."""
        config = self._url(self.db_url_config, var, url)
        if config.get("ENGINE", "").rpartition(".")[2] in ("sqlite3", "postgresql"):
            return config
        return refuse(var, "names no database that can be used.", "Begin it with postgres:// or sqlite:///")

    def cache_url(self, var, default):
        return self._url(self.cache_url_config, var, secret(var) or default)

    def email_url(self, var, default):
        """Unlike django-environ, for which smtps is STARTTLS, and 25 the port of every scheme."""
        url = secret(var) or default
        config = self._url(self.email_url_config, var, url)
        scheme = url.partition(":")[0].strip().lower()
        if scheme not in MAIL_PORTS:
            return config
        if scheme == "smtps":
            if config["EMAIL_PORT"] == 587:
                hint = "Write smtp+tls:// for port 587, or give the port for TLS from the start, often 465."
                return refuse(var, "combines smtps:// with the port for STARTTLS.", hint)
            del config["EMAIL_USE_TLS"]
            config["EMAIL_USE_SSL"] = True
        config["EMAIL_PORT"] = config["EMAIL_PORT"] or MAIL_PORTS[scheme]
        return config

    def _url(self, read, var, url):
        """Parse a URL, without the parsers' messages, which quote parts of it and so of the password."""
        hint = "In a user name, password or path write # as %23, / as %2F, : as %3A, @ as %40 and % as %25."
        if "#" in url:  # what follows would be silently dropped
            return refuse(var, "contains a #.", f"{hint} {NO_COMMENT}")
        try:
            with warnings.catch_warnings(action="ignore"):
                return read(url)
        except (ValueError, KeyError, ImproperlyConfigured):
            return refuse(var, "is not a URL that can be used.", f"See .env.example for its form. {hint}")


env = Env()


def load() -> Path:
    """Read `VAR_DIR/.env` into the environment (what is set already wins); return VAR_DIR."""
    var_dir = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var"))).resolve()
    env_file = var_dir / ".env"
    if env_file.is_file():
        if private_files.close_to_others(env_file):
            sys.stderr.write(f"{env_file} was readable by every user of this machine. Its mode was changed.\n")
        try:
            environ.Env.read_env(env_file)
        except UnicodeDecodeError:
            refuse(str(env_file), "is not UTF-8.", "Save it as UTF-8, or remove what is not ASCII.")
    return var_dir


def secret(name: str) -> str:
    """Return the secret NAME, from NAME or from the file that NAME_FILE points to.

    Returns "" when neither is set: a system check then says so with its id and a hint.
    Raises ImproperlyConfigured when the file cannot be read.
    """
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return os.environ.get(name, "")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{name}_FILE={path} cannot be read: {error}") from None

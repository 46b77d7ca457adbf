"""Runs the snippets of Connect your site as a user who has copied them."""

import html
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from credentials.snippets import PLACEHOLDER
from tests.factories import password_of
from tests.http import smtp_url, text

SECONDS = 60


def shown(client, credential, tool) -> list[str]:
    """The snippets on the page of a tool."""
    page = text(client.get(smtp_url(credential, "page"), {"tool": tool}))
    found = re.findall(r'<code id="snippet-\d+">(.*?)</code>', page, re.S)
    assert found
    return [html.unescape(snippet) for snippet in found]


def need(*packages, **programs):
    """Name what is missing: programs by their package, files of packages by their path."""
    missing = [package for package, path in packages if not Path(path).exists()]
    missing += [package for program, package in programs.items() if not shutil.which(program)]
    assert not missing, f"Missing packages: apt-get install {' '.join(missing)}"


class Failed(Exception):
    """A program failed; str() is its output."""


@dataclass
class Machine:
    """A site's machine: a home folder, and an environment that trusts the listener's certificate."""

    home: Path
    certificate: Path
    password: str
    environment: dict = field(default_factory=dict)

    def write(self, name, content):
        path = self.home / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        path.chmod(0o600)
        return path

    def run(self, *command, typed="") -> str:
        """Run a program there and return its output. Raises Failed."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "SMTP_PASSWORD": self.password,
            "SSL_CERT_FILE": str(self.certificate),
            "NODE_EXTRA_CA_CERTS": str(self.certificate),
            "NODE_PATH": "/usr/share/nodejs",
            **self.environment,
        }
        done = subprocess.run(
            command,
            cwd=self.home,
            env=environment,
            input=typed,
            capture_output=True,
            text=True,
            errors="replace",  # PHPMailer shows the first bytes of TLS as if they were words
            timeout=SECONDS,
        )
        if done.returncode:
            raise Failed(done.stdout + done.stderr)
        return done.stdout + done.stderr

    def shell(self, script, typed=""):
        return self.run("bash", "-ec", script, typed=typed)

    def filled(self, snippet) -> str:
        """A snippet with the placeholder replaced by the password."""
        assert PLACEHOLDER in snippet
        return snippet.replace(PLACEHOLDER, self.password)


def machine_for(credential, listener, home) -> Machine:
    return Machine(home, listener.var_dir / "tls" / "submission.crt", password_of(credential))

"""docs/clients.md: what became of each program at both servers."""

import platform
from pathlib import Path

from tests.clients.programs import Program
from tests.clients.running import Outcome

HEAD = """# Client programs

Real programs, in the versions of {system}, sent through the built-in listener and through Postfix
and Dovecot: a message with umlauts in name, subject and text, lines that begin with a dot or “From”, a line of
900 characters and an attachment, and one to 120 recipients. Then each was refused, and the table has what it
showed of that: the reply's code, or its own words. `make test-clients` writes this page.

*Unchanged*: all bytes of the body are the same if a program sends a whole message as it gets it, otherwise
text, attachment, subject and name after decoding. Programs with “its own text” write their message themselves.

| program | version | sends | unchanged | 120 recipients | wrong password | wrong sender | deleted |
|---|---|---|---|---|---|---|---|
"""
NOTES = """
- Exim and sendmail go on without a login after a refused password. Both servers answer that with 450,
  so mail servers keep the message until the password is right.
- MIME::Lite's own `send('smtp', SSL => 1)` ends lines with a bare LF, so that its message never ends. Give its
  `as_string` to Net::SMTP.
- sendEmail and GNU Mailutils don't encode names and subjects, and sendEmail drops a dot at the start of a line.
- dma opens a connection for each recipient. Beyond `SUBMISSION_MAX_CONNECTIONS_PER_IP` (here 200) the listener
  answers 421, and dma comes again later.
- Tcllib's multipart messages have a line in the header that is no field; the listener refuses them.
- Mono's System.Net.Mail can't send: it knows no TLS newer than 1.0.
"""


class Table:
    """Collects outcomes and writes the page."""

    def __init__(self):
        self.rows: dict[Program, tuple[str, dict[str, Outcome]]] = {}

    def add(self, program: Program, version: str, server: str, outcome: Outcome):
        self.rows.setdefault(program, (version, {}))[1][server] = outcome

    def write(self, path: Path):
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
        lines = [_line(program, *self.rows[program]) for program in self.rows]
        path.write_text(HEAD.format(system=system) + "\n".join(lines) + "\n" + NOTES)


def _line(program, version, outcomes) -> str:
    """One cell for both servers where they agree."""

    def cell(of) -> str:
        found = {server: of(outcome) for server, outcome in outcomes.items()}
        if len(set(found.values())) == 1:
            return next(iter(found.values()))
        return ", ".join(f"{value} ({server})" for server, value in found.items())

    unchanged = "its own text" if not program.sends else "yes"
    cells = [
        program.name + (" (465)" if program.tls else ""),
        version,
        cell(lambda outcome: "no" if outcome.sends else "yes"),
        cell(lambda outcome: f"no: {outcome.body}" if outcome.body else unchanged),
        cell(lambda outcome: outcome.many or "yes"),
        cell(lambda outcome: outcome.wrong_password),
        cell(lambda outcome: outcome.wrong_sender),
        cell(lambda outcome: outcome.deleted),
    ]
    return f"| {' | '.join(cells)} |"

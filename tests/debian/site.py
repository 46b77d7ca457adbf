"""A site that goes on sending while a Debian is upgraded, and what it saw."""

import json
import os
import signal
import smtplib
import ssl
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from itertools import count, groupby, pairwise

from tests.debian import machine

SENDER = "info@example.com"
PAUSE = 2
TIMEOUT = 60
NEW_USER = """\
sendlayer-manage shell -v0 -c "
from audit.actor import Actor; from domains.models import Domain
domain = Domain.objects.get(name='example.com', authorized_at__isnull=False)
credential, password = domain.credentials.issue(by=Actor.system('trial'), label='Site')
print(credential.username, password)"
"""


@contextmanager
def site_that_sends(debian: machine.Booted, messages: int = 0):
    """Send so many messages, or one every 2 seconds until the block ends.

    Yields a list, filled at the end: what came of each, and when.
    """
    username, password = debian.run(NEW_USER).split()
    inside = [
        "nsenter",
        f"--target={debian.leader}",
        "--net",
        sys.executable,
        "-m",
        "tests.debian.site",
        str(messages),
    ]
    environment = os.environ | {"SITE_USERNAME": username, "SITE_PASSWORD": password}
    site = subprocess.Popen(inside, cwd=machine.ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    seen: list[tuple[str, float]] = []
    try:
        yield seen
    finally:
        if not messages:
            site.terminate()
        seen += [json.loads(line) for line in site.communicate(timeout=2 * TIMEOUT)[0].splitlines()]


def summary(seen) -> str:
    """How many were accepted, for how long none was, and what the others were told."""
    accepted = [at for outcome, at in seen if outcome == "accepted"]
    pause = max((end - begin for begin, end in pairwise(accepted)), default=0)
    lines = [f"A site sent {len(seen)} messages: {len(accepted)} accepted, none for at most {pause:.0f} s."]
    for outcome, group in groupby(seen, key=lambda one: one[0]):
        if outcome != "accepted":
            lines.append(f"  {len(list(group))} × {outcome}")
    return "\n".join(lines)


def _send() -> str:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with smtplib.SMTP("127.0.0.1", 587, timeout=TIMEOUT) as client:
            client.starttls(context=context)
            # By one mechanism: login() would try the next one after a refusal, and hide it.
            client.user, client.password = os.environ["SITE_USERNAME"], os.environ["SITE_PASSWORD"]
            client.ehlo()
            code, said = client.auth("PLAIN", client.auth_plain)
            if code != 235:
                raise smtplib.SMTPResponseException(code, said)
            text = f"From: {SENDER}\r\nSubject: Upgrade\r\n\r\nText\r\n"
            client.sendmail(SENDER, ["somebody@example.net"], text)
        return "accepted"
    except smtplib.SMTPResponseException as error:
        return f"{error.smtp_code} {error.smtp_error!r:.80}"
    except smtplib.SMTPRecipientsRefused as error:
        return " ".join(f"{code}" for code, _ in error.recipients.values())
    except (OSError, smtplib.SMTPException) as error:
        return type(error).__name__


def main() -> None:
    """The site, in the network of the Debian."""
    number, ended = int(sys.argv[1]), threading.Event()
    # After the message in hand: one that is accepted unseen would seem to come twice.
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    for _ in range(number) if number else count():
        print(json.dumps((_send(), time.time())), flush=True)
        if ended.wait(PAUSE):
            break


if __name__ == "__main__":
    main()

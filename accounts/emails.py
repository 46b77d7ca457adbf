"""Mail to users: stored with the act that it reports, sent by a thread, retried when a server is down.

No page waits for a mail server, and no letter is lost with a process: a letter commits with its act. A
letter holds links that open accounts, so it is sealed while it waits.
"""

import json
import logging
import smtplib
import threading
from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import connections, models, transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from vault import cipher
from web.characters import harmless
from web.workers import Busy, Workers

# How long after each try the next one is, two days in all; the try after the last wait is the last.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720, 720, 1440))
LETTERS_PER_BATCH = 50  # letters in one question
LOOK_AGAIN_SECONDS = 30
ASSOCIATED_DATA = "letter"
# Modules of django.core.mail.backends that write messages to a console, to files or nowhere.
SILENT_BACKENDS = {"console", "dummy", "filebased", "locmem"}
NOBODY = ""  # a letter to it costs what any does, and is thrown away: who asks learns nothing by the time

log = logging.getLogger("accounts.emails")


class LetterQuerySet(models.QuerySet):
    def due(self, at):
        return self.filter(due_at__lte=at).order_by("due_at", "pk")


class Letter(models.Model):
    """A message that waits to be sent; it is deleted once a server has taken it."""

    to = models.EmailField(max_length=254)
    sealed = models.TextField(editable=False)  # JSON: subject, text, html ("" for none)
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LetterQuerySet.as_manager()

    def __str__(self):
        return f"letter {self.pk}"

    def claim(self) -> bool:
        """Take it for one try, so that no other process sends it as well."""
        wait = WAITS[min(self.tries, len(WAITS) - 1)]
        mine = Letter.objects.filter(pk=self.pk, tries=self.tries, due_at=self.due_at)
        return bool(mine.update(tries=F("tries") + 1, due_at=timezone.now() + wait))

    def message(self) -> EmailMultiAlternatives:
        """The message itself. Raises vault.CannotOpen."""
        parts = json.loads(cipher.open(self.sealed, associated_data=ASSOCIATED_DATA))
        # RFC 3834: an out-of-office reply to it helps nobody.
        headers = {"Auto-Submitted": "auto-generated"}
        message = EmailMultiAlternatives(parts["subject"], parts["text"], to=[self.to], headers=headers)
        if parts["html"]:
            message.attach_alternative(parts["html"], "text/html")
        return message


def write(template, to, *, link=None, **context):
    """Write a letter by templates/letters/<template>.txt: the subject, an empty line, the text.

    `link` is a route with its arguments, ("domains:dns", name), which the template finds as the
    address `link`. Call it inside the transaction of the act that it reports.
    """
    context["dashboard"] = settings.DASHBOARD_URL.rstrip("/")
    if link:
        context["link"] = address(*link)
    subject, _, text = render_to_string(f"letters/{template}.txt", context).strip().partition("\n\n")
    paragraphs = [paragraph.split("\n") for paragraph in text.split("\n\n")]
    html = render_to_string("letters/base.html", {"subject": subject, "paragraphs": paragraphs})
    post(to, subject, text, html)


def post(to, subject, text, html=""):
    """Keep a message until it is sent; a thread begins with that once the transaction commits."""
    subject, text, html = map(harmless, (subject, text, html))  # names and addresses are in them
    parts = {"subject": " ".join(subject.split()), "text": text.strip() + "\n", "html": html}
    Letter.objects.create(to=to, sealed=cipher.seal(json.dumps(parts), associated_data=ASSOCIATED_DATA))
    transaction.on_commit(start_delivery)


def address(route, *args) -> str:
    """The whole address of a page of the dashboard, for people who are not there yet."""
    return settings.DASHBOARD_URL.rstrip("/") + reverse(route, args=args)


def are_sent() -> bool:
    """Whether messages leave this server, so that a page may say so."""
    return settings.EMAIL_BACKEND.split(".")[-2] not in SILENT_BACKENDS


def deliver() -> tuple[int, int]:
    """Try to send what is due; return how many letters were sent, and how many were not."""
    sent = failed = 0
    while batch := list(Letter.objects.due(timezone.now())[:LETTERS_PER_BATCH]):
        for letter in batch:
            if not letter.claim():
                continue  # another process has it
            if letter.to == NOBODY:
                letter.delete()
            elif _send(letter):
                sent += 1
            else:
                failed += 1
    return sent, failed


def _send(letter) -> bool:
    try:
        letter.message().send()
    except smtplib.SMTPRecipientsRefused as error:
        code = min(code for code, _text in error.recipients.values())
        return _failed(letter, f"the mail server refuses the address ({code})", for_good=code >= 500)
    except cipher.CannotOpen as error:
        return _failed(letter, str(error), for_good=False)
    except Exception as error:  # whatever it is, the letters behind this one go out
        return _failed(letter, type(error).__name__, for_good=False)
    letter.delete()
    return True


def _failed(letter, why, *, for_good) -> bool:
    # `tries` is what it was before this one.
    if for_good or letter.tries >= len(WAITS):
        log.error("%s is given up: %s", letter, why)
        letter.delete()
    else:
        log.warning("%s is not sent yet: %s", letter, why)
    return False


# A second call waits while one delivers: what is written after that one's last look is found by the next.
_workers = Workers("letters", threads=1, waiting=1)
_news = threading.Event()


def start_delivery() -> None:
    """See to it that a thread of this process sends what is due."""
    _news.set()
    with suppress(Busy):
        _workers.submit(_keep_delivering)


def _keep_delivering():
    """Send until nothing waits any more."""
    is_waiting = True
    while is_waiting:
        _news.clear()
        try:
            deliver()
            is_waiting = Letter.objects.exists()
        except Exception as error:
            log.warning("Letters wait: %s", type(error).__name__)
        finally:
            connections.close_all()
        if is_waiting:
            _news.wait(LOOK_AGAIN_SECONDS)

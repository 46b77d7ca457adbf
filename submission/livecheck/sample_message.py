"""The test message that a check sends to the person who asked for it."""

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from django.utils import timezone

TEXT = """\
You requested this message when you checked an SMTP user of {domain}.

It was sent with the SMTP user {username}: its password is right, and the
mail server accepts messages for {domain} from it. There's nothing to do.
"""


def test_message(domain: str, username: str, *, sender: str, recipient: str) -> bytes:
    """Return a small message, its lines ended by CRLF."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = sender, recipient
    message["Subject"] = f"Test message for {domain}"
    message["Date"] = format_datetime(timezone.now())
    message["Message-ID"] = make_msgid(domain=domain)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(TEXT.format(domain=domain, username=username))
    return message.as_bytes()

"""The test message of a check, sent to the user who started it."""

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from django.utils import timezone

BODY = """\
You requested this message when you checked an SMTP user of {domain}.

It was sent with the SMTP user {username}: its password is right, and the
mail server accepts messages for {domain} from it. There's nothing to do.
"""


def sample_message(domain: str, username: str, *, sender: str, recipient: str) -> bytes:
    """Return a small message with CRLF line endings."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = sender, recipient
    message["Subject"] = f"Test message for {domain}"
    message["Date"] = format_datetime(timezone.now())
    message["Message-ID"] = make_msgid(domain=domain)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(BODY.format(domain=domain, username=username))
    return message.as_bytes()

"""Mail to the owners of a domain about what they should know."""

import logging
from smtplib import SMTPException

from django.core.mail import EmailMessage, get_connection

from domains.models import Domain, Membership

log = logging.getLogger(__name__)

SUBJECTS = {"dns_gone": "The ownership record of {domain} is gone"}
TEXTS = {
    "dns_gone": """\
The DNS record that proves that {domain} is yours can't be found any more:

    {host}  TXT  {value}

Mail is still sent. Add the record again at your DNS provider, and press Verify on the
DNS Records tab of the domain.
"""
}


def tell_owners(domain: Domain, topic: str, notice: str, **context) -> None:
    """Send a notice of a topic to each owner of a domain; one that can't be sent is logged."""
    words = {"domain": domain, **context}
    subject, text = SUBJECTS[notice].format(**words), TEXTS[notice].format(**words)
    owners = domain.memberships.filter(role=Membership.Role.OWNER, user__is_active=True)
    messages = [
        EmailMessage(subject, text, to=[email]) for email in owners.values_list("user__email", flat=True)
    ]
    try:
        get_connection().send_messages(messages)
    except (OSError, SMTPException) as error:
        log.error("The notice %s of %s can't be sent: %s", notice, domain.name, type(error).__name__)

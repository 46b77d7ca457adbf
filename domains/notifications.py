"""E-mails to the owners of a domain; each owner can turn each topic off."""

from accounts import emails
from accounts.models import User
from domains.roles import Role

TOPICS = {"members", "credentials", "dns"}


def notify_owners(domain, topic, template, *, link=None, **context):
    """E-mail the owners who subscribe to a topic (one of TOPICS; None for all owners), as emails.write does.

    The template gets the `domain` and the `topic`. Call it inside the transaction of the act that it reports.
    """
    if topic is not None and topic not in TOPICS:
        raise ValueError(f"There is no topic {topic!r}.")
    owners = User.objects.can_sign_in().filter(memberships__domain=domain, memberships__role=Role.OWNER)
    if topic:
        owners = owners.filter(**{f"tell_{topic}": True})
    for email in owners.values_list("email", flat=True):
        emails.write(template, email, link=link, domain=domain, topic=topic, **context)

"""What the owners of a domain are told by mail; each of them can switch each topic off."""

from accounts import emails
from accounts.models import User
from domains.roles import Role

TOPICS = {"members", "credentials", "dns"}


def notify_owners(domain, topic, template, *, link=None, **context):
    """Write to the owners who want to hear of a topic (of TOPICS); see letters.write for the rest.

    The template finds the `domain` and the `topic` in its context. Call it inside the
    transaction of the act that it tells of.
    """
    if topic not in TOPICS:
        raise ValueError(f"There is no topic {topic!r}.")
    owners = User.objects.can_sign_in().filter(
        memberships__domain=domain,
        memberships__role=Role.OWNER,
        **{f"tell_{topic}": True},
    )
    for email in owners.values_list("email", flat=True):
        emails.write(template, email, link=link, domain=domain, topic=topic, **context)

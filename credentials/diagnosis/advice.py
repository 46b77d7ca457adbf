"""Advice on several pages: a title, and one or two sentences on what to do."""

from typing import NamedTuple


class Advice(NamedTuple):
    title: str
    text: str


DOMAIN_NOT_AUTHORIZED = Advice(
    "{domain} is not authorized to send",
    "The mail server rightly refuses every SMTP user of it. See the domain's Overview for the next step.",
)
DOMAIN_SUSPENDED = Advice(
    "Domain suspended",
    "Support suspended {domain}: the mail server refuses all of its SMTP users, even with the right password, "
    "until support resumes it. See its Overview for the reason, and contact support.",
)
SELF_SIGNED = (
    "The mail server uses a self-signed certificate. Clients that verify certificates refuse it "
    "until it's replaced or they're set up to trust it."
)

"""Advice that several pages give: a title, and a sentence or two on what to do."""

from typing import NamedTuple


class Advice(NamedTuple):
    title: str
    text: str


DOMAIN_NOT_AUTHORIZED = Advice(
    "{domain} is not authorized to send",
    "The mail server rightly refuses every SMTP user of it. The domain's Overview says what the next step is.",
)
SELF_SIGNED = (
    "The certificate is one that the mail server signed itself. Clients that verify certificates refuse it "
    "until it is replaced or they are told to trust it."
)

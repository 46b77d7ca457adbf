"""The pages every domain has, so that choosing another domain keeps the page one is on."""

from django.urls import reverse

PAGES = {
    "overview": "credentials:overview",
    "activity": "audit:activity",
    "dns": "domains:dns",
    "general": "domains:settings",
    "smtp": "credentials:list",
    "members": "domains:members",
}


_NAME = "a-name.invalid"


def page_of(domain_name: str, page: str) -> str:
    """Return the path of a page of a domain; an unknown page is its overview."""
    return reverse(PAGES.get(page, PAGES["overview"]), args=[domain_name])


def around_name(page: str) -> list[str]:
    """What stands before and after a domain's name in the path of a page: for many domains at once."""
    return page_of(_NAME, page).split(_NAME)

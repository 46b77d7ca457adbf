"""The pages of a domain: choosing another domain in the dropdown keeps the page."""

from django.urls import reverse

FILTER_FROM = 8  # domains in a list; fewer need no filter
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
    """Return the path of a page of a domain, of its Overview when there is no such page."""
    return reverse(PAGES.get(page, PAGES["overview"]), args=[domain_name])


def around_name(page: str) -> list[str]:
    """Return what comes before and after the domain's name in the path of a page, to build many links."""
    return page_of(_NAME, page).split(_NAME)

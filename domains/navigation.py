"""The pages every domain has, so that choosing another domain keeps the page one is on."""

from django.urls import reverse

PAGES = {
    "overview": "domains:overview",
    "activity": "audit:activity",
    "general": "domains:settings",
    "smtp": "credentials:list",
    "members": "domains:members",
}


def page_of(domain_name: str, page: str) -> str:
    """Return the path of a page of a domain; an unknown page is its overview."""
    return reverse(PAGES.get(page, PAGES["overview"]), args=[domain_name])

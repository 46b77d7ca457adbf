"""What the SMTP Credentials tab shows: one page of rows and what is common to them."""

from uuid import uuid4

from django.conf import settings
from django.core.paginator import Paginator
from django.urls import reverse
from django.utils.safestring import SafeString

from credentials.models import short
from sendlayer.search import search_text

PAGE_SIZE = 25


def of_user(markup, username: str) -> SafeString:
    """Fill the @USERNAME@ and @SHORT@ of a piece of a row; a username is hexadecimal, so safe as it is."""
    text = str(markup)  # replacing in plain text: markup would escape what it is given each time
    return SafeString(text.replace("@USERNAME@", username).replace("@SHORT@", short(username)))


def row_context(domain, **more) -> dict:
    """What one row needs beside its credential."""
    return {
        "domain": domain,
        "list_url": reverse("credentials:list", args=[domain.name]),
        "example_email": f"info@{domain.name}",
        "host": settings.SMTP_HOST,
        "port": settings.SMTP_PORT,
        **more,
    }


def list_context(domain, *, number, search="", **more) -> dict:
    """The rows of page `number` (1 … or "last"; anything else is clamped) and what surrounds them."""
    paginator = Paginator(domain.credentials.for_page(search), PAGE_SIZE)
    page = paginator.get_page(paginator.num_pages if number == "last" else number)
    return row_context(
        domain,
        at="smtp",
        page=page,
        search=search,
        # A search box for a handful of rows is only in the way.
        searchable=bool(search) or paginator.count > PAGE_SIZE,
        issue_key=uuid4(),
        **more,
    )


def asked_for(query) -> dict:
    """Page number and search text of a query (a QueryDict) for the list."""
    return {"number": query.get("page"), "search": search_text(query)}

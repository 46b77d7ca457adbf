"""The sessions of a user, as the page shows them, from allauth.usersessions."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from time import time

from allauth.account.authentication import get_authentication_records
from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.client_address import address_of, shown_address
from audit.actor import USER_AGENT_LENGTH
from web.client_ip import client_ip

SESSIONS_LISTED = 100
RECORD_EVERY = timedelta(minutes=5)
# In order: Edge and Opera also name Chrome, which names Safari.
BROWSERS = (
    ("Edge", r"\bEdg"),
    ("Opera", r"\bOPR/"),
    ("Firefox", r"\b(Firefox|FxiOS)/"),
    ("Chrome", r"\b(Chrome|CriOS|HeadlessChrome)/"),
    ("Safari", r"\bSafari/"),
    ("curl", r"\bcurl/"),
)
SYSTEMS = (
    ("Windows", r"\bWindows\b"),
    ("Android", r"\bAndroid\b"),
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("macOS", r"\bMac OS X\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("Linux", r"\bLinux\b"),
)


@dataclass(frozen=True)
class Place:
    """A session as text."""

    browser: str
    ip: str
    signed_in_at: datetime | None
    last_seen_at: datetime | None
    is_current: bool


def places_of(request) -> list[Place]:
    """Return the live sessions of the signed-in user, latest first."""
    rows = UserSession.objects.filter(user=request.user).order_by("-created_at")[:SESSIONS_LISTED]
    keys = [row.session_key for row in rows]
    stored = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    current = request.user.get_session_auth_hash()
    # A changed password ends sessions without deleting them.
    live = {row.session_key for row in stored if row.get_decoded().get(HASH_SESSION_KEY) == current}
    places = [_place(row, request) for row in rows if row.session_key in live]
    if any(place.is_current for place in places):
        return places
    # This session started under a version that kept no list.
    here = Place(browser(request.headers.get("User-Agent", "")), client_ip(request) or "", None, None, True)
    return [here, *places]


def _place(row, request) -> Place:
    return Place(
        browser=browser(row.user_agent),
        ip=shown_address(row.ip),
        signed_in_at=row.created_at,
        last_seen_at=row.last_seen_at,
        is_current=row.session_key == request.session.session_key,
    )


def record_seen(request):
    """Record the use of a session: at most every 5 minutes in a process, or when its address changes.

    Not within 5 minutes of the sign-in, which is recorded separately.
    """
    records = get_authentication_records(request, request.user)
    if records and time() - records[-1]["at"] > RECORD_EVERY.total_seconds():
        period = int(time() // RECORD_EVERY.total_seconds())
        _record(request.session.session_key, address_of(request), period)


@lru_cache(maxsize=4096)
def _record(session_key, ip, _period):
    UserSession.objects.filter(session_key=session_key).update(last_seen_at=timezone.now(), ip=ip)


def browser(user_agent: str) -> str:
    """Return the browser and system of a User-Agent header, like `Firefox on Linux`."""
    user_agent = user_agent[:USER_AGENT_LENGTH]
    found = [_first(BROWSERS, user_agent) or "Unknown browser", _first(SYSTEMS, user_agent)]
    return " on ".join(filter(None, found))


def _first(names, user_agent) -> str:
    return next((name for name, pattern in names if re.search(pattern, user_agent)), "")

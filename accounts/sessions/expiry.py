"""Expiry of sessions: 12 hours after the last use, 7 days after the sign-in at most.

Both times are stored in the session. A use is recorded once an hour, so 12 hours may be 11; a confirmation
(reauthentication.py) is a use, not a new sign-in.
"""

import time
from datetime import timedelta

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.contrib.auth import SESSION_KEY

MAX_IDLE = timedelta(hours=12).total_seconds()
MAX_AGE = timedelta(days=7).total_seconds()
NOTE_USE_EVERY = timedelta(hours=1).total_seconds()
USED_AT = "used_at"


def is_expired(session) -> bool:
    """Whether a signed-in session has ended."""
    signed_in, used = _times(session)
    return signed_in is not None and (time.time() - signed_in > MAX_AGE or time.time() - used > MAX_IDLE)


def record_use(session) -> None:
    """Record a use, unless one was recorded within the hour."""
    signed_in, used = _times(session)
    if signed_in is not None and time.time() - used > NOTE_USE_EVERY:
        session[USED_AT] = time.time()


def _times(session) -> tuple[float | None, float]:
    """Return the times of sign-in and last use; (None, 0) where no user is signed in."""
    records = session.get(AUTHENTICATION_METHODS_SESSION_KEY)
    if SESSION_KEY not in session or not isinstance(records, list) or not records:
        return None, 0.0
    return records[0]["at"], max(records[-1]["at"], session.get(USED_AT, 0))

"""How long a session lasts: 12 hours after its last use, 7 days after its sign-in at most.

Both count from times within the session, which its cookie does not tell. A use is noted once an
hour, so that the 12 hours may be 11; a confirmation (reauthentication.py) is a use, and no new sign-in.
"""

import time
from datetime import timedelta

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.contrib.auth import SESSION_KEY

MOST_IDLE = timedelta(hours=12).total_seconds()
MOST = timedelta(days=7).total_seconds()
NOTED_EVERY = timedelta(hours=1).total_seconds()
USED_AT = "used_at"


def is_over(session) -> bool:
    """Whether a signed-in session must not be gone on with."""
    began, used = _times(session)
    return began is not None and (time.time() - began > MOST or time.time() - used > MOST_IDLE)


def note_use(session) -> None:
    """Note that it is used now, unless that was done within the hour."""
    began, used = _times(session)
    if began is not None and time.time() - used > NOTED_EVERY:
        session[USED_AT] = time.time()


def _times(session) -> tuple[float | None, float]:
    """When it was signed in and last used; (None, 0) where nobody is signed in."""
    records = session.get(AUTHENTICATION_METHODS_SESSION_KEY)
    if SESSION_KEY not in session or not isinstance(records, list) or not records:
        return None, 0.0
    return records[0]["at"], max(records[-1]["at"], session.get(USED_AT, 0))

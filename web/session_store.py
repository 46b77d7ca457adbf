"""Django's sessions in the database, asked for by keys that could be one only."""

import re

from django.contrib.sessions.backends import db

_KEY = re.compile(r"[0-9a-z]{32}")


class SessionStore(db.SessionStore):
    """Takes any other cookie for none: PostgreSQL refuses a key with a NUL by an exception."""

    def _validate_session_key(self, key):
        return bool(_KEY.fullmatch(key or ""))

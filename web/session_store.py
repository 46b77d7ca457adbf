"""Django's sessions in the database, looked up by well-formed keys only."""

import re

from django.contrib.sessions.backends import db

_KEY = re.compile(r"[0-9a-z]{32}")


class SessionStore(db.SessionStore):
    """Ignores any other cookie: PostgreSQL raises on a key with NUL."""

    def _validate_session_key(self, key):
        return bool(_KEY.fullmatch(key or ""))

"""Inviting somebody to sl.example.com, and the link in the e-mail."""

import re

URL = "/domains/sl.example.com/settings/members/"
HTMX = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{URL}"}


def invite(client, emails="new@example.org", role="viewer", headers=None, **fields):
    return client.post(f"{URL}invite/", {"emails": emails, "role": role, **fields}, headers=headers or {})


def link_in(letter):
    (path,) = set(re.findall(r"http://127\.0\.0\.1:8000(/invitations/key/[^/\s]+/)", letter.body))
    return path

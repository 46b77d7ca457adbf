"""The SMTP users that are ticked in a list: their usernames in a request, and a sentence about the result."""

from django.utils.translation import ngettext

from credentials.models.base import is_username
from credentials.views.context import PAGE_SIZE
from web.plurals import counted


class BadSelection(Exception):
    """The selection can't be used; str() says why."""


def usernames(query) -> list[str]:
    """Return the usernames in a QueryDict, each once. Raises BadSelection for none or too many."""
    named = list(dict.fromkeys(filter(is_username, query.getlist("username"))))
    if not named:
        raise BadSelection("Select SMTP users first.")
    if len(named) > PAGE_SIZE:
        raise BadSelection(f"Select at most {PAGE_SIZE} SMTP users at once.")
    return named


def sentence(done, what) -> str:
    """Say in a sentence what happened to them (bulk.Done); `what` is "deleted" and the like."""
    number = len(done.usernames)
    if number == 1 and not (done.unchanged or done.gone):
        return "SMTP user is deleted." if what == "deleted" else f"SMTP user {what}."
    users = counted(number, "SMTP user", "SMTP users") if number else "No SMTP users"
    parts = [f"{users} {what}"]
    parts += [_were(done.unchanged, f"already {what}"), _were(done.gone, "already gone")]
    return ", ".join(filter(None, parts)) + "."


def _were(number, what) -> str:
    return f"{number} {ngettext('was', 'were', number)} {what}" if number else ""

"""SMTP users that were chosen in a list, by their usernames in a request."""

from credentials.models.base import is_username
from credentials.views.context import PAGE_SIZE

MOST = PAGE_SIZE


class BadChoice(Exception):
    """Nothing can be done to what was chosen; str() says why."""


def usernames(query) -> list[str]:
    """The usernames that a query (a QueryDict) names, each once. Raises BadChoice for none or too many."""
    named = list(dict.fromkeys(filter(is_username, query.getlist("username"))))
    if not named:
        raise BadChoice("Select SMTP users first.")
    if len(named) > MOST:
        raise BadChoice(f"Select at most {MOST} SMTP users at once.")
    return named


def told(done, what) -> str:
    """What became of them (bulk.Done), in a sentence; `what` is "deleted" and the like."""
    number = len(done.usernames)
    if number == 1 and not (done.unchanged or done.gone):
        return "SMTP user is deleted." if what == "deleted" else f"SMTP user {what}."
    parts = [f"{number or 'No'} SMTP user{'' if number == 1 else 's'} {what}"]
    parts += [_were(done.unchanged, f"already {what}"), _were(done.gone, "already gone")]
    return ", ".join(filter(None, parts)) + "."


def _were(number, what) -> str:
    return f"{number} {'was' if number == 1 else 'were'} {what}" if number else ""

"""How each event reads: one table, tag → what the actor did."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

SENTENCES = {
    "credential.created": "added the SMTP user {user}",
    "credential.password_shown": "showed the password of {user}",
    "credential.password_copied": "copied the password of {user}",
    "credential.reset": "reset the password of {user}",
    "credential.labelled": "labelled {user} “{to}”",
    "credential.suspended": "suspended the SMTP user {user}",
    "credential.resumed": "resumed the SMTP user {user}",
    "credential.deleted": "deleted the SMTP user {user}",
    "domain.added": "added the domain",
    "domain.authorized": "authorized the domain",
    "support.member_added": "made {member} a member as {role}",
    "support.member_changed": "made {member} {role}",
    "support.member_removed": "removed {member} from the members",
}


def sentence(event) -> SafeString:
    """Return what the actor of an event did, as HTML; an unknown tag reads as itself."""
    words = dict.fromkeys(("to", "member", "role"), "?") | event.data
    words = {key: str(value) for key, value in words.items()}
    words["user"] = format_html('<code title="{0}">{1}</code>', event.credential, event.credential[:8] + "…")
    # Label removal reads better than quoting an empty label.
    if event.tag == "credential.labelled" and not words["to"]:
        return format_html("removed the label of {user}", **words)
    return format_html(SENTENCES.get(event.tag, "{tag}"), tag=event.tag, **words)

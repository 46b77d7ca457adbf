"""How each event reads: one table, tag → what the actor did."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

SENTENCES = {
    "credential.created": "added the SMTP user {user}",
    "credential.password_shown": "showed the password of {user}",
    "credential.password_copied": "copied the password of {user}",
    "credential.checked": "checked the SMTP user {user} with a test login",
    "credential.reset": "reset the password of {user}",
    "credential.labelled": "labelled {user} “{label}”",
    "credential.networks_set": "set the allowed networks of {user} to {networks}",
    "credential.suspended": "suspended the SMTP user {user}",
    "credential.resumed": "resumed the SMTP user {user}",
    "credential.deleted": "deleted the SMTP user {user}",
    "domain.added": "added the domain",
    "domain.authorized": "authorized the domain",
    "domain.suspended": "suspended the domain",
    "domain.resumed": "resumed the domain",
    "domain.ownership_gone": "found that the DNS record that proves ownership is gone",
    "domain.ownership_back": "found the DNS record that proves ownership back",
    "domain.renamed": "named the domain “{title}”",
    "domain.transferred": "made {member} the owner in their place",
    "domain.deleted": "deleted the domain",
    "member.invited": "invited {member} as {role}",
    "member.invitation_resent": "sent the invitation of {member} again",
    "member.invitation_revoked": "revoked the invitation of {member}",
    "member.joined": "accepted the invitation as {role}",
    "member.declined": "declined the invitation",
    "member.role_changed": "made {member} {role}",
    "member.removed": "removed {member} from the members",
    "member.left": "left the domain",
    "system.restored": "restored the database from a backup",
    "support.verify_asked": "asked to verify the domain",
    "support.member_added": "made {member} a member as {role}",
    "support.member_changed": "made {member} {role}",
    "support.member_removed": "removed {member} from the members",
}


def sentence(event) -> SafeString:
    """Return what the actor of an event did, as HTML; an unknown tag reads as itself."""
    words = {"tag": event.tag, "label": "", "member": "?", "role": "?", "networks": "anywhere", "title": ""}
    words |= event.data
    # Removing a label reads better than an empty quotation.
    text = SENTENCES.get(event.tag, "{tag}")
    if event.tag == "credential.labelled" and not words["label"]:
        text = "removed the label of {user}"
    if event.tag == "domain.renamed" and not words["title"]:
        text = "removed the display name of the domain"
    return format_html(text, **words | {"user": _user(event, words["label"])})


def _user(event, label) -> SafeString:
    named = format_html(" <bdi>{}</bdi>", label) if label and event.tag != "credential.labelled" else ""
    return format_html('<code title="{}">{}…</code>{}', event.credential, event.credential[:8], named)

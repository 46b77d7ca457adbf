"""The sentence of each event: one table, tag → what the actor did."""

from functools import lru_cache

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.actor import public_data
from web.characters import harmless

SENTENCES = {
    "credential.created": "added the SMTP user {user}",
    "credential.password_shown": "showed the password of {user}",
    "credential.password_copied": "copied the password of {user}",
    "credential.handed_over": "made a hand-over link for {user} that works for {valid_for}",
    "credential.hand_over_opened": "was opened and showed the password of {user}",
    "credential.hand_over_revoked": "revoked the hand-over link of {maker} for {user}",
    "credential.checked": "checked the SMTP user {user} with a test login",
    "credential.reset": "reset the password of {user}",
    "credential.old_password_revoked": "revoked the old password of {user}",
    "credential.labelled": "labelled {user} “{label}”",
    "credential.networks_set": "set the allowed networks of {user} to {networks}",
    "credential.expiry_set": "set the expiry date of {user} to {expires}",
    "credential.suspended": "suspended the SMTP user {user}",
    "credential.resumed": "resumed the SMTP user {user}",
    "credential.deleted": "deleted the SMTP user {user}",
    "credential.restored": "restored the SMTP user {user}",
    "credential.erased": "erased the deleted SMTP user {user}",
    "domain.added": "added the domain",
    "domain.authorized": "authorized the domain",
    "domain.suspended": "suspended the domain",
    "domain.resumed": "resumed the domain",
    "domain.ownership_gone": "found that the DNS record that proves ownership is missing",
    "domain.ownership_back": "found the DNS record that proves ownership again",
    "domain.renamed": "named the domain “{title}”",
    "domain.transferred": "made {member} the owner in their place",
    "domain.deleted": "deleted the domain",
    "member.invited": "invited {member} as {role}",
    "member.invitation_resent": "resent the invitation to {member}",
    "member.invitation_revoked": "revoked the invitation to {member}",
    "member.invitation_ended": "ended the invitation to {member}, as {inviter} can no longer invite",
    "member.joined": "accepted the invitation as {role}",
    "member.declined": "declined the invitation",
    "member.role_changed": "made {member} {role}",
    "member.made_owner": "made {member} an owner",
    "member.removed": "removed {member} from the members",
    "member.left": "left the domain",
    "system.restored": "restored the database from a backup",
    "support.verify_asked": "asked to verify the domain",
    "support.member_added": "made {member} a member as {role}",
    "support.member_changed": "made {member} {role}",
    "support.member_removed": "removed {member} from the members",
}

_WITHOUT_NAME = (
    (" of {user}", ""),
    (" from {user}", ""),
    ("the deleted SMTP user {user}", "it"),
    ("the SMTP user {user}", "it"),
    ("{user}", "it"),
)


def sentence(event) -> SafeString:
    """Return what the actor of an event did, as HTML; an unknown tag is shown as it is."""
    text, words = _text_and_words(event)
    return format_html(text, **words | {"user": _user(event, words["label"])})


def own_sentence(event) -> SafeString:
    """Return the sentence as it reads in the history of one SMTP user, which it doesn't name."""
    text, words = _text_and_words(event)
    for named, unnamed in _WITHOUT_NAME:
        text = text.replace(named, unnamed)
    return format_html(text, **words)


def plain(event) -> str:
    """Return the sentence as text, with the reason if one was given."""
    text, words = _text_and_words(event)
    label = words["label"] if event.tag != "credential.labelled" else ""
    user = f"{event.credential[:8]}… {label}".rstrip()
    reason = f" (reason: {event.data['reason']})" if event.data.get("reason") else ""
    return text.format(**words | {"user": user}) + reason


def _text_and_words(event) -> tuple[str, dict]:
    words = {"tag": event.tag, "label": "", "before": "", "title": "", "expires": "", "kept_for": ""}
    words |= {"member": "?", "role": "?", "networks": "any address", "inviter": "its sender"}
    words |= {"valid_for": "a while", "maker": "a former account"} | public_data(event.data)
    words = {name: harmless(word) if isinstance(word, str) else word for name, word in words.items()}
    words["networks"] = words["networks"].replace(",", ", ")
    # A sentence of its own reads better than an empty quotation.
    text = SENTENCES.get(event.tag, "{tag}")
    if event.tag == "credential.labelled" and not words["label"]:
        text = (
            "removed the label “{before}” from {user}" if words["before"] else "removed the label from {user}"
        )
    if event.tag == "credential.expiry_set" and not words["expires"]:
        text = "removed the expiry date from {user}"
    if event.tag == "credential.reset" and words["kept_for"]:
        text += " and kept the old one working for {kept_for}"
    if event.data.get("link_shown"):
        text += " and got the link to pass on, as this server sends no mail"
    if event.tag == "domain.renamed" and not words["title"]:
        text = "removed the display name of the domain"
    return text, words


def _user(event, label) -> SafeString:
    """The SMTP user as a link to its page, which says so if it's deleted."""
    suffix = format_html(" <bdi>{}</bdi>", label) if label and event.tag != "credential.labelled" else ""
    name = event.credential
    if not (name and event.domain_name):
        return format_html("<code>{}…</code>{}", name[:8], suffix)
    page = f"{_list_url(event.domain_name)}{name}/"
    return format_html('<a href="{}" title="{}"><code>{}…</code></a>{}', page, name, name[:8], suffix)


@lru_cache(maxsize=1024)
def _list_url(domain: str) -> str:
    """The address below which the pages of a domain's SMTP users are."""
    return reverse("credentials:list", args=[domain])

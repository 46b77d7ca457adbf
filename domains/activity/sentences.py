"""The sentence of each event: one table, tag → what the actor did."""

from functools import lru_cache
from types import SimpleNamespace

from django.utils.safestring import SafeString
from markupsafe import escape

from domains.navigation import page_of
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
    "system.act_lost": "noted that a failover lost what {actor} did at {at}: {act}",
    "support.verify_asked": "asked to verify the domain",
    "support.member_added": "made {member} a member as {role}",
    "support.member_changed": "made {member} {role}",
    "support.member_removed": "removed {member} from the members",
}

LOST = "system.act_lost"
_WITHOUT_NAME = (
    (" of {user}", ""),
    (" from {user}", ""),
    ("the deleted SMTP user {user}", "it"),
    ("the SMTP user {user}", "it"),
    ("{user}", "it"),
)
MISSING = {
    **{"member": "?", "role": "?", "networks": "any address", "inviter": "its sender"},
    **{"valid_for": "a while", "maker": "a former account"},
}


def sentence(event) -> SafeString:
    """Return what the actor of an event did, as HTML; an unknown tag is shown as it is."""
    return SafeString(_text(event).format_map(_Words(event, escape, _link)))


def own_sentence(event) -> SafeString:
    """Return the sentence as it reads in the history of one SMTP user, which it doesn't name."""
    text = _text(event)
    for named, unnamed in _WITHOUT_NAME:
        text = text.replace(named, unnamed)
    return SafeString(text.format_map(_Words(event, escape, _link)))


def plain(event) -> str:
    """Return the sentence as text, with the reason if one was given."""
    reason = f" (reason: {event.data['reason']})" if event.data.get("reason") else ""
    return _text(event).format_map(_Words(event, str, _name)) + reason


class _Words:
    """The words of an event. Only those that its sentence uses are cleaned: that is most of a page's work.

    No sentence uses SUPPORT_NOTE.
    """

    def __init__(self, event, clean, user):
        self.event, self.clean, self.user = event, clean, user

    def __getitem__(self, name):
        if name == "user":
            return self.user(self.event)
        if name == "tag":
            return self.clean(harmless(self.event.tag))
        word = self.event.data.get(name, MISSING.get(name, ""))
        if name == "networks":
            word = str(word).replace(",", ", ")
        return self.clean(harmless(word) if isinstance(word, str) else word)


def _text(event) -> str:
    """The sentence with the names of its words; one of its own reads better than an empty quotation."""
    tag, data = event.tag, event.data
    if tag == LOST and data.get("act") in SENTENCES and data["act"] != LOST:
        return SENTENCES[LOST].replace("{act}", _text(SimpleNamespace(tag=data["act"], data=data)))
    if tag == "credential.labelled" and not data.get("label"):
        return (
            "removed the label “{before}” from {user}"
            if data.get("before")
            else "removed the label from {user}"
        )
    if tag == "credential.expiry_set" and not data.get("expires"):
        return "removed the expiry date from {user}"
    if tag == "credential.reset" and data.get("kept_for"):
        return SENTENCES[tag] + " and kept the old one working for {kept_for}"
    if tag == "domain.renamed" and not data.get("title"):
        return "removed the display name of the domain"
    if data.get("link_shown"):
        return SENTENCES.get(tag, "{tag}") + " and got the link to pass on, as this server sends no mail"
    return SENTENCES.get(tag, "{tag}")


def _label(event):
    """The label that an SMTP user had then, unless the sentence says it."""
    return event.data.get("label", "") if event.tag != "credential.labelled" else ""


def _name(event) -> str:
    label = _label(event)
    return f"{event.credential[:8]}… {harmless(label) if isinstance(label, str) else label}".rstrip()


def _link(event) -> str:
    """The SMTP user as a link to its page, which says so if it's deleted."""
    label, username = _label(event), escape(event.credential)
    label = f" <bdi>{escape(harmless(str(label)))}</bdi>" if label else ""
    code = f"<code>{username[:8]}…</code>"
    if username and event.domain_name:
        code = f'<a href="{_list(event.domain_name)}{username}/" title="{username}">{code}</a>'
    return code + label


@lru_cache(maxsize=256)
def _list(domain_name) -> str:
    return page_of(domain_name, "smtp")

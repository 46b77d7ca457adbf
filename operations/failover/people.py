"""What a failover lost of people's accounts, of invitations and of hand-over links.

An event doesn't say which passkey was removed or which password is new. So a user who could be let in by what
was given up is signed out, and the operator is told what to look at.
"""

from collections.abc import Iterator

from django.utils import timezone

from accounts.models import User
from credentials.models import HandOver
from domains.models.invitation import Invitation
from operations.backups import user_access

PASSWORD = {"account.password_changed", "account.password_reset"}
INVITATION = {"member.invitation_revoked", "member.invitation_ended", "member.declined"}
LINK = {"credential.hand_over_revoked", "credential.hand_over_opened"}
# What the operator has to do, since an event doesn't hold what it takes.
LOOK = {
    "account.email_changed": "has the former e-mail address again: change it in the admin",
    "account.passkey_removed": "has a passkey again that was removed: remove it, or remove two-factor",
    "account.totp_removed": "is asked again for the codes of an app that was removed",
    "account.unlinked_from_openid": "is linked again to an account at the provider: run unlink_openid",
    "account.sessions_ended": "had ended all sessions",
    "support.sessions_ended": "had been signed out by support",
    "support.user_changed": "was changed by support: look at the account's rights",
}


def revoke(lost) -> Iterator[str]:
    """Revoke again what these events revoked; yield a line each."""
    for event in lost:
        if event["tag"] in INVITATION:
            yield from _delete_invitations(event)
        elif event["tag"] in LINK:
            yield from _revoke_links(event)
        elif event["tag"] in PASSWORD or event["tag"] in LOOK:
            yield from _shut_out(event)


def _delete_invitations(event):
    rows = Invitation.objects.filter(domain__name=event["domain"], email=event["member"].lower())
    if rows.delete()[0]:
        yield f"{event['domain']}: the invitation to {event['member']} is deleted again"


def _revoke_links(event):
    now = timezone.now()
    rows = HandOver.objects.unused(now).filter(credential__username=event["credential"])
    if rows.update(revoked_at=now):
        yield f"{event['credential'][:8]}… of {event['domain']}: its hand-over links are revoked"


def _shut_out(event):
    email = event["data"].get("user") or event["actor"]
    user = User.objects.filter(email=email).first()
    if not user:
        return
    user_access.end_sessions(User.objects.filter(pk=user.pk))
    if event["tag"] in PASSWORD:
        user.set_unusable_password()
        user.save(update_fields=["password"])
        yield f"{email} had a new password: the old one is refused, and a reset e-mail lets them choose one"
        return
    if event["data"].get("is_active") is False:
        User.objects.filter(pk=user.pk).update(is_active=False)
    yield f"{email} {LOOK[event['tag']]}. Signed out everywhere"

"""Invitations to domains: an e-mailed link that makes one person a member, once, within seven days."""

from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import signing
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

import audit
from accounts import emails
from domains.roles import Role

VALID_FOR = timedelta(days=7)
_SALT = "domains.invitation"
MAX_NAMES_IN_EMAIL = 10


def make_token(key: UUID) -> str:
    """Return the signed part of a link for a key, valid for seven days."""
    return signing.dumps(key.hex, salt=_SALT)


def read_token(token: str) -> UUID | None:
    """Return the key of a link, or None when the link is too old or forged."""
    try:
        return UUID(signing.loads(token, salt=_SALT, max_age=VALID_FOR))
    except (signing.BadSignature, ValueError):
        return None


class InvitationQuerySet(models.QuerySet):
    def for_page(self, search=""):
        """Return the invitations of one domain with their inviters, the newest first."""
        found = self.filter(email__icontains=search) if search else self
        return found.vouched().select_related("invited_by").order_by("-created_at", "-pk")

    def vouched(self):
        """Keep those whose inviter could send them now: an owner of the domain, who may grant every role."""
        return self.filter(
            Exists(get_user_model().objects.can_sign_in().filter(pk=OuterRef("invited_by"))),
            domain__memberships__user=F("invited_by"),
            domain__memberships__role=Role.OWNER,
        )

    def live(self):
        return self.vouched().filter(expires_at__gt=timezone.now())

    def not_live(self):
        return self.exclude(Exists(Invitation.objects.live().filter(pk=OuterRef("pk"))))

    def delete_unvouched(self) -> list["Invitation"]:
        """Delete and return those whose inviter could no longer send them.

        Their domains are held, and the caller records their events (`record_ended`) after all rows are locked.
        """
        unvouched = self.exclude(Exists(Invitation.objects.vouched().filter(pk=OuterRef("pk"))))
        ended = list(unvouched.select_related("domain", "invited_by").order_by("domain_id", "pk"))
        Invitation.objects.filter(pk__in=[invitation.pk for invitation in ended]).delete()
        return ended

    def of_token(self, token):
        """Return the live invitations of a link, by the names of their domains."""
        key = read_token(token)
        found = self.live().filter(key=key) if key else self.none()
        return found.select_related("domain", "invited_by").order_by("domain__name", "domain_id")


class Invitation(models.Model):
    """One address invited to one domain. It is deleted when it is accepted, declined or revoked."""

    public_id = models.UUIDField(default=uuid4, unique=True, editable=False)
    # Shared by the invitations to several domains that one address got in one e-mail.
    key = models.UUIDField(default=uuid4, db_index=True, editable=False)
    email = models.EmailField("e-mail", max_length=254)  # in lower case
    domain = models.ForeignKey("Domain", models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=10, choices=Role)
    # The owner who vouches for it; without one, it's void.
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("domain", "email", name="invitation_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="invitation_role_known"),
        ]

    def __str__(self):
        return f"{self.email} → {self.domain_id} ({self.role})"

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= timezone.now()

    @transaction.atomic
    def resend(self, *, by):
        """Send a new link, valid for seven days; the old one stops working. Raises Invitation.DoesNotExist."""
        self._hold_domain()
        # It now depends on the actor, and no longer on the first inviter, still being able to invite.
        new = {"key": uuid4(), "expires_at": timezone.now() + VALID_FOR, "invited_by": by.user}
        if not Invitation.objects.filter(pk=self.pk).update(**new):
            raise Invitation.DoesNotExist
        self.key = new["key"]
        self.record_given("member.invitation_resent", by=by)
        send_email([self], by=by)

    @transaction.atomic
    def revoke(self, *, by):
        """Revoke it: its link stops working. Raises Invitation.DoesNotExist."""
        self._hold_domain()
        if not Invitation.objects.filter(pk=self.pk).delete()[0]:
            raise Invitation.DoesNotExist
        self.record("member.invitation_revoked", by=by)

    def record_ended(self, *, by):
        """Record that it ended because its inviter can no longer invite."""
        inviter = self.invited_by.email if self.invited_by else "a former account"
        self.record("member.invitation_ended", by=by, inviter=inviter)

    def _hold_domain(self):
        type(self.domain).objects.hold(self.domain_id)

    @property
    def link(self) -> str:
        """The address that the invited person opens: whoever has it can join."""
        return emails.address("domains:invitation", make_token(self.key))

    def record_given(self, tag, *, by):
        """Record that it was sent, or that its link was shown instead."""
        self.record(tag, by=by, **({} if emails.are_sent() else {"link_shown": True}))

    def record(self, tag, *, by, **extra):
        data = {"member": self.email, "role": self.role, **extra}
        audit.record(tag, by=by, domain=self.domain, data=data)


def send_email(invitations, *, by):
    """E-mail the one link of invitations that share a key."""
    first, names = invitations[0], [str(invitation.domain) for invitation in invitations]
    emails.write(
        "invitation",
        first.email,
        link=("domains:invitation", make_token(first.key)),
        by=by,
        domain=first.domain,
        names=names[:MAX_NAMES_IN_EMAIL],
        more=max(0, len(names) - MAX_NAMES_IN_EMAIL),
        role=Role(first.role),
        days=VALID_FOR.days,
    )

"""Invitations to domains: a mailed link that makes one person a member, once, within seven days."""

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

LASTS = timedelta(days=7)
_SALT = "domains.invitation"
NAMES_IN_A_LETTER = 10


def token_of(key: UUID) -> str:
    """The part of a mailed link that stands for a key: signed, and good for seven days."""
    return signing.dumps(key.hex, salt=_SALT)


def key_of(token: str) -> UUID | None:
    """The key of a mailed link; None when it is too old or made up."""
    try:
        return UUID(signing.loads(token, salt=_SALT, max_age=LASTS))
    except (signing.BadSignature, ValueError):
        return None


class InvitationQuerySet(models.QuerySet):
    def for_page(self, search=""):
        """Those of one domain with who sent them, the newest first."""
        found = self.filter(email__icontains=search) if search else self
        return found.vouched().select_related("invited_by").order_by("-created_at", "-pk")

    def vouched(self):
        """Those whose inviter could give them now: an owner of the domain, who may give every role."""
        return self.filter(
            Exists(get_user_model().objects.can_sign_in().filter(pk=OuterRef("invited_by"))),
            domain__memberships__user=F("invited_by"),
            domain__memberships__role=Role.OWNER,
        )

    def live(self):
        return self.vouched().filter(expires_at__gt=timezone.now())

    def dead(self):
        """Those that are not live."""
        return self.exclude(Exists(Invitation.objects.live().filter(pk=OuterRef("pk"))))

    def take_unvouched(self) -> list["Invitation"]:
        """Delete those whose inviter can't give them any more, in a transaction that holds their domains.

        Returns them: the event of each (`record_ended`) comes after all rows are locked.
        """
        dead = self.exclude(Exists(Invitation.objects.vouched().filter(pk=OuterRef("pk"))))
        ended = list(dead.select_related("domain", "invited_by").order_by("domain_id", "pk"))
        Invitation.objects.filter(pk__in=[each.pk for each in ended]).delete()
        return ended

    def of_token(self, token):
        """What the link with this token invites to, by the names of the domains."""
        key = key_of(token)
        found = self.live().filter(key=key) if key else self.none()
        return found.select_related("domain", "invited_by").order_by("domain__name", "domain_id")


class Invitation(models.Model):
    """One address invited to one domain. It is deleted when it is accepted, declined or revoked."""

    public_id = models.UUIDField(default=uuid4, unique=True, editable=False)
    # One sending, to one address; the rows for several domains share it.
    key = models.UUIDField(default=uuid4, db_index=True, editable=False)
    email = models.EmailField("e-mail", max_length=254)  # in lower case
    domain = models.ForeignKey("Domain", models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=10, choices=Role)
    # Who vouches for it; one that nobody does counts for nothing.
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
        """Send a new link for seven days more; the old one is dead. Raises Invitation.DoesNotExist."""
        self._hold_domain()
        # From here on it is theirs: it ends when they can't invite any more, not when the first inviter can't.
        new = {"key": uuid4(), "expires_at": timezone.now() + LASTS, "invited_by": by.user}
        if not Invitation.objects.filter(pk=self.pk).update(**new):
            raise Invitation.DoesNotExist
        self.key = new["key"]
        self.record("member.invitation_resent", by=by)
        write_letter([self], by=by)

    @transaction.atomic
    def revoke(self, *, by):
        """Take it back: its link is dead. Raises Invitation.DoesNotExist."""
        self._hold_domain()
        if not Invitation.objects.filter(pk=self.pk).delete()[0]:
            raise Invitation.DoesNotExist
        self.record("member.invitation_revoked", by=by)

    def record_ended(self, *, by):
        """Record that it ended because who sent it can't give it any more."""
        inviter = self.invited_by.email if self.invited_by else "a former account"
        self.record("member.invitation_ended", by=by, inviter=inviter)

    def _hold_domain(self):
        type(self.domain).objects.hold(self.domain_id)

    def record(self, tag, *, by, **more):
        data = {"member": self.email, "role": self.role, **more}
        audit.record(tag, by=by, domain=self.domain, data=data)


def write_letter(invitations, *, by):
    """Mail the one link of invitations that share a key."""
    first, names = invitations[0], [str(each.domain) for each in invitations]
    emails.write(
        "invitation",
        first.email,
        link=("domains:invitation", token_of(first.key)),
        by=by,
        domain=first.domain,
        names=names[:NAMES_IN_A_LETTER],
        more=max(0, len(names) - NAMES_IN_A_LETTER),
        role=Role(first.role),
        days=LASTS.days,
    )

import secrets
from datetime import timedelta
from uuid import uuid4

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils import timezone

import audit
from domains import names, notifications
from domains.db_functions import RandomUUID
from domains.dns import records
from domains.models.invitation import Invitation
from domains.roles import Role
from web import text

CHECK_EVERY = timedelta(seconds=10)
CHECK_TIMEOUT = timedelta(seconds=15)  # longer than any check: one that has not ended by then was interrupted


class AlreadyAuthorized(Exception):
    """The domain name is authorized in another account."""


class NameSuspended(Exception):
    """Support suspended the domain name, in this account or another one."""


class DomainQuerySet(models.QuerySet):
    def for_user(self, user):
        """Return the domains that a user is a member of, in the dropdown's order."""
        return self.filter(memberships__user=user).order_by("name", "pk")

    def owned_by(self, user):
        return self.filter(memberships__user=user, memberships__role=Role.OWNER).order_by("name", "pk")

    def search(self, text):
        return self.filter(Q(name__icontains=text) | Q(display_name__icontains=text) | Q(title__icontains=text))

    def held(self):
        """Lock these until the transaction ends: every act on a domain begins with this (audit/locks.py)."""
        return self.order_by("pk").select_for_update(no_key=True)

    def hold(self, *keys) -> list[int]:
        """Lock the domains with these primary keys; return the keys that exist."""
        return list(self.filter(pk__in=keys).held().values_list("pk", flat=True))

    def hold_name(self, name) -> list["Domain"]:
        """Lock and return all domains of a name, in any account.

        When one is suspended and another authorized concurrently, the second act sees what the first did.
        """
        return list(self.filter(name=name).held())

    @transaction.atomic
    def add(self, name, *, by):
        """Create a pending domain owned by the actor's user; `name` is in the stored form."""
        domain = self.create(name=name, display_name=names.display(name), created_by=by.user)
        domain.memberships.create(user=by.user, role=Role.OWNER)
        audit.record("domain.added", by=by, domain=domain)
        return domain


def new_verification_token() -> str:
    return secrets.token_hex(16)


class Domain(models.Model):
    """A domain that sends mail. Its state is derived from its timestamps."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        AUTHORIZED = "authorized", "Authorized"
        SUSPENDED = "suspended", "Suspended"

    name = models.CharField(max_length=253, db_index=True, help_text="As A-label: lower case, no trailing dot.")
    display_name = models.CharField(max_length=253, blank=True)
    # The name its members gave it. db_default: the previous version can still add rows.
    title = models.CharField(max_length=text.MAX_LABEL, blank=True, default="", db_default="")
    verification_token = models.CharField(max_length=64, default=new_verification_token, editable=False)
    authorized_at = models.DateTimeField(null=True, blank=True, editable=False)
    ownership_gone_at = models.DateTimeField(null=True, blank=True, editable=False)
    check_started_at = models.DateTimeField(null=True, blank=True, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    # The zone that its records were found to be in. db_default: the previous version can still add rows.
    dns_zone = models.CharField(max_length=253, blank=True, default="", db_default="", editable=False)
    suspended_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Why support suspended it, for its members. db_default: the previous version can still add rows.
    suspended_reason = models.CharField(max_length=200, blank=True, default="", db_default="", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="domains")

    objects = DomainQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "name", condition=Q(authorized_at__isnull=False), name="domain_authorized_once"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="domain_has_name"),
        ]
        indexes = [
            # For the filter of the support admin, among many more that aren't.
            models.Index(fields=["id"], condition=Q(suspended_at__isnull=False), name="domain_suspended"),
        ]

    def __str__(self):
        return self.display_name or self.name

    @property
    def state(self) -> State:
        if self.suspended_at:
            return self.State.SUSPENDED
        return self.State.AUTHORIZED if self.authorized_at else self.State.PENDING

    @property
    def is_authorized(self) -> bool:
        return self.state == self.State.AUTHORIZED

    @property
    def other_form(self) -> str:
        """The name's other form, A-label or U-label, next to `display_name`; "" when there is only one."""
        return names.other_form(self.name)

    @property
    def has_lost_ownership(self) -> bool:
        """Whether it is authorized although its ownership record is gone."""
        return bool(self.authorized_at and self.ownership_gone_at)

    def expected_records(self) -> list[records.Record]:
        """Return the DNS records that it should have."""
        operator = records.Operator(settings.SPF_INCLUDE, settings.DKIM_CNAME, settings.RETURN_PATH_CNAME)
        organizational = names.organizational(self.name)
        return records.expected(
            self.name, self.verification_token, operator, organizational=organizational, zone=self.dns_zone
        )

    def begin_check(self) -> bool:
        """Begin a check of its DNS; return False when the last one began less than ten seconds ago."""
        now = timezone.now()
        is_due = Q(check_started_at=None) | Q(check_started_at__lte=now - CHECK_EVERY)
        began = Domain.objects.filter(is_due, pk=self.pk).update(check_started_at=now)
        if began:
            self.check_started_at = now
        return bool(began)

    def is_being_checked(self, now) -> bool:
        return self._has_unfinished_check() and now < self.check_started_at + CHECK_TIMEOUT

    def check_was_interrupted(self, now) -> bool:
        """Whether the last check never ended, because its process did."""
        return self._has_unfinished_check() and now >= self.check_started_at + CHECK_TIMEOUT

    def _has_unfinished_check(self) -> bool:
        if not self.check_started_at:
            return False
        return self.checked_at is None or self.checked_at < self.check_started_at

    @transaction.atomic
    def note_ownership_gone(self, *, by) -> bool:
        """Note that an authorized domain has lost its ownership record; return False when that was known."""
        rows = Domain.objects.filter(pk=self.pk, authorized_at__isnull=False, ownership_gone_at=None)
        noted = rows.update(ownership_gone_at=timezone.now())
        if noted:
            audit.record("domain.ownership_gone", by=by, domain=self)
        return bool(noted)

    @transaction.atomic
    def note_ownership_back(self, *, by) -> bool:
        """Note that the ownership record is back; return False when it was not gone."""
        rows = Domain.objects.filter(pk=self.pk, ownership_gone_at__isnull=False)
        noted = rows.update(ownership_gone_at=None)
        if noted:
            audit.record("domain.ownership_back", by=by, domain=self)
        return bool(noted)

    def authorize(self, *, by, reason="", method=""):
        """Let the domain send, and issue and return its first SMTP credential.

        Returns None when it was authorized before: of two concurrent calls, the conditional UPDATE lets exactly
        one through. `method` is how it was proved. Raises AlreadyAuthorized when the name is authorized in
        another account, NameSuspended while support has suspended it in any account.
        """
        try:
            with transaction.atomic():
                if any(domain.suspended_at for domain in Domain.objects.hold_name(self.name)):
                    raise NameSuspended(self.name)
                now = timezone.now()
                if not Domain.objects.filter(pk=self.pk, authorized_at=None).update(authorized_at=now):
                    self.refresh_from_db()
                    return None
                self.authorized_at = now
                data = {"reason": reason, "method": method}
                data = {name: value for name, value in data.items() if value}
                audit.record("domain.authorized", by=by, domain=self, data=data)
                credential, _password = self.credentials.issue(by=by)
                return credential
        except IntegrityError:
            self.authorized_at = None
            if Domain.objects.filter(name=self.name, authorized_at__isnull=False).exists():
                raise AlreadyAuthorized(self.name) from None
            raise

    def suspend(self, *, by, reason="") -> bool:
        """Refuse all of its SMTP credentials, but keep them; return False when it was suspended already.

        Until support resumes it, it can't be deleted, and its name can't be authorized in any account.
        Raises Domain.DoesNotExist, as `resume` does.
        """
        return self._set_suspended(timezone.now(), "domain.suspended", by, reason)

    def resume(self, *, by, reason="") -> bool:
        """Let it send again; return False when it was not suspended."""
        return self._set_suspended(None, "domain.resumed", by, reason)

    def _set_suspended(self, suspended_at, tag, by, reason) -> bool:
        shown = reason if suspended_at else ""
        with transaction.atomic():
            if self not in Domain.objects.hold_name(self.name):
                raise Domain.DoesNotExist
            rows = Domain.objects.filter(pk=self.pk, suspended_at__isnull=suspended_at is not None)
            if not rows.update(suspended_at=suspended_at, suspended_reason=shown):
                return False
            self.suspended_at, self.suspended_reason = suspended_at, shown
            audit.record(tag, by=by, domain=self, data={"reason": reason} if reason else {})
            link = ("credentials:overview", self.name)
            notifications.notify_owners(self, None, tag.replace(".", "_"), link=link, reason=reason)
        return True


class MembershipQuerySet(models.QuerySet):
    def for_page(self, search=""):
        """Return the memberships of one domain with their users: owners first, then by e-mail."""
        if search:
            self = self.filter(Q(user__email__icontains=search) | Q(user__name__icontains=search))
        rank = models.Case(
            models.When(role=Role.OWNER, then=0), models.When(role=Role.MANAGER, then=1), default=2
        )
        return self.select_related("user").order_by(rank, "user__email")

    def with_sign_in(self):
        """Keep those whose users can sign in."""
        users = get_user_model().objects.can_sign_in()
        return self.filter(models.Exists(users.filter(pk=models.OuterRef("user"))))

    def hold_invitations(self):
        """Lock the domains of these, and their invitations, until the transaction ends (audit/locks.py)."""
        domains = Domain.objects.hold(*self.values_list("domain", flat=True))
        invitations = Invitation.objects.filter(domain__in=domains).order_by("pk")
        list(invitations.select_for_update().values_list("pk"))

    def delete_unvouched_invitations(self) -> list[Invitation]:
        """Delete and return the invitations to these domains whose inviter could no longer send them."""
        return Invitation.objects.filter(domain__in=self.values("domain")).delete_unvouched()


class Membership(models.Model):
    """A user who is a member of a domain, with a role."""

    Role = Role

    # db_default: the previous version can still add rows.
    public_id = models.UUIDField(default=uuid4, db_default=RandomUUID(), unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    domain = models.ForeignKey(Domain, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("user", "domain", name="membership_once"),
            models.CheckConstraint(
                condition=Q(role__in=["owner", "manager", "viewer"]), name="membership_role_known"
            ),
        ]

    def __str__(self):
        return f"{self.user} · {self.domain} ({self.role})"

"""A credential and its acts: each one transaction with its event, and its letter to owners."""

from contextlib import contextmanager

from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

import audit
from credentials import digests, expiry, networks, passwords, verifier
from credentials.models.base import CredentialFields, password_data
from credentials.models.deleted import DeletedCredential
from credentials.models.manager import CredentialManager
from credentials.models.retired import RetiredPassword, Why
from credentials.models.state import CredentialState
from credentials.outcome import CAUSES
from domains import notifications
from domains.models import Domain
from vault import cipher
from web import text as labels
from web.dates import how_long, in_days
from web.paths import path_of


class PasswordChanged(Exception):
    """The password was reset by another person since the page was loaded."""


class SuspendedBySupport(Exception):
    """Support staff suspended it, so that a member of the domain can't resume it."""


class LabelChanged(Exception):
    """The label was changed by another person since the page was loaded; the instance holds the new one."""


class Credential(CredentialState, CredentialFields):
    """One SMTP username and password, given to one site or app of a domain."""

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="credentials")
    issue_key = models.UUIDField(null=True, unique=True, editable=False)
    last_refused_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_refused_ip = models.GenericIPAddressField("last refused IP", null=True, blank=True, editable=False)
    last_refused_cause = models.CharField(
        max_length=24, choices=CAUSES, blank=True, default="", db_default="", editable=False
    )
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    checked_from = models.GenericIPAddressField(null=True, blank=True, editable=False)

    objects = CredentialManager()
    notifies_owners = True  # False for one of many: an act on many writes one letter

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(password_sealed="") & ~Q(verifier=""),
                name="credential_has_both_secrets",
            ),
        ]
        indexes = [
            models.Index(fields=["domain", "created_at"], name="credential_domain_created"),
            models.Index(fields=["last_used_at"], name="credential_last_used"),
            # For the filters of the support admin, among many more that are neither.
            models.Index(fields=["id"], condition=Q(suspended_at__isnull=False), name="credential_suspended"),
            models.Index(fields=["id"], condition=Q(expires_at__isnull=False), name="credential_expires"),
            # All that a list of domains counts, so that it reads no rows.
            models.Index(
                fields=[
                    *("domain", "last_used_at", "created_at"),
                    *("suspended_at", "expires_at", "last_refused_at"),
                ],
                name="credential_domain_state",
            ),
        ]

    def __str__(self):
        return self.username

    def get_absolute_url(self):
        return path_of("credentials:page", self.domain.name, self.username)

    @sensitive_variables("password")
    def reveal(self, tag, *, by) -> str:
        """Return the password, once the event that records this is committed.

        `tag` is `credential.password_shown` or `credential.password_copied`. Raises
        vault.CannotOpen (then no event stays), Credential.DoesNotExist.
        """
        with self._act():
            self.refresh_from_db(fields=["password_sealed"])
            password = cipher.open(self.password_sealed, associated_data=password_data(self.username))
            self._record(tag, by)
        return password

    @sensitive_variables("password", "old")
    def reset_password(self, *, by, seen=None, keep_old_for=None, reason="") -> str:
        """Replace the password and return the new one; the old one is refused from then on.

        With `keep_old_for` (a timedelta) the old one is accepted for as long beside it;
        one that was kept by an earlier reset is not. `seen` is the `password_changed_at`
        that the person looked at. Raises PasswordChanged when it has moved on since,
        Credential.DoesNotExist when the row is gone.
        """
        password = passwords.generate()
        changed_at = timezone.now()
        until = changed_at + keep_old_for if keep_old_for else None
        rows = Credential.objects.filter(pk=self.pk)
        with self._act():
            old = self._opened()
            updated = rows.filter(password_changed_at=seen or self.password_changed_at).update(
                password_sealed=cipher.seal(password, associated_data=password_data(self.username)),
                verifier=verifier.make(password),
                password_changed_at=changed_at,
                password_number=F("password_number") + 1,
                # Expressions on the right see the row as it was before this UPDATE.
                previous_verifier=F("verifier") if keep_old_for else "",
                previous_valid_until=until,
                previous_last_used_at=None,
                previous_last_used_ip=None,
            )
            if not updated:
                self.refresh_from_db(fields=["password_changed_at"])
                raise PasswordChanged
            self._retire(old, Why.RESET, changed_at)
            self.refresh_from_db(fields=["suspended_at"])  # perhaps by another person in the meantime
            if self.suspended_at:
                self._retire(password, Why.SUSPENDED, self.suspended_at)
            kept_for = keep_old_for and how_long(keep_old_for)
            self._record("credential.reset", by, kept_for=kept_for, reason=reason)
            self._notify_owners("credential_reset", by, until=until, reason=reason)
        self.password_changed_at, self.previous_valid_until = changed_at, until
        self.previous_last_used_at = self.previous_last_used_ip = None
        return password

    def revoke_old_password(self, *, by, seen=None) -> bool:
        """Refuse the old password from now on; return False when it is refused already.

        `seen` is as for `reset_password`. Raises PasswordChanged, Credential.DoesNotExist.
        """
        seen = seen or self.password_changed_at
        kept = Credential.objects.filter(pk=self.pk, previous_valid_until__gt=timezone.now())
        with self._act():
            updated = kept.filter(password_changed_at=seen).update(
                previous_verifier="",
                previous_valid_until=None,
                previous_last_used_at=None,
                previous_last_used_ip=None,
            )
            if updated:
                self._record("credential.old_password_revoked", by)
                self.previous_valid_until = self.previous_last_used_at = self.previous_last_used_ip = None
                return True
        self.refresh_from_db(fields=["password_changed_at"])
        if self.password_changed_at != seen:
            raise PasswordChanged
        return False

    def rename(self, label, *, by, seen=None):
        """Set the label. `seen` is the one that the person looked at.

        Raises ValidationError, LabelChanged, Credential.DoesNotExist.
        """
        label, old = labels.clean(label), self.label
        if label == old:
            return
        if seen not in (None, old):
            raise LabelChanged
        with self._act():
            if not Credential.objects.filter(pk=self.pk, label=old).update(label=label):
                self.refresh_from_db(fields=["label"])
                raise LabelChanged
            self.label = label
            self._record("credential.labelled", by, before=old)

    def set_networks(self, text, *, by):
        """Set the networks that it may be used from. Raises ValidationError, Credential.DoesNotExist."""
        allowed, old = networks.clean(text), self.allowed_networks
        if allowed == old:
            return
        with self._act():
            self._change(allowed_networks=allowed)
            self._record("credential.networks_set", by, networks=allowed, before=old)

    def note_check(self, ip):
        """Note that the dashboard itself is about to log in with it, from this address."""
        Credential.objects.filter(pk=self.pk).update(checked_at=timezone.now(), checked_from=ip)

    def set_expiry(self, day, *, by):
        """Refuse it after this day, or never (None). Raises Credential.DoesNotExist."""
        expires_at = expiry.end_of(day) if day else None
        if expires_at == self.expires_at:
            return
        with self._act():
            self._change(expires_at=expires_at)
            self._record("credential.expiry_set", by, expires=day and day.isoformat())

    def extend(self, *, by) -> bool:
        """Extend it by 90 days; return False when it does not expire soon, or was changed concurrently."""
        old = self.expires_at
        if not expiry.is_near(old, timezone.now()):
            return False
        later = expiry.extended(old)
        with self._act():
            if not Credential.objects.filter(pk=self.pk, expires_at=old).update(expires_at=later):
                return False
            self.expires_at = later
            self._record("credential.expiry_set", by, expires=expiry.day_of(later).isoformat())
        return True

    def notify_owners_of_expiry(self):
        """Write to the owners that it will expire; inside the transaction that records the warning."""
        self._notify_owners("credential_expires", None, expires=in_days(self.expires_at))

    def suspend(self, *, by, reason="", as_support=False) -> bool:
        """Refuse it from now on, keeping everything; return False when it was suspended already.

        `as_support` also takes over what a member suspended, so that only support resumes it.
        """
        rows = Credential.objects.exclude(suspended_by_support=True)
        rows = rows if as_support else rows.filter(suspended_at=None)
        now = timezone.now()
        with self._act():
            fields = {"suspended_at": Coalesce("suspended_at", now), "suspended_by_support": as_support or None}
            if not rows.filter(pk=self.pk).update(**fields):
                return False
            self.suspended_at, self.suspended_by_support = self.suspended_at or now, as_support or None
            self._retire(self._opened(), Why.SUSPENDED, now)
            self._record("credential.suspended", by, reason=reason)
            self._notify_owners("credential_suspended", by, reason=reason)
        return True

    def resume(self, *, by, reason="", as_support=False) -> bool:
        """Accept it again; return False when it was not suspended.

        Raises SuspendedBySupport when that is only for support to do.
        """
        suspended = Credential.objects.filter(pk=self.pk, suspended_at__isnull=False)
        mine = suspended if as_support else suspended.exclude(suspended_by_support=True)
        with self._act():
            if not mine.update(suspended_at=None, suspended_by_support=None):
                if suspended.exists():
                    raise SuspendedBySupport
                return False
            self.suspended_at = self.suspended_by_support = None
            RetiredPassword.objects.filter(username=self.username, why=Why.SUSPENDED).delete()
            self._record("credential.resumed", by, reason=reason)
        return True

    @sensitive_variables()
    def remove(self, *, by, reason=""):
        """Delete it; it is refused from then on, and can be restored for 24 hours.

        Raises Credential.DoesNotExist.
        """
        now = timezone.now()
        with self._act():
            # Locked: an old password must not come back because of a reset at the same time.
            current = Credential.objects.select_for_update().get(pk=self.pk)
            self._retire(self._opened(), Why.DELETED, now)
            Credential.objects.filter(pk=self.pk).delete()
            DeletedCredential.objects.keep(current, by=by, now=now)
            self._record("credential.deleted", by, reason=reason)
            self._notify_owners("credential_deleted", by)

    def note_restored(self, *, by):
        """Record that it was restored, inside the transaction that does it."""
        RetiredPassword.objects.filter(username=self.username, why=Why.DELETED).delete()
        if self.suspended_at:
            self._retire(self._opened(), Why.SUSPENDED, self.suspended_at)
        self._record("credential.restored", by)
        self._notify_owners("credential_restored", by)

    @contextmanager
    def _act(self):
        """Open the transaction of one act, which begins with the lock of the domain (audit/locks.py)."""
        with transaction.atomic():
            Domain.objects.hold(self.domain_id)
            yield

    @sensitive_variables()
    def _opened(self) -> str:
        """Return the password, for its digest alone; "" when no key opens it: no act may fail for that."""
        self.refresh_from_db(fields=["password_sealed"])
        try:
            return cipher.open(self.password_sealed, associated_data=password_data(self.username))
        except (cipher.CannotOpen, cipher.KeyringError):
            return ""

    @sensitive_variables()
    def _retire(self, password, why, since):
        """Remember a password that is refused from now on, to know who still tries it."""
        # Without its digest one can't be known, but whatever is tried at a deleted username is.
        if password or why == Why.DELETED:
            digest = digests.digest(self.username, password) if password else ""
            RetiredPassword.objects.retire(self, digest, why, since=since)

    def _record(self, tag, by, **data):
        data = {key: value for key, value in ({"label": self.label} | data).items() if value}
        audit.record(tag, by=by, domain=self.domain, credential=self.username, data=data)

    def _notify_owners(self, template, by, **extra):
        if not self.notifies_owners:
            return
        link = ("credentials:page", self.domain.name, self.username)
        if template == "credential_deleted":
            link = ("credentials:list", self.domain.name)
        notifications.notify_owners(
            self.domain, "credentials", template, link=link, credential=self, by=by, **extra
        )

    def _change(self, **fields):
        if not Credential.objects.filter(pk=self.pk).update(**fields):
            raise Credential.DoesNotExist
        for name, value in fields.items():
            setattr(self, name, value)

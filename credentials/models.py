import secrets
from datetime import timedelta
from enum import Enum, auto
from typing import NamedTuple

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

import audit
from credentials import labels, passwords, vault, verifier
from domains.models import Domain

USERNAME_BYTES = 16
NOTE_USE_EVERY = timedelta(seconds=60)
ROW_FIELDS = (
    "username",
    "label",
    "suspended_at",
    "last_used_at",
    "last_used_ip",
    "created_at",
    "created_by__email",
)


class Outcome(Enum):
    """What became of a login. Only the log and the dashboard tell refusals apart; a client never."""

    ACCEPTED = auto()
    UNKNOWN_USERNAME = auto()
    WRONG_PASSWORD = auto()
    SUSPENDED = auto()
    EXPIRED = auto()
    DOMAIN_NOT_AUTHORIZED = auto()


class Login(NamedTuple):
    outcome: Outcome
    credential: "Credential | None" = None


class PasswordChanged(Exception):
    """The password was reset by somebody else since the page was loaded."""


def new_username() -> str:
    """Return 32 random upper-case hexadecimal characters."""
    return secrets.token_hex(USERNAME_BYTES).upper()


def short(username: str) -> str:
    """A username as people compare it: its first and last eight characters."""
    return f"{username[:8]}…{username[-8:]}"


class CredentialQuerySet(models.QuerySet):
    def usable(self, at):
        """Those that a mail server accepts at this time."""
        return self.filter(
            Q(expires_at=None) | Q(expires_at__gt=at),
            suspended_at=None,
            domain__authorized_at__isnull=False,
            domain__suspended_at=None,
        )

    def for_page(self, search=""):
        """Those of one domain as named tuples of ROW_FIELDS, oldest first: no secret, no model."""
        if search:
            self = self.filter(Q(label__icontains=search) | Q(username__startswith=search.upper()))
        return self.order_by("created_at", "pk").values_list(*ROW_FIELDS, named=True)

    def without_secrets(self):
        """Rows for acts: the secrets are read only by the act that needs them."""
        return self.defer("password_sealed", "verifier")

    @sensitive_variables("password")
    def authenticate(self, username, password, *, at=None) -> Login:
        """Judge a login: the single door from a username and password to a credential.

        Every refusal costs one check of a verifier, whatever its cause. A stale verifier
        is made anew. Usernames are compared as they stand, upper case.
        """
        at = at or timezone.now()
        credential = None
        if _is_username(username):
            # Not the sealed password: who only judges logins need not be able to read it.
            rows = self.select_related("domain").defer("password_sealed")
            credential = rows.filter(username=username).first()
        match, stale = verifier.check(password, credential.verifier if credential else None)
        if credential is None:
            return Login(Outcome.UNKNOWN_USERNAME)
        if not match:
            return Login(Outcome.WRONG_PASSWORD, credential)
        outcome = credential.outcome(at)
        if stale and outcome is Outcome.ACCEPTED:
            # Only while the old one stands: a reset that comes between must win.
            self.filter(pk=credential.pk, verifier=credential.verifier).update(verifier=verifier.make(password))
        return Login(outcome, credential)

    def note_use(self, credential, ip, *, at=None):
        """Remember when and from where a credential was last used, at most once a minute."""
        at = at or timezone.now()
        silent_since = at - NOTE_USE_EVERY
        self.filter(Q(last_used_at=None) | Q(last_used_at__lt=silent_since), pk=credential.pk).update(
            last_used_at=at, last_used_ip=ip
        )


def _is_username(username: str) -> bool:
    """Whether a text has the form of a username, so that it is worth asking the database."""
    return len(username) == 2 * USERNAME_BYTES and set(username) <= set("0123456789ABCDEF")


class CredentialManager(models.Manager.from_queryset(CredentialQuerySet)):
    """Reached as `domain.credentials`, where `issue` makes credentials of that domain."""

    @sensitive_variables("password")
    def issue(self, *, by, label="", key=None):
        """Make a new credential; return (credential, password).

        The password is nowhere else in plain: hand it out or drop it, Show and Copy can
        open it again. `key` (a UUID) stands for one press of Add, see `issue_once`.
        """
        username, password = new_username(), passwords.generate()
        with transaction.atomic():
            credential = self.create(
                username=username,
                label=label,
                password_sealed=vault.seal(password, place=place_of_password(username)),
                verifier=verifier.make(password),
                password_changed_at=timezone.now(),
                issue_key=key,
                created_by=by.user,
            )
            audit.record("credential.created", by=by, domain=credential.domain, credential=username)
        return credential, password

    def issue_once(self, key, *, by):
        """Make the credential of one press of Add; return (credential, created).

        The second of two submissions with the same key gets what the first one made.
        """
        try:
            with transaction.atomic():
                return self.issue(by=by, key=key)[0], True
        except IntegrityError:
            return self.get(issue_key=key), False


def place_of_password(username: str) -> str:
    """The place that a credential's password is sealed for (see credentials/vault.py)."""
    return f"{username}:password"


class Credential(models.Model):
    """One SMTP username and password, given to one site or app of a domain."""

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="credentials")
    username = models.CharField(
        max_length=32,
        unique=True,
        default=new_username,
        validators=[RegexValidator(r"\A[0-9A-F]{32}\Z", "Use 32 upper-case hexadecimal characters.")],
    )
    label = models.CharField(max_length=labels.MAX_LENGTH, blank=True)
    password_sealed = models.CharField(max_length=255, editable=False)
    verifier = models.CharField(max_length=255, editable=False)
    password_changed_at = models.DateTimeField(editable=False)
    issue_key = models.UUIDField(null=True, unique=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    suspended_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_ip = models.GenericIPAddressField("last used IP", null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    objects = CredentialManager()

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
        ]

    def __str__(self):
        return self.username

    def outcome(self, at) -> Outcome:
        """What a login with the right password comes to at this time."""
        if self.suspended_at:
            return Outcome.SUSPENDED
        if self.expires_at and self.expires_at <= at:
            return Outcome.EXPIRED
        if not self.domain.is_authorized:
            return Outcome.DOMAIN_NOT_AUTHORIZED
        return Outcome.ACCEPTED

    @property
    def short_username(self) -> str:
        return short(self.username)

    @sensitive_variables("password")
    def reveal(self, tag, *, by) -> str:
        """Return the password, once the event that tells of it is committed.

        `tag` is `credential.password_shown` or `credential.password_copied`. Raises
        vault.CannotOpen (then no event stays), Credential.DoesNotExist.
        """
        with transaction.atomic():
            self.refresh_from_db(fields=["password_sealed"])
            password = vault.open(self.password_sealed, place=place_of_password(self.username))
            self._record(tag, by)
        return password

    @sensitive_variables("password")
    def reset_password(self, *, by, seen=None) -> str:
        """Replace the password and return the new one; the old one is refused from then on.

        `seen` is the `password_changed_at` that the person looked at. Raises
        PasswordChanged when it has moved on since, Credential.DoesNotExist when the
        row is gone.
        """
        password = passwords.generate()
        changed_at = timezone.now()
        rows = Credential.objects.filter(pk=self.pk)
        with transaction.atomic():
            updated = rows.filter(password_changed_at=seen or self.password_changed_at).update(
                password_sealed=vault.seal(password, place=place_of_password(self.username)),
                verifier=verifier.make(password),
                password_changed_at=changed_at,
            )
            if not updated:
                self.refresh_from_db(fields=["password_changed_at"])
                raise PasswordChanged
            self._record("credential.reset", by)
        self.password_changed_at = changed_at
        return password

    def rename(self, label, *, by):
        """Set the label. Raises ValidationError, Credential.DoesNotExist."""
        label, old = labels.clean(label), self.label
        if label == old:
            return
        with transaction.atomic():
            self._change(label=label)
            self._record("credential.labelled", by, before=old)

    def suspend(self, *, by, reason="") -> bool:
        """Refuse it from now on, keeping everything; return False when it was suspended already."""
        return self._set_suspended(timezone.now(), "credential.suspended", by, reason)

    def resume(self, *, by, reason="") -> bool:
        """Accept it again; return False when it was not suspended."""
        return self._set_suspended(None, "credential.resumed", by, reason)

    def remove(self, *, by, reason=""):
        """Delete it for good; it is refused from then on. Raises Credential.DoesNotExist."""
        with transaction.atomic():
            deleted, _ = Credential.objects.filter(pk=self.pk).delete()
            if not deleted:
                raise Credential.DoesNotExist
            self._record("credential.deleted", by, reason=reason)

    def _set_suspended(self, at, tag, by, reason) -> bool:
        with transaction.atomic():
            rows = Credential.objects.filter(pk=self.pk, suspended_at__isnull=at is not None)
            if not rows.update(suspended_at=at):
                return False
            self.suspended_at = at
            self._record(tag, by, reason=reason)
        return True

    def _record(self, tag, by, **data):
        data = {key: value for key, value in ({"label": self.label} | data).items() if value}
        audit.record(tag, by=by, domain=self.domain, credential=self.username, data=data)

    def _change(self, **fields):
        if not Credential.objects.filter(pk=self.pk).update(**fields):
            raise Credential.DoesNotExist
        for name, value in fields.items():
            setattr(self, name, value)

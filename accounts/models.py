from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

from accounts import email_addresses
from accounts.emails import Letter  # noqa: F401  (a model of this app)
from accounts.password_validators import MaximumLengthValidator, bounded


class UserManager(BaseUserManager):
    def create_user(self, email, password=None, **fields):
        """Create a user who signs in with `email` (stored in lower case), which the caller vouches for.

        Raises ValidationError for an address that can't be one and a password that is too long.
        """
        MaximumLengthValidator().validate(password or "")
        user = self.model(email=email_addresses.clean(email), **fields)
        user.set_password(password)
        with transaction.atomic(using=self._db):
            user.save(using=self._db)
            user.confirm()
        return user

    def create_superuser(self, email, password=None, **fields):
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, email):
        return self.get(email=self.normalize_email(email))

    def confirmed(self):
        """Users whose login address is confirmed. Others get no access: it may be another person's."""
        return self.alias(lower=Lower("email")).filter(
            emailaddress__email=F("lower"), emailaddress__verified=True
        )

    def can_sign_in(self):
        return self.confirmed().filter(is_active=True)

    def get_confirmed(self, email):
        """Return the user who is to get access. Raises User.DoesNotExist, User.NotConfirmed."""
        user = self.get_by_natural_key(email)
        if not user.is_confirmed:
            raise self.model.NotConfirmed(user)
        return user

    def of_address(self, email):
        """Return the account with this address as its login or as a confirmed one, or None."""
        lower = email.lower()
        by_login = self.alias(lower=Lower("email")).filter(lower=lower)
        return by_login.first() or self.filter(emailaddress__email=lower, emailaddress__verified=True).first()

    def search_email(self, email):
        """Return the user with this address, or those whose address contains it."""
        lower = email.lower()
        known = self.alias(lower=Lower("email")).filter(lower=lower)
        return known if known.exists() else self.filter(email__icontains=lower)

    def hold(self, *keys):
        """Lock the users with these primary keys until the transaction ends (audit/locks.py)."""
        list(self.filter(pk__in=keys).order_by("pk").select_for_update(no_key=True).values_list("pk"))

    @classmethod
    def normalize_email(cls, email):
        return email.strip().lower()


class User(AbstractBaseUser, PermissionsMixin):
    """A user, whose e-mail address is the login."""

    email = models.EmailField("e-mail", unique=True, error_messages={"unique": "This e-mail is taken."})
    name = models.CharField(max_length=100, blank=True)
    is_staff = models.BooleanField(
        "support staff", default=False, help_text="May sign in to the admin. Shows no password there."
    )
    is_active = models.BooleanField(
        "active", default=True, help_text="Clear this instead of deleting the person: events keep their name."
    )
    tell_members = models.BooleanField("new members", default=True, db_default=True)
    tell_credentials = models.BooleanField("resets and deletions", default=True, db_default=True)
    tell_dns = models.BooleanField("DNS records", default=True, db_default=True)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    # Counts how often all sessions were ended: sessions of an earlier epoch are void.
    session_epoch = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    objects = UserManager()

    class NotConfirmed(Exception):
        """A user who never confirmed the login address; str() says what to do."""

        def __str__(self):
            return (
                f"{self.args[0]} has not confirmed this address yet, so it may belong to someone else. "
                "The link of a password reset e-mail confirms it."
            )

    USERNAME_FIELD = EMAIL_FIELD = "email"
    REQUIRED_FIELDS = []

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"), name="user_email_unique", violation_error_message="This e-mail is taken."
            ),
        ]
        # The filters of the support admin, in the order of its list.
        indexes = [
            models.Index(fields=["email"], condition=Q(is_active=False), name="user_not_active"),
            models.Index(fields=["email"], condition=Q(is_staff=True), name="user_staff"),
            models.Index(fields=["email"], condition=Q(is_superuser=True), name="user_superuser"),
        ]

    def __str__(self):
        return self.email

    def clean(self):
        # A stored address is kept: support has to be able to deactivate the account. This comes before
        # Django's own clean, which silently maps ① to 1.
        self.email = (
            email_addresses.clean(self.email) if self._state.adding else UserManager.normalize_email(self.email)
        )
        super().clean()

    @property
    def is_confirmed(self) -> bool:
        """Whether the login address was confirmed (see accounts/confirmed.py)."""
        return self.emailaddress_set.filter(email=self.email.lower(), verified=True).exists()

    @transaction.atomic
    def confirm(self):
        """Record that the login address is confirmed."""
        email = self.email.lower()
        self.emailaddress_set.filter(primary=True).exclude(email=email).update(primary=False)
        self.emailaddress_set.update_or_create(email=email, defaults={"verified": True, "primary": True})

    @transaction.atomic
    def hand_over(self):
        """Give an unconfirmed account to the owner of its mailbox and shut out the user who signed up with it.

        The caller replaces the password.
        """
        type(self).objects.hold(self.pk)
        self.authenticator_set.all().delete()
        self.socialaccount_set.all().delete()
        self.usersession_set.all().delete()
        self.end_sessions()
        self.confirm()

    def check_password(self, raw_password):
        return super().check_password(bounded(raw_password))

    def _get_session_auth_hash(self, secret=None):
        password = super()._get_session_auth_hash(secret)
        return f"{password}:{self.session_epoch}" if self.session_epoch else password

    def end_sessions(self):
        """End every session of this user, listed or not."""
        type(self).objects.filter(pk=self.pk).update(session_epoch=F("session_epoch") + 1)
        self.refresh_from_db(fields=["session_epoch"])

    @property
    def initials(self) -> str:
        """Two letters for the account button."""
        words = self.name.split() or [self.email]
        return (words[0][:1] + words[-1][:1] if len(words) > 1 else words[0][:2]).upper()

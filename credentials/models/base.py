"""Fields shared by live and deleted credentials, and what a username is."""

import secrets

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models

from credentials import networks
from web import text

USERNAME_BYTES = 16
# Read by the act that needs them alone.
SECRETS = ("password_sealed", "verifier", "previous_verifier")


def new_username() -> str:
    """Return 32 random upper-case hexadecimal characters."""
    return secrets.token_hex(USERNAME_BYTES).upper()


def is_username(username: str) -> bool:
    """Whether a text has the form of a username, so that it is worth asking the database."""
    return len(username) == 2 * USERNAME_BYTES and set(username) <= set("0123456789ABCDEF")


def canonical_username(text: str) -> str:
    """Return what a client gave as a username, without blanks and line ends around it, in upper case.

    A text that isn't a username then is returned as it is.
    """
    username = text.strip(" \t\r\n").upper()
    return username if text.isascii() and is_username(username) else text


def short(username: str) -> str:
    """A username as people compare it: its first and last eight characters."""
    return f"{username[:8]}…{username[-8:]}"


def password_data(username: str) -> str:
    """The place that a credential's password is sealed for (see vault/cipher.py)."""
    return f"{username}:password"


class CredentialFields(models.Model):
    """The columns that Delete carries over to `DeletedCredential`, and Undo back."""

    username = models.CharField(
        max_length=32,
        unique=True,
        default=new_username,
        validators=[RegexValidator(r"\A[0-9A-F]{32}\Z", "Use 32 upper-case hexadecimal characters.")],
    )
    label = models.CharField(max_length=text.MAX_LABEL, blank=True)
    password_sealed = models.CharField(max_length=255, editable=False)
    verifier = models.CharField(max_length=255, editable=False)
    password_changed_at = models.DateTimeField(editable=False)
    # Counts its passwords: by it a mail server ends the sessions that an earlier one opened.
    # db_default: code of the version before can still add rows.
    password_number = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    previous_verifier = models.CharField(max_length=255, blank=True, default="", db_default="", editable=False)
    previous_valid_until = models.DateTimeField(null=True, blank=True, editable=False)
    previous_last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    previous_last_used_ip = models.GenericIPAddressField(null=True, blank=True, editable=False)
    allowed_networks = models.CharField(
        max_length=networks.MAX_STORED, blank=True, default="", db_default="", editable=False
    )
    expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    # The `expires_at` that its owners were warned of, so that they are warned once of each date.
    expiry_warned_for = models.DateTimeField(null=True, blank=True, editable=False)
    suspended_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Support staff suspended it, so that only they resume it. Nullable: SQLite can add no other column
    # to a table that a view reads.
    suspended_by_support = models.BooleanField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_ip = models.GenericIPAddressField("last used IP", null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    class Meta:
        abstract = True

    @property
    def short_username(self) -> str:
        return short(self.username)


# As attributes of either model.
SHARED_COLUMNS = tuple(field.attname for field in CredentialFields._meta.local_fields)

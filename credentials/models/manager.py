"""The queryset and manager of credentials: lists, the judging of logins, and how one is made."""

from typing import TYPE_CHECKING, NamedTuple

from django.db import IntegrityError, connections, models, transaction
from django.db.models import Q
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from credentials import passwords, verifier
from credentials.models.base import SECRETS, SHARED_COLUMNS, is_username, new_username, password_data
from credentials.models.figures import Figures, figures_of
from credentials.models.listing import Listing, ListingQuerySet
from credentials.models.login_day import LoginDay
from credentials.outcome import Outcome
from domains.models import Domain
from vault import cipher

if TYPE_CHECKING:
    from credentials.models.credential import Credential


# As SQL: the ORM needs more time to compile it than the database to answer.
_NAMED = """
SELECT {columns}, creator.email AS creator
FROM credentials_credential AS credential
LEFT JOIN accounts_user AS creator ON creator.id = credential.created_by_id
WHERE credential.domain_id = %s AND credential.username = %s
"""


class LoginResult(NamedTuple):
    """What a login comes to; `verifier` is the one that the password fits, to check later if it still does."""

    outcome: Outcome
    credential: "Credential | None" = None
    verifier: str = ""
    is_previous: bool = False  # by the password before this one, in its grace period

    def __repr__(self):
        return f"LoginResult({self.outcome})"


@sensitive_variables("password", "stripped")
def _why_wrong(password: str, credential) -> Outcome:
    """What is wrong with a login whose password didn't match: the outcome, as far as it can be known."""
    stripped = password.strip()
    is_padded = stripped != password and verifier.check(stripped, credential and credential.verifier)[0]
    if credential is None:
        return Outcome.UNKNOWN_USERNAME
    if is_padded:
        return Outcome.PADDED_PASSWORD
    return Outcome.CUT_PASSWORD if passwords.is_cut_off(password) else Outcome.WRONG_PASSWORD


class CredentialQuerySet(ListingQuerySet):
    def usable(self, now):
        """Those that a mail server accepts at this time."""
        return self.filter(
            Q(expires_at=None) | Q(expires_at__gt=now),
            suspended_at=None,
            domain__authorized_at__isnull=False,
            domain__suspended_at=None,
        )

    def domain_of_session(self, sasl_username: str) -> str | None:
        """The domain that a session of Postfix may send for now, by the view that Postfix reads, or None.

        `sasl_username` is what Dovecot has named its login: `<username>.<number of the password>`.
        """
        username = sasl_username.partition(".")[0]
        if not is_username(username):
            return None
        with connections[self.db].cursor() as cursor:
            asked = "SELECT domain FROM smtp_sender WHERE username = %s AND sasl_username = %s"
            cursor.execute(asked, [username, sasl_username])
            row = cursor.fetchone()
        return row[0] if row else None

    def without_secrets(self):
        """Rows for acts: the secrets are read only by the act that needs them."""
        return self.defer(*SECRETS)

    @sensitive_variables("password")
    def authenticate(self, username, password, *, ip="", now=None) -> LoginResult:
        """Judge a login: the single door from a username and password to a credential.

        `ip` is the client's address, "" when it is not known. A wrong password costs two
        checks of a verifier, and one more with blanks around it, whether or not there is such
        a username or a previous password. A stale verifier is replaced. Usernames are compared
        as they are, in upper case.
        """
        now = now or timezone.now()
        credential = None
        if is_username(username):
            # Not the sealed password: who only judges logins need not be able to read it.
            rows = self.select_related("domain").defer("password_sealed")
            credential = rows.filter(username=username).first()
        fitting = credential.verifier if credential else None
        match, stale = verifier.check(password, fitting)
        if not match:
            fitting = credential.previous_verifier_at(now) if credential else None
            match, stale = verifier.check(password, fitting)[0], False
        if not match:
            return LoginResult(_why_wrong(password, credential), credential)
        outcome = credential.outcome(now, ip)
        if stale and outcome is Outcome.ACCEPTED:
            fresh = verifier.make(password)
            # Only if nothing else replaced it: a reset in the meantime must win.
            if self.filter(pk=credential.pk, verifier=fitting).update(verifier=fresh):
                credential.verifier = fitting = fresh
        return LoginResult(outcome, credential, fitting, fitting != credential.verifier)


class CredentialManager(models.Manager.from_queryset(CredentialQuerySet)):
    """Reached as `domain.credentials`, where `issue` makes credentials of that domain."""

    def figures(self, now) -> Figures:
        """How many of this domain are in each State, when one was last used, and the like."""
        return figures_of(self.instance, now)

    def named(self, username):
        """The one of this domain with a username, without its secrets, and with the e-mail of its `creator`.

        Raises Credential.DoesNotExist.
        """
        columns = (field.column for field in self.model._meta.concrete_fields if field.column not in SECRETS)
        statement = _NAMED.format(columns=", ".join(f"credential.{column}" for column in columns))
        found = list(self.model.objects.raw(statement, [self.instance.pk, username]))
        if not found:
            raise self.model.DoesNotExist
        found[0].domain = self.instance
        return found[0]

    def listing(self, search="", state="", sort="") -> Listing:
        """Those of this domain that the list shows; the default is all of them."""
        return Listing(self.instance, search, state, sort)

    @sensitive_variables("password")
    def issue(self, *, by, label="", key=None):
        """Make a new credential; return (credential, password).

        The password is nowhere else in plain: hand it out or drop it, Show and Copy can
        open it again. `key` (a UUID) stands for one press of Add, see `issue_once`.
        Raises Domain.DoesNotExist.
        """
        username, password = new_username(), passwords.generate()
        with transaction.atomic():
            if not Domain.objects.hold(self.instance.pk):
                raise Domain.DoesNotExist
            credential = self.create(
                username=username,
                label=label,
                password_sealed=cipher.seal(password, associated_data=password_data(username)),
                verifier=verifier.make(password),
                password_changed_at=timezone.now(),
                issue_key=key,
                created_by=by.user,
            )
            credential._record("credential.created", by)
        return credential, password

    def issue_once(self, key, *, by):
        """Make the credential of one press of Add; return (credential, created).

        The second of two submissions with the same key gets what the first one made. Raises
        Domain.DoesNotExist when the domain was deleted in the meantime, or the key is of another one.
        """
        try:
            with transaction.atomic():
                return self.issue(by=by, key=key)[0], True
        except IntegrityError:
            made = self.filter(issue_key=key).first()
            if made is None:
                raise Domain.DoesNotExist from None
            return made, False

    def bring_back(self, deleted):
        """Restore a deleted credential, inside the transaction that deletes its other row."""
        columns = {name: getattr(deleted, name) for name in SHARED_COLUMNS}
        if refused := LoginDay.objects.last_refusal(deleted.username):
            columns |= {
                "last_refused_at": refused.last_at,
                "last_refused_ip": refused.ip or None,
                "last_refused_cause": refused.outcome,
            }
        credential = self.create(pk=deleted.former_id, **columns)
        credential._change(created_at=deleted.created_at)  # auto_now_add took the time of now
        return credential

"""The models of SMTP users, and what their acts raise."""

from credentials.models.clients import ClientDay, ClientName
from credentials.models.credential import Credential, LabelChanged, PasswordChanged, SuspendedBySupport
from credentials.models.deleted import DeletedCredential
from credentials.models.login_total import LoginTotal
from credentials.models.manager import CredentialQuerySet, Login
from credentials.models.refusals import Cause, RefusedLogins
from credentials.models.retired import RetiredPassword, RetiredTry, Why
from vault.keyring import KeyCanary

__all__ = [
    "Cause",
    "ClientDay",
    "ClientName",
    "Credential",
    "CredentialQuerySet",
    "DeletedCredential",
    "KeyCanary",
    "LabelChanged",
    "Login",
    "LoginTotal",
    "PasswordChanged",
    "RefusedLogins",
    "RetiredPassword",
    "RetiredTry",
    "SuspendedBySupport",
    "Why",
]

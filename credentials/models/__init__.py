"""The models of SMTP users, and what their acts raise."""

from credentials.models.credential import Credential, LabelChanged, PasswordChanged, SuspendedBySupport
from credentials.models.deleted import DeletedCredential
from credentials.models.hand_over import HandOver, NotAccepted, TooManyOpen
from credentials.models.heartbeat import Heartbeat
from credentials.models.login_day import LoginDay, RefusedLogins
from credentials.models.manager import CredentialQuerySet, LoginResult
from credentials.models.node import Node, RefusalSeen
from credentials.models.retired import RetiredPassword, Why
from vault.keyring import KeyCanary

__all__ = [
    "Credential",
    "CredentialQuerySet",
    "DeletedCredential",
    "HandOver",
    "Heartbeat",
    "KeyCanary",
    "LabelChanged",
    "LoginDay",
    "LoginResult",
    "Node",
    "NotAccepted",
    "PasswordChanged",
    "RefusalSeen",
    "RefusedLogins",
    "RetiredPassword",
    "SuspendedBySupport",
    "TooManyOpen",
    "Why",
]

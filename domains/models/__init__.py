"""The models of domains, and the exceptions of their acts."""

from domains.models.dns_record import DnsRecord
from domains.models.domain import (
    CHECK_EVERY,
    CHECK_TIMEOUT,
    AlreadyAuthorized,
    Domain,
    DomainQuerySet,
    Membership,
    NameSuspended,
    new_verification_token,
)
from domains.models.invitation import Invitation

__all__ = [
    "CHECK_EVERY",
    "CHECK_TIMEOUT",
    "AlreadyAuthorized",
    "DnsRecord",
    "Domain",
    "DomainQuerySet",
    "Invitation",
    "Membership",
    "NameSuspended",
    "new_verification_token",
]

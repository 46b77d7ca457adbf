"""The one gate: the permissions of a domain's members. Every view of a domain starts here."""

import logging
from collections.abc import Callable
from enum import Enum, auto
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from domains.models import Domain, Membership
from domains.names import MAX_DOMAIN_LENGTH
from domains.roles import Role

log = logging.getLogger(__name__)

# As SQL: the ORM needs more time to compile it than the database to answer.
_OF_MEMBER = """
SELECT domain.*, member.role
FROM domains_domain AS domain
INNER JOIN domains_membership AS member ON member.domain_id = domain.id
WHERE domain.name = %s AND member.user_id = %s
"""


class Permission(Enum):
    VIEW = auto()
    REVEAL_PASSWORDS = auto()
    MANAGE_CREDENTIALS = auto()
    VERIFY_DOMAIN = auto()
    MANAGE_MEMBERS = auto()
    MANAGE_DOMAIN = auto()


_MANAGER = {
    Permission.VIEW,
    Permission.REVEAL_PASSWORDS,
    Permission.MANAGE_CREDENTIALS,
    Permission.VERIFY_DOMAIN,
}
ALLOWED = {
    Role.VIEWER: {Permission.VIEW},
    Role.MANAGER: _MANAGER,
    Role.OWNER: _MANAGER | {Permission.MANAGE_MEMBERS, Permission.MANAGE_DOMAIN},
}
_CAN = {
    role: {known.name.lower(): known in allowed for known in Permission} for role, allowed in ALLOWED.items()
}


def get_domain(request: HttpRequest, name: str, permission: Permission) -> Domain:
    """Return the domain `name` of the signed-in user, with their `role`.

    For templates, it has `can`: permission name → bool. Raises Http404 when the user is not a member of such a
    domain (a stranger learns nothing), PermissionDenied when their role doesn't allow `permission`.
    """
    domain = _named(name, request.user)
    if domain is None:
        log.warning("Denied: user %s is not a member of %s", request.user.pk, name)
        raise Http404
    allowed = ALLOWED[domain.role]
    if permission not in allowed:
        log.warning("Denied: user %s, %s of %s, lacks %s", request.user.pk, domain.role, name, permission.name)
        raise PermissionDenied
    domain.can = _CAN[domain.role]
    return domain


def came_from(request: HttpRequest) -> Domain | None:
    """Return the domain from whose pages the user came to a page of their account; it's in `?from=`."""
    name = request.GET.get("from", "")
    # PostgreSQL refuses NUL.
    return None if not name or len(name) > MAX_DOMAIN_LENGTH or "\x00" in name else _named(name, request.user)


def _named(name: str, user: Any) -> Any:
    """Return the domain `name` of a member with their `role`, None for others."""
    # A name may be pending in several accounts; if the user is a member of two, the authorized one counts.
    found = Domain.objects.raw(_OF_MEMBER, [name, user.pk])
    return min(found, key=lambda domain: (domain.authorized_at is None, domain.pk), default=None)


def of_domain(permission: Permission) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Decorate a view of one domain: it gets (request, domain) instead of the domain's name."""

    def decorate(view):
        @wraps(view)
        def wrapper(request, name, **arguments):
            domain = get_domain(request, name, permission)
            try:
                return view(request, domain, **arguments)
            except (Domain.DoesNotExist, Membership.DoesNotExist):
                raise Http404 from None  # the domain was deleted, or the member removed, in the meantime

        return wrapper

    return decorate

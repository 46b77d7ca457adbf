"""The gate to every view of one credential: that of its domain, then the credential itself."""

from functools import wraps

from credentials.models import Credential
from credentials.views import responses
from domains.access import get_domain
from vault import cipher

CANNOT_UNSEAL = (
    "This password can't be shown: none of the server's keys can unseal it. "
    "Ask the operator to check CREDENTIAL_KEYS, or reset the password."
)


def of_credential(permission):
    """Decorate a view of one credential, which gets (request, domain, credential).

    The credential is looked up within the domain that the user may see, so one of another
    domain is as absent as a deleted one.
    """

    def decorate(view):
        @wraps(view)
        def answer(request, name, username, **extra):
            domain = get_domain(request, name, permission)
            try:
                return view(request, domain, domain.credentials.named(username), **extra)
            except Credential.DoesNotExist:
                return responses.gone(request, domain, username)
            except cipher.CannotOpen:
                return responses.problem(request, "The password can't be unsealed", CANNOT_UNSEAL, status=503)

        return answer

    return decorate

"""The way into every view of one credential, through the gate of its domain."""

from functools import wraps

from credentials.models import Credential
from credentials.views import responses
from domains.access import get_domain
from vault import cipher

SEALED = (
    "This password can't be shown: none of the server's keys can unseal it. "
    "Ask the operator to check CREDENTIAL_KEYS, or reset the password."
)


def of_credential(permission):
    """Decorate a view of one credential: it gets (request, domain, credential).

    The credential is looked up among those of the domain that the person was let into,
    so another domain's one is as absent as one that was deleted in another tab.
    """

    def decorate(view):
        @wraps(view)
        def answer(request, name, username, **more):
            domain = get_domain(request, name, permission)
            try:
                credential = domain.credentials.without_secrets().with_creator().get(username=username)
                return view(request, domain, credential, **more)
            except Credential.DoesNotExist:
                return responses.gone(request, domain)
            except cipher.CannotOpen:
                return responses.problem(request, "The password can't be unsealed", SEALED, status=503)

        return answer

    return decorate

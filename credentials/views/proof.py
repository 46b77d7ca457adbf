"""The proof of a revocation, of a deleted SMTP user too, and its receipt."""

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from credentials.nodes import proof as proofs
from credentials.nodes.receipt import download
from domains.access import Permission, of_domain


@require_safe
@of_domain(Permission.VIEW)
def proof(request, domain, username, number):
    """The page; for htmx, which asks while a node is outstanding, its block."""
    context = {"domain": domain, "active_tab": "smtp", "proof": _find(domain, username, number)}
    template = "credentials/_proof.html" if request.htmx else "credentials/proof.html"
    return render(request, template, context)


@require_safe
@of_domain(Permission.MANAGE_CREDENTIALS)
def receipt(request, domain, username, number):
    return download(_find(domain, username, number))


def _find(domain, username, number) -> proofs.Proof:
    found = proofs.find(domain, username, number)
    if found is None:
        raise Http404
    return found

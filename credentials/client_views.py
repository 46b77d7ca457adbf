"""Recent clients of a credential."""

from django.shortcuts import render
from django.views.decorators.http import require_safe

from credentials.views import responses
from credentials.views.clients import clients_context
from domains.access import Permission


@require_safe
@responses.of_credential(Permission.VIEW)
def clients(request, domain, credential):
    context = clients_context(domain, credential, number=request.GET.get("page"))
    return render(request, "credentials/clients.html", context)

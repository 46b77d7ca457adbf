"""The page of one SMTP user."""

from django.shortcuts import render
from django.views.decorators.http import require_safe

from credentials.views.access import of_credential
from credentials.views.context import row_context
from domains.access import Permission


@require_safe
@of_credential(Permission.VIEW)
def page(request, domain, credential):
    context = row_context(domain, credential=credential, active_tab="smtp")
    return render(request, "credentials/page.html", context)

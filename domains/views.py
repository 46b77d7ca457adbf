from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from audit.actor import Actor
from domains.forms import AddDomainForm
from domains.models import Domain
from web.request import ask_or_act, posted


@require_safe
def home(request):
    """Go to the user's only domain, or to the list."""
    names = Domain.objects.for_user(request.user).values_list("name", flat=True)[:2]
    return redirect("credentials:overview", names[0]) if len(names) == 1 else redirect("credentials:domains")


@ask_or_act
def add(request):
    form = AddDomainForm(posted(request), user=request.user)
    if form.is_valid():
        domain = Domain.objects.add(form.cleaned_data["name"], by=Actor.of(request))
        messages.success(request, "Domain added.")
        return redirect("domains:dns", domain.name)
    return render(request, "domains/add.html", {"form": form}, status=422 if form.errors else 200)

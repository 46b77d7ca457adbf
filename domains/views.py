from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from audit.actor import Actor
from domains import several
from domains.forms import AddDomainForm, AddSeveralForm
from domains.models import Domain
from web.request import ask_or_act, posted


@require_safe
def home(request):
    """Go to the user's only domain, or to the list; staff without a domain go to the admin."""
    names = Domain.objects.for_user(request.user).values_list("name", flat=True)[:2]
    if request.user.is_staff and not names:
        return redirect("admin:index")
    return redirect("credentials:overview", names[0]) if len(names) == 1 else redirect("credentials:domains")


@ask_or_act
def add(request):
    form = AddDomainForm(posted(request), user=request.user)
    if form.is_valid():
        domain = Domain.objects.add(form.cleaned_data["name"], by=Actor.of(request))
        messages.success(request, "Domain added.")
        return redirect("domains:dns", domain.name)
    return render(request, "domains/add.html", {"form": form}, status=422 if form.errors else 200)


@ask_or_act
def add_several(request):
    """Add many domains, and answer with what became of each. Sent again, it adds none twice."""
    form = AddSeveralForm(posted(request))
    if not form.is_valid():
        status = 422 if form.errors else 200
        return render(request, "domains/add_several.html", {"form": form}, status=status)
    result = several.add(form.cleaned_data["names"], by=Actor.of(request))
    proofs = [(domain, domain.expected_records()[0]) for domain in result.added]
    left = AddSeveralForm.of(text for text, _reason in result.refused)
    return render(request, "domains/added.html", {"proofs": proofs, "result": result, "form": left})

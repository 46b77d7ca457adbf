"""The link of Hand over, for somebody without an account. GET asks, POST shows the password once."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables

from audit.actor import Actor
from credentials.models import HandOver, NotAccepted
from credentials.views.rate_limits import count_link
from vault import cipher
from web.request import ask_or_act


@login_not_required
# The key is the proof, and whoever could forge the request has it. A browser that sends no Referer, as this
# page asks it to, could not prove where a form comes from, and no cookie is needed.
@csrf_exempt
@ask_or_act
@sensitive_variables("password")
def hand_over_link(request, key):
    """Ask, and after a press of Show answer with the password: programs that follow links only GET.

    A link that is used, revoked, out of time or unknown always gets the same response.
    """
    tried = count_link(request)
    if not tried:
        return render(request, "429.html", status=429)
    found = HandOver.objects.of_key(key, timezone.now())
    if found is None:
        return _page(request, "gone", status=410)
    tried.rollback()  # only wrong links count
    if request.method != "POST":
        return _page(request, "link", found) if found.is_usable else _page(request, "paused", status=409)
    try:
        password = found.show(by=Actor.visitor(request, found.name))
    except HandOver.DoesNotExist:
        return _page(request, "gone", status=410)
    except NotAccepted:
        return _page(request, "paused", status=409)
    except cipher.CannotOpen:
        return _page(request, "paused", status=503)
    return _page(request, "shown", found, password=password)


def _page(request, name, hand_over=None, *, status=200, **extra):
    server = {
        "host": settings.SMTP_HOST,
        "port": settings.SMTP_PORT,
        "tls_port": settings.SMTP_TLS_PORT,
    }
    context = {"hand_over": hand_over, **server, **extra}
    response = render(request, f"credentials/hand_over_{name}.html", context, status=status)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response

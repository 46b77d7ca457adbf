from django.http import HttpResponse
from django.urls import include, path

from domains.models import Domain


def bare(request):
    """The least that a signed-in Django page needs: session, user, one query."""
    return HttpResponse(str(Domain.objects.filter(memberships__user=request.user).first()))


urlpatterns = [path("bench/bare/", bare), path("", include("sendlayer.urls"))]

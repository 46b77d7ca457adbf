from django.http import HttpResponse
from django.urls import include, path

from domains.models import Domain


def bare(request):
    """What any signed-in Django page costs: session, user, one query."""
    return HttpResponse(str(Domain.objects.filter(memberships__user=request.user).first()))


urlpatterns = [path("bench/bare/", bare), path("", include("sendlayer.urls"))]

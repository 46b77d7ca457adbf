"""A domain's first page, `domains:overview`. It tells of credentials, of which domains/ knows nothing."""

from django.urls import path

from credentials.views import overview

urlpatterns = [path("", overview.overview, name="overview")]

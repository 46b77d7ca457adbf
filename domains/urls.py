from django.urls import path

from domains import dns_views, views

app_name = "domains"
urlpatterns = [
    path("", views.home, name="home"),
    path("domains/", views.domain_list, name="list"),
    path("domains/add/", views.add, name="add"),
    path("domains/menu/", views.menu, name="menu"),
    path("domains/<domain:name>/", views.overview, name="overview"),
    path("domains/<domain:name>/settings/", views.settings, name="settings"),
    path("domains/<domain:name>/settings/dns/", dns_views.dns, name="dns"),
    path("domains/<domain:name>/settings/dns/verify/", dns_views.verify, name="verify"),
]

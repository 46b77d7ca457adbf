from django.urls import path

from domains import views

app_name = "domains"
urlpatterns = [
    path("", views.home, name="home"),
    path("domains/", views.domain_list, name="list"),
    path("domains/add/", views.add, name="add"),
    path("domains/menu/", views.menu, name="menu"),
    path("domains/<domain:name>/", views.overview, name="overview"),
    path("domains/<domain:name>/settings/", views.settings, name="settings"),
]

from django.urls import path, register_converter

from credentials import site_views, views


class UsernameConverter:
    """32 upper-case hexadecimal characters: nothing else can be a username."""

    regex = "[0-9A-F]{32}"

    def to_python(self, value):
        return value

    def to_url(self, value):
        return value


register_converter(UsernameConverter, "username")

app_name = "credentials"
urlpatterns = [
    path("", views.credential_list, name="list"),
    path("add/", views.add, name="add"),
    path("<username:username>/reveal/", views.reveal, name="reveal"),
    path("<username:username>/copy/", views.copy, name="copy"),
    path("<username:username>/reset/", views.reset, name="reset"),
    path("<username:username>/delete/", views.delete, name="delete"),
    path("<username:username>/label/", views.label, name="label"),
    path("<username:username>/networks/", views.networks, name="networks"),
    path("<username:username>/refused/", views.refused, name="refused"),
    path("<username:username>/connect/", site_views.connect_site, name="connect"),
    path("<username:username>/explain/", site_views.explain, name="explain"),
]

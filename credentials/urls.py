from django.urls import path, register_converter

from credentials import chosen_views, client_views, deleted_views, label_views, life_views, site_views, views


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
    path("export/", views.export, name="export"),
    path("chosen/suspend/", chosen_views.suspend, name="suspend_chosen"),
    path("chosen/delete/", chosen_views.delete, name="delete_chosen"),
    path("deleted/", deleted_views.deleted_list, name="deleted"),
    path("deleted/restore/", deleted_views.restore, name="restore"),
    path("deleted/<username:username>/erase/", deleted_views.erase, name="erase"),
    path("<username:username>/reveal/", views.reveal, name="reveal"),
    path("<username:username>/copy/", views.copy, name="copy"),
    path("<username:username>/reset/", views.reset, name="reset"),
    path("<username:username>/delete/", views.delete, name="delete"),
    path("<username:username>/label/", label_views.label, name="label"),
    path("<username:username>/networks/", views.networks, name="networks"),
    path("<username:username>/refused/", views.refused, name="refused"),
    path("<username:username>/revoke-old/", life_views.revoke_old, name="revoke_old"),
    path("<username:username>/suspend/", life_views.suspend, name="suspend"),
    path("<username:username>/resume/", life_views.resume, name="resume"),
    path("<username:username>/expiry/", life_views.expiry, name="expiry"),
    path("<username:username>/extend/", life_views.extend, name="extend"),
    path("<username:username>/clients/", client_views.clients, name="clients"),
    path("<username:username>/connect/", site_views.connect_site, name="connect"),
    path("<username:username>/explain/", site_views.explain, name="explain"),
]

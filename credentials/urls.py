from django.urls import include, path, register_converter

from credentials.views import (
    bulk,
    deleted,
    domain_list,
    hand_over,
    label,
    lifecycle,
    limits,
    offboarding,
    overview,
    page,
    proof,
    tab,
)


class UsernameConverter:
    """32 upper-case hexadecimal characters: nothing else can be a username."""

    regex = "[0-9A-F]{32}"

    def to_python(self, value):
        return value

    def to_url(self, value):
        return value


class NumberConverter:
    """The number of an event in its chain, which any database can hold."""

    regex = "[1-9][0-9]{0,17}"

    def to_python(self, value):
        return int(value)

    def to_url(self, value):
        return str(value)


register_converter(UsernameConverter, "username")
register_converter(NumberConverter, "number")

# Below `…/settings/smtp/` of a domain.
_smtp_urlpatterns = [
    path("", tab.credential_list, name="list"),
    path("add/", tab.add, name="add"),
    path("export/", tab.export, name="export"),
    path("chosen/suspend/", bulk.suspend, name="suspend_chosen"),
    path("chosen/delete/", bulk.delete, name="delete_chosen"),
    path("deleted/", deleted.deleted_list, name="deleted"),
    path("deleted/restore/", deleted.restore, name="restore"),
    path("deleted/<username:username>/erase/", deleted.erase, name="erase"),
    path("<username:username>/", page.page, name="page"),
    path("<username:username>/reveal/", tab.reveal, name="reveal"),
    path("<username:username>/copy/", tab.copy, name="copy"),
    path("<username:username>/reset/", tab.reset, name="reset"),
    path("<username:username>/delete/", tab.delete, name="delete"),
    path("<username:username>/label/", label.label, name="label"),
    path("<username:username>/networks/", limits.networks, name="networks"),
    path("<username:username>/refused/", page.refused, name="refused"),
    path("<username:username>/revoke-old/", lifecycle.revoke_old, name="revoke_old"),
    path("<username:username>/suspend/", lifecycle.suspend, name="suspend"),
    path("<username:username>/resume/", lifecycle.resume, name="resume"),
    path("<username:username>/expiry/", limits.expiry, name="expiry"),
    path("<username:username>/extend/", limits.extend, name="extend"),
    path("<username:username>/clients/", page.clients, name="clients"),
    path("<username:username>/hand-over/", hand_over.hand_over, name="hand_over"),
    path("<username:username>/hand-over/<uuid:public_id>/revoke/", hand_over.revoke, name="revoke_hand_over"),
    path("<username:username>/connect/", page.connect, name="connect"),
    path("<username:username>/explain/", page.explain, name="explain"),
    path("<username:username>/proof/<number:number>/", proof.proof, name="proof"),
    path("<username:username>/proof/<number:number>/receipt/", proof.receipt, name="receipt"),
]

# Below `…/settings/members/` of a domain.
_offboarding_urlpatterns = [
    path("", offboarding.offboarding_page, name="offboarding"),
    path("remove/", offboarding.remove, name="offboarding_remove"),
    path("reset/", offboarding.reset, name="offboarding_reset"),
]

_OF_DOMAIN = [
    path("", overview.overview, name="overview"),
    path("settings/smtp/", include(_smtp_urlpatterns)),
    path("settings/members/offboarding/<person:person>/", include(_offboarding_urlpatterns)),
]

app_name = "credentials"
urlpatterns = [
    path("domains/", domain_list.domain_list, name="domains"),
    path("domains/menu/", domain_list.menu, name="menu"),
    path("domains/<domain:name>/", include(_OF_DOMAIN)),
]

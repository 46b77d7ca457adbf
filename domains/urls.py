from django.urls import include, path

from domains import views
from domains.general import views as general_views
from domains.members import invitation_views
from domains.members import views as member_views
from domains.verification import views as dns_views

_MEMBERS = [
    path("", member_views.member_list, name="members"),
    path("invite/", member_views.invite, name="invite"),
    path("invite/also/", member_views.invite_also, name="invite_also"),
    path("leave/", member_views.leave, name="leave"),
    path("<uuid:public_id>/role/", member_views.change_role, name="change_role"),
    path("<uuid:public_id>/remove/", member_views.remove, name="remove"),
    path("invitations/<uuid:public_id>/resend/", member_views.resend, name="resend"),
    path("invitations/<uuid:public_id>/revoke/", member_views.revoke, name="revoke"),
]
_OF_DOMAIN = [
    path("settings/", general_views.overview, name="settings"),
    path("settings/dns/", dns_views.dns, name="dns"),
    path("settings/dns/verify/", dns_views.verify, name="verify"),
    path("settings/name/", general_views.rename, name="rename"),
    path("settings/transfer/", general_views.transfer, name="transfer"),
    path("settings/delete/", general_views.delete, name="delete"),
    path("settings/members/", include(_MEMBERS)),
]
_INVITATION = [
    path("", invitation_views.invitation, name="invitation"),
    path("accept/", invitation_views.accept, name="accept"),
    path("decline/", invitation_views.decline, name="decline"),
    path("join/", invitation_views.join, name="join"),
]

app_name = "domains"
urlpatterns = [
    path("", views.home, name="home"),
    path("domains/add/", views.add, name="add"),
    path("domains/add/several/", views.add_several, name="add_several"),
    path("domains/<domain:name>/", include(_OF_DOMAIN)),
    path("invitations/key/<token:token>/", include(_INVITATION)),
]

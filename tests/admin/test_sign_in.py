"""How staff sign in and out."""

from urllib.parse import unquote

import pytest
from django.contrib.admin.models import LogEntry

from tests.factories import PASSWORD, make_domain

pytestmark = pytest.mark.django_db

ADMIN = ["/admin/", "/admin/credentials/credential/", "/admin/audit/event/1/change/", "/admin/nothing/"]


@pytest.mark.parametrize("path", ADMIN)
def test_anonymous_is_redirected_to_the_dashboards_sign_in(client, db, path):
    response = client.get(path, follow=True)
    assert unquote(response.redirect_chain[-1][0]) == f"/login/?next={path}"


@pytest.mark.parametrize("path", ADMIN)
def test_member_without_staff_rights_is_refused(as_alice, path):
    assert as_alice.get(path, follow=True).status_code in (403, 404)
    assert as_alice.get("/admin/", follow=True).status_code == 403


def test_admin_login_page_takes_no_password(client, root):
    for password in ("wrong", PASSWORD):
        response = client.post("/admin/login/", {"username": root.email, "password": password})
        assert response.status_code == 302
        assert response.url.startswith("/login/?next=")
    assert "_auth_user_id" not in client.session


def test_admin_login_page_takes_no_password_of_signed_in_staff(as_sam, sam, root):
    """It would have no limits on the tries, and ask for no second factor."""
    for password in ("wrong", PASSWORD):
        response = as_sam.post("/admin/login/", {"username": root.email, "password": password})
        assert (response.status_code, response.url) == (302, "/admin/")
        assert as_sam.session["_auth_user_id"] == str(sam.pk)
    assert as_sam.get("/admin/login/").url == "/admin/"


def test_deactivated_staff_lose_access_immediately(as_sam, sam):
    assert as_sam.get("/admin/").status_code == 200
    sam.is_active = False
    sam.save(update_fields=["is_active"])
    assert as_sam.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/login/")


def test_sign_out_needs_a_post(as_sam):
    assert as_sam.get("/admin/logout/").status_code == 405
    assert as_sam.post("/admin/logout/").status_code == 200
    assert as_sam.get("/admin/").status_code == 302


def test_password_change_leads_to_the_dashboard(as_sam):
    for response in (as_sam.get("/admin/password_change/"), as_sam.post("/admin/password_change/")):
        assert response.status_code == 302
        assert response.url == "/account/password/"


def test_index_lists_only_what_support_needs(as_sam):
    page = as_sam.get("/admin/").content.decode()
    assert "SendLayer support" in page
    for path in ("/admin/accounts/user/", "/admin/domains/domain/", "/admin/credentials/credential/"):
        assert path in page
    for path in ("/admin/auth/group/", "/admin/account/emailaddress/"):
        assert path not in page
        assert as_sam.get(path).status_code in (403, 404)


def test_pages_keep_the_content_security_policy(as_root, credential):
    for path in (
        "/admin/",
        "/admin/credentials/credential/",
        f"/admin/credentials/credential/{credential.pk}/change/",
        f"/admin/domains/domain/{credential.domain_id}/change/",
        "/admin/accounts/user/add/",
    ):
        response = as_root.get(path)
        page = response.content.decode()
        assert "<script>" not in page and "<style" not in page and " style=" not in page
        assert "script-src 'self'" in response["Content-Security-Policy"]


def post_sign_in(client, user, query=""):
    return client.post(f"/login/{query}", {"login": user.email, "password": PASSWORD})


def test_support_staff_land_in_the_admin(client, sam):
    assert post_sign_in(client, sam).url == "/admin/"
    assert client.get("/").url == "/admin/"


def test_support_staff_land_where_they_were_going(client, sam):
    path = "/admin/credentials/credential/?q=shop"
    assert client.get(path, follow=True).redirect_chain[-1][0].startswith("/login/?next=")
    assert post_sign_in(client, sam, "?next=/account/").url == "/account/"


def test_members_land_in_their_domains(client, alice, domain):
    assert post_sign_in(client, alice).url == "/"
    assert client.get("/").url == "/domains/sl.example.com/"


def test_admin_links_to_the_domains_of_staff_who_are_members(as_sam, sam):
    assert "Your domains" not in as_sam.get("/admin/").content.decode()
    make_domain("sam.example", owner=sam)
    assert '<a href="/domains/">Your domains</a>' in as_sam.get("/admin/").content.decode()
    assert as_sam.get("/").url == "/domains/sam.example/"


def test_djangos_own_log_stays_empty(as_sam, alice):
    as_sam.post(f"/admin/accounts/user/{alice.pk}/change/", {"name": "Alice B.", "is_active": "on"})
    as_sam.post("/admin/accounts/user/add/", {"email": "new@example.com", "name": ""})
    assert not LogEntry.objects.exists()
    assert as_sam.get("/admin/audit/event/?tag=support.user_added").context["cl"].result_count == 1

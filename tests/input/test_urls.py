"""U: paths and queries."""

import pytest

from tests.input.catalogue import row, rows

pytestmark = pytest.mark.django_db

SMTP = "/domains/sl.example.com/settings/smtp/"
KEYS = "/account/two-factor/webauthn/keys/"
LISTS = ["/domains/", SMTP, "/domains/sl.example.com/settings/members/", "/domains/sl.example.com/activity/"]


@rows(
    "path",
    U1="/domains/a%00b.com/settings/smtp/",
    U2="/domains/%ff%fe/settings/smtp/",
    U3=f"{SMTP}%ed%a0%80/label/",
    U4=f"{KEYS}{10**30}/edit/",
    U5=f"{KEYS}{'9' * 5000}/edit/",
    U6=f"{KEYS}-1/edit/",
    U7=f"{KEYS}%D9%A1/edit/",
    U19="/.git/config",
    U20="/.env",
)
def test_unknown_path_is_a_404(owner, path):
    for method in (owner.get, owner.post):
        assert method(path).status_code == 404


@pytest.mark.parametrize("key", ["%00", "%ff%fe", "%ed%a0%80", str(10**30), "9" * 5000, "-1", "None"])
def test_admin_finds_no_row_by_a_malformed_key(staff, key):
    for model in ("domains/domain", "credentials/credential", "accounts/user"):
        assert staff.get(f"/admin/{model}/{key}/change/").status_code in (302, 404)
    assert staff.get(f"/admin/r/{key}/{key}/").status_code == 404


@row("U10")
def test_post_without_final_slash_is_not_redirected(owner):
    assert owner.post(f"{SMTP}add").status_code == 404
    assert owner.get("/domains")["Location"] == "/domains/"


def test_admin_looks_up_rows_by_primary_key_only(staff, credential):
    for query in ("_to_field=", "_to_field=verifier", "_to_field=%00", "_popup=%00", "_changelist_filters=%00"):
        path = f"/admin/credentials/credential/{credential.pk}/change/?{query}"
        assert staff.get(path).status_code in (200, 400)


@rows("number", U11="0", U12="-1", U13="1e9", U14="abc", U14b="%00", U14c="9" * 5000)
def test_missing_page_number_shows_an_existing_page(owner, staff, number):
    for path in LISTS:
        assert owner.get(f"{path}?page={number}").status_code == 200
    assert staff.get(f"/admin/domains/domain/?p={number}").status_code in (200, 302)


@rows("query", U16="sort=password_hash", U17="sort=team__owner__password")
def test_query_can_not_choose_the_sort_column(owner, query):
    for path in LISTS:
        assert owner.get(f"{path}?{query}").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        *(f"{name}__startswith=x" for name in ("verifier", "password_sealed", "domain__created_by__password")),
        *(
            f"{name}=x"
            for name in ("o", "p", "all", "q", "pk__in", "label__regex", "created_at__year", "_facets")
        ),
        "o=99.-99",
        "q=%00",
        "domain__id__exact=%00",
        "e=1",
        "created_at__gte=0001-01-01T00:00:00%2B23:59",
        "at__gte=9999-12-31T23:59:59-23:59",
        "at__year=99999999999999999999",
        "at__day=0",
    ],
)
def test_admin_ignores_filters_that_it_does_not_offer(staff, query):
    for model in ("credentials/credential", "domains/domain", "accounts/user", "audit/event"):
        assert staff.get(f"/admin/{model}/?{query}").status_code in (200, 302, 400, 404)

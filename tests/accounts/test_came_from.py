"""The pages of the account keep the domain that the user came from in the dropdown, with a way back."""

import pytest
from django.urls import reverse

from tests.factories import make_domain
from tests.http import sign_in, text

pytestmark = pytest.mark.django_db

FROM = "?from=sl.example.com"
PAGES = ("account_profile", "account_email", "account_change_password", "mfa_index", "account_sessions")


@pytest.fixture
def as_alice(client, alice, domain):
    return sign_in(client, alice)


def test_menu_of_a_domain_leads_to_the_account_with_the_domain(as_alice):
    page = text(as_alice.get("/domains/sl.example.com/activity/"))
    assert f'href="/account/{FROM}"' in page and f'href="/account/password/{FROM}"' in page
    assert "?from=" not in text(as_alice.get("/domains/"))


@pytest.mark.parametrize("name", PAGES)
def test_account_page_keeps_the_domain_and_leads_back(as_alice, name):
    page = text(as_alice.get(reverse(name) + FROM))
    assert 'aria-label="Domain: sl.example.com"' in page
    assert 'href="/domains/sl.example.com/">Back to' in page
    assert all(f'href="{reverse(other)}{FROM}"' in page for other in PAGES)
    without = text(as_alice.get(reverse(name)))
    assert "Choose a domain" in without and "Back to" not in without


def test_redirect_after_a_form_keeps_the_domain(as_alice):
    here = f"http://testserver/account/{FROM}"
    saved = as_alice.post(f"/account/{FROM}", {"name": "Alice"}, headers={"Referer": here}, follow=True)
    assert saved.redirect_chain[-1][0] == f"/account/{FROM}"
    assert "Name saved." in text(saved) and "Back to" in text(saved)


def test_other_parameters_stay(as_alice):
    here = f"http://testserver/account/email/{FROM}"
    response = as_alice.get("/account/reauthenticate/?next=/account/email/", headers={"Referer": here})
    assert response.url == "/account/reauthenticate/?next=%2Faccount%2Femail%2F&from=sl.example.com"


@pytest.mark.parametrize(
    "referer", ["http://elsewhere.example/account/?from=sl.example.com", "http://[", "//", "x" * 5000, ""]
)
def test_page_of_another_site_before_means_nothing(as_alice, referer):
    assert as_alice.get("/account/", headers={"Referer": referer}).status_code == 200


@pytest.mark.parametrize("name", ["other.example.com", "absent.example.com", "%00", "x" * 300, "<b>", ""])
def test_domain_of_others_is_as_one_that_is_not_there(as_alice, name):
    make_domain("other.example.com")
    page = text(as_alice.get(f"/account/?from={name}"))
    assert "Choose a domain" in page and "Back to" not in page and "other.example.com" not in page

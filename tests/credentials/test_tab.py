"""The SMTP Credentials tab as a page: its words, its rows, search, pages and number of queries."""

import re
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.utils import timezone

from credentials.models import Credential
from domains.models import Domain
from tests.factories import make_credential, make_domain, make_user, password_of
from tests.http import smtp_url, text
from web import text as labels

pytestmark = pytest.mark.django_db


def rows(response):
    return re.findall(r'id="cred-([0-9A-F]{32})"', text(response))


def test_tab_has_the_words_of_the_help_page(as_alice, credential, domain):
    page = text(as_alice.get(smtp_url(domain)))
    words = ("SMTP Credentials", "Add New SMTP User", "Example Email", "info@sl.example.com", "Username")
    words += ("Password", "Show Password", "Reset", "Host", "smtp.sendlayer.net", "Port", "587")
    words += ("Credentials</th>", "Date created</th>", "Delete</th>", credential.username)
    assert [word for word in words if word not in page] == []


def test_date_reads_as_on_the_help_page_with_the_exact_time_on_hover(as_alice, domain):
    make_credential(domain, created_at=datetime(2022, 4, 11, 14, 3, 22, tzinfo=UTC))
    page = text(as_alice.get(smtp_url(domain)))
    assert (
        '<time datetime="2022-04-11T14:03:22+00:00" title="Apr 11, 2022, 14:03:22 UTC">Apr 11, 2022</time>'
        in page
    )


def test_tab_contains_no_secret(as_alice, credential, domain):
    page = text(as_alice.get(smtp_url(domain)))
    for secret in (password_of(credential), credential.password_sealed, credential.verifier):
        assert secret not in page


def test_tab_is_not_cached(as_alice, domain):
    assert as_alice.get(smtp_url(domain))["Cache-Control"] == "no-store, private"


def test_viewer_sees_rows_without_controls(client, bob, credential, domain):
    client.force_login(bob)
    page = text(client.get(smtp_url(domain)))
    assert credential.username in page
    for control in ("Show Password", "Reset", "Add New SMTP User", "/copy/", "/delete/", "/label/"):
        assert control not in page


def test_manager_sees_the_controls(client, bob, credential, domain):
    domain.memberships.filter(user=bob).update(role="manager")
    client.force_login(bob)
    page = text(client.get(smtp_url(domain)))
    for control in ("Show Password", "Reset", "Add New SMTP User", "/copy/", "/delete/"):
        assert control in page


@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.parametrize("count", [5, 25, 50])
def test_tab_needs_constant_queries(as_alice, alice, domain, count, refused, django_assert_num_queries):
    for number in range(count):
        make_credential(domain, label=f"Site {number}")
    for number in range(count // 5):
        make_domain(f"d{number}.example.com", owner=alice)
    if refused:
        domain.credentials.update(last_refused_at=timezone.now(), last_refused_cause="wrong_password")
    # Session, person, domain with role, figures, rows.
    with django_assert_num_queries(5):
        assert as_alice.get(smtp_url(domain)).status_code == 200


def test_rows_are_in_order_of_creation_25_per_page(as_alice, domain):
    made = [make_credential(domain).username for _ in range(27)]
    assert rows(as_alice.get(smtp_url(domain))) == made[:25]
    assert rows(as_alice.get(smtp_url(domain), {"page": "2"})) == made[25:]


@pytest.mark.parametrize("number", ["0", "-1", "1e9", "abc", "99999999999999999999", "\x00", "١"])
def test_invalid_page_number_shows_a_page(as_alice, credential, domain, number):
    assert rows(as_alice.get(smtp_url(domain), {"page": number})) == [credential.username]


def test_search_finds_by_label_and_by_the_start_of_the_username(as_alice, domain):
    shop, other = make_credential(domain, label="WooCommerce store"), make_credential(domain)
    assert rows(as_alice.get(smtp_url(domain), {"q": "commerce"})) == [shop.username]
    assert rows(as_alice.get(smtp_url(domain), {"q": f" {other.username[:12].lower()} "})) == [other.username]


@pytest.mark.parametrize(
    ("label", "search"),
    [
        ("MÜLLER Büro", "müller"),
        ("MÜLLER Büro", "mu\u0308ller bU\u0308"),
        ("Mu\u0308ller", "MÜLL"),
        ("ΑΘΉΝΑ", "αθήνα"),
        ("Магазин", "МАГАЗИН"),
        ("Größe 100%_", "ÖSSE 100%_" if connection.vendor == "sqlite" else "RÖ"),
        ("Ŝanĝo K", "ŝANĜO k"),
        ("注文フォーム", "フォーム"),
        ("علی\u200cرضا", "\u200cرضا"),
    ],
)
def test_search_ignores_case_and_form_of_every_letter(as_alice, domain, label, search):
    found = make_credential(domain, label=labels.clean(label))
    make_credential(domain, label="Muller Grose Buro")
    assert rows(as_alice.get(smtp_url(domain), {"q": search})) == [found.username]
    menu = text(as_alice.get("/domains/menu/", {"q": search}))
    assert found.username in menu


@pytest.mark.parametrize(
    "search", ["nothing", "%", "_", "\x00", "' OR 1=1 --", "x" * 5000, "<script>alert(1)</script>"]
)
def test_search_without_a_match_says_so(as_alice, credential, domain, search):
    response = as_alice.get(smtp_url(domain), {"q": search})
    assert response.status_code == 200
    if search != "\x00":
        assert "No SMTP user matches" in text(response)
    assert "<script>alert" not in text(response)


def test_a_label_is_shown_as_text(as_alice, domain):
    make_credential(domain, label="<img src=x onerror=alert(1)> {{7*7}}")
    page = text(as_alice.get(smtp_url(domain)))
    assert "&lt;img src=x onerror=alert(1)&gt; {{7*7}}" in page
    assert "<img" not in page


def test_empty_tab_says_why(as_alice, domain):
    assert "No SMTP credentials" in text(as_alice.get(smtp_url(domain)))
    Domain.objects.filter(pk=domain.pk).update(authorized_at=None)
    page = text(as_alice.get(smtp_url(domain)))
    assert "This domain isn't authorized yet" in page
    assert "Add New SMTP User" not in page


def test_suspended_credential_is_marked(as_alice, domain):
    make_credential(domain, suspended_at=datetime(2026, 1, 2, tzinfo=UTC))
    page = text(as_alice.get(smtp_url(domain)))
    assert ">Suspended</span>" in page
    assert ", and refused since." in page


def test_last_used_shows_when_and_from_where(as_alice, domain):
    make_credential(domain, last_used_at=datetime(2022, 4, 11, tzinfo=UTC), last_used_ip="203.0.113.7")
    page = text(as_alice.get(smtp_url(domain)))
    assert ">Apr 11, 2022</time>" in page
    assert "203.0.113.7" in page


def test_tab_shows_the_authorized_of_two_domains_with_one_name(as_alice, domain):
    pending = make_domain("sl.example.com", owner=make_user("dora@example.com"), authorized=False)
    pending.memberships.create(user=domain.memberships.get(role="owner").user, role="viewer")
    credential = make_credential(domain)
    assert rows(as_alice.get(smtp_url(domain))) == [credential.username]
    assert Credential.objects.count() == 1

"""What the pages of a domain, a credential and a user show of others: short, read-only, by permission."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from credentials.outcome import Outcome
from tests.admin.conftest import make_staff
from tests.factories import SYSTEM, make_credential, make_domain, make_use
from tests.http import sign_in, text

pytestmark = pytest.mark.django_db


def page_of(row):
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"


def sections(client, row):
    """Title → text of each section on a row's page."""
    found = re.findall(
        r'<section class="module read-only-list".*?</section>', text(client.get(page_of(row))), re.S
    )
    return {re.search(r"<h2.*?>(.*?)</h2>", one)[1]: one for one in found}


def test_domain_shows_credentials_refusals_and_events(as_sam, domain):
    shop = make_credential(domain, label="Shop")
    make_credential(domain, label="Old").suspend(by=SYSTEM)
    make_credential(make_domain("other.example"), label="Elsewhere")
    make_use(shop, "203.0.113.7")
    make_use(shop, "203.0.113.8", outcome=Outcome.WRONG_PASSWORD, number=1234)
    credentials, refusals, events = sections(as_sam, domain).values()
    for shown in ("Shop", "Active", "203.0.113.7", "Suspended", "Never", page_of(shop), shop.short_username):
        assert shown in credentials
    assert "Elsewhere" not in credentials and credentials.index("Shop") < credentials.index("Old")
    assert "Wrong password" in refusals and "1,234" in refusals and "203.0.113.8" in refusals
    assert "suspended the SMTP user" in events and "added the domain" in events
    for section in (credentials, refusals, events):
        assert "<input" not in section and "<form" not in section
        (address,) = re.findall(r'<p><a href="(.*?)">See all', section)
        assert as_sam.get(address).context["cl"].result_count in (1, 2, 4)


def test_domain_without_any_says_so(as_sam, domain):
    credentials, refusals, _events = sections(as_sam, domain).values()
    assert "No SMTP credentials." in credentials
    assert "No login was refused in the last 30 days." in refusals


def test_sections_are_bounded_in_rows_and_queries(as_sam, domain, django_assert_num_queries):
    def more(number):
        for _ in range(number):
            make_use(make_credential(domain), outcome=Outcome.EXPIRED)

    more(3)
    as_sam.get(page_of(domain))
    with CaptureQueriesContext(connection) as few:
        as_sam.get(page_of(domain))
    more(20)
    with django_assert_num_queries(len(few)):
        credentials, _refusals, events = sections(as_sam, domain).values()
    assert credentials.count("<tr>") == events.count("<tr>") == 11


def test_credential_shows_its_clients_and_events(as_sam, credential):
    make_use(credential, "203.0.113.7", number=5)
    make_use(credential, "203.0.113.7", outcome=Outcome.NETWORK_NOT_ALLOWED, number=2)
    clients, events = sections(as_sam, credential).values()
    assert re.findall(r"<bdi>(.*?)</bdi>", clients)[:4] == ["203.0.113.7", "5", "2", "network not allowed"]
    assert "added the SMTP user" in events


def test_user_shows_their_domains(as_sam, alice, bob, domain):
    assert (
        "Owner" in sections(as_sam, alice)["Domains"] and page_of(domain) in sections(as_sam, alice)["Domains"]
    )
    assert "Viewer" in sections(as_sam, bob)["Domains"]


def test_sections_need_the_permission_to_view_their_rows(client, domain, credential, alice):
    sign_in(client, make_staff("dan@support.example", "view_domain", "view_user"))
    assert sections(client, domain) == {}
    assert list(sections(client, alice)) == ["Domains"]
    user = make_staff("eve@support.example", "view_domain", "view_event")
    sign_in(client, user)
    assert list(sections(client, domain)) == ["Newest events"]
    assert Permission.objects.filter(user=user).count() == 2


def test_text_of_strangers_is_escaped(as_sam, domain):
    evil = "<img src=x onerror=alert(1)>"
    credential = make_credential(domain, label=evil)
    for row in (domain, credential):
        assert evil not in text(as_sam.get(page_of(row))) and "&lt;img src=x" in text(as_sam.get(page_of(row)))


@pytest.mark.parametrize("query", ["state=accepted&q=sl.example&p=1", "used=never"])
def test_act_on_the_page_of_a_row_returns_to_the_searched_list(as_sam, credential, query):
    path = "/admin/credentials/credential/"
    page = as_sam.get(page_of(credential), {"_changelist_filters": query})
    filters = re.search(r'name="filters" value="(.*?)"', text(page))[1].replace("&amp;", "&")
    fields = {"action": "suspend", "_selected_action": credential.pk, "filters": filters}
    asked = as_sam.post(path, fields)
    assert asked.context["filters"] == query
    assert as_sam.post(path, fields | {"reason": "spam"}).url == f"{path}?{query}"

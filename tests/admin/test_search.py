"""The search of the support admin: by member, client address, and username in any form that is shown."""

import pytest

from audit.models import Event
from credentials.outcome import Outcome
from tests.factories import SYSTEM, make_credential, make_domain, make_use, make_user

pytestmark = pytest.mark.django_db
CREDENTIALS, REFUSED, EVENTS, DOMAINS, USERS = (
    "/admin/credentials/credential/",
    "/admin/credentials/refusedlogins/",
    "/admin/audit/event/",
    "/admin/domains/domain/",
    "/admin/accounts/user/",
)


def rows(client, path, **query):
    return list(client.get(path, query).context["cl"].result_list)


@pytest.fixture
def shop(domain):
    """A credential of sl.example.com, used from two addresses, among others."""
    shop = make_credential(domain, label="Shop")
    make_credential(make_domain("other.example.com"), label="Newsletter")
    make_use(shop, "203.0.113.7")
    make_use(shop, "2001:db8::7", outcome=Outcome.EXPIRED)
    return shop


def forms_of(username):
    """As lists, pages, the activity, Dovecot and Postfix show it."""
    return [
        username,
        username.lower(),
        username[:6],
        f"{username[:8]}…{username[-8:]}",
        f"{username[:8]}...{username[-8:]}",
        f"{username[:8]}…",
        f"{username}.1",
        f"{username}.2.previous",
        f"user=<{username}>,",
        f"sasl_username={username}.1",
    ]


def test_username_is_found_in_any_form(as_sam, shop):
    for form in forms_of(shop.username):
        assert rows(as_sam, CREDENTIALS, q=form) == [shop], form
        assert rows(as_sam, DOMAINS, q=form) == [shop.domain], form
        assert [row.username for row in rows(as_sam, REFUSED, q=form)] == [shop.username], form
        assert {row.credential for row in rows(as_sam, EVENTS, q=form)} == {shop.username}, form


def test_short_username_with_another_end_is_not_found(as_sam, shop):
    assert rows(as_sam, CREDENTIALS, q=f"{shop.username[:8]}…{'0' * 8}") == []


def test_word_that_could_be_a_username_is_found_as_label(as_sam, domain):
    cafe = make_credential(domain, label="Cafe")
    assert cafe in rows(as_sam, CREDENTIALS, q="cafe")


@pytest.mark.parametrize("email", ["alice@example.com", "ALICE@example.com", "alice@"])
def test_rows_are_found_by_the_e_mail_of_a_member(as_sam, shop, alice, email):
    assert rows(as_sam, CREDENTIALS, q=email) == [shop]
    assert rows(as_sam, DOMAINS, q=email) == [shop.domain]
    assert [row.username for row in rows(as_sam, REFUSED, q=email)] == [shop.username]
    assert rows(as_sam, USERS, q=email) == [alice]


@pytest.mark.parametrize(
    "address",
    ["203.0.113.7", "2001:db8::7", "[2001:DB8:0:0::7]", "::ffff:203.0.113.7", "client=unknown[203.0.113.7],"],
)
def test_rows_are_found_by_the_address_of_a_client(as_sam, shop, address):
    assert rows(as_sam, CREDENTIALS, q=address) == [shop]
    assert rows(as_sam, DOMAINS, q=address) == [shop.domain]


def test_refused_logins_and_events_are_found_by_address(as_sam, shop, alice, client):
    assert [row.ip for row in rows(as_sam, REFUSED, q="2001:db8::7")] == ["2001:db8::7"]
    assert rows(as_sam, REFUSED, q="203.0.113.7") == []
    as_sam.post(CREDENTIALS, {"action": "suspend", "_selected_action": shop.pk, "reason": "spam"})
    assert [event.tag for event in rows(as_sam, EVENTS, q="127.0.0.1")] == ["credential.suspended"]


def test_all_words_of_a_search_have_to_fit(as_sam, shop):
    assert rows(as_sam, CREDENTIALS, q="shop sl.example") == [shop]
    assert rows(as_sam, CREDENTIALS, q=f"shop alice@example.com {shop.username[:8]}…") == [shop]
    assert rows(as_sam, CREDENTIALS, q="shop other.example") == []


def test_words_in_more_domains_than_are_listed_one_by_one_are_found(as_sam, shop, monkeypatch):
    monkeypatch.setattr("audit.search.MAX_FOUND", 1)
    assert len(rows(as_sam, CREDENTIALS, q="example.com")) == 2
    assert len(rows(as_sam, DOMAINS, q="example.com")) == 2
    assert len(rows(as_sam, EVENTS, q="example.com")) == 4
    assert len(rows(as_sam, REFUSED, q="example.com")) == 1


def test_events_of_a_deleted_domain_are_found_by_its_name(as_sam, domain):
    domain.delete()
    assert [event.tag for event in rows(as_sam, EVENTS, q="SL.example.com")] == ["domain.added"]


def test_user_is_found_by_a_part_of_the_name(as_sam):
    olivia = make_user("o@example.org", name="Olivia Wood")
    assert rows(as_sam, USERS, q="wood o@example") == [olivia]


def test_search_says_what_it_searches(as_sam, domain):
    for path in (CREDENTIALS, DOMAINS):
        page = as_sam.get(path).content.decode()
        assert "e-mail" in page and "IP address of a client" in page and "as pages and logs show it" in page


class TestLongList:
    @pytest.fixture(autouse=True)
    def three_rows(self, monkeypatch, domain):
        monkeypatch.setattr("audit.lists.MAX_LISTED", 3)
        monkeypatch.setattr("audit.support.SupportAdmin.list_per_page", 2)
        for _ in range(4):
            make_credential(domain, label="Shop")

    def test_list_names_its_bound(self, as_sam):
        page = as_sam.get(CREDENTIALS, {"p": "2"})
        assert "The first 3 credentials. Search or filter for others." in page.content.decode()
        assert len(page.context["cl"].result_list) == 1
        assert "More than 3 results" in as_sam.get(CREDENTIALS, {"q": "shop"}).content.decode()

    def test_page_that_is_gone_is_the_last_one(self, as_sam):
        answer = as_sam.get(CREDENTIALS, {"p": "9", "q": "shop"})
        assert answer.status_code == 200 and len(answer.context["cl"].result_list) == 1

    def test_number_of_all_rows_is_not_counted(self, as_sam, django_assert_num_queries):
        as_sam.get(CREDENTIALS)
        assert all("LIMIT 4" in sql for sql in counting(as_sam, CREDENTIALS))


def counting(client, path):
    """The statements of a page that count rows."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as made:
        client.get(path)
    found = [query["sql"] for query in made if "COUNT(*)" in query["sql"]]
    assert found
    return found


def test_history_leads_to_the_events_of_a_row(as_sam, shop, alice, sam):
    other = make_credential(make_domain("xsl.example.com"))  # its name has the other one in it
    other.rename("Other", by=SYSTEM)
    found = rows_of_history(as_sam, f"{CREDENTIALS}{shop.pk}")
    assert {event.credential for event in found} == {shop.username}
    found = rows_of_history(as_sam, f"{DOMAINS}{shop.domain_id}")
    assert {event.domain_name for event in found} == {"sl.example.com"} and len(found) == 2
    as_sam.post(USERS, {"action": "end_sessions", "_selected_action": alice.pk, "reason": "lost phone"})
    found = rows_of_history(as_sam, f"{USERS}{alice.pk}")
    assert {event.tag for event in found} == {"domain.added", "support.sessions_ended"}
    assert Event.objects.count() > len(found)


def rows_of_history(client, page):
    assert f"{page}/history/" in client.get(f"{page}/change/").content.decode()
    answer = client.get(f"{page}/history/", follow=True)
    assert answer.redirect_chain[0][0].startswith(EVENTS)
    return list(answer.context["cl"].result_list)


def test_chosen_domain_is_shown_as_filter(as_sam, shop):
    page = as_sam.get(CREDENTIALS, {"domain": shop.domain_id})
    assert list(page.context["cl"].result_list) == [shop]
    assert "By domain" in page.content.decode()
    assert "By domain" not in as_sam.get(CREDENTIALS).content.decode()


@pytest.mark.parametrize("value", ["x", "%00", "-1", "9" * 30, "9" * 18, "1_0", ""])
@pytest.mark.parametrize("path", [f"{CREDENTIALS}?domain=", f"{EVENTS}?domain=", f"{EVENTS}?person="])
def test_impossible_choice_is_no_error(as_sam, shop, path, value):
    assert as_sam.get(f"{path}{value}").status_code in (200, 302)

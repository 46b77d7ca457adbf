"""The lists: their search and filters, and a number of queries that does not depend on their length."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import audit
from audit.models import Event
from credentials.models import RefusedLogins
from credentials.outcome import Outcome
from tests.factories import SYSTEM, make_credential, make_domain, make_use, make_user

pytestmark = pytest.mark.django_db

CREDENTIALS = "/admin/credentials/credential/"
REFUSED = "/admin/credentials/refusedlogins/"
EVENTS = "/admin/audit/event/"


def rows(client, path, **query):
    return list(client.get(path, query).context["cl"].result_list)


def more(count):
    for _ in range(count):
        domain = make_domain(f"d{Event.objects.count()}.example")
        credential = make_credential(domain, created_by=make_user(f"creator@{domain.name}"))
        refuse(credential)


def refuse(credential, outcome=Outcome.WRONG_PASSWORD, number=1):
    make_use(credential, number=number, outcome=outcome)


@pytest.mark.parametrize(
    "path",
    [
        *(CREDENTIALS, REFUSED, EVENTS, "/admin/domains/domain/", "/admin/accounts/user/"),
        *(f"{CREDENTIALS}?q=example", f"{REFUSED}?q=example"),
    ],
)
def test_list_takes_the_same_queries_for_3_and_12_rows(as_root, path, django_assert_num_queries):
    more(3)
    as_root.get(path)
    with CaptureQueriesContext(connection) as few:
        assert as_root.get(path).status_code == 200
    more(9)
    with django_assert_num_queries(len(few)):
        assert as_root.get(path).status_code == 200


def test_credential_is_found_by_username_label_and_domain(as_sam, domain):
    shop = make_credential(domain, label="Shop")
    other = make_credential(make_domain("other.example"))
    assert rows(as_sam, CREDENTIALS, q=shop.username) == [shop]
    assert rows(as_sam, CREDENTIALS, q=shop.username.lower()[:12]) == [shop]
    assert rows(as_sam, CREDENTIALS, q="shop") == [shop]
    assert rows(as_sam, CREDENTIALS, q="other.example") == [other]


def test_state_column_and_filter_agree(as_sam, domain):
    now = timezone.now()
    held = make_domain("s.example")
    held.suspend(by=SYSTEM)
    made = {
        "accepted": make_credential(domain),
        "suspended": make_credential(domain, suspended_at=now, expires_at=now),
        "expired": make_credential(domain, expires_at=now),
        "domain_suspended": make_credential(held),
        "domain_not_authorized": make_credential(make_domain("p.example", authorized=False)),
    }
    texts = ("Active", "Suspended", "Expired", "Domain suspended", "Domain not authorized")
    page = as_sam.get(CREDENTIALS).content.decode()
    for state, text in zip(made, texts, strict=True):
        assert rows(as_sam, CREDENTIALS, state=state) == [made[state]]
        assert f'<td class="field-state">{text}</td>' in page


def test_list_filters_by_last_use(as_sam, domain):
    now = timezone.now()
    never, old, new = (
        make_credential(domain, last_used_at=at, last_used_ip="203.0.113.7")
        for at in (None, now - timedelta(days=100), now - timedelta(hours=1))
    )
    for value, found in {"1": [new], "30": [new], "long": [old], "never": [never]}.items():
        assert rows(as_sam, CREDENTIALS, used=value) == found


def test_list_orders_by_an_index_only(as_sam, domain):
    old, new = make_credential(domain, label="B"), make_credential(domain, label="A")
    for order, found in {"7": [old, new], "-7": [new, old], "2": [new, old], "5": [new, old]}.items():
        assert rows(as_sam, CREDENTIALS, o=order) == found  # by label and last use as without an order
    by_username = sorted((old, new), key=lambda row: row.username)
    assert rows(as_sam, CREDENTIALS, o="1") == by_username


def test_the_list_shows_the_date_of_an_expiry_to_come(as_sam, domain):
    expires_at = timezone.now() + timedelta(days=400)
    make_credential(domain, expires_at=expires_at)
    cell = re.search(r'<td class="field-expires">(.*?)</td>', as_sam.get(CREDENTIALS).content.decode())[1]
    assert f"{expires_at:%Y}</time>" in cell and "Just now" not in cell


@pytest.mark.parametrize(
    "query", ["state=x", "used=x", "p=0", "p=-1", "p=abc", "q=%00", "q=%27%20OR%201=1", "all="]
)
def test_invalid_query_of_credentials_is_no_error(as_root, credential, query):
    assert as_root.get(f"{CREDENTIALS}?{query}").status_code == 200


@pytest.mark.parametrize("query", ["tag=%00", "tag=nothing", "q=%00%ff", "state=x", "at__year=2020"])
def test_invalid_query_of_events_is_no_error(as_root, credential, query):
    assert as_root.get(f"{EVENTS}?{query}").status_code in (200, 400)


def test_domain_is_found_by_name_and_member_and_filtered_by_state(as_sam, domain):
    pending = make_domain("pending.example", authorized=False)
    assert rows(as_sam, "/admin/domains/domain/", q="bob@example.com") == [domain]
    assert rows(as_sam, "/admin/domains/domain/", q="pending") == [pending]
    assert rows(as_sam, "/admin/domains/domain/", state="pending") == [pending]
    assert rows(as_sam, "/admin/domains/domain/", state="authorized") == [domain]
    assert rows(as_sam, "/admin/domains/domain/", state="suspended") == []


def test_events_are_found_by_tag_credential_domain_and_actor(as_sam, alice, credential):
    assert {event.tag for event in rows(as_sam, EVENTS)} == {"domain.added", "credential.created"}
    assert [event.tag for event in rows(as_sam, EVENTS, tag="credential.created")] == ["credential.created"]
    assert [event.tag for event in rows(as_sam, EVENTS, q=credential.username)] == ["credential.created"]
    assert len(rows(as_sam, EVENTS, q="sl.example.com")) == 2
    assert [event.tag for event in rows(as_sam, EVENTS, q="alice@example.com")] == ["domain.added"]
    assert "?tag=domain.added" in as_sam.get(EVENTS).content.decode()


def test_events_are_read_only_even_for_superusers(as_root, credential):
    event = Event.objects.first()
    assert as_root.get(f"{EVENTS}add/").status_code == 403
    for act in ("change", "delete"):
        answer = as_root.post(f"{EVENTS}{event.pk}/{act}/", {"tag": "x", "post": "yes"})
        assert answer.status_code == 403
    page = as_root.get(f"{EVENTS}{event.pk}/change/").content.decode()
    assert "<input" not in page.partition('id="event_form"')[2].partition("</form>")[0].replace(
        '<input type="hidden" name="csrfmiddlewaretoken"', ""
    )


def test_text_of_strangers_is_escaped(as_sam, domain):
    evil = "<img src=x onerror=alert(1)>"
    credential = make_credential(domain, label=evil)
    event = audit.record("credential.labelled", by=SYSTEM, domain=domain, data={"to": evil, "reason": evil})
    Event.objects.filter(pk=event.pk).update(user_agent=evil)
    for path in (CREDENTIALS, f"{CREDENTIALS}{credential.pk}/change/", EVENTS, f"{EVENTS}{event.pk}/change/"):
        page = as_sam.get(path).content.decode()
        assert evil not in page and "&lt;img src=x" in page


def test_credential_page_shows_its_last_refusal(as_sam, credential):
    path = f"{CREDENTIALS}{credential.pk}/change/"
    page = as_sam.get(path).content.decode()
    assert '<div class="readonly">Any address</div>' in page
    at = timezone.now() - timedelta(days=3)
    make_use(credential, at=at, outcome=Outcome.WRONG_PASSWORD)
    credential.set_networks("192.0.2.0/24 2001:db8::/32", by=SYSTEM)
    page = as_sam.get(path).content.decode()
    assert "</time><br>203.0.113.7<br>wrong password</div>" in page
    assert "192.0.2.0/24<br>2001:db8::/32</div>" in page


def test_refused_logins_are_listed_and_filtered_by_cause(as_sam, credential):
    make_use(credential, number=99)
    refuse(credential, number=7)
    refuse(SimpleNamespace(username="no such one"), Outcome.UNKNOWN_USERNAME, 40)
    page = as_sam.get(REFUSED).content.decode()
    for shown in (credential.username, "wrong password", "unknown username", ">7</td>", ">40</td>"):
        assert shown in page
    assert len(rows(as_sam, REFUSED)) == 2 and ">99</td>" not in page
    assert [row.count for row in rows(as_sam, REFUSED, cause="unknown_username")] == [40]


def test_refused_logins_are_found_by_username_label_and_domain(as_sam, domain):
    shop = make_credential(domain, label="Shop")
    refuse(shop, number=7)
    refuse(make_credential(make_domain("other.example")))
    for text in (shop.username, "shop", "sl.example.com"):
        assert [row.count for row in rows(as_sam, REFUSED, q=text)] == [7]


def test_refused_login_of_a_deleted_credential_is_no_error(as_sam, credential):
    refuse(credential)
    credential.delete()
    (row,) = rows(as_sam, REFUSED)
    assert row.username == credential.username
    assert as_sam.get(f"{REFUSED}{row.pk}/change/").status_code == 200


def test_refused_logins_are_read_only_even_for_superusers(as_root, credential):
    refuse(credential)
    row = RefusedLogins.objects.get(username=credential.username)
    assert as_root.get(f"{REFUSED}add/").status_code == 403
    for act in ("change", "delete"):
        assert as_root.post(f"{REFUSED}{row.pk}/{act}/", {"count": "9", "post": "yes"}).status_code == 403
    assert as_root.get(f"{REFUSED}{row.pk}/change/").status_code == 200
    as_root.post(REFUSED, {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"})
    row.refresh_from_db()
    assert row.count == 1


@pytest.mark.parametrize("query", ["cause=x", "cause=%00", "q=%00", "q=%27%20OR%201=1", "p=abc"])
def test_invalid_query_of_refused_logins_is_no_error(as_root, credential, query):
    refuse(credential)
    assert as_root.get(f"{REFUSED}?{query}", follow=True).status_code in (200, 400)

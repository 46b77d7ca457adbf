"""The list of SMTP users: light rows and full ones, search, filters, orders, and the way back to a place."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from credentials.models.listing import Sort
from credentials.models.state import State
from credentials.outcome import Outcome
from tests.credentials.test_export import export, table
from tests.factories import SYSTEM, make_credential, make_domain, make_use
from tests.http import smtp_url, text

pytestmark = pytest.mark.django_db
LIST = "http://testserver/domains/sl.example.com/settings/smtp/"
USERNAME = "C2129CC1613CA99D69DAC4562CE76212"
SHORT = "C2129CC1…2CE76212"


def rows(response):
    return re.findall(r'id="cred-([0-9A-F]{32})"', text(response))


def htmx(query=""):
    return {"HX-Request": "true", "HX-Current-URL": LIST + query}


def make(domain, *, created=0, used=None, expires=None, refused=None, suspended=None, **fields):
    """A credential; times are in days from now."""
    times = {"created_at": created, "last_used_at": used, "expires_at": expires}
    times |= {"last_refused_at": refused, "suspended_at": suspended}
    now = timezone.now()
    days = {name: now + timedelta(days=at) for name, at in times.items() if at is not None}
    return make_credential(domain, last_refused_cause="wrong_password", **days, **fields)


@pytest.fixture
def five(domain):
    return [make_credential(domain, label=f"Site {number}") for number in range(5)]


def test_up_to_three_are_full_blocks_and_four_are_light_rows(as_alice, domain):
    for number in range(1, 5):
        make_credential(domain, label=f"Site {number}")
        page = text(as_alice.get(smtp_url(domain)))
        is_light = number == 4
        assert page.count("<dt>Example Email</dt>") == (0 if is_light else number)
        assert page.count("Example Email info@") == is_light
        assert page.count('aria-label="Copy host"') == (1 if is_light else number)
        assert ("Search by label, username or IP address" in page) is is_light
    for word in ("Username", "Password", "Show Password", "Reset", "Host", "Port", "STARTTLS"):
        assert word in page or word.lower() in page


def test_form_of_the_rows_follows_the_domain_not_the_filter(as_alice, domain, five):
    assert "<dt>" not in text(as_alice.get(smtp_url(domain), {"q": "Site 1"}))
    for credential in five[2:]:
        credential.remove(by=SYSTEM)
    page = text(as_alice.get(smtp_url(domain), {"q": "Site 1"}))
    assert page.count("<dt>Example Email</dt>") == 1 and 'type="search"' in page


def test_row_after_an_act_is_the_light_row_of_the_list(as_alice, domain, five):
    def row(response):
        return re.search(rf'<tr id="cred-{five[4].username}".*?</tr>', text(response), re.DOTALL)[0]

    answer = as_alice.post(smtp_url(five[4], "label"), {"label": "Shop"}, headers=htmx())
    assert row(answer) == row(as_alice.get(smtp_url(domain)))


def test_row_is_named_by_label_or_username(as_alice, domain, five):
    unnamed = make_credential(domain)
    page = text(as_alice.get(smtp_url(domain)))
    acts = ("Select", "Copy username of", "Copy password of", "Show Password of", "Reset password of", "Delete")
    for name in ("Site 3", unnamed.short_username):
        assert [act for act in acts if f'aria-label="{act} {name}"' not in page] == []
        assert f'<th scope="row" aria-label="{name}">' in page
    page = text(as_alice.get(smtp_url(domain), {"new": unnamed.username}))
    assert [act for act in acts if f'aria-label="{act} the new SMTP user"' not in page] == []


@pytest.mark.parametrize("others", [0, 5])
def test_new_row_asks_for_a_label(as_alice, client, bob, domain, others):
    for _ in range(others):
        make_credential(domain)
    page = text(as_alice.post(smtp_url(domain) + "add/", {"key": "0" * 32}, headers=htmx()))
    made = domain.credentials.latest("pk")
    assert f'id="label-form-{made.username}"' in page
    assert 'placeholder="Which site or app? (optional)"' in page
    answer = as_alice.post(smtp_url(made, "label"), {"label": "Shop", "seen": ""}, headers=htmx())
    assert "<bdi>Shop</bdi>" in text(answer) and "placeholder" not in text(answer)
    client.force_login(bob)
    assert "label-form" not in text(client.get(smtp_url(domain), {"new": made.username}))


@pytest.mark.parametrize(
    "search",
    [
        USERNAME,
        USERNAME.lower(),
        SHORT,
        "C2129CC1…",
        "C2129CC1",
        "c2129",
        "c2129cc1...2ce76212",
        "C2129CC1..",
        f"<{USERNAME}>",
        f'"{USERNAME}"',
        f"sasl_username={USERNAME},",
        f"user=<{USERNAME}>",
        f"username={USERNAME} peer=203.0.113.7",
        f" login of {USERNAME.lower()}: ok",
    ],
)
def test_search_finds_a_username_as_pages_and_logs_show_it(as_alice, domain, five, search):
    credential = make_credential(domain, username=USERNAME)
    make_credential(domain, username="C2129CC1" + "0" * 24) if "212" in search[8:] else None
    assert rows(as_alice.get(smtp_url(domain), {"q": search})) == [credential.username]


@pytest.mark.parametrize(
    "search",
    [
        "203.0.113.7",
        "unknown[203.0.113.7]",
        "client=unknown[203.0.113.7]",
        "203.0.113.7:4711",
        "rip=203.0.113.7,",
    ],
)
def test_search_finds_by_address(as_alice, domain, five, search):
    five[0].domain.credentials.filter(pk=five[0].pk).update(last_used_ip="203.0.113.7")
    five[1].domain.credentials.filter(pk=five[1].pk).update(last_refused_ip="203.0.113.7")
    now = timezone.now()
    make_use(five[2], "203.0.113.7", at=now - timedelta(days=29))
    make_use(five[2], "192.0.2.1", at=now)
    make_use(five[3], "203.0.113.70", at=now)
    make_use(five[4], "203.0.113.7", at=now - timedelta(days=40))
    make_use(five[4], "192.0.2.1", at=now)
    theirs = make_credential(make_domain("other.example.com"))
    make_use(theirs, "203.0.113.7")
    found = rows(as_alice.get(smtp_url(domain), {"q": search}))
    assert found == [credential.username for credential in five[:3]]


@pytest.mark.parametrize("search", ["2001:DB8:0:0::1", "[2001:db8::1]", "2001:db8::1"])
def test_search_finds_an_ipv6_address_however_it_is_written(as_alice, domain, five, search):
    make_use(five[1], "2001:db8::1")
    assert rows(as_alice.get(smtp_url(domain), {"q": search})) == [five[1].username]


def test_search_finds_a_mapped_address(as_alice, domain, five):
    make_use(five[1], "192.0.2.9", outcome=Outcome.WRONG_PASSWORD)
    assert rows(as_alice.get(smtp_url(domain), {"q": "::ffff:192.0.2.9"})) == [five[1].username]


def make_one_of_each(domain):
    """State → the credentials that are in it, and those that are in none."""
    used = make(domain, used=-29.9)
    idle = make(domain, created=-400, used=-90.1)
    unused = make(domain, created=-90.1)
    expired, expiring = make(domain, used=-31, expires=-1), make(domain, used=-31, expires=6.9)
    suspended = make(domain, created=-400, used=-1, expires=1, suspended=-1)
    refused = make(domain, used=-31, refused=-6.9)
    for fields in ({"created": -89.9}, {"used": -30.1}, {"used": -31, "expires": 7.1, "refused": -7.1}):
        make(domain, **fields)
    return {
        State.IN_USE: [used],
        State.UNUSED: [idle, unused],
        State.EXPIRING: [expired, expiring],
        State.SUSPENDED: [suspended],
        State.REFUSED: [refused],
    }


@pytest.mark.parametrize("state", State)
def test_filter_shows_one_state_and_its_chip_counts_it(as_alice, domain, state):
    made = make_one_of_each(domain)
    make_one_of_each(make_domain("other.example.com"))
    response = as_alice.get(smtp_url(domain), {"state": state})
    assert sorted(rows(response)) == sorted(credential.username for credential in made[state])
    chip = (
        f'href="{smtp_url(domain)}?state={state}" aria-current="true">{state.label} <b>{len(made[state])}</b>'
    )
    assert chip in text(response)
    assert f'href="{smtp_url(domain)}">All <b>10</b>' in text(response)


def test_counts_are_of_the_filters(domain):
    make_one_of_each(domain)
    counts = domain.credentials.figures(timezone.now()).counts
    assert counts.pop("") == 10
    assert counts == {state: domain.credentials.listing(state=state).count() for state in State}


def test_orders(as_alice, domain):
    first = make(domain, created=-4, used=-3, label="beta")
    second = make(domain, created=-3)
    third = make(domain, created=-2, used=-1, label="Alpha")
    fourth = make(domain, created=-1, label="gamma")
    orders = {
        "": (first, second, third, fourth),
        Sort.LAST_USED: (third, first, second, fourth),
        Sort.NEWEST: (fourth, third, second, first),
        Sort.LABEL: (third, first, fourth, second),
    }
    for sort, order in orders.items():
        response = as_alice.get(smtp_url(domain), {"sort": sort})
        assert rows(response) == [credential.username for credential in order]
        assert text(response).count("aria-sort=") == 1


def test_unknown_filter_and_order_show_the_list(as_alice, domain, five):
    response = as_alice.get(smtp_url(domain), {"state": "x\x00", "sort": "'", "page": "\x00"})
    assert rows(response) == [credential.username for credential in five]


def test_nothing_found_offers_ways_back(as_alice, domain, five):
    page = text(as_alice.get(smtp_url(domain), {"q": "x&y", "state": "in-use", "sort": "label"}))
    assert "No SMTP user matches “x&amp;y” and the filter In use" in page
    assert f'href="{smtp_url(domain)}?q=x%26y&amp;sort=label">Search all SMTP users' in page
    assert f'href="{smtp_url(domain)}">Show all SMTP users' in page
    page = text(as_alice.get(smtp_url(domain), {"state": "suspended"}))
    assert "No SMTP user matches the filter Suspended" in page and "Show all SMTP users" in page


def test_search_result_is_announced(as_alice, domain, five):
    page = text(as_alice.get(smtp_url(domain)))
    assert '<p class="sr-only" id="found" role="status">5 SMTP users' in page
    answer = text(as_alice.get(smtp_url(domain), {"q": "Site 3"}, headers=htmx()))
    assert '<p id="found" hx-swap-oob="innerHTML">1 SMTP user matches' in answer


def test_csv_follows_search_filter_and_order(as_alice, domain):
    made = [make(domain, label=f"Shop {number}", used=-number - 1) for number in range(3)]
    make(domain, label="Shop 9")
    make(domain, label="Blog", used=-1)
    query = {"q": "shop", "state": "in-use", "sort": "newest"}
    exported = table(as_alice.get(export(domain), query))
    assert [row["Username"] for row in exported] == [credential.username for credential in reversed(made)]
    page = text(as_alice.get(smtp_url(domain), query))
    assert f'href="{export(domain)}?q=shop&amp;state=in-use&amp;sort=newest"' in page


BACK = "?back=q%3DSite%26sort%3Dlabel%26page%3D2"
PLACE = "?q=Site&sort=label&page=2"


@pytest.fixture
def thirty(domain):
    return [make_credential(domain, label=f"Site {number:02}") for number in range(30)]


def test_links_of_a_row_lead_back_to_the_place(as_alice, domain, thirty):
    page = text(as_alice.get(smtp_url(domain) + PLACE))
    here = f"{thirty[27].username}/"
    for link in (here, f"{here}reset/", f"{here}delete/"):
        assert f'href="{link}{BACK}"' in page
    assert "?q=Site&amp;sort=label&amp;page=1" in page


@pytest.mark.parametrize("act", ["reset", "delete"])
def test_question_and_act_lead_back_to_the_place_without_javascript(as_alice, domain, thirty, act):
    url = smtp_url(thirty[27], act) + BACK
    page = text(as_alice.get(url))
    assert f'action="{url}"' in page
    assert f'href="{smtp_url(domain)}{PLACE.replace("&", "&amp;")}" data-close' in page
    answer = as_alice.post(url, {"seen": thirty[27].password_changed_at.isoformat()})
    assert answer.status_code == 302
    row = f"#cred-{thirty[27].username}" if act == "reset" else ""
    assert answer["Location"] == smtp_url(domain) + PLACE + row


def test_way_back_leads_to_the_list_only(as_alice, domain, five):
    page = text(as_alice.get(smtp_url(five[0], "delete"), {"back": "//evil.example/?q=x&state=y&page=<b>"}))
    assert "evil" not in page and "<b>" not in page


def test_bulk_act_leads_back_to_the_place_without_javascript(as_alice, domain, thirty):
    page = text(as_alice.get(smtp_url(domain) + PLACE))
    assert '<input type="hidden" name="back" value="q=Site&amp;sort=label&amp;page=2">' in page
    answer = as_alice.post(f"{smtp_url(domain)}chosen/delete/{BACK}", {"username": [thirty[29].username]})
    assert answer["Location"] == smtp_url(domain) + PLACE


def test_delete_with_htmx_shows_the_same_place(as_alice, domain, thirty):
    answer = as_alice.post(smtp_url(thirty[27], "delete"), headers=htmx(PLACE))
    assert rows(answer) == [each.username for each in thirty[25:] if each != thirty[27]]


@pytest.mark.parametrize(
    ("place", "is_first"), [("", False), ("?q=Site+1&state=unused", False), ("?sort=newest", True)]
)
def test_add_shows_where_the_new_row_is(as_alice, domain, thirty, place, is_first):
    answer = as_alice.post(smtp_url(domain) + "add/", {"key": "0" * 32}, headers=htmx(place))
    shown = rows(answer)
    made = domain.credentials.latest("pk").username
    assert shown[0 if is_first else -1] == made and len(shown) == (25 if is_first else 6)
    assert answer["HX-Push-Url"] == smtp_url(domain) + ("?sort=newest" if is_first else "?page=2")


def test_who_suspended_it_is_named(as_alice, domain, five):
    five[0].suspend(by=SYSTEM)
    five[0].resume(by=SYSTEM)
    as_alice.post(smtp_url(five[0], "suspend"))
    five[1].suspend(by=SYSTEM, as_support=True)
    page = re.sub(r"<[^>]*>", "", text(as_alice.get(smtp_url(domain))))
    assert "Suspended by alice@example.com just now, and refused since. Resume" in page
    assert "Only support can resume it. Contact support. Details" in page


def test_light_row_has_one_warning_the_most_urgent(as_alice, domain, five):
    five[0].reset_password(by=SYSTEM, keep_old_for=timedelta(days=1))
    five[0].set_expiry((timezone.now() + timedelta(days=3)).date(), by=SYSTEM)
    said = []
    for act in (
        lambda: None,
        lambda: make_use(five[0], outcome=Outcome.WRONG_PASSWORD),
        lambda: five[0].suspend(by=SYSTEM),
    ):
        act()
        page = text(as_alice.get(smtp_url(domain)))
        (note,) = re.findall(r'<p class="row-note">(.*?)</p>', page, re.DOTALL)
        said.append(re.search(r'href="[0-9A-F]{32}/(#\w+)"', note)[1])
    assert said == ["#rotation", "#use", "#stop"]


@pytest.mark.parametrize("count", [5, 25, 50])
def test_search_filter_and_warnings_need_constant_queries(as_alice, domain, count, django_assert_num_queries):
    for number in range(count):
        credential = make(domain, label=f"Site {number}", refused=-1)
        credential.suspend(by=SYSTEM)
    query = {"q": "203.0.113.7", "state": "suspended", "sort": "last-used"}
    # Session, person, domain with role, figures; how many are found.
    with django_assert_num_queries(5):
        as_alice.get(smtp_url(domain), query)
    # The rows, who suspended them.
    with django_assert_num_queries(7):
        assert len(rows(as_alice.get(smtp_url(domain), query | {"q": "Site"}))) == min(count, 25)

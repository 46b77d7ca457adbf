"""All domains of a user: what needs attention, filters and orders, and the search across them."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credentials.models import Credential
from domains.models import Domain, Membership
from tests.factories import make_credential, make_domain, make_use
from tests.http import text

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
URL = "/domains/"
ROW = re.compile(r'<tr><th scope="row"><a class="strong" href="/domains/([^/]+)/">(.*?)</tr>', re.DOTALL)
USER = re.compile(r'href="/domains/[a-z0-9.-]+/settings/smtp/([0-9A-F]{32})/"')
FILTER = re.compile(r'<a href="[^"]*"[^>]*>([^<]+) <b>(\d+)</b></a>')


def rows(response) -> dict[str, str]:
    """The domains of the list in its order, with the HTML of their rows."""
    return dict(ROW.findall(text(response)))


def usernames(response) -> list[str]:
    return USER.findall(text(response))


@pytest.fixture
def get(as_alice):
    return lambda path=URL, **query: as_alice.get(path, query)


@pytest.fixture
def search(get):
    """The usernames that the list and the dropdown find: the same."""

    def search(words):
        found, in_menu = (usernames(get(path, q=words)) for path in (URL, "/domains/menu/"))
        assert found == in_menu
        return found

    return search


class TestAttention:
    def test_each_trouble_is_a_link_to_the_filtered_list(self, get, domain):
        now = timezone.now()
        make_credential(domain, last_used_at=now - 91 * DAY)
        make_credential(domain, created_at=now - 91 * DAY)
        make_credential(domain, expires_at=now + 6 * DAY)
        make_credential(domain, suspended_at=now)
        make_credential(domain, last_refused_at=now - DAY, last_refused_cause="expired")
        row = rows(get())["sl.example.com"]
        for words in ("1 refused", "1 expiring", "1 suspended", "2 unused"):
            state = words.split()[1]
            assert f'href="/domains/sl.example.com/settings/smtp/?state={state}">{words}</a>' in row

    def test_state_of_domain_is_a_link_to_its_page(self, get, alice):
        make_domain("pending.example", owner=alice, authorized=False)
        make_domain("suspended.example", owner=alice)
        make_domain("gone.example", owner=alice)
        Domain.objects.filter(name="suspended.example").update(suspended_at=timezone.now())
        Domain.objects.filter(name="gone.example").update(ownership_gone_at=timezone.now())
        found = rows(get())
        assert 'href="/domains/pending.example/settings/dns/">Pending</a>' in found["pending.example"]
        assert 'href="/domains/suspended.example/">Suspended</a>' in found["suspended.example"]
        assert 'href="/domains/gone.example/settings/dns/">Ownership record gone</a>' in found["gone.example"]

    def test_fresh_credential_needs_no_attention(self, get, credential):
        row = rows(get())["sl.example.com"]
        assert "state=" not in row and "Never" in row

    def test_row_shows_number_and_last_use(self, get, domain):
        make_credential(domain)
        make_use(make_credential(domain), at=timezone.now() - timedelta(hours=3))
        row = rows(get())["sl.example.com"]
        assert '<td data-label="SMTP users">2</td>' in row
        assert "3 hours ago" in row

    @pytest.mark.parametrize("role", ["viewer", "manager", "owner"])
    def test_every_role_sees_its_own_role(self, get, alice, carol, role):
        domain = make_domain("other.example", owner=carol)
        domain.memberships.create(user=alice, role=role)
        assert f'<td data-label="Your role">{role.capitalize()}</td>' in rows(get())["other.example"]


class TestFilters:
    @pytest.fixture(autouse=True)
    def five(self, alice, carol):
        """Domains a to e: fine, pending, with an unused and a refused credential, suspended."""
        now = timezone.now()
        a, _b, c, d, e = (
            make_domain(f"{name}.example", owner=alice, authorized=name != "b") for name in "abcde"
        )
        make_credential(a, last_used_at=now - DAY)
        make_credential(c, last_used_at=now - 100 * DAY, label="Old shop")
        make_credential(d, last_used_at=now - 2 * DAY, last_refused_at=now, last_refused_cause="expired")
        Domain.objects.filter(pk=e.pk).update(suspended_at=now)
        make_credential(make_domain("carol.example", owner=carol), last_used_at=now - 100 * DAY)

    def test_filters_have_counts(self, get):
        expected = {
            "All": "5",
            "Needs attention": "4",
            "Unused SMTP users": "1",
            "Pending": "1",
            "Suspended": "1",
        }
        assert dict(FILTER.findall(text(get()))) == expected

    @pytest.mark.parametrize(
        ("state", "names"),
        [("", "abcde"), ("attention", "bcde"), ("pending", "b"), ("suspended", "e"), ("nonsense", "abcde")],
    )
    def test_filter_lists_domains(self, get, state, names):
        assert list(rows(get(state=state))) == [f"{name}.example" for name in names]

    def test_unused_lists_smtp_users_of_all_domains(self, get):
        page = get(state="unused")
        assert usernames(page) == [Credential.objects.get(label="Old shop").username]
        assert "Old shop" in text(page) and "carol.example" not in text(page)

    @pytest.mark.parametrize(
        ("sort", "names"), [("", "abcde"), ("last-used", "adcbe"), ("attention", "edbca"), ("x", "abcde")]
    )
    def test_sort(self, get, sort, names):
        assert list(rows(get(sort=sort))) == [f"{name}.example" for name in names]

    def test_links_keep_filter_and_order(self, get):
        page = text(get(state="pending", sort="attention"))
        assert 'href="/domains/?sort=attention"' in page
        assert 'href="/domains/?state=pending&amp;sort=last-used"' in page

    def test_pages_keep_filter_and_order(self, get, alice):
        for number in range(30):
            make_domain(f"p{number}.example", owner=alice, authorized=False)
        page = get(state="pending", sort="last-used")
        assert len(rows(page)) == 25
        assert "state=pending&amp;sort=last-used&amp;page=2" in text(page)
        assert len(rows(get(state="pending", sort="last-used", page="2"))) == 6

    def test_empty_filter_leads_back(self, get):
        Domain.objects.filter(name="b.example").delete()
        assert "No domain here" in text(get(state="pending"))
        Credential.objects.all().delete()
        assert "No SMTP user is unused" in text(get(state="unused"))


class TestSearch:
    @pytest.fixture
    def shop(self, domain):
        return make_credential(
            domain,
            label="WooCommerce 100% store_1",
            last_used_ip="203.0.113.7",
            last_refused_ip="2001:db8::7",
            last_refused_at=timezone.now(),
            last_refused_cause="expired",
        )

    @pytest.fixture(autouse=True)
    def others(self, domain, carol):
        """One more of Alice's, and one of somebody else that every search would find."""
        make_credential(domain, label="Blog")
        theirs = make_domain("theirs.example", owner=carol)
        return make_credential(theirs, label="WooCommerce of Carol", last_used_ip="203.0.113.7")

    def test_finds_every_form_of_a_username(self, search, shop):
        name = shop.username
        short, start = f"{name[:8]}…{name[-8:]}", f"{name[:8]}…"
        for form in (name, name.lower(), name[:12], short, start, f"{name[:8]}...{name[-8:]}"):
            for around in ("{}", '"{}"', "<{}>", "sasl_username={}", "user=<{}>,"):
                assert search(around.format(form)) == [name]

    def test_finds_username_in_a_line_of_a_log(self, get, search, shop):
        line = (
            "2026-11-30T09:12:43.101+00:00 mail postfix/submission/smtpd[4711]: 4F2C1A0B2C: client="
            f"unknown[198.51.100.9], sasl_method=PLAIN, sasl_username={shop.username}"
        )
        assert search(line) == [shop.username]
        assert f'name="q" value="{shop.username}"' in text(get(q=line))

    @pytest.mark.parametrize("ip", ["203.0.113.7", "unknown[203.0.113.7]", "peer=203.0.113.7", "2001:DB8::7"])
    def test_finds_address_of_last_login_and_refusal(self, search, shop, ip):
        assert search(ip) == [shop.username]

    def test_finds_address_of_an_earlier_login(self, search, shop):
        make_use(shop, "198.51.100.9", at=timezone.now() - 3 * DAY)
        assert search("198.51.100.9") == [shop.username]

    @pytest.mark.parametrize("words", ["woocommerce", "100%", "store_1", "e 1", "  Woo  "])
    def test_finds_part_of_a_label(self, search, shop, words):
        assert search(words) == [shop.username]

    @pytest.mark.parametrize("words", ["%", "_", "100_", "s%1", "\\", "'", "no such", "203.0.113.", "W" * 2000])
    def test_has_no_wildcards(self, search, domain, words):
        make_credential(domain, label="WooCommerce 1000 store-1")
        assert search(words) == []

    def test_short_hexadecimal_text_is_a_word(self, search, domain):
        make_credential(domain, username="ADE" + "0" * 29)
        made = make_credential(domain, label="Trade fair")
        assert search("ade") == [made.username]

    def test_credential_of_another_person_is_never_found(self, get, search, others):
        name = others.username
        for words in (name, name[:20], f"{name[:8]}…{name[-8:]}", "Carol", "203.0.113.7", "theirs"):
            assert search(words) == []
            assert "theirs.example" not in text(get(q=words))

    def test_former_member_and_staff_find_nothing(self, get, search, domain, alice, shop):
        domain.memberships.filter(user=alice).delete()
        type(alice).objects.filter(pk=alice.pk).update(is_staff=True)
        assert search(shop.username) == search("woocommerce") == []

    def test_viewer_finds_credentials_and_sees_no_secret(self, client, bob, shop):
        client.force_login(bob)
        page = text(client.get(URL, {"q": "woocommerce"}))
        assert shop.username in page
        assert shop.verifier not in page and shop.password_sealed not in page

    def test_finds_domains_by_name_and_title(self, get, alice, domain):
        make_domain("xn--mnchen-3ya.de", owner=alice)
        Domain.objects.filter(pk=domain.pk).update(title="Weekly news")
        assert list(rows(get(q="münch"))) == ["xn--mnchen-3ya.de"]
        assert list(rows(get(q="SL.Ex"))) == ["sl.example.com"] == list(rows(get(q="weekly")))

    def test_nothing_found_says_so(self, get):
        assert "Nothing matches “&lt;b&gt;”" in text(get(q="<b>"))
        assert "Nothing matches “no such”" in text(get("/domains/menu/", q="no such"))

    def test_title_says_how_much_of_what_was_found(self, get, alice, domain):
        for name in ("anna", "bert"):
            make_credential(domain, label=f"Shop of {name}")
        make_domain("bert.example.com", owner=alice)
        for words, title in {
            "": "Domains",
            "example": "2 domains found · Domains",
            "shop of": "2 SMTP users found · Domains",
            "bert": "1 domain and 1 SMTP user found · Domains",
            "no such": "Nothing found · Domains",
        }.items():
            assert f"<title>{title} · SendLayer</title>" in text(get(q=words))

    def test_many_results_are_cut_and_say_so(self, get, domain):
        for number in range(52):
            make_credential(domain, label=f"Site {number}")
        page = get(q="Site")
        assert len(usernames(page)) == 50
        assert "These are the first 50." in text(page)
        assert "<title>More than 50 SMTP users found" in text(page)
        menu = get("/domains/menu/", q="Site")
        assert len(usernames(menu)) == 8
        assert 'href="/domains/?q=Site">Show all' in text(menu)

    @pytest.mark.parametrize("query", [{"q": "\x00"}, {"q": "Wo\x00o"}, {"q": "a" * 5000}, {"page": "x"}])
    def test_odd_queries_are_answered(self, get, query):
        assert get(**query).status_code == get("/domains/menu/", **query).status_code == 200


@pytest.mark.parametrize(
    "query",
    ["", "?sort=attention", "?state=unused", "?state=attention&sort=last-used", "?q=Site", "?q=203.0.113.7"],
)
def test_queries_do_not_grow_with_domains_and_credentials(as_alice, alice, query):
    counts = []
    for number in range(20):
        domain = make_domain(f"d{number}.example.com", owner=alice)
        make_credential(
            domain, label="Site 1", last_used_ip="203.0.113.7", created_at=timezone.now() - 100 * DAY
        )
        if number in (2, 19):
            with CaptureQueriesContext(connection) as queries:
                assert as_alice.get(URL + query).status_code == 200
            counts.append(len(queries))
    assert counts[0] == counts[1] <= 6


def test_lists_2000_domains(as_alice, alice):
    owned = Domain.objects.bulk_create(Domain(name=f"d{number:04}.example.com") for number in range(2000))
    Membership.objects.bulk_create(Membership(user=alice, domain=domain, role="owner") for domain in owned)
    assert len(rows(as_alice.get(URL, {"page": "80"}))) == 25
    assert list(rows(as_alice.get(URL, {"q": "d1999"}))) == ["d1999.example.com"]
